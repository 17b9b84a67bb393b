#include "linker.h"
#include "memory.h"

uint32_t elfp_link_named(const struct elfparse_link *link, const struct elfparse_view *name)
{
    uint32_t i;

    for (i = 0; i < link->count; i++) {
        const struct elfparse_object *object = &link->objects[i];
        struct elfparse_view path = elfp_link_text(object->name);

        if (elfp_link_equal(name, &object->needed) || elfp_link_equal(name, &object->soname) ||
            elfp_link_equal(name, &path))
            return i;
    }
    return ELFPARSE_NO_OBJECT;
}

/* Appends the object that by needs under that name. */
static int append(struct elfparse_link *link, const struct elfp_link_place *place)
{
    struct elfparse_object *object = &link->objects[link->count];
    int answer, code;

    if (link->count >= link->capacity)
        return elfp_link_fail(place, ELFPARSE_LINK_EFULL, link->capacity, link->count);
    memset(object, 0, sizeof(*object));
    answer = link->load(link->ctx, place->object, (const char *)place->symbol.bytes, object);
    if (answer < 0)
        return elfp_link_fail(place, ELFPARSE_LINK_ELOAD, 0, (uint64_t)(int64_t)answer);
    object->needed = place->symbol;
    if (object->name == NULL)
        object->name = (const char *)place->symbol.bytes;
    link->count++;
    code = elfp_link_open(link, object, place->error);
    return code;
}

/* Appends what an object needs and is not in the list. */
static int load_needed(struct elfparse_link *link, const struct elfparse_object *object,
                       struct elfparse_link_error *error)
{
    struct elfp_link_place place = {.error = error, .object = object};
    struct elfparse_dyn entry;
    int code = 0;

    for (uint32_t i = 0; code == 0 && elfp_link_dynamic(link, object, i, &entry); i++) {
        if (entry.tag != ELFPARSE_DT_NEEDED)
            continue;
        code = elfp_link_library(&place, entry.value, &place.symbol);
        if (code == 0 && elfp_link_named(link, &place.symbol) == ELFPARSE_NO_OBJECT)
            code = append(link, &place);
    }
    return code;
}

int elfparse_link_load(struct elfparse_link *link, struct elfparse_link_error *error)
{
    int code = 0;
    uint32_t i;

    if (elfp_link_word(link) == 0) {
        struct elfp_link_place place = {.error = error, .object = link->objects};

        return elfp_link_fail(&place, ELFPARSE_ERELMACHINE, 0, link->machine);
    }
    for (i = 0; code == 0 && i < link->count; i++)
        code = elfp_link_open(link, &link->objects[i], error);
    /* What is appended is looked at in its turn: breadth first. */
    for (i = 0; code == 0 && i < link->count; i++)
        code = load_needed(link, &link->objects[i], error);
    if (code == 0)
        elfp_link_sort(link);
    return code;
}
