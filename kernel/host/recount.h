/* Counts that are made anew from what a check finds: frames from mappings and pipes, pipes from their open ends. Of
 * check.c: begin, one call for each thing that is found, end. */
#ifndef UMBRA_HOST_RECOUNT_H
#define UMBRA_HOST_RECOUNT_H

#include <stdbool.h>

#include "host/walk.h"

struct file;

/* When a machine starts: the tables that belong to no process. */
void recount_start(void);

void recount_begin(void);
void recount_leaf(const struct walk_leaf *leaf);
void recount_table(void);
void recount_file(const struct file *file); /* once for each open description */

/* exact: no thread is in a call, which may hold more than its records say. A difference is a host_fail(). */
void recount_end(bool exact);

#endif
