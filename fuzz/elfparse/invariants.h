/* What holds for every plan, checked against the file by code that shares nothing with the library.
 */
#ifndef INVARIANTS_H
#define INVARIANTS_H

#include <stddef.h>
#include <stdint.h>

#include <elfparse/elfparse.h>

/* Stops with the expression where it does not hold; independent of NDEBUG. */
#define HOLDS(expression)                                                                          \
    ((expression) ? (void)0 : invariant_failed(#expression, __FILE__, __LINE__))

void invariant_failed(const char *expression, const char *file, int line);

/* The plan of a file of size bytes that policy accepted. */
void check_plan(const struct elfparse_plan *plan, const struct elfparse_policy *policy,
                const uint8_t *file, size_t size);

/* The byte that a loader by this plan puts at addr, or -1 where it maps nothing. */
int plan_byte(const struct elfparse_plan *plan, const uint8_t *file, uint64_t addr);

#endif
