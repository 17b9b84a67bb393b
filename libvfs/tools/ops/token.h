/*
 * The words of an operation line, and how bytes are written as words.
 *
 * Words are separated by blanks. In a word, \0 \n \s (blank) \\ \{ \} and \xHH stand for one byte,
 * {TEXT*N} for N times TEXT, and a word of two quotation marks for the empty one:
 *
 *     write 0 abc{\0*4093}          mkdir {n*255} 0755          symlink "" link
 */
#ifndef OPS_TOKEN_H
#define OPS_TOKEN_H

#include <stddef.h>

#include "bytes.h"

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
