/* Small ELF files for tests, made from a description; what exec makes of them. */
#ifndef UMBRA_TESTS_ELF_IMAGE_H
#define UMBRA_TESTS_ELF_IMAGE_H

#include <stddef.h>
#include <stdint.h>

#include "exec/image.h"

#define ELF_SEGMENTS 6
#define ELF_SIZE_MAX 0x20000

struct elf_segment {
    uint32_t type, flags;
    uint64_t offset, vaddr, filesz, memsz, align;
};

struct elf_image {
    uint16_t type, machine, phentsize, phnum; /* phnum 0: the number of segments */
    uint64_t entry, phoff;
    size_t size;                              /* of the file */
    const char *interp;                       /* written at the offset of PT_INTERP */
    struct elf_segment segment[ELF_SEGMENTS]; /* up to the first of type 0 */
};

/* A program with the layout of linkers: text with the headers at 0x400000, data whose page contains
 * more bytes of the file after it, a BSS of two more pages. */
extern const struct elf_image elf_plain;

/* Writes the file. Bytes outside headers are a pattern without zeros. Returns its size. */
size_t elf_write(const struct elf_image *image, uint8_t *out);

/* Compares a program that exec_load() made with its file. */

/* Makes all pages present, if memory allows, and checks each with the page walk: permissions and
 * every byte against the plan of the file. Only the stack and the interpreter may be mapped too.
 */
void exec_check(const uint8_t *file, size_t size, const struct new_image *made);

/* Loads a program with argv[0] = path, the given strings as further arguments and one of
 * environment. Returns exec_load()'s result. */
int exec_try(const char *path, const char *const *arguments, size_t count, struct new_image *out);

/* Frees a program. */
void exec_drop(struct new_image *made);

/* Shared by the tests of exec: a machine with files for each test, and programs that are loaded,
 * checked and freed completely. */

/* The file that was written last. */
extern uint8_t exec_file[ELF_SIZE_MAX];

/* Position-independent programs, the second with /ld.so as its interpreter. */
extern const struct elf_image elf_pie, elf_dynamic;

int exec_setup(void **state);
int exec_teardown(void **state);

/* Counts that must be the same after a program was refused or has ended, and the comparison. */
void exec_remember(void);
void assert_unchanged(const char *name);

void write_image(const char *path, const struct elf_image *image);
void write_script(const char *path, const char *text);

/* Loads twice, checks, and compares the counts after the second time with those after the first:
 * the remaining objects belong to the file (its pages, the list of its mappings). */
void assert_loads(const char *name, const struct elf_image *image);

/* Expects that error and a message; nothing has changed, and the file can be written again. */
void assert_refused(const char *name, const struct elf_image *image, int wanted);

#endif
