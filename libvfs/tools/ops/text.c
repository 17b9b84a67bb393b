#include "text.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ctype.h>
#include <stdbool.h>

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

enum { RUN_MIN = 8 }; /* equal bytes that are worth a {c*N} */

static int hex_digit(char c)
{
    const char *digits = "0123456789abcdef";
    const char *at = c ? strchr(digits, tolower((unsigned char)c)) : NULL;
    return at ? (int)(at - digits) : -1;
}

/* Reads what follows a backslash at *at and moves *at behind it. */
static const char *unescape(const char **at, char *byte)
{
    static const char names[] = "0ns\\{}*\"";
    static const char values[] = {'\0', '\n', ' ', '\\', '{', '}', '*', '"'};
    const char *name = **at ? strchr(names, **at) : NULL;
    if (name) {
        *byte = values[name - names];
        *at += 1;
        return NULL;
    }
    if (**at == 'x' && hex_digit((*at)[1]) >= 0 && hex_digit((*at)[2]) >= 0) {
        *byte = (char)(hex_digit((*at)[1]) * 16 + hex_digit((*at)[2]));
        *at += 3;
        return NULL;
    }
    return "unknown escape after a backslash";
}

/* Reads a {TEXT*N} whose brace is already behind *at. */
static const char *expand_run(const char **at, struct bytes *out)
{
    struct bytes unit = {0};
    const char *wrong = NULL;
    while (!wrong && **at && **at != '*' && !isspace((unsigned char)**at)) {
        char byte = *(*at)++;
        if (byte == '\\')
            wrong = unescape(at, &byte);
        bytes_push(&unit, byte);
    }
    char *end = NULL;
    unsigned long times = !wrong && **at == '*' ? strtoul(*at + 1, &end, 10) : 0;
    size_t total = 0;
    if (!wrong && (!end || *end != '}' || !isdigit((unsigned char)(*at)[1])))
        wrong = "a brace is not of the form {TEXT*N}";
    else if (!wrong && (__builtin_mul_overflow(times, unit.length, &total) ||
                        total > TOKEN_BYTES_MAX - out->length))
        wrong = "a word is too long";
    for (size_t i = 0; !wrong && i < times; i++)
        bytes_append(out, unit.data, unit.length);
    if (!wrong)
        *at = end + 1;
    bytes_free(&unit);
    return wrong;
}

static const char *read_token(const char **at, struct bytes *out)
{
    const char *wrong = NULL;
    bytes_clear(out);
    bytes_reserve(out, 0);
    out->data[0] = '\0';
    if (strncmp(*at, "\"\"", 2) == 0 && ((*at)[2] == '\0' || isspace((unsigned char)(*at)[2]))) {
        *at += 2;
        return NULL;
    }
    while (!wrong && **at && !isspace((unsigned char)**at)) {
        char byte = *(*at)++;
        if (byte == '{') {
            wrong = expand_run(at, out);
            continue;
        }
        if (byte == '\\')
            wrong = unescape(at, &byte);
        bytes_push(out, byte);
    }
    return wrong;
}

const char *tokens_split(struct tokens *tokens, const char *line)
{
    tokens->count = 0;
    for (;;) {
        while (isspace((unsigned char)*line))
            line++;
        if (!*line)
            return NULL;
        if (tokens->count == TOKENS_MAX)
            return "too many words";
        const char *wrong = read_token(&line, &tokens->token[tokens->count]);
        if (wrong)
            return wrong;
        tokens->count++;
    }
}

void tokens_free(struct tokens *tokens)
{
    for (size_t i = 0; i < TOKENS_MAX; i++)
        bytes_free(&tokens->token[i]);
    tokens->count = 0;
}

static void spell_byte(struct bytes *out, char byte)
{
    switch (byte) {
    case '\0':
        bytes_text(out, "\\0");
        break;
    case '\n':
        bytes_text(out, "\\n");
        break;
    case ' ':
        bytes_text(out, "\\s");
        break;
    case '\\':
    case '{':
    case '}':
    case '*':
    case '"':
        bytes_push(out, '\\');
        bytes_push(out, byte);
        break;
    default:
        if (byte > ' ' && byte < 0x7f)
            bytes_push(out, byte);
        else
            bytes_printf(out, "\\x%02x", (unsigned char)byte);
    }
}

void token_spell(struct bytes *out, const void *data, size_t length)
{
    const char *byte = data;
    if (length == 0)
        bytes_text(out, "\"\"");
    for (size_t i = 0; i < length;) {
        size_t run = 1;
        while (i + run < length && byte[i + run] == byte[i])
            run++;
        if (run < RUN_MIN) {
            spell_byte(out, byte[i++]);
            continue;
        }
        bytes_push(out, '{');
        spell_byte(out, byte[i]);
        bytes_printf(out, "*%zu}", run);
        i += run;
    }
}
