#include "image.h"

#include <string.h>

void image_put(uint8_t *image, size_t offset, uint64_t value, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        image[offset + i] = (uint8_t)(value >> (8 * i));
}

/* type, flags, offset, vaddr, filesz, memsz, align */
static const uint64_t headers[IMAGE_PHNUM][7] = {
    [IMAGE_PHDR] = {6, 4, 64, 64, IMAGE_PHNUM * 56, IMAGE_PHNUM * 56, 8},
    [IMAGE_INTERP] = {3, 4, IMAGE_INTERP_AT, IMAGE_INTERP_AT, 0x1c, 0x1c, 1},
    [IMAGE_TEXT_R] = {1, 4, 0, 0, 0x480, 0x480, 0x1000},
    [IMAGE_TEXT_X] = {1, 5, 0x480, 0x1480, 0x80, 0x80, 0x1000},
    [IMAGE_RODATA] = {1, 4, 0x500, 0x2500, 0x40, 0x40, 0x1000},
    [IMAGE_DATA] = {1, 6, 0x540, 0x3540, 0xc0, 0x2000, 0x1000},
    [IMAGE_DYNAMIC] = {2, 6, IMAGE_DYNAMIC_AT, 0x3560, 0x40, 0x40, 8},
    [IMAGE_NOTE] = {4, 4, IMAGE_NOTE_AT, IMAGE_NOTE_AT, 0x44, 0x44, 8},
    [IMAGE_PROPERTY] = {0x6474e553, 4, IMAGE_NOTE_AT, IMAGE_NOTE_AT, 0x20, 0x20, 8},
    [IMAGE_TLS] = {7, 4, 0x540, 0x3540, 0x10, 0x40, 16},
    [IMAGE_STACK] = {0x6474e551, 6, 0, 0, 0, 0, 16},
    [IMAGE_RELRO] = {0x6474e552, 4, 0x540, 0x3540, 0xc0, 0xac0, 1},
};

static void put_header(uint8_t *image, size_t index)
{
    const uint64_t *h = headers[index];

    image_put(image, PH(index, TYPE), h[0], 4);
    image_put(image, PH(index, FLAGS), h[1], 4);
    image_put(image, PH(index, OFFSET), h[2], 8);
    image_put(image, PH(index, VADDR), h[3], 8);
    image_put(image, PH(index, PADDR), h[3], 8);
    image_put(image, PH(index, FILESZ), h[4], 8);
    image_put(image, PH(index, MEMSZ), h[5], 8);
    image_put(image, PH(index, ALIGN), h[6], 8);
}

/* A property note with IBT and SHSTK, then a build-id of 20 bytes. */
static void put_notes(uint8_t *image, size_t at)
{
    image_put(image, at, 4, 4);
    image_put(image, at + 4, 16, 4);
    image_put(image, at + 8, 5, 4);
    memcpy(image + at + 12, "GNU", 4);
    image_put(image, at + 16, 0xc0000002, 4);
    image_put(image, at + 20, 4, 4);
    image_put(image, at + 24, 3, 4);
    image_put(image, at + 32, 4, 4);
    image_put(image, at + 36, 20, 4);
    image_put(image, at + 40, 3, 4);
    memcpy(image + at + 44, "GNU", 4);
    memset(image + at + 48, 0xb1, 20);
}

void image_make(uint8_t image[IMAGE_MAX])
{
    memset(image, 0, IMAGE_MAX);
    memcpy(image, "\177ELF\2\1\1", 7);
    image_put(image, E_TYPE, 3, 2);
    image_put(image, E_MACHINE, 62, 2);
    image_put(image, E_VERSION, 1, 4);
    image_put(image, E_ENTRY, IMAGE_ENTRY, 8);
    image_put(image, E_PHOFF, 64, 8);
    image_put(image, E_EHSIZE, 64, 2);
    image_put(image, E_PHENTSIZE, 56, 2);
    image_put(image, E_PHNUM, IMAGE_PHNUM, 2);
    for (size_t i = 0; i < IMAGE_PHNUM; i++)
        put_header(image, i);
    memcpy(image + IMAGE_INTERP_AT, "/lib64/ld-linux-x86-64.so.2", 0x1c);
    put_notes(image, IMAGE_NOTE_AT);
    memset(image + 0x480, 0xcc, 0x80);
    memset(image + 0x500, 'r', 0x40);
    memset(image + 0x540, 't', 0x20);
    image_put(image, IMAGE_DYNAMIC_AT, 5, 8);
}

static uint64_t get(const uint8_t *bytes, size_t count)
{
    uint64_t value = 0;

    while (count-- > 0)
        value = value << 8 | bytes[count];
    return value;
}

/* A field of the Ehdr or a program header: where it is in ELF64 and in ELF32, and its bytes. */
struct field {
    uint8_t at, at32, bytes, bytes32;
};

static const struct field ehdr_fields[] = {
    {16, 16, 2, 2}, {18, 18, 2, 2}, {20, 20, 4, 4}, {24, 24, 8, 4}, {32, 28, 8, 4},
    {40, 32, 8, 4}, {48, 36, 4, 4}, {52, 40, 2, 2}, {54, 42, 2, 2}, {56, 44, 2, 2},
    {58, 46, 2, 2}, {60, 48, 2, 2}, {62, 50, 2, 2},
};

static const struct field phdr_fields[] = {
    {0, 0, 4, 4},   {4, 24, 4, 4},  {8, 4, 8, 4},   {16, 8, 8, 4},
    {24, 12, 8, 4}, {32, 16, 8, 4}, {40, 20, 8, 4}, {48, 28, 8, 4},
};

#define COUNT(fields) (sizeof(fields) / sizeof((fields)[0]))

static int put_fields(const struct field *fields, size_t count, const struct image_form *form,
                      const uint8_t *from, uint8_t *to)
{
    for (size_t i = 0; i < count; i++) {
        int narrow = form->elf_class == ELFPARSE_CLASS32;
        size_t at = narrow ? fields[i].at32 : fields[i].at;
        size_t bytes = narrow ? fields[i].bytes32 : fields[i].bytes;
        uint64_t value = get(from + fields[i].at, fields[i].bytes);

        if (bytes < 8 && value >> (8 * bytes) != 0)
            return 0;
        for (size_t b = 0; b < bytes; b++)
            to[at + (form->data == ELFPARSE_DATAMSB ? bytes - 1 - b : b)] =
                (uint8_t)(value >> (8 * b));
    }
    return 1;
}

static uint64_t offset_in(const struct field *fields, size_t count, uint64_t offset)
{
    for (size_t i = 0; i < count; i++) {
        if (fields[i].at == offset)
            return fields[i].at32;
    }
    return offset;
}

uint64_t image_offset(const struct image_form *form, uint64_t offset)
{
    if (form->elf_class == ELFPARSE_CLASS64)
        return offset;
    if (offset < 64)
        return offset_in(ehdr_fields, COUNT(ehdr_fields), offset);
    return 64 + (offset - 64) / 56 * 32 +
           offset_in(phdr_fields, COUNT(phdr_fields), (offset - 64) % 56);
}

int image_re_encode(const uint8_t *image, size_t size, const struct image_form *form, uint8_t *out)
{
    int narrow = form->elf_class == ELFPARSE_CLASS32;
    uint64_t phoff = size < 64 ? 0 : get(image + E_PHOFF, 8);
    size_t phnum = size < 64 ? 0 : (size_t)get(image + E_PHNUM, 2);
    uint8_t ehdr[64];

    if (phoff < 64)
        return 0;
    memcpy(out, image, size);
    memcpy(ehdr, image, 64);
    image_put(ehdr, E_MACHINE, form->machine, 2);
    if (narrow && get(ehdr + E_EHSIZE, 2) == 64)
        image_put(ehdr, E_EHSIZE, 52, 2);
    if (narrow && get(ehdr + E_PHENTSIZE, 2) == 56)
        image_put(ehdr, E_PHENTSIZE, 32, 2);
    memset(out + 16, 0, 48);
    out[4] = form->elf_class;
    out[5] = form->data;
    if (!put_fields(ehdr_fields, COUNT(ehdr_fields), form, ehdr, out))
        return 0;
    if (phoff > size || phnum > (size - phoff) / 56)
        return 1; /* which no rule lets pass */
    memset(out + phoff, 0, phnum * 56);
    for (size_t i = 0; i < phnum; i++) {
        if (!put_fields(phdr_fields, COUNT(phdr_fields), form, image + phoff + i * 56,
                        out + phoff + i * (narrow ? 32 : 56)))
            return 0;
    }
    return 1;
}
