#include "lib/format.h"

#include <stdbool.h>
#include <stdint.h>

#include "lib/string.h"

struct output {
    char *buf;
    size_t size;   /* of buf */
    size_t length; /* of the whole text so far */
};

struct spec {
    bool left, zero, prefix;
    int width, precision; /* precision -1: none */
    int longs;            /* 0: int; 1 or more: 64 bits */
};

static void put(struct output *out, char c)
{
    if (out->length + 1 < out->size)
        out->buf[out->length] = c;
    out->length++;
}

static size_t lead_length(const char *text, size_t length)
{
    if (length > 1 && text[0] == '0' && text[1] == 'x')
        return 2;
    return length > 0 && text[0] == '-' ? 1 : 0;
}

static void put_padded(struct output *out, const char *text, size_t length, struct spec spec)
{
    size_t pad = spec.width > 0 && (size_t)spec.width > length ? (size_t)spec.width - length : 0;
    char fill = spec.zero && !spec.left ? '0' : ' ';
    if (fill == '0') /* zeros go between sign or prefix and the digits */
        for (size_t lead = lead_length(text, length); lead > 0; lead--, length--)
            put(out, *text++);
    if (!spec.left)
        for (; pad > 0; pad--)
            put(out, fill);
    for (size_t i = 0; i < length; i++)
        put(out, text[i]);
    for (; pad > 0; pad--)
        put(out, ' ');
}

static void put_number(struct output *out, uint64_t value, unsigned base, const char *prefix,
                       struct spec spec)
{
    char digits[32];
    size_t at = sizeof(digits);
    do {
        digits[--at] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value);
    for (size_t i = strlen(prefix); i > 0; i--)
        digits[--at] = prefix[i - 1];
    put_padded(out, digits + at, sizeof(digits) - at, spec);
}

static const char *parse_spec(const char *p, struct spec *spec, va_list *args)
{
    *spec = (struct spec){.precision = -1};
    for (; *p == '-' || *p == '0' || *p == '#'; p++) {
        spec->left |= *p == '-';
        spec->zero |= *p == '0';
        spec->prefix |= *p == '#';
    }
    for (; *p >= '0' && *p <= '9'; p++)
        spec->width = spec->width * 10 + (*p - '0');
    if (*p == '.') {
        spec->precision = 0;
        if (*++p == '*') {
            spec->precision = va_arg(*args, int);
            p++;
        }
        for (; *p >= '0' && *p <= '9'; p++)
            spec->precision = spec->precision * 10 + (*p - '0');
    }
    for (; *p == 'l' || *p == 'z'; p++)
        spec->longs++;
    return p;
}

static void put_string(struct output *out, const char *text, struct spec spec)
{
    size_t length = 0;
    while ((spec.precision < 0 || length < (size_t)spec.precision) && text[length])
        length++;
    put_padded(out, text, length, spec);
}

static void put_conversion(struct output *out, char conversion, struct spec spec, va_list *args)
{
    switch (conversion) {
    case 'c': {
        char c = (char)va_arg(*args, int);
        put_padded(out, &c, 1, spec);
        return;
    }
    case 's':
        put_string(out, va_arg(*args, const char *), spec);
        return;
    case 'd':
    case 'i': {
        int64_t v = spec.longs ? va_arg(*args, int64_t) : va_arg(*args, int);
        put_number(out, v < 0 ? 0 - (uint64_t)v : (uint64_t)v, 10, v < 0 ? "-" : "", spec);
        return;
    }
    case 'u':
    case 'x':
    case 'o':
        put_number(out, spec.longs ? va_arg(*args, uint64_t) : va_arg(*args, unsigned),
                   conversion == 'x'   ? 16
                   : conversion == 'o' ? 8
                                       : 10,
                   conversion == 'x' && spec.prefix ? "0x" : "", spec);
        return;
    case 'p':
        put_number(out, (uintptr_t)va_arg(*args, void *), 16, "0x", spec);
        return;
    default:
        put(out, conversion);
    }
}

size_t vformat(char *buf, size_t size, const char *fmt, va_list args)
{
    struct output out = {buf, size, 0};
    va_list copy;
    va_copy(copy, args);
    for (const char *p = fmt; *p; p++) {
        struct spec spec;
        if (*p != '%') {
            put(&out, *p);
            continue;
        }
        p = parse_spec(p + 1, &spec, &copy);
        if (!*p)
            break;
        put_conversion(&out, *p, spec, &copy);
    }
    va_end(copy);
    if (size > 0)
        buf[out.length < size ? out.length : size - 1] = '\0';
    return out.length;
}

size_t format(char *buf, size_t size, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    size_t length = vformat(buf, size, fmt, args);
    va_end(args);
    return length;
}

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
