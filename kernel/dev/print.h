/* The kernel's own messages, on the console. */
#ifndef UMBRA_DEV_PRINT_H
#define UMBRA_DEV_PRINT_H

#include <stdarg.h>

#include "lib/format.h"

/* Prints one message of the kernel: the line gets the prefix "umbra: " and a line end. Lines over
 * PRINT_MAX bytes are cut, and control characters in it are shown as question marks. */
#define PRINT_MAX 512
void print(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void vprint(const char *fmt, va_list args) __attribute__((format(printf, 1, 0)));

#endif
