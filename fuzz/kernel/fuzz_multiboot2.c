/*
 * The boot loader's information, any bytes.
 *
 * Input: the information, in a block of its exact size. Where the last byte is odd, the size in it is made right.
 * Proves: no read beyond the information, and none of what the result points to is outside.
 * Does not prove: that the memory that a loader names exists.
 * Oracles: a refusal changes nothing; every range is ordered and below the limit; a second, naive walk over the tags
 * counts the same modules and finds the same command line.
 * Rate: 140,000/s
 */
#include <stdlib.h>
#include <string.h>

#include "boot/multiboot2.h"
#include "lib/cmdline.h"

#define HOLDS(condition)                                                                           \
    do {                                                                                           \
        if (!(condition))                                                                          \
            abort();                                                                               \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint32_t word(const uint8_t *bytes)
{
    return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

static bool is_inside(const uint8_t *info, size_t size, const char *text)
{
    const uint8_t *at = (const uint8_t *)text;
    return at >= info && at < info + size && memchr(at, 0, (size_t)(info + size - at)) != NULL;
}

/* Counts the modules of accepted information, and compares the last command line. */
static void walk_naively(const uint8_t *info, const struct boot_info *out)
{
    const char *cmdline = "";
    size_t modules = 0;
    for (size_t at = 8; word(info + at) != 0; at = (at + word(info + at + 4) + 7) / 8 * 8) {
        if (word(info + at) == 1)
            cmdline = (const char *)info + at + 8;
        modules += word(info + at) == 3;
    }
    HOLDS(modules == out->nr_modules);
    HOLDS(strcmp(cmdline, out->cmdline) == 0 && strlen(cmdline) < CMDLINE_MAX);
}

static void check(const uint8_t *info, size_t size, const struct boot_info *out)
{
    struct frame_range ranges[BOOT_SECTIONS_MAX];
    HOLDS(out->size <= size && out->nr_ram <= BOOT_RAM_MAX);
    for (size_t i = 0; i < out->nr_ram; i++)
        HOLDS(out->ram[i].start < out->ram[i].end);
    HOLDS(out->initrd.start <= out->initrd.end);
    HOLDS(!*out->cmdline || is_inside(info, out->size, out->cmdline));
    HOLDS(!*out->initrd_name || is_inside(info, out->size, out->initrd_name));
    HOLDS(boot_sections_reserve(&out->sections, ranges) <= BOOT_SECTIONS_MAX);
    walk_naively(info, out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct boot_info out, before;
    uint8_t *info = malloc(size);
    if (!info)
        return 0;
    memcpy(info, data, size);
    if (size >= 16 && data[size - 1] % 2 == 1)
        memcpy(info, &(uint32_t){(uint32_t)size}, 4);
    memset(&out, 0x5a, sizeof(out));
    before = out;
    if (multiboot2_parse(info, size, &out))
        HOLDS(memcmp(&out, &before, sizeof(out)) == 0);
    else
        check(info, size, &out);
    free(info);
    return 0;
}
