#include "file/text.h"

#include "dev/print.h"
#include "lib/string.h"

void text_put(struct text *text, const char *bytes, size_t size)
{
    if (text->skip >= size) {
        text->skip -= size;
        return;
    }
    bytes += text->skip;
    size -= text->skip;
    text->skip = 0;
    size_t room = text->size - text->used;
    size_t n = size < room ? size : room;
    memcpy(text->buf + text->used, bytes, n);
    text->used += n;
}

size_t text_printf(struct text *text, const char *fmt, ...)
{
    char line[512];
    va_list args;
    va_start(args, fmt);
    size_t length = vformat(line, sizeof(line), fmt, args);
    va_end(args);
    if (length >= sizeof(line))
        length = sizeof(line) - 1;
    text_put(text, line, length);
    return length;
}
