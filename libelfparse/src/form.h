/*
 * What the reading for tools shares: numbers of an opened file in its byte order, its string tables,
 * errors and the text of sentences, the hashes of names. Internal.
 */
#ifndef ELFP_FORM_H
#define ELFP_FORM_H

#include <stdint.h>

#include <elfparse/error.h>
#include <elfparse/file.h>
#include <elfparse/reader.h>

#include "bytes.h"

static inline uint32_t elfp_big(const struct elfparse_file *file)
{
    return file->data == ELFPARSE_DATAMSB;
}

static inline int elfp_narrow(const struct elfparse_file *file)
{
    return file->elf_class == ELFPARSE_CLASS32;
}

static inline uint32_t elfp_half(const struct elfparse_file *file, const uint8_t *bytes)
{
    return elfp_get16(bytes, elfp_big(file));
}

static inline uint32_t elfp_word(const struct elfparse_file *file, const uint8_t *bytes)
{
    return elfp_get32(bytes, elfp_big(file));
}

/*
 * A number that has 8 bytes, wide bytes behind start in ELF64, and 4, narrow bytes behind, in
 * ELF32.
 */
static inline uint64_t elfp_number(const struct elfparse_file *file, const uint8_t *start,
                                   uint32_t wide, uint32_t narrow)
{
    return elfp_narrow(file) ? elfp_word(file, start + narrow)
                             : elfp_get64(start + wide, elfp_big(file));
}

/* One of two sizes or places. */
static inline uint32_t elfp_either(const struct elfparse_file *file, uint32_t wide, uint32_t narrow)
{
    return elfp_narrow(file) ? narrow : wide;
}

/* 1 if the string at offset of the table is name, 0 if it is another, or an error's code. */
int elfp_string_equal(const struct elfparse_file *file, const struct elfparse_extent *strings,
                      uint64_t offset, const char *name, struct elfparse_error *error);

/* Fills *error, unless error is NULL, and returns code. */
int elfp_fail(struct elfparse_error *error, int code, uint32_t rule, uint64_t offset,
              uint64_t expected, uint64_t found);

/* Reads size bytes at offset; ELFPARSE_EBOUNDS unless they lie in the file. */
int elfp_read(const struct elfparse_reader *reader, uint64_t offset, void *buf, size_t size,
              struct elfparse_error *error);

/* A file of which one call reads so often and no more: tables can lead in circles. */
struct elfp_counted {
    struct elfparse_file file;
    struct elfparse_reader reader;
    const struct elfparse_reader *from;
    uint64_t limit;
    uint64_t left; /* reads, and one more; 0: the limit was passed */
};

/* Opens *counted as another view of the file; it must not move while it is used. */
void elfp_count_reads(struct elfp_counted *counted, const struct elfparse_file *file);

/* The code of a call that used *counted: instead, where it failed because the limit was passed. */
int elfp_counted_code(const struct elfp_counted *counted, int code, int instead,
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

/* Linux gABI extensions, "GNU hash" */
#define ELFP_GNU_HASH_START 5381u

static inline uint32_t elfp_gnu_hash_add(uint32_t hash, uint8_t byte)
{
    return hash * 33u + byte;
}

/* gABI, "Hash Table"; starts with 0 */
static inline uint32_t elfp_sysv_hash_add(uint32_t hash, uint8_t byte)
{
    hash = (hash << 4) + byte;
    return (hash ^ ((hash >> 24) & 0xf0)) & 0x0fffffff;
}

#endif
