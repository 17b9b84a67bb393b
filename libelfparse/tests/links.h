/* The pair as the tests of linking bend it and link it. */
#ifndef LINKS_H
#define LINKS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <elfparse/version.h>

#include "pair.h"

static uint8_t program[PAIR_SIZE], library[PAIR_SIZE];
static uint8_t before[2][PAIR_SIZE];
static struct pair pair;
static struct elfparse_link_error error;

static void make(unsigned machine, int sysv)
{
    pair_fill(&pair_machines[machine], sysv, program, library);
    pair_make(&pair, &pair_machines[machine], program, library);
}

static int link_all(void)
{
    int code;

    memcpy(before[0], program, PAIR_SIZE);
    memcpy(before[1], library, PAIR_SIZE);
    memset(&error, 0, sizeof(error));
    code = elfparse_link_load(&pair.link, &error);
    return code == 0 ? elfparse_link_relocate(&pair.link, &error) : code;
}

static uint64_t word_at(const uint8_t *memory, unsigned offset)
{
    return pair_get(memory + offset, pair.machine->word);
}

static uint64_t target(unsigned number)
{
    return word_at(program, PAIR_TARGETS + 16 * number);
}

/* That code and that sentence, and no byte was changed. */
static void expect_failure(int code, const char *sentence)
{
    char text[ELFPARSE_LINK_ERROR_MAX];

    assert_int_equal(link_all(), code);
    assert_int_equal(error.error.code, code);
    assert_memory_equal(program, before[0], PAIR_SIZE);
    assert_memory_equal(library, before[1], PAIR_SIZE);
    assert_int_equal(elfparse_link_error_format(&error, text, sizeof(text)), strlen(sentence));
    assert_string_equal(text, sentence);
    make(0, 0);
}

/* The dynamic entry with that tag. */
static uint8_t *entry(uint8_t *memory, uint64_t tag)
{
    uint8_t *at = memory + PAIR_DYNAMIC;

    while (pair_get(at, pair.machine->word) != tag)
        at += 2 * pair.machine->word;
    return at;
}

static void set_entry(uint8_t *memory, uint64_t tag, uint64_t value)
{
    pair_put(entry(memory, tag) + pair.machine->word, value, pair.machine->word);
}

static void add_entry(uint8_t *memory, uint64_t tag, uint64_t value)
{
    uint8_t *at = entry(memory, ELFPARSE_DT_NULL);

    pair_put(at, tag, pair.machine->word);
    pair_put(at + pair.machine->word, value, pair.machine->word);
}

static uint8_t *symbol(uint8_t *memory, unsigned index)
{
    return memory + PAIR_SYMBOLS + (size_t)index * (pair.machine->word == 8 ? 24 : 16);
}

/* Bytes of the program's (0) or the library's (1) memory that are changed. */
struct change {
    unsigned object;
    size_t offset, size;
    uint64_t value;
};

#define NAME(index)       (PAIR_SYMBOLS + 24 * (size_t)(index))
#define INFO(index)       (NAME(index) + 4)
#define OTHER(index)      (NAME(index) + 5)
#define SHNDX(index)      (NAME(index) + 6)
#define VALUE(index)      (NAME(index) + 8)
#define ST_SIZE(index)    (NAME(index) + 16)
#define VERSYM(index)     (PAIR_VERSYM + 2 * (size_t)(index))
#define RELOCATION(index) (PAIR_RELOCATIONS + 24 * (size_t)(index))
#define GNU(word)         (PAIR_GNU_HASH + 4 * (size_t)(word))
#define SYSV(word)        (PAIR_SYSV_HASH + 4 * (size_t)(word))

static void apply(const struct change *changes, size_t count)
{
    for (size_t i = 0; i < count && changes[i].size != 0; i++)
        pair_put(pair.memory[changes[i].object] + changes[i].offset, changes[i].value,
                 changes[i].size);
}

/* A name of the program that lies at that offset and has that many bytes. */
static void put_name(uint8_t *memory, size_t offset, size_t size)
{
    memset(memory + offset, 'a', size);
    memory[offset + size] = '\0';
}

#endif
