/* The memory functions of C17 7.24 that the compiler and both libraries call, and a few of their
 * string relatives. */
#ifndef UMBRA_LIB_STRING_H
#define UMBRA_LIB_STRING_H

#include <stddef.h>

void *memcpy(void *restrict to, const void *restrict from, size_t size);
void *memmove(void *to, const void *from, size_t size);
void *memset(void *to, int byte, size_t size);
int memcmp(const void *a, const void *b, size_t size);
size_t strlen(const char *s);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t size);

/* The kernel is built freestanding, where the compiler takes these for any functions. So told, it makes
 * moves and stores of small constant sizes instead of calls. */
#if !__STDC_HOSTED__ && !defined(__SANITIZE_ADDRESS__)
#define memcpy(to, from, size) __builtin_memcpy(to, from, size)
#define memset(to, byte, size) __builtin_memset(to, byte, size)
#define strlen(s)              __builtin_strlen(s)
#endif

#endif
