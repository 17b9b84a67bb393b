/* Three kinds of check, told apart by name: input is validated and answered with an error; a
 * broken invariant is a CHECK, always on, and ends in a panic with the values; a costly one is a
 * DEBUG_CHECK, on in debug builds. */
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

/* Panics, naming the place, the condition and, formatted, the values. Does not return. */
_Noreturn void check_failed(const char *file, int line, const char *condition, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* Prints the message, the registers of the caller, CR2, CR3 and a symbolised backtrace, and stops
 * the machine with the verdict panic. Does not return. */
_Noreturn void panic(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
