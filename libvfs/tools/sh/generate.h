/* Random operation lines: few names, so that operations meet; every flag; bad arguments too. */
#ifndef SH_GENERATE_H
#define SH_GENERATE_H

#include "ops/bytes.h"
#include "random.h"

/* Appends one line. Opening FIFOs and devices, which no file system decides, is left to the caller
 * to avoid. */
void generate_line(struct random *random, struct bytes *line);

#endif
