#include "bytes.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void bytes_reserve(struct bytes *bytes, size_t more)
{
    size_t need;
    if (__builtin_add_overflow(bytes->length, more, &need) || need > SIZE_MAX / 4) {
        fputs("out of memory\n", stderr);
        exit(3);
    }
    if (need + 1 <= bytes->capacity)
        return;
    size_t capacity = need * 2 + 32;
    char *data = realloc(bytes->data, capacity);
    if (!data) {
        fputs("out of memory\n", stderr);
        exit(3);
    }
    bytes->data = data;
    bytes->capacity = capacity;
}

void bytes_append(struct bytes *bytes, const void *data, size_t length)
{
    bytes_reserve(bytes, length);
    if (length)
        memcpy(bytes->data + bytes->length, data, length);
    bytes->length += length;
    bytes->data[bytes->length] = '\0';
}

void bytes_push(struct bytes *bytes, char byte)
{
    bytes_append(bytes, &byte, 1);
}

void bytes_text(struct bytes *bytes, const char *text)
{
    bytes_append(bytes, text, strlen(text));
}

void bytes_printf(struct bytes *bytes, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (length < 0)
        return;
    bytes_reserve(bytes, (size_t)length);
    va_start(arguments, format);
    vsnprintf(bytes->data + bytes->length, (size_t)length + 1, format, arguments);
    va_end(arguments);
    bytes->length += (size_t)length;
}

const char *bytes_string(const struct bytes *bytes)
{
    return bytes->data ? bytes->data : "";
}

void bytes_clear(struct bytes *bytes)
{
    bytes->length = 0;
    if (bytes->data)
        bytes->data[0] = '\0';
}

void bytes_free(struct bytes *bytes)
{
    free(bytes->data);
    *bytes = (struct bytes){0};
}
