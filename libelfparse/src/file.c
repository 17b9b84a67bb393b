#include <elfparse/file.h>

#include "ehdr.h"
#include "fail.h"

#define SHDR_SIZE  64u
#define SHN_XINDEX 0xffffu
#define PN_XNUM    0xffffu

/* What a tool needs to be right about an Ehdr; everything else it may want to see as it is. */
static int check_ident(const uint8_t *ehdr, struct elfparse_error *error)
{
    if (elfp_le32(ehdr) != ELFP_MAGIC)
        return elfp_fail(error, ELFPARSE_EMAGIC, ELFPARSE_RULE_E1, 0, ELFP_MAGIC, elfp_le32(ehdr));
    if (ehdr[ELFP_EI_CLASS] != 2)
        return elfp_fail(error, ELFPARSE_ECLASS, ELFPARSE_RULE_E2, ELFP_EI_CLASS, 2,
                         ehdr[ELFP_EI_CLASS]);
    if (ehdr[ELFP_EI_DATA] != 1)
        return elfp_fail(error, ELFPARSE_EDATA, ELFPARSE_RULE_E2, ELFP_EI_DATA, 1,
                         ehdr[ELFP_EI_DATA]);
    if (ehdr[ELFP_EI_VERSION] != 1)
        return elfp_fail(error, ELFPARSE_EVERSION, ELFPARSE_RULE_E3, ELFP_EI_VERSION, 1,
                         ehdr[ELFP_EI_VERSION]);
    return 0;
}

/* The program header table */
static int check_table(uint32_t entsize, const struct elfparse_file *file,
                       struct elfparse_error *error)
{
    if (file->phnum != 0 && entsize != ELFPARSE_PHDR_SIZE)
        return elfp_fail(error, ELFPARSE_EPHENTSIZE, ELFPARSE_RULE_E7, ELFP_E_PHENTSIZE,
                         ELFPARSE_PHDR_SIZE, entsize);
    if (!elfp_inside(file->phoff, (uint64_t)file->phnum * ELFPARSE_PHDR_SIZE, file->reader->size) &&
        file->phnum != 0)
        return elfp_fail(error, ELFPARSE_EPHTABLE, ELFPARSE_RULE_E9, ELFP_E_PHOFF,
                         file->reader->size, file->phoff);
    return 0;
}

static void decode_section(const uint8_t *bytes, uint32_t index, struct elfparse_section *section)
{
    section->index = index;
    section->name = elfp_le32(bytes);
    section->type = elfp_le32(bytes + 4);
    section->flags = elfp_le64(bytes + 8);
    section->addr = elfp_le64(bytes + 16);
    section->offset = elfp_le64(bytes + 24);
    section->size = elfp_le64(bytes + 32);
    section->link = elfp_le32(bytes + 40);
    section->info = elfp_le32(bytes + 44);
    section->addralign = elfp_le64(bytes + 48);
    section->entsize = elfp_le64(bytes + 56);
}

static int read_section(const struct elfparse_file *file, uint32_t index,
                        struct elfparse_section *section, struct elfparse_error *error)
{
    uint8_t bytes[SHDR_SIZE] = {0};
    int code = elfp_read(file->reader, file->shoff + (uint64_t)index * SHDR_SIZE, bytes,
                         sizeof(bytes), error);

    if (code == 0)
        decode_section(bytes, index, section);
    return code;
}

/* E10, with e_shnum and e_shstrndx as extended numbering has them (gABI, "ELF Header"). */
static int open_sections(struct elfparse_file *file, uint32_t entsize, struct elfparse_error *error)
{
    struct elfparse_section zero = {0};
    uint64_t count = file->shnum;

    if (entsize != SHDR_SIZE)
        return elfp_fail(error, ELFPARSE_ETABLE, ELFPARSE_RULE_E10, ELFP_E_SHENTSIZE, SHDR_SIZE,
                         entsize);
    if (!elfp_inside(file->shoff, SHDR_SIZE, file->reader->size))
        return elfp_fail(error, ELFPARSE_ESHTABLE, ELFPARSE_RULE_E10, ELFP_E_SHOFF,
                         file->reader->size, file->shoff);
    if (file->shnum == 0 || file->shstrndx == SHN_XINDEX) {
        int code = read_section(file, 0, &zero, error);

        if (code != 0)
            return code;
        count = file->shnum == 0 ? zero.size : count;
        file->shstrndx = file->shstrndx == SHN_XINDEX ? zero.link : file->shstrndx;
    }
    if (count > (file->reader->size - file->shoff) / SHDR_SIZE || count > UINT32_MAX)
        return elfp_fail(error, ELFPARSE_ESHTABLE, ELFPARSE_RULE_E10, ELFP_E_SHNUM,
                         file->reader->size, file->shoff + count * SHDR_SIZE);
    file->shnum = (uint32_t)count;
    if (file->shstrndx != 0 && file->shstrndx >= file->shnum)
        return elfp_fail(error, ELFPARSE_ESHSTRNDX, ELFPARSE_RULE_E10, ELFP_E_SHSTRNDX, file->shnum,
                         file->shstrndx);
    return 0;
}

/* Only what cannot be read is an error of the file. */
static int find_sections(struct elfparse_file *file, uint32_t entsize, struct elfparse_error *error)
{
    struct elfparse_error why;
    int code = open_sections(file, entsize, &why);

    if (code == ELFPARSE_EREAD) {
        if (error != NULL)
            *error = why;
        return code;
    }
    file->sections = code;
    if (code != 0) {
        file->shstrndx = 0;
        file->shnum = code == ELFPARSE_ESHSTRNDX ? file->shnum : 0;
    }
    return 0;
}

/*
 * e_phnum as extended numbering has it (gABI, "ELF Header"): in section 0, if there is one. As
 * readelf does, 0 there leaves it as it is.
 */
static int find_phnum(struct elfparse_file *file, struct elfparse_error *error)
{
    struct elfparse_section zero = {0};
    int code;

    if (file->phnum != PN_XNUM || file->shoff == 0)
        return 0;
    if (!elfp_inside(file->shoff, SHDR_SIZE, file->reader->size))
        return elfp_fail(error, ELFPARSE_ESHTABLE, ELFPARSE_RULE_E10, ELFP_E_SHOFF,
                         file->reader->size, file->shoff);
    code = read_section(file, 0, &zero, error);
    if (code == 0 && zero.info != 0)
        file->phnum = zero.info;
    return code;
}

int elfparse_file_open(const struct elfparse_reader *reader, struct elfparse_file *file,
                       struct elfparse_error *error)
{
    uint8_t ehdr[ELFPARSE_EHDR_SIZE] = {0};
    struct elfparse_file opened = {0};
    int code;

    if (reader->size < ELFPARSE_EHDR_SIZE)
        return elfp_fail(error, ELFPARSE_ETRUNCATED, ELFPARSE_RULE_E1, 0, ELFPARSE_EHDR_SIZE,
                         reader->size);
    code = elfp_read(reader, 0, ehdr, sizeof(ehdr), error);
    if (code != 0)
        return code;
    opened.reader = reader;
    opened.entry = elfp_le64(ehdr + ELFP_E_ENTRY);
    opened.phoff = elfp_le64(ehdr + ELFP_E_PHOFF);
    opened.shoff = elfp_le64(ehdr + ELFP_E_SHOFF);
    opened.phnum = elfp_le16(ehdr + ELFP_E_PHNUM);
    opened.shnum = elfp_le16(ehdr + ELFP_E_SHNUM);
    opened.shstrndx = elfp_le16(ehdr + ELFP_E_SHSTRNDX);
    opened.type = (uint16_t)elfp_le16(ehdr + ELFP_E_TYPE);
    opened.machine = (uint16_t)elfp_le16(ehdr + ELFP_E_MACHINE);
    code = check_ident(ehdr, error);
    if (code == 0)
        code = find_phnum(&opened, error);
    if (code == 0)
        code = check_table(elfp_le16(ehdr + ELFP_E_PHENTSIZE), &opened, error);
    if (code == 0 && opened.shoff != 0)
        code = find_sections(&opened, elfp_le16(ehdr + ELFP_E_SHENTSIZE), error);
    if (code != 0)
        return code;
    if (opened.shoff == 0) {
        opened.shnum = 0;
        opened.shstrndx = 0;
    }
    *file = opened;
    return 0;
}

int elfparse_segment_get(const struct elfparse_file *file, uint32_t index,
                         struct elfparse_segment *segment, struct elfparse_error *error)
{
    uint8_t bytes[ELFPARSE_PHDR_SIZE] = {0};
    int code;

    if (index >= file->phnum)
        return elfp_fail(error, ELFPARSE_ELINK, ELFPARSE_RULE_NONE, ELFP_E_PHNUM, file->phnum,
                         index);
    code = elfp_read(file->reader, file->phoff + (uint64_t)index * ELFPARSE_PHDR_SIZE, bytes,
                     sizeof(bytes), error);
    if (code != 0)
        return code;
    segment->type = elfp_le32(bytes + ELFP_P_TYPE);
    segment->flags = elfp_le32(bytes + ELFP_P_FLAGS);
    segment->offset = elfp_le64(bytes + ELFP_P_OFFSET);
    segment->vaddr = elfp_le64(bytes + ELFP_P_VADDR);
    segment->paddr = elfp_le64(bytes + ELFP_P_VADDR + 8);
    segment->filesz = elfp_le64(bytes + ELFP_P_FILESZ);
    segment->memsz = elfp_le64(bytes + ELFP_P_MEMSZ);
    segment->align = elfp_le64(bytes + ELFP_P_ALIGN);
    return 0;
}

int elfparse_section_get(const struct elfparse_file *file, uint32_t index,
                         struct elfparse_section *section, struct elfparse_error *error)
{
    if (index >= file->shnum)
        return elfp_fail(error, ELFPARSE_ELINK, ELFPARSE_RULE_NONE, ELFP_E_SHNUM, file->shnum,
                         index);
    return read_section(file, index, section, error);
}

int elfparse_section_find(const struct elfparse_file *file, uint32_t type, uint32_t from,
                          struct elfparse_section *section, struct elfparse_error *error)
{
    struct elfparse_section candidate = {0};
    uint32_t i;

    for (i = from; i < file->shnum; i++) {
        int code = read_section(file, i, &candidate, error);

        if (code != 0)
            return code;
        if (candidate.type == type) {
            *section = candidate;
            return 0;
        }
    }
    return elfp_fail(error, ELFPARSE_ENOTFOUND, ELFPARSE_RULE_NONE, 0, type, 0);
}

int elfparse_section_extent(const struct elfparse_file *file,
                            const struct elfparse_section *section, struct elfparse_extent *extent,
                            struct elfparse_error *error)
{
    uint64_t size = section->type == ELFPARSE_SHT_NOBITS ? 0 : section->size;

    if (size != 0 && !elfp_inside(section->offset, size, file->reader->size))
        return elfp_fail(error, ELFPARSE_EBOUNDS, ELFPARSE_RULE_NONE, section->offset,
                         file->reader->size, elfp_end(section->offset, size));
    extent->offset = section->offset;
    extent->size = size;
    return 0;
}

/* The bytes of the section with that index, which must be a string table. */
static int strings_of(const struct elfparse_file *file, uint32_t index,
                      struct elfparse_extent *strings, struct elfparse_error *error)
{
    struct elfparse_section section = {0};
    int code = elfparse_section_get(file, index, &section, error);

    if (code != 0)
        return code;
    if (section.type != ELFPARSE_SHT_STRTAB)
        return elfp_fail(error, ELFPARSE_ETABLE, ELFPARSE_RULE_NONE, 0, ELFPARSE_SHT_STRTAB,
                         section.type);
    return elfparse_section_extent(file, &section, strings, error);
}

int elfparse_section_strings(const struct elfparse_file *file,
                             const struct elfparse_section *section,
                             struct elfparse_extent *strings, struct elfparse_error *error)
{
    return strings_of(file, section->link, strings, error);
}

int elfparse_section_names(const struct elfparse_file *file, struct elfparse_extent *strings,
                           struct elfparse_error *error)
{
    if (file->shstrndx == 0)
        return elfp_fail(error, ELFPARSE_ENOTFOUND, ELFPARSE_RULE_E10, ELFP_E_SHSTRNDX, 1, 0);
    return strings_of(file, file->shstrndx, strings, error);
}

int elfparse_extent_at(const struct elfparse_file *file, uint64_t vaddr, uint64_t size,
                       struct elfparse_extent *extent, struct elfparse_error *error)
{
    struct elfparse_segment segment = {0};
    uint32_t i;

    for (i = 0; i < file->phnum; i++) {
        uint64_t into;
        int code = elfparse_segment_get(file, i, &segment, error);

        if (code != 0)
            return code;
        into = vaddr - segment.vaddr;
        if (segment.type != ELFPARSE_PT_LOAD || !elfp_inside(into, size, segment.filesz))
            continue;
        if (!elfp_inside(segment.offset, segment.filesz, file->reader->size))
            return elfp_fail(error, ELFPARSE_EBOUNDS, ELFPARSE_RULE_L3, segment.offset,
                             file->reader->size, elfp_end(segment.offset, segment.filesz));
        extent->offset = segment.offset + into;
        extent->size = size;
        return 0;
    }
    return elfp_fail(error, ELFPARSE_EUNMAPPED, ELFPARSE_RULE_NONE, 0, size, vaddr);
}
