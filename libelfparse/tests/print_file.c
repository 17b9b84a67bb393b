/*
 * print_file FILE...: what the reader for tools finds in each file, a line for each thing, for a comparison with other
 * readers (readobj.py). A table that cannot be read, or not to its end, says "error CODE" in place of what is left.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <elfparse/elfparse.h>
#include <elfparse/file.h>

#define NAME_MAX_SIZE 65536u

/* The string in hexadecimal, so that any byte can stand in it; "?" where there is none. */
static void print_string(const struct elfparse_file *file, const struct elfparse_extent *strings,
                         uint64_t offset)
{
    static char text[NAME_MAX_SIZE];
    if (elfparse_string_get(file, strings, offset, text, sizeof(text), NULL, NULL) != 0) {
        printf(" ?");
        return;
    }
    printf(" =");
    for (const char *at = text; *at; at++)
        printf("%02x", (unsigned char)*at);
}

/* The end of a table: 0, or why it was not read to its end. */
static void print_end(const char *table, uint32_t section, int code)
{
    if (code < 0)
        printf("error %s %" PRIu32 "\n", table, section);
}

static void print_symbols(const struct elfparse_file *file, const struct elfparse_section *section,
                          const struct elfparse_extent *extent)
{
    struct elfparse_extent strings = {0};
    struct elfparse_cursor cursor;
    struct elfparse_symbol symbol;
    int code = elfparse_symbols_open(file, extent, &cursor, NULL);
    elfparse_section_strings(file, section, &strings, NULL);
    while (code >= 0 && (code = elfparse_symbol_next(&cursor, &symbol, NULL)) > 0) {
        printf("symbol %" PRIu32 " %" PRIu64 " %" PRIu64 " %u %u %u %" PRIu32, section->index,
               symbol.value, symbol.size, symbol.info, symbol.other, symbol.shndx, symbol.name);
        print_string(file, &strings, symbol.name);
        putchar('\n');
    }
    print_end("symbols", section->index, code);
}

static void print_relocations(const struct elfparse_file *file,
                              const struct elfparse_section *section,
                              const struct elfparse_extent *extent)
{
    bool with_addend = section->type == ELFPARSE_SHT_RELA;
    struct elfparse_cursor cursor;
    struct elfparse_rela rela;
    int code = with_addend ? elfparse_relas_open(file, extent, &cursor, NULL)
                           : elfparse_rels_open(file, extent, &cursor, NULL);
    while (code >= 0 && (code = with_addend ? elfparse_rela_next(&cursor, &rela, NULL)
                                            : elfparse_rel_next(&cursor, &rela, NULL)) > 0)
        printf("relocation %" PRIu32 " %" PRIu64 " %" PRIu32 " %" PRIu32 " %" PRId64 "\n",
               section->index, rela.offset, rela.type, rela.symbol, rela.addend);
    print_end("relocations", section->index, code);
}

static void print_relrs(const struct elfparse_file *file, const struct elfparse_section *section,
                        const struct elfparse_extent *extent)
{
    struct elfparse_cursor cursor;
    uint64_t address;
    int code = elfparse_relrs_open(file, extent, &cursor, NULL);
    while (code >= 0 && (code = elfparse_relr_next(&cursor, &address, NULL)) > 0)
        printf("relocation %" PRIu32 " %" PRIu64 " relative\n", section->index, address);
    print_end("relocations", section->index, code);
}

/* The name of a note with all its bytes but the last NUL: there are names with NULs inside. */
static void print_note_name(const struct elfparse_file *file, const struct elfparse_extent *name)
{
    static char text[NAME_MAX_SIZE];
    size_t length;
    printf(" =");
    for (uint64_t at = 0; at < name->size; at += length + 1) {
        if (elfparse_string_get(file, name, at, text, sizeof(text), &length, NULL) != 0)
            return;
        if (at != 0)
            printf("00");
        for (size_t i = 0; i < length; i++)
            printf("%02x", (unsigned char)text[i]);
    }
}

static void print_notes(const struct elfparse_file *file, uint32_t index,
                        const struct elfparse_extent *extent, uint64_t align)
{
    struct elfparse_cursor cursor;
    struct elfparse_note note;
    int code = elfparse_notes_open(file, extent, align, &cursor, NULL);
    while (code >= 0 && (code = elfparse_note_next(&cursor, &note, NULL)) > 0) {
        printf("note %" PRIu32 " %" PRIu64, note.type, note.desc.size);
        print_note_name(file, &note.name);
        putchar('\n');
    }
    print_end("notes", index, code);
}

static void print_section(const struct elfparse_file *file, const struct elfparse_section *section,
                          const struct elfparse_extent *names)
{
    struct elfparse_extent extent;
    printf("section %" PRIu32 " %" PRIu32 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64
           " %" PRIu32 " %" PRIu32 " %" PRIu64 " %" PRIu64,
           section->index, section->type, section->flags, section->addr, section->offset,
           section->size, section->link, section->info, section->addralign, section->entsize);
    print_string(file, names, section->name);
    putchar('\n');
    if ((section->flags & ELFPARSE_SHF_COMPRESSED) != 0)
        return; /* no table */
    if (elfparse_section_extent(file, section, &extent, NULL) != 0) {
        printf("error extent %" PRIu32 "\n", section->index);
        return;
    }
    switch (section->type) {
    case ELFPARSE_SHT_SYMTAB:
    case ELFPARSE_SHT_DYNSYM:
        print_symbols(file, section, &extent);
        break;
    case ELFPARSE_SHT_RELA:
    case ELFPARSE_SHT_REL:
        print_relocations(file, section, &extent);
        break;
    case ELFPARSE_SHT_RELR:
        print_relrs(file, section, &extent);
        break;
    case ELFPARSE_SHT_NOTE:
        if (file->type != ELFPARSE_ET_CORE) /* there they are those of a segment */
            print_notes(file, section->index, &extent, section->addralign);
        break;
    default:
        break;
    }
}

static void print_dynamic(const struct elfparse_file *file)
{
    struct elfparse_extent strings = {0};
    struct elfparse_cursor cursor;
    struct elfparse_dyn dyn;
    int code = elfparse_dynamic_open(file, &cursor, NULL);
    if (code == ELFPARSE_ENOTFOUND)
        return;
    elfparse_dynamic_strings(file, &strings, NULL);
    while (code >= 0 && (code = elfparse_dynamic_next(&cursor, &dyn, NULL)) > 0) {
        printf("dynamic %" PRId64 " %" PRIu64, dyn.tag, dyn.value);
        if (dyn.tag == ELFPARSE_DT_NEEDED)
            print_string(file, &strings, dyn.value);
        putchar('\n');
    }
    print_end("dynamic", 0, code);
}

static void print_file(const struct elfparse_reader *reader)
{
    struct elfparse_extent names = {0};
    struct elfparse_section section;
    struct elfparse_segment segment;
    struct elfparse_file file;
    if (elfparse_file_open(reader, &file, NULL) != 0) {
        puts("error file 0");
        return;
    }
    printf("header %u %u %u %u %" PRIu64 " %" PRIu32 "\n", file.elf_class, file.data, file.type,
           file.machine, file.entry, file.flags);
    for (uint32_t i = 0; elfparse_segment_get(&file, i, &segment, NULL) == 0; i++) {
        printf("segment %" PRIu32 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64
               " %" PRIu32 " %" PRIu64 "\n",
               segment.type, segment.offset, segment.vaddr, segment.paddr, segment.filesz,
               segment.memsz, segment.flags, segment.align);
        if (segment.type == ELFPARSE_PT_NOTE && (file.shnum == 0 || file.type == ELFPARSE_ET_CORE))
            print_notes(&file, i, &(struct elfparse_extent){segment.offset, segment.filesz},
                        segment.align);
    }
    print_dynamic(&file);
    if (file.sections != 0)
        puts("error sections 0");
    elfparse_section_names(&file, &names, NULL);
    for (uint32_t i = 0; elfparse_section_get(&file, i, &section, NULL) == 0; i++)
        print_section(&file, &section, &names);
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        int fd = open(argv[i], O_RDONLY);
        struct stat st;
        if (fd < 0 || fstat(fd, &st) != 0) {
            perror(argv[i]);
            return 1;
        }
        void *data =
            st.st_size ? mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0) : argv;
        if (data == MAP_FAILED) {
            perror(argv[i]);
            return 1;
        }
        const struct elfparse_reader reader = elfparse_reader_memory(data, (uint64_t)st.st_size);
        printf("file %s\n", argv[i]);
        print_file(&reader);
        if (st.st_size)
            munmap(data, (size_t)st.st_size);
        close(fd);
    }
    return 0;
}
