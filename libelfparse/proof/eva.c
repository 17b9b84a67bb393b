/*
 * Eva: no undefined behaviour in the whole library, whatever the file. The reader hands out fresh unknown
 * bytes at every call, so that this covers a file that changes all the time as well.
 */
#include <elfparse/elfparse.h>
#include <elfparse/file.h>

#include "__fc_builtin.h"

#define SCRATCH 1100
#define RANGES  8

static uint8_t scratch[SCRATCH];
static struct elfparse_range ranges[RANGES];
static uint64_t size;

static int read_unknown(void *ctx, uint64_t offset, void *buf, size_t len)
{
    int answer = Frama_C_interval(-1, 0);

    //@ assert asked_inside: len != 0 && offset < size && len <= size - offset;
    Frama_C_make_unknown((char *)buf, len);
    return answer;
}

static int report(void *ctx, const struct elfparse_error *error)
{
    return Frama_C_interval(0, 1);
}

static struct elfparse_policy any_policy(void)
{
    struct elfparse_policy policy = elfparse_policy_kernel;

    policy.user_min = Frama_C_unsigned_long_long_interval(0, UINT64_MAX);
    policy.user_end = Frama_C_unsigned_long_long_interval(0, UINT64_MAX);
    policy.max_memory = Frama_C_unsigned_long_long_interval(0, UINT64_MAX);
    policy.max_align = Frama_C_unsigned_long_long_interval(0, UINT64_MAX);
    policy.max_note_bytes = Frama_C_unsigned_long_long_interval(0, UINT64_MAX);
    policy.max_phnum = Frama_C_unsigned_int_interval(0, UINT32_MAX);
    policy.max_loads = Frama_C_unsigned_int_interval(0, UINT32_MAX);
    policy.max_interp = Frama_C_unsigned_int_interval(0, UINT32_MAX);
    policy.refuse = Frama_C_unsigned_int_interval(0, (1u << ELFPARSE_TRAIT_COUNT) - 1);
    policy.contents = Frama_C_unsigned_int_interval(0, ELFPARSE_READ_ALL);
    return policy;
}

static void plan(const struct elfparse_reader *reader)
{
    struct elfparse_policy policy = any_policy();
    struct elfparse_storage storage = {scratch, SCRATCH, ranges, RANGES};
    struct elfparse_plan plan;
    struct elfparse_error error;

    storage.range_capacity = Frama_C_unsigned_int_interval(0, RANGES);
    if (elfparse_plan_make(reader, &policy, &storage, &plan, &error) == 0) {
        //@ assert bounded: plan.range_count <= RANGES;
        elfparse_plan_apply_bias(&plan, &storage, &policy,
                                 Frama_C_unsigned_long_long_interval(0, UINT64_MAX), &error);
    }
    elfparse_plan_diagnose(reader, &policy, &storage, &plan, report, NULL);
}

static void tables(const struct elfparse_file *file)
{
    struct elfparse_cursor cursor;
    struct elfparse_section section;
    struct elfparse_extent extent;
    struct elfparse_symbol symbol;
    struct elfparse_rela rela;
    struct elfparse_note note;
    struct elfparse_dyn dyn;
    uint64_t address;
    char name[16];

    if (elfparse_section_find(file, ELFPARSE_SHT_SYMTAB, 0, &section, NULL) != 0 ||
        elfparse_section_extent(file, &section, &extent, NULL) != 0)
        return;
    elfparse_string_get(file, &extent, section.info, name, sizeof(name), NULL, NULL);
    if (elfparse_symbols_open(file, &extent, &cursor, NULL) == 0)
        while (elfparse_symbol_next(&cursor, &symbol, NULL) == 1) {}
    if (elfparse_relas_open(file, &extent, &cursor, NULL) == 0)
        while (elfparse_rela_next(&cursor, &rela, NULL) == 1) {}
    if (elfparse_relrs_open(file, &extent, &cursor, NULL) == 0)
        while (elfparse_relr_next(&cursor, &address, NULL) == 1) {}
    if (elfparse_notes_open(file, &extent, section.addralign, &cursor, NULL) == 0)
        while (elfparse_note_next(&cursor, &note, NULL) == 1) {}
    if (elfparse_dynamic_open(file, &cursor, NULL) == 0)
        while (elfparse_dynamic_next(&cursor, &dyn, NULL) == 1) {}
}

int main(void)
{
    struct elfparse_reader reader = {read_unknown, NULL, 0};
    struct elfparse_location location;
    struct elfparse_symbol symbol;
    struct elfparse_file file;
    char name[16];

    size = Frama_C_unsigned_long_long_interval(0, UINT64_MAX);
    reader.size = size;
    plan(&reader);
    if (elfparse_file_open(&reader, &file, NULL) == 0) {
        struct elfparse_extent names;

        elfparse_section_names(&file, &names, NULL);
        tables(&file);
        elfparse_lookup(&file, "main", &symbol, NULL);
    }
    elfparse_symbolize(&reader, Frama_C_unsigned_long_long_interval(0, UINT64_MAX), name,
                       sizeof(name), &location, NULL);
    return 0;
}
