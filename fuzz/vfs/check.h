/* The checks that the targets share, and how often they are made. */
#ifndef UMVFS_FUZZ_CHECK_H
#define UMVFS_FUZZ_CHECK_H

#include <stdio.h>
#include <stdlib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <umvfs/vfs.h>

/* A condition that a target relies on: if it is false, the place is printed and the process aborts. */
#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                        \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* How much a target looks at. The replay of a corpus (VFS_FUZZ_EFFORT=all in the environment)
 * checks every invariant after every step; while fuzzing, one input in 32 is worth that, which its
 * bytes decide, so that what it finds can be repeated. */

/* Whether the environment asks for everything. */
bool all_effort(void);

bool worth_every_step(const uint8_t *data, size_t size);

/* The invariants of an instance between two calls, read from its internal structures. */

/* Aborts with a line on stderr if one is broken: every name is found where its hash says, cookies
 * and parents agree, directories form a tree, link counts are exact, the table's counts and the
 * quota of each in-memory file system agree with what is there. unnamed: how
 * many inodes references alone may keep alive, at most. */
void check_invariants(struct umvfs *vfs, size_t unnamed);

/* The inodes without a name that a place may keep alive: its own and those of the directories above. */
size_t count_unnamed(const struct umvfs_path *place);

#endif
