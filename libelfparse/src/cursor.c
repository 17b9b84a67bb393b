#include <elfparse/file.h>

#include "form.h"
#include "headers.h"

/* Bytes of an entry in ELF64 and in ELF32. */
#define SYM_SIZE(file)  elfp_either(file, 24, 16)
#define RELA_SIZE(file) elfp_either(file, 24, 12)
#define REL_SIZE(file)  elfp_either(file, 16, 8)
#define DYN_SIZE(file)  elfp_either(file, 16, 8)
#define RELR_SIZE(file) elfp_either(file, 8, 4)

/* As many entries of ELF32 as of ELF64 are read at once. */
#define CACHE_USED(file) elfp_either(file, 96, 48)

static int open_table(const struct elfparse_file *file, const struct elfparse_extent *extent,
                      uint32_t entry, struct elfparse_cursor *cursor, struct elfparse_error *error)
{
    if (extent->size % entry != 0)
        return elfp_fail(error, ELFPARSE_ETABLE, ELFPARSE_RULE_NONE, extent->offset, entry,
                         extent->size);
    if (extent->size != 0 && !elfp_inside(extent->offset, extent->size, file->reader->size))
        return elfp_fail(error, ELFPARSE_EBOUNDS, ELFPARSE_RULE_NONE, extent->offset,
                         file->reader->size, elfp_end(extent->offset, extent->size));
    cursor->file = file;
    cursor->offset = extent->offset;
    cursor->left = extent->size / entry;
    cursor->base = 0;
    cursor->bitmap = 0;
    cursor->entry = entry;
    cursor->first = 0;
    cursor->end = 0;
    return 0;
}

/* Points *bytes to the next entry; 1, 0 at the end, or a code. */
static int next_entry(struct elfparse_cursor *cursor, const uint8_t **bytes,
                      struct elfparse_error *error)
{
    if (cursor->first == cursor->end) {
        uint32_t room = CACHE_USED(cursor->file) / cursor->entry;
        uint32_t count = cursor->left < room ? (uint32_t)cursor->left : room;
        int code;

        if (count == 0)
            return 0;
        code = elfp_read(cursor->file->reader, cursor->offset, cursor->cache,
                         (size_t)count * cursor->entry, error);
        if (code < 0)
            return code;
        cursor->offset += (uint64_t)count * cursor->entry;
        cursor->left -= count;
        cursor->first = 0;
        cursor->end = count * cursor->entry;
    }
    *bytes = cursor->cache + cursor->first;
    cursor->first += cursor->entry;
    return 1;
}

int elfparse_symbols_open(const struct elfparse_file *file, const struct elfparse_extent *extent,
                          struct elfparse_cursor *cursor, struct elfparse_error *error)
{
    return open_table(file, extent, SYM_SIZE(file), cursor, error);
}

int elfparse_relas_open(const struct elfparse_file *file, const struct elfparse_extent *extent,
                        struct elfparse_cursor *cursor, struct elfparse_error *error)
{
    return open_table(file, extent, RELA_SIZE(file), cursor, error);
}

int elfparse_rels_open(const struct elfparse_file *file, const struct elfparse_extent *extent,
                       struct elfparse_cursor *cursor, struct elfparse_error *error)
{
    return open_table(file, extent, REL_SIZE(file), cursor, error);
}

int elfparse_relrs_open(const struct elfparse_file *file, const struct elfparse_extent *extent,
                        struct elfparse_cursor *cursor, struct elfparse_error *error)
{
    return open_table(file, extent, RELR_SIZE(file), cursor, error);
}

int elfparse_dynamic_open(const struct elfparse_file *file, struct elfparse_cursor *cursor,
                          struct elfparse_error *error)
{
    struct elfparse_segment segment = {0};
    uint32_t i;

    for (i = 0; i < file->phnum; i++) {
        int code = elfparse_segment_get(file, i, &segment, error);

        if (code != 0)
            return code;
        if (segment.type == ELFPARSE_PT_DYNAMIC) {
            struct elfparse_extent extent = {segment.offset, segment.filesz};

            return open_table(file, &extent, DYN_SIZE(file), cursor, error);
        }
    }
    return elfp_fail(error, ELFPARSE_ENOTFOUND, ELFPARSE_RULE_NONE, 0, ELFPARSE_PT_DYNAMIC, 0);
}

int elfparse_symbol_next(struct elfparse_cursor *cursor, struct elfparse_symbol *symbol,
                         struct elfparse_error *error)
{
    const uint8_t *bytes;
    int more = next_entry(cursor, &bytes, error);

    if (more == 1) {
        const struct elfparse_file *file = cursor->file;
        const uint8_t *rest = bytes + elfp_either(file, 4, 12);

        symbol->name = elfp_word(file, bytes);
        symbol->info = rest[0];
        symbol->other = rest[1];
        symbol->shndx = (uint16_t)elfp_half(file, rest + 2);
        symbol->value = elfp_number(file, bytes, 8, 4);
        symbol->size = elfp_number(file, bytes, 16, 8);
    }
    return more;
}

/* r_offset and r_info */
static void decode_rel(const struct elfparse_file *file, const uint8_t *bytes,
                       struct elfparse_rela *rela)
{
    uint64_t info = elfp_number(file, bytes, 8, 4);

    rela->offset = elfp_number(file, bytes, 0, 0);
    rela->type = (uint32_t)info;
    rela->symbol = (uint32_t)(info >> 32);
    if (elfp_narrow(file)) {
        rela->type = info & 0xff;
        rela->symbol = (uint32_t)info >> 8;
    } else if (file->machine == ELFPARSE_EM_MIPS && !elfp_big(file)) {
        /* The symbol comes first; then r_ssym, r_type3, r_type2 and r_type, one byte each. */
        rela->symbol = rela->type;
        rela->type = elfp_get32(bytes + 12, 1);
    }
}

int elfparse_rel_next(struct elfparse_cursor *cursor, struct elfparse_rela *rela,
                      struct elfparse_error *error)
{
    const uint8_t *bytes;
    int more = next_entry(cursor, &bytes, error);

    if (more == 1) {
        decode_rel(cursor->file, bytes, rela);
        rela->addend = 0;
    }
    return more;
}

int elfparse_rela_next(struct elfparse_cursor *cursor, struct elfparse_rela *rela,
                       struct elfparse_error *error)
{
    const uint8_t *bytes;
    int more = next_entry(cursor, &bytes, error);

    if (more == 1) {
        decode_rel(cursor->file, bytes, rela);
        rela->addend = (int64_t)elfp_number(cursor->file, bytes, 16, 8);
        if (elfp_narrow(cursor->file))
            rela->addend = (int32_t)rela->addend;
    }
    return more;
}

int elfparse_dynamic_next(struct elfparse_cursor *cursor, struct elfparse_dyn *dyn,
                          struct elfparse_error *error)
{
    const uint8_t *bytes;
    int more = next_entry(cursor, &bytes, error);

    if (more != 1)
        return more;
    dyn->tag = (int64_t)elfp_number(cursor->file, bytes, 0, 0);
    if (dyn->tag == ELFPARSE_DT_NULL) {
        cursor->first = cursor->end;
        cursor->left = 0;
        return 0;
    }
    dyn->value = elfp_number(cursor->file, bytes, 8, 4);
    return 1;
}

int elfparse_relr_next(struct elfparse_cursor *cursor, uint64_t *address,
                       struct elfparse_error *error)
{
    const uint32_t size = RELR_SIZE(cursor->file);
    /*
     * A bitmap stands for as many words as it has bits but one, the lowest, which says what it is.
     */
    const uint64_t span = (uint64_t)(size * 8 - 1) * size;

    while (cursor->bitmap == 0) {
        const uint8_t *bytes;
        uint64_t word;
        int more = next_entry(cursor, &bytes, error);

        if (more != 1)
            return more;
        word = elfp_number(cursor->file, bytes, 0, 0);
        if ((word & 1) == 0) {
            *address = word;
            cursor->base = word + size;
            return 1;
        }
        cursor->bitmap = word >> 1;
        cursor->base += span;
    }
    *address = cursor->base - span + (uint64_t)(uint32_t)__builtin_ctzll(cursor->bitmap) * size;
    cursor->bitmap &= cursor->bitmap - 1;
    return 1;
}

int elfparse_notes_open(const struct elfparse_file *file, const struct elfparse_extent *extent,
                        uint64_t align, struct elfparse_cursor *cursor,
                        struct elfparse_error *error)
{
    int code = open_table(file, extent, 1, cursor, error);

    if (code == 0)
        cursor->base = elfp_note_align(align);
    return code;
}

int elfparse_note_next(struct elfparse_cursor *cursor, struct elfparse_note *note,
                       struct elfparse_error *error)
{
    uint8_t header[ELFP_NHDR_SIZE] = {0};
    uint64_t need = ELFP_NHDR_SIZE;
    struct elfp_note layout = {0};

    if (cursor->left == 0)
        return 0;
    if (cursor->left >= ELFP_NHDR_SIZE) {
        int code = elfp_read(cursor->file->reader, cursor->offset, header, sizeof(header), error);

        if (code != 0)
            return code;
        need = elfp_note_measure(header, cursor->base, elfp_big(cursor->file), &layout);
    }
    if (need > cursor->left)
        return elfp_fail(error, ELFPARSE_ENOTE, ELFPARSE_RULE_O8, cursor->offset, cursor->left,
                         need);
    note->type = layout.type;
    note->name.offset = cursor->offset + ELFP_NHDR_SIZE;
    note->name.size = layout.namesz;
    note->desc.offset = cursor->offset + layout.desc;
    note->desc.size = layout.descsz;
    if (layout.next > cursor->left)
        layout.next = cursor->left;
    cursor->offset += layout.next;
    cursor->left -= layout.next;
    return 1;
}

int elfparse_dynamic_find(const struct elfparse_file *file, int64_t tag, uint64_t *value,
                          struct elfparse_error *error)
{
    struct elfparse_cursor cursor;
    struct elfparse_dyn dyn;
    int more = elfparse_dynamic_open(file, &cursor, error);

    if (more != 0)
        return more;
    while ((more = elfparse_dynamic_next(&cursor, &dyn, error)) == 1) {
        if (dyn.tag == tag) {
            *value = dyn.value;
            return 0;
        }
    }
    if (more < 0)
        return more;
    return elfp_fail(error, ELFPARSE_ENOTFOUND, ELFPARSE_RULE_NONE, 0, (uint64_t)tag, 0);
}

int elfparse_dynamic_strings(const struct elfparse_file *file, struct elfparse_extent *strings,
                             struct elfparse_error *error)
{
    uint64_t table = 0, size = 0;
    int code = elfparse_dynamic_find(file, ELFPARSE_DT_STRTAB, &table, error);

    if (code == 0)
        code = elfparse_dynamic_find(file, ELFPARSE_DT_STRSZ, &size, error);
    return code == 0 ? elfparse_extent_at(file, table, size, strings, error) : code;
}
