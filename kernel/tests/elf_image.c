#include "tests/elf_image.h"

#include <elfparse/base.h>
#include <string.h>

const struct elf_image elf_plain = {
    .type = ELFPARSE_ET_EXEC,
    .machine = 62,
    .phentsize = ELFPARSE_PHDR_SIZE,
    .entry = 0x400200,
    .phoff = ELFPARSE_EHDR_SIZE,
    .size = 0x2800,
    .segment =
        {
            {ELFPARSE_PT_LOAD, ELFPARSE_PF_R | ELFPARSE_PF_X, 0, 0x400000, 0x1000, 0x1000, 0x1000},
            {ELFPARSE_PT_LOAD, ELFPARSE_PF_R | ELFPARSE_PF_W, 0x1100, 0x402100, 0x234, 0x2f00,
             0x1000},
        },
};

static void put(uint8_t *at, uint64_t value, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        at[i] = (uint8_t)(value >> (8 * i));
}

static void put_segment(uint8_t *at, const struct elf_segment *s)
{
    put(at, s->type, 4);
    put(at + 4, s->flags, 4);
    put(at + 8, s->offset, 8);
    put(at + 16, s->vaddr, 8);
    put(at + 24, s->vaddr, 8);
    put(at + 32, s->filesz, 8);
    put(at + 40, s->memsz, 8);
    put(at + 48, s->align, 8);
}

size_t elf_write(const struct elf_image *image, uint8_t *out)
{
    static const uint8_t ident[16] = {0x7f, 'E', 'L', 'F', 2, 1, 1};
    unsigned segments = 0;
    for (size_t i = 0; i < image->size; i++)
        out[i] = (uint8_t)(i % 251 + 1);
    memset(out, 0, ELFPARSE_EHDR_SIZE);
    memcpy(out, ident, sizeof(ident));
    for (; segments < ELF_SEGMENTS && image->segment[segments].type; segments++) {
        uint8_t *at = out + ELFPARSE_EHDR_SIZE + segments * ELFPARSE_PHDR_SIZE;
        put_segment(at, &image->segment[segments]);
        if (image->segment[segments].type == ELFPARSE_PT_INTERP && image->interp)
            memcpy(out + image->segment[segments].offset, image->interp, strlen(image->interp) + 1);
    }
    put(out + 16, image->type, 2);
    put(out + 18, image->machine, 2);
    put(out + 20, 1, 4);
    put(out + 24, image->entry, 8);
    put(out + 32, image->phoff, 8);
    put(out + 52, ELFPARSE_EHDR_SIZE, 2);
    put(out + 54, image->phentsize, 2);
    put(out + 56, image->phnum ? image->phnum : segments, 2);
    return image->size;
}
