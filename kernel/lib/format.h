/* Formatted text for the kernel's own messages. */
#ifndef UMBRA_LIB_FORMAT_H
#define UMBRA_LIB_FORMAT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdarg.h>
#include <stddef.h>

/* Formats into buf as C17 7.21.6.5 specifies. It knows the conversions c s d i u x o p %, the flags
 * 0, - and # (of x), a width, a precision for s, and the lengths l, ll and z. Writes at most `size` bytes
 * including the NUL. Returns the length of the whole text. */
size_t format(char *buf, size_t size, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
size_t vformat(char *buf, size_t size, const char *fmt, va_list args)
    __attribute__((format(printf, 3, 0)));

/* Text that is generated at each read. Of the whole text, only the bytes of one window are stored for the reader. */
struct text {
    uint64_t skip; /* bytes before the window */
    char *buf;
    size_t size, used;
    bool unfinished; /* the writer has not come to the window yet: it goes on in the next read */
};

/* Whether all that follows is behind the window. */
static inline bool text_is_full(const struct text *text)
{
    return text->used == text->size;
}

void text_put(struct text *text, const char *bytes, size_t size);
/* At most 511 bytes: a path goes by text_put(). Returns the length of what was written. */
size_t text_printf(struct text *text, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
