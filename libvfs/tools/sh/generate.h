/* Random operation lines: few names, so that operations meet; every flag; bad arguments too. */
#ifndef SH_GENERATE_H
#define SH_GENERATE_H

#include <stdbool.h>
#include <stddef.h>

#include "ops/bytes.h"
#include "random.h"

enum { POOL_SIZE = 24 };

/* The state of a stream of lines. Start it with generator_start. */
struct generator {
    struct random random;
    bool reserves; /* fallocate makes room in this stream; else lseek looks for data and holes:
                      whether room that was never written is data is each file system's choice */
    size_t used;
    struct bytes pool[POOL_SIZE]; /* paths of earlier lines, which may well exist */
};

/* Starts a stream that depends on `seed` and `round` only. */
void generator_start(struct generator *generator, uint64_t seed, uint64_t round);

/* Frees the stream's memory. */
void generator_end(struct generator *generator);

/* Appends one line. */
void generate_line(struct generator *generator, struct bytes *line);

#endif
