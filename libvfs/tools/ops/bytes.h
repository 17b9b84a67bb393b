/*
 * A growing run of bytes for the host commands. Running out of host memory ends the command with
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

#endif
