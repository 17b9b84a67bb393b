/* The least that finding a path can cost: each name hashed, one flat table of a chain a bucket,
 * names compared by memcmp; no permissions, no mounts, no references, no limits. */
#ifndef UMVFS_BENCH_FLOOR_H
#define UMVFS_BENCH_FLOOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct floor;

/* A table for that many names. keyed: the hash that libvfs uses; else FNV-1a, which has no key and
 * can be made to collide. */
struct floor *floor_new(size_t names, bool keyed);
void floor_free(struct floor *floor);
/* Adds a name to the directory that the path leads to. */
void floor_add(struct floor *floor, const char *dir, const char *name);
/* The number of the node that a path leads to; 0: none. */
uint64_t floor_walk(const struct floor *floor, const char *path);

#endif
