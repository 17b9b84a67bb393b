/* Three kinds of check, told apart by name. Input is validated and answered with an error. A CHECK
 * is for a broken invariant: it is always on, and panics with the values. A DEBUG_CHECK is for a
 * costly check: it is on in debug builds only. */
#ifndef UMBRA_LIB_CHECK_H
#define UMBRA_LIB_CHECK_H

#include <stdint.h>

#define CHECK(condition, ...)                                                                      \
    ((condition) ? (void)0 : check_failed(__FILE__, __LINE__, #condition, " " __VA_ARGS__))

#ifdef UMBRA_DEBUG
#define DEBUG_CHECK(condition, ...) CHECK(condition, __VA_ARGS__)
#else
#define DEBUG_CHECK(condition, ...) ((void)sizeof(condition))
#endif

/* Panics with the place, the condition and the formatted values. Does not return. */
_Noreturn void check_failed(const char *file, int line, const char *condition, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* Prints the message, CR0, CR2, CR3, CR4 and a backtrace of the caller with symbols, and stops the
 * machine with the verdict panic. Does not return. panic_frame() prints the general registers
 * too. */
_Noreturn void panic(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
