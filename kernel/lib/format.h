/* Formatted text for the kernel's own messages. */
#ifndef UMBRA_LIB_FORMAT_H
#define UMBRA_LIB_FORMAT_H

#include <stdarg.h>
#include <stddef.h>

/* Formats into buf as C17 7.21.6.5 specifies. It knows the conversions c s d i u x o p %, the flags
 * 0, - and # (of x), a width, a precision for s, and the lengths l, ll and z. Writes at most `size` bytes
 * including the NUL. Returns the length of the whole text. */
size_t format(char *buf, size_t size, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
size_t vformat(char *buf, size_t size, const char *fmt, va_list args)
    __attribute__((format(printf, 3, 0)));

#endif
