/* Namespaces of a program's own, where the kernel has them. */
#ifndef UMBRA_SAME_NAMESPACES_H
#define UMBRA_SAME_NAMESPACES_H

#include <stdbool.h>

/*
 * On a kernel with namespaces: continues as process 1 of new ones (private mounts, and processes
 * with their own /proc), and returns true; the caller's process waits and exits with the same
 * status. Returns false if the caller is process 1 already, or the kernel has no namespaces. Exits
 * with 2 if they cannot be set up.
 */
bool separate(void);

#endif
