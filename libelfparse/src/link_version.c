#include <elfparse/version.h>

#include "linker.h"

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
static int find_index(struct walk walk, int (*next)(struct walk *, struct version *),
                      uint32_t index, struct elfp_link_version *version)
{
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
    int code = 0;

    version->name.size = 0;
    if (index == 0)
        return 0;
    code = find_index(open_walk(object, &object->verdef, work), next_defined, index, version);
    if (code == 0)
        code = find_index(open_walk(object, &object->verneed, work), next_needed, index, version);
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
        if (elfp_link_equal(&name, &wanted->name))
            return 1;
    }
    return code;
}

/* Checks one version that an object needs. Returns 0 or a code; place has the names. */
static int check_version(const struct elfparse_link *link, struct walk *walk,
                         const struct version *needed, struct elfp_link_place *place)
{
    struct elfp_link_version wanted = {{NULL, 0}, needed->hash};
    uint32_t library;
    int code;

    elfp_link_grant(walk->work);
    code = read_name(walk, walk->library, &place->symbol);
    if (code == 0)
        code = read_name(walk, needed->name, &wanted.name);
    if (code != 0)
        return code;
    place->version = wanted.name;
    library = elfp_link_named(link, &place->symbol);
    code =
        library != ELFPARSE_NO_OBJECT ? defines(&link->objects[library], &wanted, walk->work) : 1;
    if (code == 0)
        return (needed->flags & ELFPARSE_VER_FLG_WEAK) == 0 ? ELFPARSE_LINK_EVERSION : 0;
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
