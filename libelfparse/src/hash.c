#include <elfparse/file.h>

#include "bytes.h"
#include "fail.h"
#include "strings.h"

#define SYM_SIZE 24u

/* What a look-up needs of the dynamic table. */
struct lookup {
    const struct elfparse_file *file;
    const char *name;
    uint64_t table; /* address of the hash table */
    uint64_t symtab;
    struct elfparse_extent strings;
    uint64_t versions; /* address of the table of DT_VERSYM; 0: none */
};

/* Linux gABI extensions, "Symbol Version Table": indices below are of no version. */
#define VERSYM_HIDDEN 0x8000u
#define VERSION_FIRST 2u

/* The 32-bit word at address; only file bytes of a PT_LOAD are read. */
static int read_word(const struct lookup *lookup, uint64_t address, uint32_t *word,
                     struct elfparse_error *error)
{
    struct elfparse_extent extent = {0};
    uint8_t bytes[4];
    int code = elfparse_extent_at(lookup->file, address, sizeof(bytes), &extent, error);

    if (code == 0)
        code = elfp_read(lookup->file->reader, extent.offset, bytes, sizeof(bytes), error);
    if (code == 0)
        *word = elfp_le32(bytes);
    return code;
}

/* 1 if the symbol is a version that only who names it gets; 0 if not; or a code. */
static int is_hidden(const struct lookup *lookup, uint32_t index, struct elfparse_error *error)
{
    struct elfparse_extent extent = {0};
    uint8_t bytes[2];
    uint32_t version;
    int code;

    if (lookup->versions == 0)
        return 0;
    code = elfparse_extent_at(lookup->file, lookup->versions + (uint64_t)index * 2, sizeof(bytes),
                              &extent, error);
    if (code == 0)
        code = elfp_read(lookup->file->reader, extent.offset, bytes, sizeof(bytes), error);
    if (code != 0)
        return code;
    version = elfp_le16(bytes);
    return (version & VERSYM_HIDDEN) != 0 && (version & ~VERSYM_HIDDEN) >= VERSION_FIRST;
}

/* 1 with *symbol if the one with that index is defined, has the name and is not
 * hidden; 0 if not; or a code. */
static int match(const struct lookup *lookup, uint32_t index, struct elfparse_symbol *symbol,
                 struct elfparse_error *error)
{
    struct elfparse_symbol candidate;
    struct elfparse_cursor cursor;
    struct elfparse_extent extent = {0};
    int code = elfparse_extent_at(lookup->file, lookup->symtab + (uint64_t)index * SYM_SIZE,
                                  SYM_SIZE, &extent, error);

    if (code == 0)
        code = elfparse_symbols_open(lookup->file, &extent, &cursor, error);
    if (code == 0)
        code = elfparse_symbol_next(&cursor, &candidate, error);
    if (code != 1)
        return code;
    code = elfp_string_equal(lookup->file, &lookup->strings, candidate.name, lookup->name, error);
    if (code != 1)
        return code;
    if (candidate.shndx == 0)
        return 0;
    code = is_hidden(lookup, index, error);
    if (code != 0)
        return code == 1 ? 0 : code;
    *symbol = candidate;
    return 1;
}

static int not_found(struct elfparse_error *error)
{
    return elfp_fail(error, ELFPARSE_ENOTFOUND, ELFPARSE_RULE_NONE, 0, 0, 0);
}

static uint32_t gnu_hash(const char *name)
{
    uint32_t hash = 5381;

    for (; *name != '\0'; name++)
        hash = hash * 33u + (uint8_t)*name;
    return hash;
}

/* The chain of a bucket: hashes with the lowest bit set on the last one. */
static int gnu_chain(const struct lookup *lookup, uint64_t chains, uint32_t index,
                     uint32_t first_hashed, struct elfparse_symbol *symbol,
                     struct elfparse_error *error)
{
    uint32_t wanted = gnu_hash(lookup->name);
    uint32_t hash;

    /* Ends at a chain's last word or where file bytes end; index cannot run in circles. */
    for (; index != UINT32_MAX; index++) {
        int code = read_word(lookup, chains + (uint64_t)(index - first_hashed) * 4, &hash, error);

        if (code != 0)
            return code;
        if (((hash ^ wanted) >> 1) == 0) {
            code = match(lookup, index, symbol, error);
            if (code != 0)
                return code == 1 ? 0 : code;
        }
        if ((hash & 1) != 0)
            break;
    }
    return not_found(error);
}

/* The GNU hash table: 4 words, the Bloom filter (which is not needed), buckets, chains. */
static int gnu_lookup(const struct lookup *lookup, struct elfparse_symbol *symbol,
                      struct elfparse_error *error)
{
    uint32_t buckets, first_hashed, bloom_words, index;
    uint64_t at;
    int code = read_word(lookup, lookup->table, &buckets, error);

    if (code == 0)
        code = read_word(lookup, lookup->table + 4, &first_hashed, error);
    if (code == 0)
        code = read_word(lookup, lookup->table + 8, &bloom_words, error);
    if (code != 0)
        return code;
    if (buckets == 0)
        return not_found(error);
    at = lookup->table + 16 + (uint64_t)bloom_words * 8;
    code = read_word(lookup, at + (uint64_t)(gnu_hash(lookup->name) % buckets) * 4, &index, error);
    if (code != 0)
        return code;
    if (index == 0)
        return not_found(error);
    if (index < first_hashed)
        return elfp_fail(error, ELFPARSE_EHASH, ELFPARSE_RULE_NONE, 0, first_hashed, index);
    return gnu_chain(lookup, at + (uint64_t)buckets * 4, index, first_hashed, symbol, error);
}

/* gABI, "Hash Table" */
static uint32_t sysv_hash(const char *name)
{
    uint32_t hash = 0;

    for (; *name != '\0'; name++) {
        hash = (hash << 4) + (uint8_t)*name;
        hash = (hash ^ ((hash >> 24) & 0xf0)) & 0x0fffffff;
    }
    return hash;
}

static int sysv_lookup(const struct lookup *lookup, struct elfparse_symbol *symbol,
                       struct elfparse_error *error)
{
    uint32_t buckets, chains, index, steps;
    int code = read_word(lookup, lookup->table, &buckets, error);

    if (code == 0)
        code = read_word(lookup, lookup->table + 4, &chains, error);
    if (code == 0 && buckets == 0)
        code = not_found(error);
    if (code == 0)
        code =
            read_word(lookup, lookup->table + 8 + (uint64_t)(sysv_hash(lookup->name) % buckets) * 4,
                      &index, error);
    /* A chain that does not end within its entries runs in circles. */
    for (steps = 0; code == 0 && index != 0; steps++) {
        if (index >= chains || steps >= chains)
            return elfp_fail(error, ELFPARSE_EHASH, ELFPARSE_RULE_NONE, 0, chains, index);
        code = match(lookup, index, symbol, error);
        if (code != 0)
            return code == 1 ? 0 : code;
        code =
            read_word(lookup, lookup->table + 8 + ((uint64_t)buckets + index) * 4, &index, error);
    }
    return code != 0 ? code : not_found(error);
}

int elfparse_lookup(const struct elfparse_file *file, const char *name,
                    struct elfparse_symbol *symbol, struct elfparse_error *error)
{
    struct lookup lookup = {file, name, 0, 0, {0, 0}, 0};
    uint64_t strtab, strsz;
    int code = elfparse_dynamic_find(file, ELFPARSE_DT_SYMTAB, &lookup.symtab, error);

    if (code == 0)
        code = elfparse_dynamic_find(file, ELFPARSE_DT_STRTAB, &strtab, error);
    if (code == 0)
        code = elfparse_dynamic_find(file, ELFPARSE_DT_STRSZ, &strsz, error);
    if (code == 0)
        code = elfparse_extent_at(file, strtab, strsz, &lookup.strings, error);
    if (code != 0)
        return code;
    code = elfparse_dynamic_find(file, ELFPARSE_DT_VERSYM, &lookup.versions, error);
    if (code != 0 && code != ELFPARSE_ENOTFOUND)
        return code;
    code = elfparse_dynamic_find(file, ELFPARSE_DT_GNU_HASH, &lookup.table, error);
    if (code == 0)
        return gnu_lookup(&lookup, symbol, error);
    if (code == ELFPARSE_ENOTFOUND)
        code = elfparse_dynamic_find(file, ELFPARSE_DT_HASH, &lookup.table, error);
    return code == 0 ? sysv_lookup(&lookup, symbol, error) : code;
}
