/* A small well-formed program, to be bent by test cases and fuzzing seeds. */
#ifndef IMAGE_H
#define IMAGE_H

#include <stddef.h>
#include <stdint.h>

#include <elfparse/elfparse.h>

#define IMAGE_SIZE  0x600u
#define IMAGE_MAX   0x2000u
#define IMAGE_PHNUM 12u

/* Its program headers; IMAGE_SPARE has the unknown type PT_NULL. */
enum {
    IMAGE_PHDR,
    IMAGE_INTERP,
    IMAGE_TEXT_R,
    IMAGE_TEXT_X,
    IMAGE_RODATA,
    IMAGE_DATA,
    IMAGE_DYNAMIC,
    IMAGE_NOTE,
    IMAGE_PROPERTY,
    IMAGE_TLS,
    IMAGE_STACK,
    IMAGE_RELRO
};

#define IMAGE_ENTRY      0x1490u
#define IMAGE_INTERP_AT  0x340u
#define IMAGE_NOTE_AT    0x360u
#define IMAGE_DYNAMIC_AT 0x560u

/* File offset of a field of a program header: EH_ and PH_ name what gABI calls e_ and p_. */
#define PH(index, field) (64u + (index) * 56u + (field))
enum {
    TYPE = 0,
    FLAGS = 4,
    OFFSET = 8,
    VADDR = 16,
    PADDR = 24,
    FILESZ = 32,
    MEMSZ = 40,
    ALIGN = 48
};
enum {
    E_TYPE = 16,
    E_MACHINE = 18,
    E_VERSION = 20,
    E_ENTRY = 24,
    E_PHOFF = 32,
    E_SHOFF = 40,
    E_FLAGS = 48,
    E_EHSIZE = 52,
    E_PHENTSIZE = 54,
    E_PHNUM = 56,
    E_SHENTSIZE = 58,
    E_SHNUM = 60,
    E_SHSTRNDX = 62
};

/* Writes the low bytes of value, little-endian. */
void image_put(uint8_t *image, size_t offset, uint64_t value, size_t bytes);

/* Writes the program, IMAGE_SIZE bytes, and zeros up to IMAGE_MAX. */
void image_make(uint8_t image[IMAGE_MAX]);

/* Another class, byte order and machine. */
struct image_form {
    uint8_t elf_class;
    uint8_t data;
    uint16_t machine;
};

/* Where the re-encoded file has that byte of the image's Ehdr or program header table. */
uint64_t image_offset(const struct image_form *form, uint64_t offset);

/*
 * Writes the file at image, ELF64 and little-endian, with its Ehdr and program headers as that form
 * has them, everything else in its place. Returns 0 where a number has no room there, or headers
 * overlap.
 */
int image_re_encode(const uint8_t *image, size_t size, const struct image_form *form, uint8_t *out);

#endif
