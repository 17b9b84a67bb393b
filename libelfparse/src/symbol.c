#include <elfparse/file.h>
#include <elfparse/symbolize.h>
#include <elfparse/version.h>

#include "form.h"

/* sizeof(Elf64_Sym), sizeof(Elf32_Sym) */
#define SYM_SIZE   24u
#define SYM32_SIZE 16u

/*
 * st_info, st_other, st_shndx (gABI, "Symbol Table"; the GNU ones from the Linux gABI extensions)
 */
#define STB_LOCAL    0u
#define STT_TLS      6u
#define STT_KNOWN    0x467u /* NOTYPE, OBJECT, FUNC, COMMON, TLS, GNU_IFUNC: a bit each */
#define STV_INTERNAL 1u
#define STV_HIDDEN   2u
#define SHN_UNDEF    0u
#define SHN_ABS      0xfff1u

/* Machines whose 64-bit files have words of 64 bits in DT_HASH. */
#define EM_ALPHA 0x9026u

/* The lowest version index that a look-up without a version passes over in the first place. */
#define DLSYM_VERSIONS     2u
#define REFERENCE_VERSIONS 3u

static int read_counted(void *ctx, uint64_t offset, void *buf, size_t len)
{
    struct elfp_counted *counted = ctx;

    if (counted->left <= 1) {
        counted->left = 0;
        return -1;
    }
    counted->left--;
    return counted->from->read(counted->from->ctx, offset, buf, len);
}

void elfp_count_reads(struct elfp_counted *counted, const struct elfparse_file *file)
{
    uint64_t size = file->reader->size;

    counted->file = *file;
    counted->file.reader = &counted->reader;
    counted->reader.read = read_counted;
    counted->reader.ctx = counted;
    counted->reader.size = size;
    counted->from = file->reader;
    counted->limit = (size < UINT64_MAX / 8 ? size * 4 : UINT64_MAX / 2) + (1u << 20);
    counted->left = counted->limit + 1;
}

int elfp_counted_code(const struct elfp_counted *counted, int code, int instead,
                      struct elfparse_error *error)
{
    if (code != ELFPARSE_EREAD || counted->left != 0)
        return code;
    return elfp_fail(error, instead, ELFPARSE_RULE_NONE, 0, counted->limit, counted->limit + 1);
}

/* What a look-up needs of the dynamic table, and what it asks for. */
struct lookup {
    const struct elfparse_file *file;
    const char *name;
    const char *version; /* NULL: none asked for */
    int exact;           /* of a version: a symbol without one does not do */
    uint32_t versioned;  /* without a version: from this index on a symbol is a version */
    uint64_t table;      /* address of the hash table */
    uint64_t symtab;
    struct elfparse_extent strings;
    int has_versions;             /* there is a table of DT_VERSYM */
    uint32_t defaults;            /* without a version: so many default versions were passed over */
    struct elfparse_symbol first; /* the first of them */
};

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
        *word = elfp_word(lookup->file, bytes);
    return code;
}

/* 1 if a dynamic linker may bind to the symbol: defined, global, seen from outside. */
static int is_exported(const struct elfparse_symbol *symbol)
{
    uint32_t type = symbol->info & 15u, visibility = symbol->other & 3u;

    if (symbol->shndx == SHN_UNDEF || symbol->info >> 4 == STB_LOCAL)
        return 0;
    if (visibility == STV_INTERNAL || visibility == STV_HIDDEN || (STT_KNOWN >> type & 1) == 0)
        return 0;
    return symbol->value != 0 || symbol->shndx == SHN_ABS || type == STT_TLS;
}

/*
 * 1 if the version with that index is the one asked for, 0 if it is another, or a code. *none
 * becomes 1 if there is no such version, or it only stands for the file.
 */
static int is_version(const struct lookup *lookup, uint32_t index, int *none,
                      struct elfparse_error *error)
{
    struct elfparse_version version = {0};
    int code = elfparse_version_find(lookup->file, index, &version, error);

    *none = code == ELFPARSE_ENOTFOUND || (version.flags & ELFPARSE_VER_FLG_BASE) != 0;
    if (*none)
        return 0;
    if (code != 0)
        return code;
    return elfp_string_equal(lookup->file, &lookup->strings, version.name, lookup->version, error);
}

/* 1 if the symbol with that index has a version that does, 0 if not, or a code. */
static int match_version(struct lookup *lookup, uint32_t index,
                         const struct elfparse_symbol *symbol, struct elfparse_error *error)
{
    uint32_t versym = 0;
    int none, code;

    if (!lookup->has_versions)
        return 1;
    code = elfparse_symbol_version(lookup->file, index, &versym, error);
    if (code != 0)
        return code;
    if (lookup->version != NULL) {
        code = is_version(lookup, versym & ELFPARSE_VERSYM_INDEX, &none, error);
        if (code == 0 && none)
            code = !lookup->exact && (versym & ELFPARSE_VERSYM_HIDDEN) == 0;
        return code;
    }
    if ((versym & ELFPARSE_VERSYM_INDEX) < lookup->versioned)
        return 1;
    if ((versym & ELFPARSE_VERSYM_HIDDEN) == 0 && lookup->defaults++ == 0)
        lookup->first = *symbol;
    return 0;
}

/* 1 with *symbol if the one with that index is what is looked for; 0 if not; or a code. */
static int match(struct lookup *lookup, uint32_t index, struct elfparse_symbol *symbol,
                 struct elfparse_error *error)
{
    const uint32_t size = elfp_either(lookup->file, SYM_SIZE, SYM32_SIZE);
    struct elfparse_symbol candidate;
    struct elfparse_cursor cursor;
    struct elfparse_extent extent = {0};
    int code = elfparse_extent_at(lookup->file, lookup->symtab + (uint64_t)index * size, size,
                                  &extent, error);

    if (code == 0)
        code = elfparse_symbols_open(lookup->file, &extent, &cursor, error);
    if (code == 0)
        code = elfparse_symbol_next(&cursor, &candidate, error);
    if (code != 1)
        return code;
    code = elfp_string_equal(lookup->file, &lookup->strings, candidate.name, lookup->name, error);
    if (code != 1)
        return code;
    if (!is_exported(&candidate))
        return 0;
    code = match_version(lookup, index, &candidate, error);
    if (code == 1)
        *symbol = candidate;
    return code;
}

static int not_found(struct elfparse_error *error)
{
    return elfp_fail(error, ELFPARSE_ENOTFOUND, ELFPARSE_RULE_NONE, 0, 0, 0);
}

/* The end of a chain: the only default version that was passed over. */
static int chain_end(const struct lookup *lookup, struct elfparse_symbol *symbol,
                     struct elfparse_error *error)
{
    if (lookup->defaults != 1)
        return not_found(error);
    *symbol = lookup->first;
    return 0;
}

static uint32_t gnu_hash(const char *name)
{
    uint32_t hash = ELFP_GNU_HASH_START;

    for (; *name != '\0'; name++)
        hash = elfp_gnu_hash_add(hash, (uint8_t)*name);
    return hash;
}

/* The chain of a bucket: hashes with the lowest bit set on the last one. */
static int gnu_chain(struct lookup *lookup, uint64_t chains, uint32_t index, uint32_t first_hashed,
                     struct elfparse_symbol *symbol, struct elfparse_error *error)
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
    return chain_end(lookup, symbol, error);
}

/* The GNU hash table: 4 words, the Bloom filter (which is not needed), buckets, chains. */
static int gnu_lookup(struct lookup *lookup, struct elfparse_symbol *symbol,
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
    at = lookup->table + 16 + (uint64_t)bloom_words * elfp_either(lookup->file, 8, 4);
    code = read_word(lookup, at + (uint64_t)(gnu_hash(lookup->name) % buckets) * 4, &index, error);
    if (code != 0)
        return code;
    if (index == 0)
        return not_found(error);
    if (index < first_hashed)
        return elfp_fail(error, ELFPARSE_EHASH, ELFPARSE_RULE_NONE, 0, first_hashed, index);
    return gnu_chain(lookup, at + (uint64_t)buckets * 4, index, first_hashed, symbol, error);
}

static uint32_t sysv_hash(const char *name)
{
    uint32_t hash = 0;

    for (; *name != '\0'; name++)
        hash = elfp_sysv_hash_add(hash, (uint8_t)*name);
    return hash;
}

/* The word with that number of a table of DT_HASH. */
static int read_sysv(const struct lookup *lookup, uint64_t number, uint32_t *word,
                     struct elfparse_error *error)
{
    const struct elfparse_file *file = lookup->file;
    uint32_t low = 0, high = 0;
    int code;

    if (elfp_narrow(file) || (file->machine != EM_ALPHA && file->machine != ELFPARSE_EM_S390))
        return read_word(lookup, lookup->table + number * 4, word, error);
    code = read_word(lookup, lookup->table + number * 8, elfp_big(file) ? &high : &low, error);
    if (code == 0)
        code =
            read_word(lookup, lookup->table + number * 8 + 4, elfp_big(file) ? &low : &high, error);
    if (code == 0 && high != 0)
        code = elfp_fail(error, ELFPARSE_EHASH, ELFPARSE_RULE_NONE, 0, UINT32_MAX,
                         (uint64_t)high << 32 | low);
    if (code == 0)
        *word = low;
    return code;
}

static int sysv_lookup(struct lookup *lookup, struct elfparse_symbol *symbol,
                       struct elfparse_error *error)
{
    uint32_t buckets, chains, index, steps;
    int code = read_sysv(lookup, 0, &buckets, error);

    if (code == 0)
        code = read_sysv(lookup, 1, &chains, error);
    if (code == 0 && buckets == 0)
        code = not_found(error);
    if (code == 0)
        code = read_sysv(lookup, 2 + (uint64_t)(sysv_hash(lookup->name) % buckets), &index, error);
    /* A chain that does not end within its entries runs in circles. */
    for (steps = 0; code == 0 && index != 0; steps++) {
        if (index >= chains || steps >= chains)
            return elfp_fail(error, ELFPARSE_EHASH, ELFPARSE_RULE_NONE, 0, chains, index);
        code = match(lookup, index, symbol, error);
        if (code != 0)
            return code == 1 ? 0 : code;
        code = read_sysv(lookup, 2 + (uint64_t)buckets + index, &index, error);
    }
    return code != 0 ? code : chain_end(lookup, symbol, error);
}

static int look_up_in(struct lookup *lookup, struct elfparse_symbol *symbol,
                      struct elfparse_error *error)
{
    const struct elfparse_file *file = lookup->file;
    uint64_t versions;
    int code = elfparse_dynamic_find(file, ELFPARSE_DT_SYMTAB, &lookup->symtab, error);

    if (code == 0)
        code = elfparse_dynamic_strings(file, &lookup->strings, error);
    if (code != 0)
        return code;
    code = elfparse_dynamic_find(file, ELFPARSE_DT_VERSYM, &versions, error);
    if (code != 0 && code != ELFPARSE_ENOTFOUND)
        return code;
    lookup->has_versions = code == 0;
    code = elfparse_dynamic_find(file, ELFPARSE_DT_GNU_HASH, &lookup->table, error);
    if (code == 0)
        return gnu_lookup(lookup, symbol, error);
    if (code == ELFPARSE_ENOTFOUND)
        code = elfparse_dynamic_find(file, ELFPARSE_DT_HASH, &lookup->table, error);
    return code == 0 ? sysv_lookup(lookup, symbol, error) : code;
}

static int look_up(const struct lookup *asked, struct elfparse_symbol *symbol,
                   struct elfparse_error *error)
{
    struct lookup lookup = *asked;
    struct elfp_counted counted;

    elfp_count_reads(&counted, asked->file);
    lookup.file = &counted.file;
    return elfp_counted_code(&counted, look_up_in(&lookup, symbol, error), ELFPARSE_EHASH, error);
}

int elfparse_lookup(const struct elfparse_file *file, const char *name,
                    struct elfparse_symbol *symbol, struct elfparse_error *error)
{
    struct lookup lookup = {.file = file, .name = name, .versioned = DLSYM_VERSIONS};

    return look_up(&lookup, symbol, error);
}

int elfparse_lookup_version(const struct elfparse_file *file, const char *name, const char *version,
                            struct elfparse_symbol *symbol, struct elfparse_error *error)
{
    struct lookup lookup = {.file = file, .name = name, .version = version, .exact = 1};

    return look_up(&lookup, symbol, error);
}

int elfparse_lookup_reference(const struct elfparse_file *file, const char *name,
                              const char *version, struct elfparse_symbol *symbol,
                              struct elfparse_error *error)
{
    struct lookup lookup = {
        .file = file, .name = name, .version = version, .versioned = REFERENCE_VERSIONS};

    return look_up(&lookup, symbol, error);
}

/* Bytes that are looked at in one read. */
#define CHUNK 64u

/* Reads the next bytes of the table's part that begins at at; *size becomes their number. */
static int read_chunk(const struct elfparse_file *file, const struct elfparse_extent *strings,
                      uint64_t at, uint8_t *chunk, size_t *size, struct elfparse_error *error)
{
    uint64_t left = strings->size - at;

    *size = left < CHUNK ? (size_t)left : CHUNK;
    return elfp_read(file->reader, strings->offset + at, chunk, *size, error);
}

/* Index of the first NUL of the size bytes at chunk, or size. */
static size_t find_nul(const uint8_t *chunk, size_t size)
{
    size_t i = 0;

    while (i < size && chunk[i] != 0)
        i++;
    return i;
}

/* Copies what the buffer has room for; total bytes went before. */
static void copy_part(char *buf, size_t size, uint64_t total, const uint8_t *chunk, size_t length)
{
    size_t i;

    for (i = 0; i < length && total + i < size - 1; i++)
        buf[total + i] = (char)chunk[i];
}

int elfparse_string_get(const struct elfparse_file *file, const struct elfparse_extent *strings,
                        uint64_t offset, char *buf, size_t size, size_t *length,
                        struct elfparse_error *error)
{
    uint8_t chunk[CHUNK] = {0};
    uint64_t total = 0;

    if (size == 0)
        return elfp_fail(error, ELFPARSE_EBUFFER, ELFPARSE_RULE_NONE, 0, 1, 0);
    while (offset < strings->size && total < strings->size - offset) {
        size_t got, used;
        int code = read_chunk(file, strings, offset + total, chunk, &got, error);

        if (code != 0)
            return code;
        used = find_nul(chunk, got);
        copy_part(buf, size, total, chunk, used);
        total += used;
        if (used < got) {
            buf[total < size ? total : size - 1] = '\0';
            if (length != NULL)
                *length = (size_t)total;
            return 0;
        }
    }
    buf[0] = '\0';
    return elfp_fail(error, ELFPARSE_ESTRING, ELFPARSE_RULE_NONE, strings->offset + offset,
                     strings->size, offset);
}

int elfp_string_equal(const struct elfparse_file *file, const struct elfparse_extent *strings,
                      uint64_t offset, const char *name, struct elfparse_error *error)
{
    uint8_t chunk[CHUNK] = {0};

    while (offset < strings->size) {
        size_t got, i;
        int code = read_chunk(file, strings, offset, chunk, &got, error);

        if (code != 0)
            return code;
        for (i = 0; i < got; i++, name++) {
            if (chunk[i] != (uint8_t)*name)
                return 0;
            if (*name == '\0')
                return 1;
        }
        offset += got;
    }
    return elfp_fail(error, ELFPARSE_ESTRING, ELFPARSE_RULE_NONE, strings->offset, strings->size,
                     offset);
}

#define STT_MASK 15u
#define STT_FUNC 2u

/* From here on st_shndx is not the index of a section. */
#define SHN_LORESERVE 0xff00u

/* Opens .symtab, or .dynsym where there is none, and its strings. */
static int open_symbols(const struct elfparse_file *file, struct elfparse_section *section,
                        struct elfparse_cursor *cursor, struct elfparse_extent *strings,
                        struct elfparse_error *error)
{
    struct elfparse_extent extent = {0};
    int code = elfparse_section_find(file, ELFPARSE_SHT_SYMTAB, 0, section, error);

    if (code == ELFPARSE_ENOTFOUND)
        code = elfparse_section_find(file, ELFPARSE_SHT_DYNSYM, 0, section, error);
    if (code == 0)
        code = elfparse_section_extent(file, section, &extent, error);
    if (code == 0)
        code = elfparse_section_strings(file, section, strings, error);
    if (code == 0)
        code = elfparse_symbols_open(file, &extent, cursor, error);
    return code;
}

/*
 * The defined function that starts last at or before addr, one with a size before one without; 1, 0
 * if there is none, or a code.
 */
static int find_function(struct elfparse_cursor *cursor, uint64_t addr,
                         struct elfparse_symbol *best, uint32_t *index,
                         struct elfparse_error *error)
{
    struct elfparse_symbol symbol;
    uint32_t next = 0;
    int found = 0;
    int more;

    while ((more = elfparse_symbol_next(cursor, &symbol, error)) == 1) {
        next++;
        if ((symbol.info & STT_MASK) != STT_FUNC || symbol.shndx == 0 || symbol.value > addr)
            continue;
        if (!found || symbol.value > best->value ||
            (symbol.value == best->value && best->size == 0)) {
            *best = symbol;
            *index = next - 1;
            found = 1;
        }
    }
    return more < 0 ? more : found;
}

/* 1 if the symbol reaches as far as addr; one without a size does to the end of its section. */
static int covers(const struct elfparse_file *file, const struct elfparse_section *symtab,
                  uint32_t index, const struct elfparse_symbol *symbol, uint64_t addr)
{
    struct elfparse_section section = {0};
    uint32_t shndx = 0;

    if (symbol->size != 0)
        return addr - symbol->value < symbol->size;
    if (symbol->shndx >= SHN_LORESERVE && symbol->shndx != ELFPARSE_SHN_XINDEX)
        return 0;
    return elfparse_symbol_section(file, symtab, index, symbol, &shndx, NULL) == 0 &&
           elfparse_section_get(file, shndx, &section, NULL) == 0 &&
           addr - section.addr < section.size;
}

int elfparse_symbolize(const struct elfparse_reader *reader, uint64_t addr, char *name,
                       size_t name_size, struct elfparse_location *location,
                       struct elfparse_error *error)
{
    struct elfparse_symbol symbol = {0, 0, 0, 0, 0, 0};
    struct elfparse_cursor cursor;
    struct elfparse_extent strings = {0};
    struct elfparse_section symtab = {0};
    struct elfparse_file file = {0};
    uint32_t index = 0;
    size_t length = 0;
    int code = elfparse_file_open(reader, &file, error);

    if (code == 0)
        code = open_symbols(&file, &symtab, &cursor, &strings, error);
    if (code == 0)
        code = find_function(&cursor, addr, &symbol, &index, error);
    if (code < 0)
        return code;
    if (code == 0 || !covers(&file, &symtab, index, &symbol, addr))
        return elfp_fail(error, ELFPARSE_ENOTFOUND, ELFPARSE_RULE_NONE, 0, 0, addr);
    code = elfparse_string_get(&file, &strings, symbol.name, name, name_size, &length, error);
    if (code != 0)
        return code;
    location->symbol = symbol.value;
    location->size = symbol.size;
    location->offset = addr - symbol.value;
    location->length = length;
    return 0;
}
