#include <elfparse/version.h>

#include "form.h"
#include "linker.h"

/* NOTYPE, OBJECT, FUNC, COMMON, TLS, GNU_IFUNC: a bit each */
#define STT_KNOWN 0x467u

/* The lowest version index that a look-up without a version passes over in the first place. */
#define DLSYM_VERSIONS 2u

/* Bytes in front of a hash table: of the Bloom filter, of the buckets. */
#define GNU_HASH_HEADER  16u
#define SYSV_HASH_HEADER 8u

/* A search of one object. */
struct search {
    const struct elfparse_object *object;
    const struct elfp_link_query *query;
    uint32_t word;
    uint32_t defaults; /* without a version: so many default versions were passed over */
};

void elfp_link_ask(struct elfp_link_query *query, const struct elfparse_view *name)
{
    uint32_t gnu = ELFP_GNU_HASH_START, sysv = 0;

    for (uint64_t i = 0; i < name->size; i++) {
        gnu = elfp_gnu_hash_add(gnu, name->bytes[i]);
        sysv = elfp_sysv_hash_add(sysv, name->bytes[i]);
    }
    query->name = *name;
    query->gnu_hash = gnu;
    query->sysv_hash = sysv;
}

/* The symbol with that index. 1, or 0 where memory ends before. */
static int read_symbol(const struct search *search, uint32_t index, struct elfparse_symbol *symbol)
{
    uint32_t size = search->word == 4 ? 16 : 24;
    const struct elfparse_view *table = &search->object->symbols;
    uint64_t offset = (uint64_t)index * size;
    const uint8_t *bytes;

    if (!elfp_link_fits(offset, size, table->size))
        return 0;
    bytes = table->bytes + offset;
    symbol->name = elfp_le32(bytes);
    if (search->word == 4) {
        symbol->value = elfp_le32(bytes + 4);
        symbol->size = elfp_le32(bytes + 8);
        bytes += 8;
    } else {
        symbol->value = elfp_le64(bytes + 8);
        symbol->size = elfp_le64(bytes + 16);
    }
    symbol->info = bytes[4];
    symbol->other = bytes[5];
    symbol->shndx = (uint16_t)elfp_le16(bytes + 6);
    return 1;
}

/* 1 if the query may be bound to the symbol: global, seen from outside, and defined. */
static int is_exported(const struct elfp_link_query *query, const struct elfparse_symbol *symbol)
{
    uint32_t type = symbol->info & 15u, visibility = symbol->other & 3u;

    if (symbol->info >> 4 == ELFP_STB_LOCAL || visibility == ELFP_STV_INTERNAL ||
        visibility == ELFP_STV_HIDDEN || (STT_KNOWN >> type & 1) == 0)
        return 0;
    if (symbol->shndx == ELFP_SHN_UNDEF && (query->defined || type == ELFP_STT_TLS))
        return 0;
    return symbol->value != 0 || symbol->shndx == ELFP_SHN_ABS || type == ELFP_STT_TLS;
}

/* 1 if the version of a symbol is the one that is asked for, 0 if not, or a code. */
static int is_version(const struct search *search, uint32_t versym)
{
    const struct elfp_link_version *wanted = &search->query->version;
    struct elfp_link_version version;
    int code = elfp_link_version_at(search->object, versym & ELFPARSE_VERSYM_INDEX, &version,
                                    search->query->work);

    if (code != 0)
        return code;
    if (version.name.size == 0)
        return !search->query->exact && (versym & ELFPARSE_VERSYM_HIDDEN) == 0;
    return version.hash == wanted->hash &&
           elfp_link_equal(&version.name, &wanted->name, search->query->work);
}

/* 1 if the symbol with that index has a version that does, 0 if not, or a code. */
static int match_version(const struct search *search, uint32_t index)
{
    uint32_t versym = elfp_link_versym(search->object, index);

    if (search->object->versym.size == 0)
        return 1;
    if (search->query->version.name.size != 0)
        return is_version(search, versym);
    return (versym & ELFPARSE_VERSYM_INDEX) < search->query->versioned;
}

/* 1 if a query without a version may be bound to the default version with that index. */
static int is_default(const struct search *search, uint32_t index)
{
    return search->query->version.name.size == 0 &&
           (elfp_link_versym(search->object, index) & ELFPARSE_VERSYM_HIDDEN) == 0;
}

/*
 * 1 with *match if the symbol with that index is what is looked for; 0 if not; or a code. After 0
 * *match is the first default version, if there was one.
 */
static int match_symbol(struct search *search, uint32_t index, struct elfp_link_match *match)
{
    const struct elfparse_view *strings = &search->object->strings;
    const struct elfparse_view *name = &search->query->name;
    struct elfparse_symbol candidate;
    struct elfparse_view there;
    uint64_t offset;
    int code;

    if (!read_symbol(search, index, &candidate))
        return ELFPARSE_LINK_EHASH;
    offset = candidate.name;
    if (!elfp_link_fits(offset, name->size + 1, strings->size) ||
        strings->bytes[offset + name->size] != '\0')
        return 0;
    there = (struct elfparse_view){strings->bytes + offset, name->size};
    if (!elfp_link_equal(&there, name, search->query->work) ||
        !is_exported(search->query, &candidate))
        return 0;
    code = match_version(search, index);
    if (code == 1 || (code == 0 && is_default(search, index) && search->defaults++ == 0))
        *match = (struct elfp_link_match){search->object, candidate, index};
    return code;
}

/* The 32-bit word with that number of a table. 1, or 0 where memory ends before. */
static int read_word(const struct elfparse_view *table, uint64_t number, uint32_t *word)
{
    uint64_t offset = number * 4;

    if (!elfp_link_fits(offset, 4, table->size))
        return 0;
    *word = elfp_le32(table->bytes + offset);
    return 1;
}

/* The chain of a bucket, from a symbol on: hashes with the lowest bit set on the last one. */
static int gnu_chain(struct search *search, uint64_t chains, uint32_t index,
                     struct elfp_link_match *match)
{
    uint32_t hash = 0;
    int code = 0;

    /* Ends where memory does, at the latest. */
    for (; code == 0 && (hash & 1) == 0; index++, chains++) {
        if (index == UINT32_MAX || !read_word(&search->object->gnu_hash, chains, &hash))
            return ELFPARSE_LINK_EHASH;
        code = elfp_link_spend(search->query->work, 1);
        if (code == 0 && ((hash ^ search->query->gnu_hash) >> 1) == 0)
            code = match_symbol(search, index, match);
    }
    return code;
}

/* The GNU hash table: 4 words, the Bloom filter (which is not needed), buckets, chains. */
static int gnu_find(struct search *search, struct elfp_link_match *match)
{
    const struct elfparse_view *table = &search->object->gnu_hash;
    uint32_t buckets, first, index;
    uint64_t at;

    if (table->size < GNU_HASH_HEADER)
        return ELFPARSE_LINK_EHASH;
    buckets = elfp_le32(table->bytes);
    first = elfp_le32(table->bytes + 4);
    if (buckets == 0)
        return 0;
    at = 4 + (uint64_t)elfp_le32(table->bytes + 8) * (search->word / 4);
    if (!read_word(table, at + search->query->gnu_hash % buckets, &index))
        return ELFPARSE_LINK_EHASH;
    if (index == 0)
        return 0;
    if (index < first)
        return ELFPARSE_LINK_EHASH;
    return gnu_chain(search, at + buckets + (index - first), index, match);
}

static int sysv_find(struct search *search, struct elfp_link_match *match)
{
    const struct elfparse_view *table = &search->object->sysv_hash;
    uint32_t buckets, chains, index, steps;
    int code = 0;

    if (table->size < SYSV_HASH_HEADER)
        return ELFPARSE_LINK_EHASH;
    buckets = elfp_le32(table->bytes);
    chains = elfp_le32(table->bytes + 4);
    if (buckets == 0)
        return 0;
    if (!read_word(table, 2 + (uint64_t)(search->query->sysv_hash % buckets), &index))
        return ELFPARSE_LINK_EHASH;
    /* A chain that does not end within its entries runs in circles. */
    for (steps = 0; code == 0 && index != 0; steps++) {
        if (index >= chains || steps >= chains)
            return ELFPARSE_LINK_EHASH;
        code = elfp_link_spend(search->query->work, 1);
        if (code == 0)
            code = match_symbol(search, index, match);
        if (code == 0 && !read_word(table, 2 + (uint64_t)buckets + index, &index))
            return ELFPARSE_LINK_EHASH;
    }
    return code;
}

int elfp_link_find(const struct elfparse_link *link, const struct elfparse_object *object,
                   const struct elfp_link_query *query, struct elfp_link_match *match)
{
    struct search search = {.object = object, .query = query, .word = elfp_link_word(link)};
    int code = 0;

    elfp_link_grant(query->work);
    if (object->gnu_hash.size != 0)
        code = gnu_find(&search, match);
    else if (object->sysv_hash.size != 0)
        code = sysv_find(&search, match);
    return code == 0 ? search.defaults == 1 : code;
}

int elfp_link_search(const struct elfparse_link *link, const struct elfp_link_query *query,
                     const struct elfparse_object *except, struct elfp_link_match *match)
{
    int code = 0;

    for (uint32_t i = 0; code == 0 && i < link->count; i++) {
        if (&link->objects[i] == except)
            continue;
        code = elfp_link_find(link, &link->objects[i], query, match);
    }
    return code;
}

int elfparse_link_lookup(const struct elfparse_link *link, const char *name, const char *version,
                         uint32_t *object, struct elfparse_symbol *symbol)
{
    struct elfp_link_work work = ELFP_LINK_WORK;
    struct elfp_link_query query = {
        .work = &work, .versioned = DLSYM_VERSIONS, .defined = 1, .exact = version != NULL};
    struct elfparse_view text = elfp_link_text(version);
    struct elfp_link_match match;
    int code;

    elfp_link_ask(&query, &text);
    query.version.name = text;
    query.version.hash = query.sysv_hash;
    text = elfp_link_text(name);
    elfp_link_ask(&query, &text);
    code = elfp_link_search(link, &query, NULL, &match);
    if (code != 1)
        return code == 0 ? ELFPARSE_LINK_EUNDEFINED : code;
    *object = (uint32_t)(match.object - link->objects);
    *symbol = match.symbol;
    return 0;
}

/* Sizes of records (Linux gABI extensions, "Symbol Versioning"). */
#define VERDEF_SIZE  20u
#define VERDAUX_SIZE 8u
#define VERNEED_SIZE 16u
#define VERNAUX_SIZE 16u

/* A walk over the versions that an object defines or needs. */
struct walk {
    const struct elfparse_view *table;
    const struct elfparse_view *strings;
    struct elfp_link_work *work;
    uint64_t record; /* offset of the next record */
    uint64_t part;   /* offset of the next part of a record of needed versions */
    uint32_t steps;
    int more;         /* there is a next record */
    int more_parts;   /* there is a next part */
    uint32_t library; /* offset of the name of the library that versions are needed of */
};

/* A version on the way. Its name is read only if it is the one that is looked for. */
struct version {
    uint32_t name; /* offset in the strings */
    uint32_t hash;
    uint32_t index;
    uint32_t flags;
};

static struct walk open_walk(const struct elfparse_object *object,
                             const struct elfparse_view *table, struct elfp_link_work *work)
{
    return (struct walk){
        .table = table, .strings = &object->strings, .work = work, .more = table->size != 0};
}

/* Sets *record to the bytes at offset. Returns 0 or a code. */
static int read_record(struct walk *walk, uint64_t offset, uint64_t size, const uint8_t **record)
{
    if (walk->steps++ >= ELFPARSE_LINK_VERSIONS_MAX ||
        !elfp_link_fits(offset, size, walk->table->size))
        return ELFPARSE_LINK_EVERTABLE;
    *record = walk->table->bytes + offset;
    return elfp_link_spend(walk->work, 1);
}

/* Reads a name. Returns 0 or a code. */
static int read_name(const struct walk *walk, uint64_t offset, struct elfparse_view *name)
{
    if (!elfp_link_string(walk->strings, offset, name))
        return ELFPARSE_LINK_EVERTABLE;
    return elfp_link_spend(walk->work, name->size);
}

/* The next version that the object defines. 1, 0 at the end, or a code. */
static int next_defined(struct walk *walk, struct version *version)
{
    const uint8_t *record, *name;
    int code;

    if (!walk->more)
        return 0;
    code = read_record(walk, walk->record, VERDEF_SIZE, &record);
    if (code == 0)
        code = read_record(walk, walk->record + elfp_le32(record + 12), VERDAUX_SIZE, &name);
    if (code != 0)
        return code;
    version->flags = elfp_le16(record + 2);
    version->index = elfp_le16(record + 4) & ELFPARSE_VERSYM_INDEX;
    version->hash = elfp_le32(record + 8);
    version->name = elfp_le32(name);
    walk->more = elfp_le32(record + 16) != 0;
    walk->record += elfp_le32(record + 16);
    return 1;
}

/* Goes on to the next library that versions are needed of. 1, 0 at the end, or a code. */
static int next_library(struct walk *walk)
{
    const uint8_t *record;
    int code;

    if (!walk->more)
        return 0;
    code = read_record(walk, walk->record, VERNEED_SIZE, &record);
    if (code != 0)
        return code;
    walk->library = elfp_le32(record + 4);
    walk->part = walk->record + elfp_le32(record + 8);
    walk->more_parts = elfp_le16(record + 2) != 0;
    walk->more = elfp_le32(record + 12) != 0;
    walk->record += elfp_le32(record + 12);
    return 1;
}

/* The next version that the object needs. 1, 0 at the end, or a code. */
static int next_needed(struct walk *walk, struct version *version)
{
    const uint8_t *part;
    int code;

    while (!walk->more_parts) {
        code = next_library(walk);
        if (code != 1)
            return code;
    }
    code = read_record(walk, walk->part, VERNAUX_SIZE, &part);
    if (code != 0)
        return code;
    version->name = elfp_le32(part + 8);
    version->hash = elfp_le32(part);
    version->flags = elfp_le16(part + 4);
    version->index = elfp_le16(part + 6) & ELFPARSE_VERSYM_INDEX;
    walk->more_parts = elfp_le32(part + 12) != 0;
    walk->part += elfp_le32(part + 12);
    return 1;
}

uint32_t elfp_link_versym(const struct elfparse_object *object, uint32_t index)
{
    uint64_t offset = (uint64_t)index * 2;

    return elfp_link_fits(offset, 2, object->versym.size) ? elfp_le16(object->versym.bytes + offset)
                                                          : 1;
}

/*
 * Looks for an index in a table. 1 with *version, whose name is empty if it stands for the object; 0
 * where it is not there; or a code.
 */
static int find_index(const struct elfparse_object *object, const struct elfparse_view *table,
                      int (*next)(struct walk *, struct version *), uint32_t index,
                      struct elfp_link_version *version, struct elfp_link_work *work)
{
    struct walk walk = open_walk(object, table, work);
    struct version found = {0};
    int code;

    do
        code = next(&walk, &found);
    while (code == 1 && found.index != index);
    if (code != 1 || (found.flags & ELFPARSE_VER_FLG_BASE) != 0)
        return code;
    version->hash = found.hash;
    code = read_name(&walk, found.name, &version->name);
    return code == 0 ? 1 : code;
}

int elfp_link_version_at(const struct elfparse_object *object, uint32_t index,
                         struct elfp_link_version *version, struct elfp_link_work *work)
{
    int code;

    version->name.size = 0;
    if (index == 0)
        return 0;
    code = find_index(object, &object->verdef, next_defined, index, version, work);
    if (code == 0)
        code = find_index(object, &object->verneed, next_needed, index, version, work);
    return code < 0 ? code : 0;
}

/* 1 if the object defines that version, or has no table of versions; 0 if not; or a code. */
static int defines(const struct elfparse_object *object, const struct elfp_link_version *wanted,
                   struct elfp_link_work *work)
{
    struct walk walk = open_walk(object, &object->verdef, work);
    struct elfparse_view name;
    struct version candidate = {0};
    int code;

    if (object->verdef.size == 0)
        return 1;
    while ((code = next_defined(&walk, &candidate)) == 1) {
        if (candidate.hash != wanted->hash)
            continue;
        code = read_name(&walk, candidate.name, &name);
        if (code != 0)
            return code;
        if (elfp_link_equal(&name, &wanted->name, work))
            return 1;
    }
    return code;
}

/* Checks one version that an object needs. Returns 0 or a code; place has the names. */
static int check_version(const struct elfparse_link *link, struct walk *walk,
                         const struct version *needed, struct elfp_link_place *place)
{
    struct elfp_link_version wanted = {{NULL, 0}, needed->hash};
    int library, code;

    code = read_name(walk, walk->library, &place->symbol);
    if (code == 0)
        code = read_name(walk, needed->name, &wanted.name);
    if (code != 0)
        return code;
    place->version = wanted.name;
    library = elfp_link_named(link, &place->symbol, walk->work);
    if (library < 0)
        return library == ELFPARSE_LINK_EWORK ? library : 0;
    code = defines(&link->objects[library], &wanted, walk->work);
    if (code == 0 && (needed->flags & ELFPARSE_VER_FLG_WEAK) == 0)
        return ELFPARSE_LINK_EVERSION;
    return code == 1 ? 0 : code;
}

int elfp_link_check_versions(const struct elfparse_link *link, const struct elfparse_object *object,
                             struct elfparse_link_error *error)
{
    struct elfp_link_work work = ELFP_LINK_WORK;
    struct elfp_link_place place = {.error = error, .object = object};
    struct walk walk = open_walk(object, &object->verneed, &work);
    struct version needed = {0};
    int more, code = 0;

    while (code == 0 && (more = next_needed(&walk, &needed)) != 0)
        code = more == 1 ? check_version(link, &walk, &needed, &place) : more;
    return code != 0 ? elfp_link_fail(&place, code, work.granted, 0) : 0;
}
