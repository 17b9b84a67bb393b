/* Reports: what was wrong, which memory it was, who allocated and freed it; then a panic. */
#ifndef UMBRA_SANITIZE_REPORT_H
#define UMBRA_SANITIZE_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An access whose byte at `forbidden` the shadow forbids. */
_Noreturn void report_access(uint64_t address, size_t size, bool write, uint64_t forbidden);

/* slab_free() with a wrong address; `what` says what is wrong. */
_Noreturn void report_free(uint64_t address, const char *what);

#endif
