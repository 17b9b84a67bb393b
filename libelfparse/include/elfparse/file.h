/*
 * Reading for tools: sections, symbols, strings, dynamic entries, relocations, notes and hash
 * tables, from any reader. Nothing is allocated, every table is validated when it is opened and
 * every entry when it is reached, and no byte outside the file is ever asked for. Wrong contents
 * give an error or an end, never more entries than the file has room for, and no call reads more
 * often than four times for each byte of the file and 1,048,576 times besides: look-up, where
 * chains may lead in circles, then says so.
 *
 * Functions named next return 1 with an entry, 0 at the end, or an error's code (negative); the
 * others return 0 or a code. error may be NULL. Outputs are written only on success (a string's
 * buffer is cleared where its end is missing).
 */
#ifndef ELFPARSE_FILE_H
#define ELFPARSE_FILE_H

#include <elfparse/error.h>
#include <elfparse/reader.h>

ELFPARSE_BEGIN_DECLS

/* sh_type (gABI, "Sections") */
#define ELFPARSE_SHT_SYMTAB       2u
#define ELFPARSE_SHT_STRTAB       3u
#define ELFPARSE_SHT_RELA         4u
#define ELFPARSE_SHT_NOTE         7u
#define ELFPARSE_SHT_NOBITS       8u
#define ELFPARSE_SHT_REL          9u
#define ELFPARSE_SHT_DYNSYM       11u
#define ELFPARSE_SHT_SYMTAB_SHNDX 18u
#define ELFPARSE_SHT_RELR         19u

/* sh_flags: the section begins with a compression header. */
#define ELFPARSE_SHF_COMPRESSED 0x800u

/* st_shndx: the section's index did not fit and stands in the SHT_SYMTAB_SHNDX section. */
#define ELFPARSE_SHN_XINDEX 0xffffu

/* d_tag (gABI, "Dynamic Section") */
#define ELFPARSE_DT_NULL     0
#define ELFPARSE_DT_NEEDED   1
#define ELFPARSE_DT_HASH     4
#define ELFPARSE_DT_STRTAB   5
#define ELFPARSE_DT_SYMTAB   6
#define ELFPARSE_DT_RELA     7
#define ELFPARSE_DT_RELASZ   8
#define ELFPARSE_DT_STRSZ    10
#define ELFPARSE_DT_SONAME   14
#define ELFPARSE_DT_REL      17
#define ELFPARSE_DT_RELSZ    18
#define ELFPARSE_DT_RELRSZ   35
#define ELFPARSE_DT_RELR     36
#define ELFPARSE_DT_GNU_HASH 0x6ffffef5
#define ELFPARSE_DT_VERSYM   0x6ffffff0
#define ELFPARSE_DT_VERDEF   0x6ffffffc
#define ELFPARSE_DT_VERNEED  0x6ffffffe

/* An opened file: the Ehdr in host order. Fields are for reading. */
struct elfparse_file {
    const struct elfparse_reader *reader; /* must outlive the file */
    uint64_t entry;
    uint64_t phoff;
    uint64_t shoff;    /* 0: no sections */
    uint32_t phnum;    /* as extended numbering has it (PN_XNUM) */
    uint32_t shnum;    /* likewise */
    uint32_t shstrndx; /* likewise; 0: no section names */
    uint32_t flags;    /* e_flags */
    uint16_t type;
    uint16_t machine;
    uint8_t elf_class; /* ELFPARSE_CLASS32 or 64 */
    uint8_t data;      /* ELFPARSE_DATALSB or MSB */
    int32_t
        sections; /* E10; not 0: the code why the sections, or only their names, are not there */
};

/* A part of the file that was found to lie inside it. */
struct elfparse_extent {
    uint64_t offset;
    uint64_t size;
};

struct elfparse_segment {
    uint32_t type;
    uint32_t flags;
    uint64_t offset;
    uint64_t vaddr;
    uint64_t paddr;
    uint64_t filesz;
    uint64_t memsz;
    uint64_t align;
};

struct elfparse_section {
    uint32_t index;
    uint32_t name; /* offset in the section name string table */
    uint32_t type;
    uint32_t link;
    uint32_t info;
    uint64_t flags;
    uint64_t addr;
    uint64_t offset;
    uint64_t size;
    uint64_t addralign;
    uint64_t entsize;
};

struct elfparse_symbol {
    uint32_t name; /* offset in the string table that belongs to the symbol table */
    uint8_t info;
    uint8_t other;
    uint16_t shndx;
    uint64_t value;
    uint64_t size;
};

struct elfparse_dyn {
    int64_t tag;
    uint64_t value;
};

/*
 * Of MIPS64 files, whose r_info has a layout of its own, type holds r_type in its lowest byte, then
 * r_type2, r_type3 and r_ssym.
 */
struct elfparse_rela {
    uint64_t offset;
    uint32_t type;
    uint32_t symbol;
    int64_t addend;
};

/* A compression header: ch_type 1 is zlib, 2 is Zstandard. */
struct elfparse_compression {
    uint32_t type;
    uint64_t size;               /* bytes once decompressed */
    uint64_t align;              /* alignment once decompressed */
    struct elfparse_extent data; /* the compressed bytes */
};

struct elfparse_note {
    uint32_t type;
    struct elfparse_extent name; /* with its NUL */
    struct elfparse_extent desc;
};

/* Walks over entries of one size, several a read. The caller's, opened by the functions below. */
struct elfparse_cursor {
    const struct elfparse_file *file;
    uint64_t offset;   /* of the first entry that is not in cache */
    uint64_t left;     /* entries from there on */
    uint64_t base;     /* of RELR: the next address; of notes: the alignment */
    uint64_t bitmap;   /* of RELR: addresses still to come, one a bit */
    uint32_t entry;    /* bytes of an entry */
    uint32_t first;    /* byte of cache where the next entry is */
    uint32_t end;      /* bytes in cache */
    uint8_t cache[96]; /* a multiple of every entry size */
};

/*
 * Opens a file: E1 to E3, E7 and E9. Any class, byte order, e_type and e_machine is fine; numbers
 * are handed out in host order, those of ELF32 as wide as of ELF64. Sections that break E10 do not
 * hide segments and dynamic entries: then file->sections says why, and shnum is 0 (ESHTABLE,
 * ETABLE), or only shstrndx (ESHSTRNDX). reader must outlive file.
 */
int elfparse_file_open(const struct elfparse_reader *reader, struct elfparse_file *file,
                       struct elfparse_error *error);

/* The program header with that index; ELFPARSE_ELINK where there are fewer. */
int elfparse_segment_get(const struct elfparse_file *file, uint32_t index,
                         struct elfparse_segment *segment, struct elfparse_error *error);

/* The section with that index; ELFPARSE_ELINK where there are fewer. */
int elfparse_section_get(const struct elfparse_file *file, uint32_t index,
                         struct elfparse_section *section, struct elfparse_error *error);

/* The first section of that type from index from on; ELFPARSE_ENOTFOUND where there is none. */
int elfparse_section_find(const struct elfparse_file *file, uint32_t type, uint32_t from,
                          struct elfparse_section *section, struct elfparse_error *error);

/* The first section of that name from index from on; ELFPARSE_ENOTFOUND where there is none. */
int elfparse_section_named(const struct elfparse_file *file, const char *name, uint32_t from,
                           struct elfparse_section *section, struct elfparse_error *error);

/*
 * The index of the section that a symbol is defined in. symtab is the symbol's table, index the
 * symbol's place there. st_shndx, or what SHT_SYMTAB_SHNDX says where it is ELFPARSE_SHN_XINDEX:
 * ELFPARSE_ENOTFOUND where there is no such table, ELFPARSE_ELINK where it is too short.
 */
int elfparse_symbol_section(const struct elfparse_file *file, const struct elfparse_section *symtab,
                            uint32_t index, const struct elfparse_symbol *symbol, uint32_t *shndx,
                            struct elfparse_error *error);

/*
 * The compression header of a section with ELFPARSE_SHF_COMPRESSED (gABI, "Section Compression").
 * Nothing is decompressed. ELFPARSE_ENOTFOUND where the flag is not set, ELFPARSE_ETABLE where the
 * section is too short for the header.
 */
int elfparse_compression_get(const struct elfparse_file *file,
                             const struct elfparse_section *section,
                             struct elfparse_compression *compression,
                             struct elfparse_error *error);

/*
 * The file name in .gnu_debuglink, as elfparse_string_get returns it, and the CRC-32 of the file
 * that it names. ELFPARSE_ENOTFOUND where there is no such section, ELFPARSE_ETABLE where it is too
 * short for the CRC.
 */
int elfparse_debuglink_get(const struct elfparse_file *file, char *name, size_t size,
                           size_t *length, uint32_t *crc, struct elfparse_error *error);

/*
 * The section's bytes; empty for SHT_NOBITS. ELFPARSE_EBOUNDS where they lie outside the file,
 * ELFPARSE_ECOMPRESSED where they are not its contents (elfparse_compression_get).
 */
int elfparse_section_extent(const struct elfparse_file *file,
                            const struct elfparse_section *section, struct elfparse_extent *extent,
                            struct elfparse_error *error);

/* The bytes of the string table that the section's sh_link names. */
int elfparse_section_strings(const struct elfparse_file *file,
                             const struct elfparse_section *section,
                             struct elfparse_extent *strings, struct elfparse_error *error);

/* The bytes of the section name string table. */
int elfparse_section_names(const struct elfparse_file *file, struct elfparse_extent *strings,
                           struct elfparse_error *error);

/* size bytes at address vaddr, where one PT_LOAD's file bytes hold them: ELFPARSE_EUNMAPPED else.
 */
int elfparse_extent_at(const struct elfparse_file *file, uint64_t vaddr, uint64_t size,
                       struct elfparse_extent *extent, struct elfparse_error *error);

/*
 * Copies the string at offset of a string table, cut to size - 1 bytes, NUL-terminated; *length
 * (which may be NULL) becomes its whole length. ELFPARSE_ESTRING where it does not end inside the
 * table; ELFPARSE_EBUFFER where size is 0.
 */
int elfparse_string_get(const struct elfparse_file *file, const struct elfparse_extent *strings,
                        uint64_t offset, char *buf, size_t size, size_t *length,
                        struct elfparse_error *error);

/* The tables of an extent; ELFPARSE_ETABLE where its size is no multiple of the entry's. */
int elfparse_symbols_open(const struct elfparse_file *file, const struct elfparse_extent *extent,
                          struct elfparse_cursor *cursor, struct elfparse_error *error);
int elfparse_relas_open(const struct elfparse_file *file, const struct elfparse_extent *extent,
                        struct elfparse_cursor *cursor, struct elfparse_error *error);
int elfparse_rels_open(const struct elfparse_file *file, const struct elfparse_extent *extent,
                       struct elfparse_cursor *cursor, struct elfparse_error *error);
int elfparse_relrs_open(const struct elfparse_file *file, const struct elfparse_extent *extent,
                        struct elfparse_cursor *cursor, struct elfparse_error *error);

/* The dynamic entries of PT_DYNAMIC; ELFPARSE_ENOTFOUND where there is none. */
int elfparse_dynamic_open(const struct elfparse_file *file, struct elfparse_cursor *cursor,
                          struct elfparse_error *error);

/* The notes of an extent; align is that of its section or program header. */
int elfparse_notes_open(const struct elfparse_file *file, const struct elfparse_extent *extent,
                        uint64_t align, struct elfparse_cursor *cursor,
                        struct elfparse_error *error);

/* The next entry of a cursor that the function of the same kind opened. */
int elfparse_symbol_next(struct elfparse_cursor *cursor, struct elfparse_symbol *symbol,
                         struct elfparse_error *error);
int elfparse_rela_next(struct elfparse_cursor *cursor, struct elfparse_rela *rela,
                       struct elfparse_error *error);
/* The addend stands where the entry points to; rela->addend becomes 0. */
int elfparse_rel_next(struct elfparse_cursor *cursor, struct elfparse_rela *rela,
                      struct elfparse_error *error);
int elfparse_note_next(struct elfparse_cursor *cursor, struct elfparse_note *note,
                       struct elfparse_error *error);

/* Ends before DT_NULL. */
int elfparse_dynamic_next(struct elfparse_cursor *cursor, struct elfparse_dyn *dyn,
                          struct elfparse_error *error);

/* The next address that a RELR table relocates (gABI, "Relative Relocation Table"). */
int elfparse_relr_next(struct elfparse_cursor *cursor, uint64_t *address,
                       struct elfparse_error *error);

/* The first dynamic entry with that tag; ELFPARSE_ENOTFOUND where there is none. */
int elfparse_dynamic_find(const struct elfparse_file *file, int64_t tag, uint64_t *value,
                          struct elfparse_error *error);

/* The string table of the dynamic entries: DT_STRTAB, DT_STRSZ. */
int elfparse_dynamic_strings(const struct elfparse_file *file, struct elfparse_extent *strings,
                             struct elfparse_error *error);

/*
 * Looks a dynamic symbol up by name, through DT_GNU_HASH or else DT_HASH, as dlsym of the GNU C
 * library does: a symbol without version, else the only default version. Undefined, local and
 * hidden symbols are passed over, and old versions, which DT_VERSYM hides. ELFPARSE_ENOTFOUND where
 * there is none or no hash table, ELFPARSE_EHASH where the table contradicts itself.
 */
int elfparse_lookup(const struct elfparse_file *file, const char *name,
                    struct elfparse_symbol *symbol, struct elfparse_error *error);

ELFPARSE_END_DECLS

#endif
