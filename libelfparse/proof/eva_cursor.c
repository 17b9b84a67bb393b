/*
 * Eva: opening a file, whose reader hands out fresh bytes at every call, so that this covers one
 * that changes all the time; opening cursors of every kind, and one step of each from any state in which opening or a
 * step before leaves it, which the step is checked to keep to. By induction this is a walk of any
 * length, but for RELR, where one step may use up several words: three at most here.
 */
#include "eva_tools.h"

static struct elfparse_cursor cursor;

/* Bytes of an entry, by the file's class. */
static uint32_t either(uint32_t wide, uint32_t narrow)
{
    return file.elf_class == ELFPARSE_CLASS32 ? narrow : wide;
}

/*
 * Some entries were read into the cache, at most so many of these are not used up, and some are
 * left in the file: any number, or no more than two.
 */
static void any_state(uint32_t entry, uint32_t unused, int many)
{
    uint32_t room = either(96, 48) / entry; /* which open_table and a step keep to */
    uint32_t filled = up_to(room), left = up_to(many ? room + 1 : 2);
    uint32_t more;

    //@ split filled;
    //@ split left;
    more = up_to(unused < filled ? unused : filled);
    //@ split more;
    Frama_C_make_unknown((char *)cursor.cache, sizeof(cursor.cache));
    cursor.file = &file;
    cursor.offset = any();
    cursor.left = left <= room ? left : Frama_C_unsigned_long_long_interval(left, UINT64_MAX);
    cursor.base = any();
    cursor.bitmap = any();
    cursor.entry = entry;
    cursor.first = (filled - more) * entry;
    cursor.end = filled * entry;
}

static void expect_state(uint32_t entry)
{
    EXPECT(cursor.file == &file && cursor.entry == entry);
    EXPECT(cursor.end % entry == 0 && cursor.end <= sizeof(cursor.cache));
    EXPECT(cursor.first % entry == 0 && cursor.first <= cursor.end);
}

static void open_one(void)
{
    switch (Frama_C_interval(0, 5)) {
    case 0:
        if (elfparse_symbols_open(&file, &extent, &cursor, &error) == 0)
            expect_state(either(24, 16));
        break;
    case 1:
        if (elfparse_relas_open(&file, &extent, &cursor, &error) == 0)
            expect_state(either(24, 12));
        break;
    case 4:
        if (elfparse_rels_open(&file, &extent, &cursor, &error) == 0)
            expect_state(either(16, 8));
        break;
    case 2:
        if (elfparse_relrs_open(&file, &extent, &cursor, &error) == 0)
            expect_state(either(8, 4));
        break;
    case 3:
        file.phnum = up_to(2);
        if (elfparse_dynamic_open(&file, &cursor, &error) == 0)
            expect_state(either(16, 8));
        break;
    default:
        if (elfparse_notes_open(&file, &extent, any(), &cursor, &error) == 0) {
            expect_state(1);
            EXPECT(cursor.base == 4 || cursor.base == 8);
        }
    }
}

static void notes(void)
{
    struct elfparse_note note;

    cursor.file = &file;
    cursor.offset = any();
    cursor.left = any();
    cursor.base = up_to(1) == 1 ? 4 : 8;
    elfparse_note_next(&cursor, &note, &error);
    EXPECT(cursor.file == &file && (cursor.base == 4 || cursor.base == 8));
}

/* Opens any file, and finds its segments, sections and their bytes. */
static void open_file(void)
{
    struct elfparse_segment segment = {0};
    struct elfparse_section section = {0};
    uint32_t index = up_to(UINT32_MAX);

    if (elfparse_file_open(&reader, &file, &error) != 0)
        return;
    elfparse_segment_get(&file, index, &segment, &error);
    elfparse_section_get(&file, index, &section, &error);
    elfparse_section_find(&file, index, index, &section, &error);
    elfparse_section_extent(&file, &section, &extent, &error);
    elfparse_section_strings(&file, &section, &extent, &error);
    elfparse_section_names(&file, &extent, &error);
    elfparse_extent_at(&file, any(), any(), &extent, &error);
}

int main(void)
{
    struct elfparse_symbol symbol;
    struct elfparse_rela rela;
    struct elfparse_dyn dyn;
    uint64_t address;

    any_file();
    switch (PART) {
    case 0:
        open_one();
        break;
    case 1:
        any_state(either(24, 16), 4, 1);
        elfparse_symbol_next(&cursor, &symbol, &error);
        expect_state(either(24, 16));
        break;
    case 2:
        any_state(either(24, 12), 4, 1);
        elfparse_rela_next(&cursor, &rela, &error);
        expect_state(either(24, 12));
        break;
    case 3:
        any_state(either(16, 8), 6, 1);
        elfparse_dynamic_next(&cursor, &dyn, &error);
        expect_state(either(16, 8));
        break;
    case 6:
        any_state(either(16, 8), 6, 1);
        elfparse_rel_next(&cursor, &rela, &error);
        expect_state(either(16, 8));
        break;
    case 4:
        any_state(either(8, 4), 1, 0); /* a step may use up several */
        elfparse_relr_next(&cursor, &address, &error);
        expect_state(either(8, 4));
        break;
    case 7:
        open_file();
        break;
    default:
        notes();
    }
    return 0;
}
