/* Small ELF files for tests, made from a description. */
#ifndef UMBRA_TESTS_ELF_IMAGE_H
#define UMBRA_TESTS_ELF_IMAGE_H

#include <stddef.h>
#include <stdint.h>

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

#endif
