/* Wrote the first seeds of fuzz_exec and fuzz_aspace: small programs of each kind, and sequences of
 * operations for what random bytes seldom do. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <elfparse/base.h>

#include "tests/elf_image.h"

static void write_file(const char *dir, const char *name, const void *data, size_t size)
{
    char path[4096];
    snprintf(path, sizeof(path), "%s/%s", dir, name);
    FILE *out = fopen(path, "wb");
    if (!out || fwrite(data, 1, size, out) != size || fclose(out) != 0) {
        perror(path);
        exit(1);
    }
}

static void program(const char *dir, const char *name, uint8_t fail, const struct elf_image *image)
{
    static uint8_t file[1 + ELF_SIZE_MAX];
    file[0] = fail;
    write_file(dir, name, file, 1 + elf_write(image, file + 1));
}

#define LOAD ELFPARSE_PT_LOAD
#define R    ELFPARSE_PF_R
#define RX   (ELFPARSE_PF_R | ELFPARSE_PF_X)
#define RW   (ELFPARSE_PF_R | ELFPARSE_PF_W)

static void programs(const char *dir)
{
    struct elf_image image = elf_plain;
    program(dir, "plain", 0, &image);
    program(dir, "plain-fail-5", 5, &image);
    program(dir, "plain-fail-12", 12, &image);
    image.segment[1].memsz = image.segment[1].filesz;
    program(dir, "no-bss", 0, &image);
    image.size = 0x1334;
    program(dir, "ends-with-data", 0, &image);
    image = elf_plain;
    image.segment[1] = (struct elf_segment){LOAD, RW, 0, 0x402000, 0, 0x40000000 - 0x2000, 0x1000};
    program(dir, "huge-bss", 0, &image);
    image = elf_plain;
    image.segment[1].vaddr = 0x7fffffffb100;
    program(dir, "at-the-stack", 0, &image);
    image = elf_plain;
    image.type = ELFPARSE_ET_DYN;
    image.entry = 0x200;
    image.segment[0].vaddr = 0;
    image.segment[1].vaddr = 0x2100;
    program(dir, "pie", 0, &image);
    image.segment[0].align = image.segment[1].align = 0x40000000;
    image.segment[1].vaddr = 0x40001100;
    program(dir, "pie-1g", 0, &image);
    image = elf_plain;
    image.segment[2] = image.segment[1];
    image.segment[1] = image.segment[0];
    image.segment[0] = (struct elf_segment){ELFPARSE_PT_INTERP, R, 0x300, 0x400300, 9, 9, 1};
    image.interp = "/program";
    program(dir, "own-interpreter", 0, &image);
    image = elf_plain;
    image.size = 400;
    image.segment[0].filesz = image.segment[0].memsz = 400;
    image.entry = 0x400100;
    image.segment[1].type = 0;
    program(dir, "tiny", 0, &image);
    write_file(dir, "script", "\0#!/program x\n", 14);
    write_file(dir, "script-long", "\0#!/nowhere                                   y\n", 48);
}

/* See kernel/tests/script.c for what the bytes mean. */
static void sequences(const char *dir)
{
    static const uint8_t stack[] = {0,    0xf0, 0x6c, 0x01, 13,   0, 0x08, 1, 13,   0,
                                    0x0a, 0,    13,   0,    0x09, 2, 13,   0, 0x09, 1};
    static const uint8_t fork[] = {0, 0, 0x60, 7, 13, 0, 0,  1, 13, 0, 1,  1, 12, 0, 1,  3, 13, 0,
                                   0, 1, 12,   1, 0,  2, 13, 0, 0,  0, 13, 0, 1,  1, 12, 0, 0,  1};
    static const uint8_t file[] = {11, 0, 3,  0,   2,  0, 0x60, 0x07, 2,  4, 0x60, 0x27, 13, 0,
                                   3,  1, 13, 4,   3,  1, 13,   4,    2,  0, 11,   0,    2,  4,
                                   11, 0, 2,  0xf, 11, 0, 1,    2,    13, 0, 3,    0};
    static const uint8_t heap[] = {6,  0, 24, 0, 13,   0, 20, 1, 6,  0, 20, 7, 13, 0,
                                   21, 1, 5,  0, 0x32, 1, 13, 0, 18, 1, 6,  0, 18, 0};
    static const uint8_t starved[] = {0x80, 0, 0x60, 7, 0,    0, 0x60, 7, 0xa0, 0, 0, 1,
                                      0xad, 0, 0,    1, 0xcd, 0, 0,    1, 0xed, 0, 0, 1,
                                      13,   0, 0,    1, 0x8c, 0, 1,    3, 0xac, 0, 1, 3,
                                      0xcc, 0, 1,    3, 0xec, 0, 1,    3, 0x84, 0, 3, 1};
    write_file(dir, "stack", stack, sizeof(stack));
    write_file(dir, "fork", fork, sizeof(fork));
    write_file(dir, "file", file, sizeof(file));
    write_file(dir, "heap", heap, sizeof(heap));
    write_file(dir, "starved", starved, sizeof(starved));
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    programs(argv[1]);
    sequences(argv[2]);
    return 0;
}
