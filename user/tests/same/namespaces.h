/* Namespaces of a program's own, where the kernel has them. */
#ifndef UMBRA_SAME_NAMESPACES_H
#define UMBRA_SAME_NAMESPACES_H

#include <stdbool.h>

/*
 * On a kernel with namespaces: goes on as process 1 of new ones (mounts, which are private, and
 * processes, with their own /proc), and returns true; the caller's process waits and exits with the
 * same status. Returns false if the caller is process 1 already, or there are none. Exits with 2
 * where they cannot be set up.
 */
bool separate(void);

#endif
