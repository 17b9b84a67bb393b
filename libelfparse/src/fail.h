/* Errors: those that no program header is to blame for, and the text of sentences. Internal. */
#ifndef ELFP_FAIL_H
#define ELFP_FAIL_H

#include <elfparse/error.h>
#include <elfparse/reader.h>

/* Fills *error, unless error is NULL, and returns code. */
int elfp_fail(struct elfparse_error *error, int code, uint32_t rule, uint64_t offset,
              uint64_t expected, uint64_t found);

/* Reads size bytes at offset; ELFPARSE_EBOUNDS unless they lie in the file. */
int elfp_read(const struct elfparse_reader *reader, uint64_t offset, void *buf, size_t size,
              struct elfparse_error *error);

/* Where size bytes at offset end; all ones where that wraps. */
static inline uint64_t elfp_end(uint64_t offset, uint64_t size)
{
    return size > UINT64_MAX - offset ? UINT64_MAX : offset + size;
}

/* 1 if size bytes at offset lie in a file of that length. */
static inline int elfp_inside(uint64_t offset, uint64_t size, uint64_t length)
{
    return size <= length && offset <= length - size;
}

/* The caller's buffer with room for the NUL left out; length counts up to where it is full. */
struct elfp_output {
    char *buf;
    size_t room;
    size_t length;
};

void elfp_put(struct elfp_output *out, char c);
void elfp_put_string(struct elfp_output *out, const char *text);

/* base is 10 or 16 */
void elfp_put_number(struct elfp_output *out, uint64_t value, uint32_t base);

/* Values above INT64_MAX are negative numbers. */
void elfp_put_decimal(struct elfp_output *out, uint64_t value);

#endif
