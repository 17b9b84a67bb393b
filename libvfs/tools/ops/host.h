/*
 * Operations by system calls of the host, in one directory that is made the root.
 *
 * The caller of an operation is impersonated with the file-system ids (setfsuid), which decide over
 * every permission that a file system asks for. That and chroot need the superuser.
 */
#ifndef OPS_HOST_H
#define OPS_HOST_H

#include "backend.h"

/* Makes `directory` the root of this process for good and returns a backend on it in *backend.
 * Returns 0 or a negative errno: -EPERM without the superuser's rights. One a process. */
int host_create(struct backend **backend, const char *directory);

#endif
