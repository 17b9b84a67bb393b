/* Text that is generated at each read. Of the whole text, only the bytes of one window are stored
 * for the reader. */
#ifndef UMBRA_FILE_TEXT_H
#define UMBRA_FILE_TEXT_H

#include <stddef.h>
#include <stdint.h>

struct text {
    uint64_t skip; /* bytes before the window */
    char *buf;
    size_t size, used;
};

void text_put(struct text *text, const char *bytes, size_t size);
void text_printf(struct text *text, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
