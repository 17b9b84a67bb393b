/* Reports: the error, the memory, the call stacks of its allocation and free; then a panic. */
#ifndef UMBRA_SANITIZE_REPORT_H
#define UMBRA_SANITIZE_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Reports an access. `forbidden` is its first byte that the shadow forbids. */
_Noreturn void report_access(uint64_t address, size_t size, bool write, uint64_t forbidden);

/* Reports slab_free() of a wrong address; `what` names the error. */
_Noreturn void report_free(uint64_t address, const char *what);

#endif
