/*
 * Operations on an instance of libvfs, in process: whole paths go through its own resolver.
 *
 * What a kernel's descriptor layer decides before a file system is asked is decided here the way
 * Linux does it: empty slots and O_PATH files (EBADF), negative offsets and lengths, and times out
 * of range (EINVAL).
 */
#ifndef OPS_MEMORY_H
#define OPS_MEMORY_H

#include "backend.h"
#include "embed.h"

/* Makes an instance and a backend on it. Returns 0 or a negative errno. */
int memory_create(struct backend **backend, const struct embed_options *options);

/* The instance behind a backend that memory_create made; replaced by each clear. */
struct umvfs *memory_instance(struct backend *backend);

#endif
