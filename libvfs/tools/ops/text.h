/*
 * Growing runs of bytes for the host commands, and the words of operation lines. Running out of host memory ends the command with
 * a message: the commands have nothing better to do then, so no caller checks for it.
 */
#ifndef OPS_BYTES_H
#define OPS_BYTES_H

#include <stddef.h>

/* All zero is an empty run. `data` is NUL-terminated once anything was appended. */
struct bytes {
    char *data;
    size_t length;
    size_t capacity;
};

/* Makes room for `more` further bytes and one NUL. */
void bytes_reserve(struct bytes *bytes, size_t more);

/* Appends `length` bytes from `data`, which must not lie within `bytes`. */
void bytes_append(struct bytes *bytes, const void *data, size_t length);

/* Appends one byte. */
void bytes_push(struct bytes *bytes, char byte);

/* Appends a NUL-terminated string without its NUL. */
void bytes_text(struct bytes *bytes, const char *text);

/* Appends what printf would print. */
__attribute__((format(printf, 2, 3), nonnull)) void bytes_printf(struct bytes *bytes,
                                                                 const char *format, ...);

/* The contents as a string: never NULL. Valid until the next change. */
const char *bytes_string(const struct bytes *bytes);

/* Empties the run and keeps its memory. */
void bytes_clear(struct bytes *bytes);

/* Frees the memory and leaves an empty run. */
void bytes_free(struct bytes *bytes);

/*
 * The words of an operation line, and how bytes are written as words.
 *
 * Words are separated by blanks. In a word, \0 \n \s (blank) \\ \{ \} and \xHH stand for one byte,
 * {TEXT*N} for N times TEXT, and a word of two quotation marks for the empty one:
 *
 *     write 0 abc{\0*4093}          mkdir {n*255} 0755          symlink "" link
 */

enum {
    TOKENS_MAX = 40,           /* words on a line; the longest operation has 7, results have more */
    TOKEN_BYTES_MAX = 4 << 20, /* bytes that one word may expand to */
};

/* The words of one line. All zero is empty; the memory is kept from line to line. */
struct tokens {
    size_t count;
    struct bytes token[TOKENS_MAX];
};

/* Splits `line`. Returns NULL, or what is wrong with the line; the tokens are then unspecified. */
const char *tokens_split(struct tokens *tokens, const char *line);

/* Frees the words' memory. */
void tokens_free(struct tokens *tokens);

/* Appends the one spelling of `length` bytes that this program prints: equal bytes, equal text. */
void token_spell(struct bytes *out, const void *data, size_t length);

#endif
