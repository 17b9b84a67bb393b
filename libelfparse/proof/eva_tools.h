/*
 * A file for the proofs of what tools call: a reader whose every answer is fresh, an Ehdr and
 * tables of any content.
 */
#ifndef EVA_TOOLS_H
#define EVA_TOOLS_H

#include <string.h>

#include <elfparse/file.h>

#include "__fc_builtin.h"

/* Reads what is not there: an alarm, unless this cannot be reached. */
#define EXPECT(condition)                                                                          \
    do {                                                                                           \
        if (!(condition))                                                                          \
            (void)*(volatile char *)0;                                                             \
    } while (0)

/* Either class, unless the proof has a case for each. */
#ifndef CLASS
#define CLASS Frama_C_interval(ELFPARSE_CLASS32, ELFPARSE_CLASS64)
#endif

static struct elfparse_reader reader;
static struct elfparse_file file;
static struct elfparse_extent extent;
static struct elfparse_error error;

static uint64_t any(void)
{
    return Frama_C_unsigned_long_long_interval(0, UINT64_MAX);
}

static uint32_t up_to(uint32_t most)
{
    return Frama_C_unsigned_int_interval(0, most);
}

static int read_unknown(void *ctx, uint64_t offset, void *to, size_t len)
{
    Frama_C_make_unknown((char *)to, len);
    return Frama_C_interval(-1, 0);
}

static void any_file(void)
{
    reader.read = read_unknown;
    reader.size = any();
    file.entry = any();
    file.phoff = any();
    file.shoff = any();
    file.phnum = up_to(0xffff);
    file.shnum = up_to(UINT32_MAX);
    file.shstrndx = up_to(UINT32_MAX);
    file.machine = (uint16_t)up_to(UINT16_MAX);
    file.elf_class = (uint8_t)CLASS;
    file.data = (uint8_t)Frama_C_interval(ELFPARSE_DATALSB, ELFPARSE_DATAMSB);
    //@ split file.elf_class;
    file.reader = &reader;
    extent.offset = any();
    extent.size = any();
}

#endif
