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
    uint64_t record; /* offset of the next record */
    uint64_t part;   /* offset of the next part of a record of needed versions */
    uint32_t steps;
    int more;       /* there is a next record */
    int more_parts; /* there is a next part */
    struct elfparse_view library;
};

/* A version on the way. */
struct version {
    struct elfp_link_version version;
    uint32_t index;
    uint32_t flags;
};

static struct walk open_walk(const struct elfparse_object *object,
                             const struct elfparse_view *table)
{
    return (struct walk){.table = table, .strings = &object->strings, .more = table->size != 0};
}

/* The bytes of a record at offset; NULL where they leave the table, or there were too many. */
static const uint8_t *read_record(struct walk *walk, uint64_t offset, uint64_t size)
{
    if (walk->steps++ >= ELFPARSE_LINK_VERSIONS_MAX ||
        !elfp_link_fits(offset, size, walk->table->size))
        return NULL;
    return walk->table->bytes + offset;
}

/* The next version that the object defines. 1, 0 at the end, or a code. */
static int next_defined(struct walk *walk, struct version *version)
{
    const uint8_t *record, *name;

    if (!walk->more)
        return 0;
    record = read_record(walk, walk->record, VERDEF_SIZE);
    name = record != NULL ? read_record(walk, walk->record + elfp_le32(record + 12), VERDAUX_SIZE)
                          : NULL;
    if (name == NULL)
        return ELFPARSE_LINK_EVERTABLE;
    version->flags = elfp_le16(record + 2);
    version->index = elfp_le16(record + 4) & ELFPARSE_VERSYM_INDEX;
    version->version.hash = elfp_le32(record + 8);
    if (!elfp_link_string(walk->strings, elfp_le32(name), &version->version.name))
        return ELFPARSE_LINK_EVERTABLE;
    walk->more = elfp_le32(record + 16) != 0;
    walk->record += elfp_le32(record + 16);
    return 1;
}

/* Goes on to the next library that versions are needed of. 1, 0 at the end, or a code. */
static int next_library(struct walk *walk)
{
    const uint8_t *record;

    if (!walk->more)
        return 0;
    record = read_record(walk, walk->record, VERNEED_SIZE);
    if (record == NULL || !elfp_link_string(walk->strings, elfp_le32(record + 4), &walk->library))
        return ELFPARSE_LINK_EVERTABLE;
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

    while (!walk->more_parts) {
        int code = next_library(walk);

        if (code != 1)
            return code;
    }
    part = read_record(walk, walk->part, VERNAUX_SIZE);
    if (part == NULL ||
        !elfp_link_string(walk->strings, elfp_le32(part + 8), &version->version.name))
        return ELFPARSE_LINK_EVERTABLE;
    version->version.hash = elfp_le32(part);
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

/* Looks for an index in a table. 1 with *version, 0 where it is not there, or a code. */
static int find_index(struct walk walk, int (*next)(struct walk *, struct version *),
                      uint32_t index, struct version *version)
{
    int more;

    do
        more = next(&walk, version);
    while (more == 1 && version->index != index);
    return more;
}

int elfp_link_version_at(const struct elfparse_object *object, uint32_t index,
                         struct elfp_link_version *version)
{
    struct version found = {.flags = 0};
    int code = 0;

    version->name.size = 0;
    if (index == 0)
        return 0;
    code = find_index(open_walk(object, &object->verdef), next_defined, index, &found);
    if (code == 0)
        code = find_index(open_walk(object, &object->verneed), next_needed, index, &found);
    if (code == 1 && (found.flags & ELFPARSE_VER_FLG_BASE) == 0)
        *version = found.version;
    return code < 0 ? code : 0;
}

/* 1 if the object defines that version, or has no table of versions; 0 if not; or a code. */
static int defines(const struct elfparse_object *object, const struct elfp_link_version *wanted)
{
    struct walk walk = open_walk(object, &object->verdef);
    struct version candidate;
    int more;

    if (object->verdef.size == 0)
        return 1;
    while ((more = next_defined(&walk, &candidate)) == 1) {
        if (candidate.version.hash == wanted->hash &&
            elfp_link_equal(&candidate.version.name, &wanted->name))
            return 1;
    }
    return more;
}

int elfp_link_check_versions(const struct elfparse_link *link, const struct elfparse_object *object,
                             struct elfparse_link_error *error)
{
    struct elfp_link_place place = {.error = error, .object = object};
    struct walk walk = open_walk(object, &object->verneed);
    struct version wanted;
    int more;

    while ((more = next_needed(&walk, &wanted)) == 1) {
        uint32_t library = elfp_link_named(link, &walk.library);
        int found =
            library != ELFPARSE_NO_OBJECT ? defines(&link->objects[library], &wanted.version) : 1;

        place.symbol = walk.library;
        place.version = wanted.version.name;
        if (found < 0)
            return elfp_link_fail(&place, found, 0, 0);
        if (found == 0 && (wanted.flags & ELFPARSE_VER_FLG_WEAK) == 0)
            return elfp_link_fail(&place, ELFPARSE_LINK_EVERSION, 0, wanted.index);
    }
    return more < 0 ? elfp_link_fail(&place, more, 0, 0) : 0;
}
