#include <elfparse/file.h>

#include "form.h"
#include "headers.h"

/* sizeof(Elf64_Shdr), sizeof(Elf32_Shdr) */
#define SHDR_SIZE   64u
#define SHDR32_SIZE 40u

#define SHN_XINDEX 0xffffu
#define PN_XNUM    0xffffu

/* What a tool needs to be right about an Ehdr; everything else it may want to see as it is. */
static int check_ident(const uint8_t *ehdr, struct elfparse_error *error)
{
    if (elfp_le32(ehdr) != ELFP_MAGIC)
        return elfp_fail(error, ELFPARSE_EMAGIC, ELFPARSE_RULE_E1, 0, ELFP_MAGIC, elfp_le32(ehdr));
    if (ehdr[ELFP_EI_CLASS] != ELFPARSE_CLASS32 && ehdr[ELFP_EI_CLASS] != ELFPARSE_CLASS64)
        return elfp_fail(error, ELFPARSE_ECLASS, ELFPARSE_RULE_E2, ELFP_EI_CLASS, ELFPARSE_CLASS64,
                         ehdr[ELFP_EI_CLASS]);
    if (ehdr[ELFP_EI_DATA] != ELFPARSE_DATALSB && ehdr[ELFP_EI_DATA] != ELFPARSE_DATAMSB)
        return elfp_fail(error, ELFPARSE_EDATA, ELFPARSE_RULE_E2, ELFP_EI_DATA, ELFPARSE_DATALSB,
                         ehdr[ELFP_EI_DATA]);
    if (ehdr[ELFP_EI_VERSION] != 1)
        return elfp_fail(error, ELFPARSE_EVERSION, ELFPARSE_RULE_E3, ELFP_EI_VERSION, 1,
                         ehdr[ELFP_EI_VERSION]);
    return 0;
}

static uint32_t phdr_size(const struct elfparse_file *file)
{
    return elfp_either(file, ELFPARSE_PHDR_SIZE, ELFPARSE_PHDR32_SIZE);
}

static uint32_t shdr_size(const struct elfparse_file *file)
{
    return elfp_either(file, SHDR_SIZE, SHDR32_SIZE);
}

/* Byte offset of an Ehdr's field, from its place in ELF64. */
static uint32_t ehdr_place(const struct elfparse_file *file, uint32_t field)
{
    return elfp_either(file, field,
                       field <= ELFP_E_FLAGS ? field / 2 + 12
                                             : field - ELFPARSE_EHDR_SIZE + ELFPARSE_EHDR32_SIZE);
}

/* The program header table */
static int check_table(uint32_t entsize, const struct elfparse_file *file,
                       struct elfparse_error *error)
{
    if (file->phnum != 0 && entsize != phdr_size(file))
        return elfp_fail(error, ELFPARSE_EPHENTSIZE, ELFPARSE_RULE_E7,
                         ehdr_place(file, ELFP_E_PHENTSIZE), phdr_size(file), entsize);
    if (!elfp_inside(file->phoff, (uint64_t)file->phnum * phdr_size(file), file->reader->size) &&
        file->phnum != 0)
        return elfp_fail(error, ELFPARSE_EPHTABLE, ELFPARSE_RULE_E9, ehdr_place(file, ELFP_E_PHOFF),
                         file->reader->size, file->phoff);
    return 0;
}

static void decode_section(const struct elfparse_file *file, const uint8_t *bytes, uint32_t index,
                           struct elfparse_section *section)
{
    section->index = index;
    section->name = elfp_word(file, bytes);
    section->type = elfp_word(file, bytes + 4);
    section->flags = elfp_number(file, bytes, 8, 8);
    section->addr = elfp_number(file, bytes, 16, 12);
    section->offset = elfp_number(file, bytes, 24, 16);
    section->size = elfp_number(file, bytes, 32, 20);
    section->link = elfp_word(file, bytes + elfp_either(file, 40, 24));
    section->info = elfp_word(file, bytes + elfp_either(file, 44, 28));
    section->addralign = elfp_number(file, bytes, 48, 32);
    section->entsize = elfp_number(file, bytes, 56, 36);
}

static int read_section(const struct elfparse_file *file, uint32_t index,
                        struct elfparse_section *section, struct elfparse_error *error)
{
    uint8_t bytes[SHDR_SIZE] = {0};
    int code = elfp_read(file->reader, file->shoff + (uint64_t)index * shdr_size(file), bytes,
                         shdr_size(file), error);

    if (code == 0)
        decode_section(file, bytes, index, section);
    return code;
}

/* E10, with e_shnum and e_shstrndx as extended numbering has them (gABI, "ELF Header"). */
static int open_sections(struct elfparse_file *file, uint32_t entsize, struct elfparse_error *error)
{
    struct elfparse_section zero = {0};
    uint64_t count = file->shnum;

    if (entsize != shdr_size(file))
        return elfp_fail(error, ELFPARSE_ETABLE, ELFPARSE_RULE_E10,
                         ehdr_place(file, ELFP_E_SHENTSIZE), shdr_size(file), entsize);
    if (!elfp_inside(file->shoff, shdr_size(file), file->reader->size))
        return elfp_fail(error, ELFPARSE_ESHTABLE, ELFPARSE_RULE_E10,
                         ehdr_place(file, ELFP_E_SHOFF), file->reader->size, file->shoff);
    if (file->shnum == 0 || file->shstrndx == SHN_XINDEX) {
        int code = read_section(file, 0, &zero, error);

        if (code != 0)
            return code;
        count = file->shnum == 0 ? zero.size : count;
        file->shstrndx = file->shstrndx == SHN_XINDEX ? zero.link : file->shstrndx;
    }
    if (count > (file->reader->size - file->shoff) / shdr_size(file) || count > UINT32_MAX)
        return elfp_fail(error, ELFPARSE_ESHTABLE, ELFPARSE_RULE_E10,
                         ehdr_place(file, ELFP_E_SHNUM), file->reader->size,
                         file->shoff + count * shdr_size(file));
    file->shnum = (uint32_t)count;
    if (file->shstrndx != 0 && file->shstrndx >= file->shnum)
        return elfp_fail(error, ELFPARSE_ESHSTRNDX, ELFPARSE_RULE_E10,
                         ehdr_place(file, ELFP_E_SHSTRNDX), file->shnum, file->shstrndx);
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
    if (!elfp_inside(file->shoff, shdr_size(file), file->reader->size))
        return elfp_fail(error, ELFPARSE_ESHTABLE, ELFPARSE_RULE_E10,
                         ehdr_place(file, ELFP_E_SHOFF), file->reader->size, file->shoff);
    code = read_section(file, 0, &zero, error);
    if (code == 0 && zero.info != 0)
        file->phnum = zero.info;
    return code;
}

/* The Ehdr's fields, once it is known to be one. */
static void decode_ehdr(const uint8_t *ehdr, struct elfparse_file *file)
{
    const uint8_t *halves = ehdr + elfp_either(file, ELFP_E_EHSIZE, 40) - ELFP_E_EHSIZE;

    file->type = (uint16_t)elfp_half(file, ehdr + ELFP_E_TYPE);
    file->machine = (uint16_t)elfp_half(file, ehdr + ELFP_E_MACHINE);
    file->entry = elfp_number(file, ehdr, ELFP_E_ENTRY, 24);
    file->phoff = elfp_number(file, ehdr, ELFP_E_PHOFF, 28);
    file->shoff = elfp_number(file, ehdr, ELFP_E_SHOFF, 32);
    file->flags = elfp_word(file, ehdr + elfp_either(file, ELFP_E_FLAGS, 36));
    file->phnum = elfp_half(file, halves + ELFP_E_PHNUM);
    file->shnum = elfp_half(file, halves + ELFP_E_SHNUM);
    file->shstrndx = elfp_half(file, halves + ELFP_E_SHSTRNDX);
}

/* What the Ehdr says of the tables. */
static int open_tables(const uint8_t *ehdr, struct elfparse_file *file,
                       struct elfparse_error *error)
{
    int code = find_phnum(file, error);

    if (code == 0)
        code = check_table(elfp_half(file, ehdr + ehdr_place(file, ELFP_E_PHENTSIZE)), file, error);
    if (code == 0 && file->shoff != 0)
        code =
            find_sections(file, elfp_half(file, ehdr + ehdr_place(file, ELFP_E_SHENTSIZE)), error);
    if (code == 0 && file->shoff == 0) {
        file->shnum = 0;
        file->shstrndx = 0;
    }
    return code;
}

int elfparse_file_open(const struct elfparse_reader *reader, struct elfparse_file *file,
                       struct elfparse_error *error)
{
    uint8_t ehdr[ELFPARSE_EHDR_SIZE] = {0};
    struct elfparse_file opened = {0};
    int code;

    if (reader->size < ELFPARSE_EHDR32_SIZE)
        return elfp_fail(error, ELFPARSE_ETRUNCATED, ELFPARSE_RULE_E1, 0, ELFPARSE_EHDR_SIZE,
                         reader->size);
    code = elfp_read(reader, 0, ehdr,
                     reader->size < sizeof(ehdr) ? (size_t)reader->size : sizeof(ehdr), error);
    if (code == 0)
        code = check_ident(ehdr, error);
    if (code != 0)
        return code;
    opened.reader = reader;
    opened.elf_class = ehdr[ELFP_EI_CLASS];
    opened.data = ehdr[ELFP_EI_DATA];
    if (reader->size < ELFPARSE_EHDR_SIZE && !elfp_narrow(&opened))
        return elfp_fail(error, ELFPARSE_ETRUNCATED, ELFPARSE_RULE_E1, 0, ELFPARSE_EHDR_SIZE,
                         reader->size);
    decode_ehdr(ehdr, &opened);
    code = open_tables(ehdr, &opened, error);
    if (code == 0)
        *file = opened;
    return code;
}

int elfparse_segment_get(const struct elfparse_file *file, uint32_t index,
                         struct elfparse_segment *segment, struct elfparse_error *error)
{
    uint8_t bytes[ELFPARSE_PHDR_SIZE] = {0};
    int code;

    if (index >= file->phnum)
        return elfp_fail(error, ELFPARSE_ELINK, ELFPARSE_RULE_NONE, ehdr_place(file, ELFP_E_PHNUM),
                         file->phnum, index);
    code = elfp_read(file->reader, file->phoff + (uint64_t)index * phdr_size(file), bytes,
                     phdr_size(file), error);
    if (code != 0)
        return code;
    segment->type = elfp_word(file, bytes + ELFP_P_TYPE);
    segment->flags = elfp_word(file, bytes + elfp_either(file, ELFP_P_FLAGS, 24));
    segment->offset = elfp_number(file, bytes, ELFP_P_OFFSET, 4);
    segment->vaddr = elfp_number(file, bytes, ELFP_P_VADDR, 8);
    segment->paddr = elfp_number(file, bytes, ELFP_P_VADDR + 8, 12);
    segment->filesz = elfp_number(file, bytes, ELFP_P_FILESZ, 16);
    segment->memsz = elfp_number(file, bytes, ELFP_P_MEMSZ, 20);
    segment->align = elfp_number(file, bytes, ELFP_P_ALIGN, 28);
    return 0;
}

int elfparse_section_get(const struct elfparse_file *file, uint32_t index,
                         struct elfparse_section *section, struct elfparse_error *error)
{
    if (index >= file->shnum)
        return elfp_fail(error, ELFPARSE_ELINK, ELFPARSE_RULE_NONE, ehdr_place(file, ELFP_E_SHNUM),
                         file->shnum, index);
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

    if ((section->flags & ELFPARSE_SHF_COMPRESSED) != 0)
        return elfp_fail(error, ELFPARSE_ECOMPRESSED, ELFPARSE_RULE_NONE, section->offset, 0,
                         section->index);
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
        return elfp_fail(error, ELFPARSE_ENOTFOUND, ELFPARSE_RULE_E10,
                         ehdr_place(file, ELFP_E_SHSTRNDX), 1, 0);
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
