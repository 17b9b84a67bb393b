#include "boot/multiboot2.h"
#include "lib/cmdline.h"

#include "lib/string.h"

enum {
    TAG_END = 0,
    TAG_CMDLINE = 1,
    TAG_MODULE = 3,
    TAG_MMAP = 6,
    TAG_ELF_SECTIONS = 9,
};

#define MMAP_AVAILABLE 1
#define TAG_HEADER     8 /* bytes: type, size */

static uint32_t read32(const uint8_t *p)
{
    uint32_t v;
    __builtin_memcpy(&v, p, sizeof(v));
    return v;
}

static uint64_t read64(const uint8_t *p)
{
    uint64_t v;
    __builtin_memcpy(&v, p, sizeof(v));
    return v;
}

/* The string at p, or NULL if it has no NUL within `size` bytes. */
static const char *bounded_string(const uint8_t *p, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (p[i] == '\0')
            return (const char *)p;
    return NULL;
}

static const char *parse_cmdline(const uint8_t *tag, uint32_t size, struct boot_info *out)
{
    out->cmdline = bounded_string(tag + TAG_HEADER, size - TAG_HEADER);
    if (!out->cmdline)
        return "command line tag: the string does not end";
    return strlen(out->cmdline) < CMDLINE_MAX ? NULL : "command line is too long";
}

static const char *parse_module(const uint8_t *tag, uint32_t size, struct boot_info *out)
{
    if (size < 17)
        return "module tag is too short";
    struct frame_range range = {read32(tag + 8), read32(tag + 12)};
    const char *name = bounded_string(tag + 16, size - 16);
    if (range.end < range.start || !name)
        return "module tag: the range is reversed or its name does not end";
    if (out->nr_modules++ == 0 || strncmp(name, "initr", 5) == 0) {
        out->initrd = range;
        out->initrd_name = name;
    }
    return NULL;
}

static const char *parse_mmap(const uint8_t *tag, uint32_t size, struct boot_info *out)
{
    if (size < 16)
        return "memory map tag is too short";
    uint32_t entry_size = read32(tag + 8);
    if (entry_size < 24)
        return "memory map tag: entries are too small";
    for (uint32_t at = 16; size - at >= entry_size; at += entry_size) {
        uint64_t start = read64(tag + at), length = read64(tag + at + 8), end;
        if (read32(tag + at + 16) != MMAP_AVAILABLE || length == 0)
            continue;
        if (__builtin_add_overflow(start, length, &end))
            return "memory map tag: a range wraps";
        if (end > DIRECT_MAP_SIZE)
            end = DIRECT_MAP_SIZE;
        if (start >= end)
            continue;
        if (out->nr_ram == BOOT_RAM_MAX)
            return "memory map tag: more ranges of RAM than this kernel keeps";
        out->ram[out->nr_ram++] = (struct frame_range){start, end};
    }
    return NULL;
}

static const char *parse_sections(const uint8_t *tag, uint32_t size, struct boot_info *out)
{
    if (size < 20)
        return "ELF sections tag is too short";
    struct boot_sections s = {tag + 20, read32(tag + 8), read32(tag + 12), read32(tag + 16)};
    if (s.count > BOOT_SECTIONS_MAX || s.entry_size != 64 || size - 20 < s.count * s.entry_size)
        return "ELF sections tag: the headers do not fit";
    out->sections = s;
    return NULL;
}

static const char *parse_tag(const uint8_t *tag, uint32_t type, uint32_t size,
                             struct boot_info *out)
{
    switch (type) {
    case TAG_CMDLINE:
        return parse_cmdline(tag, size, out);
    case TAG_MODULE:
        return parse_module(tag, size, out);
    case TAG_MMAP:
        return parse_mmap(tag, size, out);
    case TAG_ELF_SECTIONS:
        return parse_sections(tag, size, out);
    default:
        return NULL;
    }
}

const char *multiboot2_parse(const void *info, size_t limit, struct boot_info *out)
{
    const uint8_t *base = info;
    struct boot_info found = {.cmdline = "", .initrd_name = ""};
    if (limit < 16)
        return "boot information is too short";
    uint32_t total = read32(base);
    if (total < 16 || total > limit)
        return "boot information: its size is out of range";
    found.size = total;
    for (uint32_t at = 8; total - at >= TAG_HEADER;) {
        uint32_t type = read32(base + at), size = read32(base + at + 4);
        if (size < TAG_HEADER || size > total - at)
            return "boot information: a tag reaches beyond the end";
        if (type == TAG_END) {
            *out = found;
            return NULL;
        }
        const char *error = parse_tag(base + at, type, size, &found);
        if (error)
            return error;
        uint32_t step = (size + 7) & ~7u;
        if (step > total - at)
            break;
        at += step;
    }
    return "boot information: no end tag";
}

#define SHDR_ADDR 16 /* offsets in an Elf64_Shdr (gABI, "Section Header") */
#define SHDR_SIZE 32

size_t boot_sections_reserve(const struct boot_sections *sections, struct frame_range *out)
{
    size_t nr = 0;
    for (uint32_t i = 0; i < sections->count; i++) {
        const uint8_t *header = sections->headers + (size_t)i * sections->entry_size;
        uint64_t start = read64(header + SHDR_ADDR), size = read64(header + SHDR_SIZE), end;
        if (start == 0 || start >= KERNEL_BASE || size == 0 ||
            __builtin_add_overflow(start, size, &end) || end > UINT32_MAX)
            continue;
        out[nr++] = (struct frame_range){start, end};
    }
    return nr;
}
