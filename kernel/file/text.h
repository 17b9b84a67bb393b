/* Text that is generated at each read. Of the whole text, only the bytes of one window are stored
 * for the reader. */
#ifndef UMBRA_FILE_TEXT_H
#define UMBRA_FILE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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
/* Returns the length of what was written. */
size_t text_printf(struct text *text, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
