/*
 * Eva: sections by name, the sections of symbols, compression headers and .gnu_debuglink
 * and versions, step by step from any state of a walk (section.c), over a reader whose every answer
 * is fresh. Sections, segments and dynamic entries have proofs of their own
 * (eva_cursor.c); here they are anything.
 */
#include "eva_tools.h"

#include <elfparse/version.h>

#define ROOM 4

static char buf[ROOM];

/* 0 with size bytes of anything at to, or a code. */
static int give(void *to, size_t size)
{
    int code = Frama_C_interval(-1, 0);

    if (code == 0)
        Frama_C_make_unknown((char *)to, size);
    return code;
}

int elfparse_section_get(const struct elfparse_file *of, uint32_t index,
                         struct elfparse_section *section, struct elfparse_error *why)
{
    return give(section, sizeof(*section));
}

int elfparse_section_find(const struct elfparse_file *of, uint32_t type, uint32_t from,
                          struct elfparse_section *section, struct elfparse_error *why)
{
    return give(section, sizeof(*section));
}

int elfparse_section_extent(const struct elfparse_file *of, const struct elfparse_section *section,
                            struct elfparse_extent *bytes, struct elfparse_error *why)
{
    return give(bytes, sizeof(*bytes));
}

int elfparse_section_names(const struct elfparse_file *of, struct elfparse_extent *strings,
                           struct elfparse_error *why)
{
    return give(strings, sizeof(*strings));
}

int elfparse_extent_at(const struct elfparse_file *of, uint64_t vaddr, uint64_t size,
                       struct elfparse_extent *bytes, struct elfparse_error *why)
{
    return give(bytes, sizeof(*bytes));
}

int elfparse_dynamic_find(const struct elfparse_file *of, int64_t tag, uint64_t *value,
                          struct elfparse_error *why)
{
    return up_to(1) == 1 ? ELFPARSE_ENOTFOUND : give(value, sizeof(*value));
}

static void sections(void)
{
    struct elfparse_compression compression;
    struct elfparse_section section;
    struct elfparse_symbol symbol;
    uint32_t shndx, crc;
    size_t length;

    Frama_C_make_unknown((char *)&section, sizeof(section));
    Frama_C_make_unknown((char *)&symbol, sizeof(symbol));
    switch (up_to(3)) {
    case 0:
        elfparse_section_named(&file, "ab", up_to(UINT32_MAX), &section, &error);
        break;
    case 1:
        elfparse_symbol_section(&file, &section, up_to(UINT32_MAX), &symbol, &shndx, &error);
        break;
    case 2:
        elfparse_compression_get(&file, &section, &compression, &error);
        break;
    default:
        elfparse_debuglink_get(&file, buf, ROOM, &length, &crc, &error);
    }
}

static void versions(void)
{
    struct elfparse_versions walk = {&file, any(), any(), up_to(UINT32_MAX), up_to(0x10000), 0};
    struct elfparse_version version;
    uint32_t versym;

    switch (up_to(2)) {
    case 0:
        walk.kind = up_to(1);
        if (elfparse_version_next(&walk, &version, &error) == 1)
            EXPECT(version.index <= ELFPARSE_VERSYM_INDEX);
        EXPECT(walk.file == &file && walk.steps <= 0x10000);
        break;
    case 1:
        elfparse_version_find(&file, up_to(UINT32_MAX), &version, &error);
        break;
    default:
        elfparse_symbol_version(&file, up_to(UINT32_MAX), &versym, &error);
    }
}

int main(void)
{
    any_file();
    if (PART == 0)
        sections();
    else
        versions();
    return 0;
}
