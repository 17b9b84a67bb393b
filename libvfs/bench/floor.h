/* The least that finding a path can cost: names hashed (FNV-1a, no key), one table, no permissions,
 * no mounts, no references. */
#ifndef VFS_BENCH_FLOOR_H
#define VFS_BENCH_FLOOR_H

#include <stdint.h>

struct floor;

struct floor *floor_new(void);
void floor_free(struct floor *floor);
/* Adds a name to the directory that the path leads to. */
void floor_add(struct floor *floor, const char *dir, const char *name);
/* The number of the node that a path leads to; 0: none. */
uint64_t floor_walk(const struct floor *floor, const char *path);

#endif
