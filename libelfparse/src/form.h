/* Numbers of an opened file, in its byte order, and its string tables. Internal. */
#ifndef ELFP_FORM_H
#define ELFP_FORM_H

#include <elfparse/file.h>

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

#endif
