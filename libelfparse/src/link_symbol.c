#include <elfparse/version.h>

#include "hash.h"
#include "linker.h"

/* NOTYPE, OBJECT, FUNC, COMMON, TLS, GNU_IFUNC: a bit each */
#define STT_KNOWN 0x467u

/* The lowest version index that a look-up without a version passes over in the first place. */
#define DLSYM_VERSIONS 2u

/* A search of one object. */
struct search {
    const struct elfparse_object *object;
    const struct elfp_link_query *query;
    uint32_t word;
    uint32_t defaults;            /* without a version: so many default versions were passed over */
    struct elfp_link_match first; /* the first of them */
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
    struct elfp_link_version version = {{NULL, 0}, 0};
    int code = elfp_link_version_at(search->object, versym & ELFPARSE_VERSYM_INDEX, &version,
                                    search->query->work);

    if (code != 0)
        return code;
    if (version.name.size == 0)
        return !search->query->exact && (versym & ELFPARSE_VERSYM_HIDDEN) == 0;
    return version.hash == wanted->hash && elfp_link_equal(&version.name, &wanted->name);
}

/* 1 if the symbol with that index has a version that does, 0 if not, or a code. */
static int match_version(struct search *search, uint32_t index,
                         const struct elfparse_symbol *symbol)
{
    uint32_t versym = elfp_link_versym(search->object, index);

    if (search->object->versym.size == 0)
        return 1;
    if (search->query->version.name.size != 0)
        return is_version(search, versym);
    if ((versym & ELFPARSE_VERSYM_INDEX) < search->query->versioned)
        return 1;
    if ((versym & ELFPARSE_VERSYM_HIDDEN) == 0 && search->defaults++ == 0)
        search->first = (struct elfp_link_match){search->object, *symbol, index};
    return 0;
}

/* 1 with *match if the symbol with that index is what is looked for; 0 if not; or a code. */
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
    code = elfp_link_spend(search->query->work, name->size);
    if (code != 0)
        return code;
    there = (struct elfparse_view){strings->bytes + offset, name->size};
    if (!elfp_link_equal(&there, name) || !is_exported(search->query, &candidate))
        return 0;
    code = match_version(search, index, &candidate);
    if (code == 1)
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
    uint32_t buckets, first, bloom, index;
    uint64_t at;

    if (!read_word(table, 0, &buckets) || !read_word(table, 1, &first) ||
        !read_word(table, 2, &bloom))
        return ELFPARSE_LINK_EHASH;
    if (buckets == 0)
        return 0;
    at = 4 + (uint64_t)bloom * (search->word / 4);
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

    if (!read_word(table, 0, &buckets) || !read_word(table, 1, &chains))
        return ELFPARSE_LINK_EHASH;
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
    if (code != 0 || search.defaults != 1)
        return code;
    *match = search.first;
    return 1;
}

int elfp_link_search(const struct elfparse_link *link, const struct elfp_link_query *query,
                     const struct elfparse_object *except, struct elfp_link_match *match)
{
    int code = 0;

    match->object = NULL;
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
