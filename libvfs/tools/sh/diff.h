/*
 * The differential test: random operations on libvfs and on the host's file system, whose results
 * and trees must be the same.
 */
#ifndef SH_DIFF_H
#define SH_DIFF_H

#include <stdint.h>
#include <stdio.h>

#include "ops/backend.h"

struct diff_options {
    uint64_t seed;
    uint64_t operations; /* in all */
    unsigned round;      /* operations between two empty trees; the bound of a failing script */
    unsigned interval;   /* operations between two comparisons of the trees */
};

/* Runs the test between two backends. Prints progress and, at the first difference, a minimal
 * script that shows it, to `out`. Returns 0 if there is none, 1 if there is one, or a negative
 * errno. */
int diff_run(struct backend *memory, struct backend *host, const struct diff_options *options,
             FILE *out);

/* Appends a line for every object of the session's tree, in order of names: its attributes, which
 * other name it shares its inode with, its contents and extended attributes. Changes nothing but
 * access times of directories and links. Uses the last slot. */
void tree_describe(struct session *session, struct bytes *out);

#endif
