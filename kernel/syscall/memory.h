/* Shared by the calls that change address spaces. */
#ifndef UMBRA_SYSCALL_MEMORY_H
#define UMBRA_SYSCALL_MEMORY_H

#include "mm/aspace.h"

/* Does an operation on a range of the current address space, in chunks with scheduling points
 * between them. Returns its first error, or -EINTR if a fatal signal came. */
typedef int range_fn(struct aspace *as, virt_t start, uint64_t size, unsigned argument);
int memory_in_chunks(virt_t start, uint64_t size, range_fn *operation, unsigned argument);

/* Makes the pages of a range until one cannot be made, or a fatal signal comes. Returns 0, or an error as
 * aspace_fault(), or -EINTR. */
int memory_populate(struct aspace *as, virt_t at, virt_t end);

/* Whether RLIMIT_MEMLOCK and the capabilities allow to lock memory at all. */
bool memory_may_lock_any(void);

#endif
