/*
 * The differential test: random operations on libvfs and on the host's file system, whose results
 * and trees must be the same.
 */
#ifndef SH_DIFF_H
#define SH_DIFF_H

#include <stdint.h>
#include <stdio.h>
#include <stdbool.h>
#include <stddef.h>

#include "ops/backend.h"
#include "ops/text.h"

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

/* A small generator of random numbers (xorshift64*), the same on every machine for a seed. */

struct random {
    uint64_t state; /* never 0 */
};

static inline struct random random_seed(uint64_t seed)
{
    return (struct random){
        seed * 0x9e3779b97f4a7c15u + 0x1234567u ? seed * 0x9e3779b97f4a7c15u + 0x1234567u : 1};
}

static inline uint64_t random_next(struct random *random)
{
    random->state ^= random->state >> 12;
    random->state ^= random->state << 25;
    random->state ^= random->state >> 27;
    return random->state * 0x2545f4914f6cdd1du;
}

/* A number from 0 to limit - 1. */
static inline unsigned random_below(struct random *random, unsigned limit)
{
    return (unsigned)((random_next(random) >> 33) % limit);
}

/* Random operation lines: few names, so that operations meet; every flag; bad arguments too. */

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
