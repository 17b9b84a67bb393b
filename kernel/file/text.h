/* Text that is made anew at each read: of all that is written to it, the bytes of one window go to the
 * reader. */
#ifndef UMBRA_FILE_TEXT_H
#define UMBRA_FILE_TEXT_H

#include <stddef.h>
#include <stdint.h>

struct text {
    uint64_t skip; /* bytes still to be left out */
    char *buf;
    size_t size, used;
};

void text_put(struct text *text, const char *bytes, size_t size);
void text_printf(struct text *text, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
