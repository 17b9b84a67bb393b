#include "linker.h"

/* The next object that this one needs and that was not visited, or ELFPARSE_NO_OBJECT. */
static uint32_t next_needed(const struct elfparse_link *link, struct elfparse_object *object)
{
    struct elfparse_view name;
    struct elfparse_dyn entry;

    while (elfp_link_dynamic(link, object, object->cursor, &entry)) {
        uint32_t found = ELFPARSE_NO_OBJECT;

        object->cursor++;
        if (entry.tag == ELFPARSE_DT_NEEDED &&
            elfp_link_string(&object->strings, entry.value, &name))
            found = elfp_link_named(link, &name);
        if (found != ELFPARSE_NO_OBJECT && !link->objects[found].visited)
            return found;
    }
    return ELFPARSE_NO_OBJECT;
}

/*
 * Visits an object and all that it needs, depth first, and appends each to the order when all that
 * it needs was appended. The path from the root is kept in the objects: parent.
 */
static void visit(struct elfparse_link *link, uint32_t root, uint32_t *done)
{
    uint32_t current = root;

    link->objects[root].parent = ELFPARSE_NO_OBJECT;
    link->objects[root].visited = 1;
    while (current != ELFPARSE_NO_OBJECT) {
        uint32_t next = next_needed(link, &link->objects[current]);

        if (next == ELFPARSE_NO_OBJECT) {
            link->objects[(*done)++].order = current;
            current = link->objects[current].parent;
        } else {
            link->objects[next].parent = current;
            link->objects[next].visited = 1;
            current = next;
        }
    }
}

/* As the GNU C library sorts: from the last object on, each after what it needs. */
void elfp_link_sort(struct elfparse_link *link)
{
    uint32_t done = 0, i;

    for (i = 0; i < link->count; i++) {
        link->objects[i].visited = 0;
        link->objects[i].cursor = 0;
    }
    for (i = link->count; i-- > 0;) {
        if (!link->objects[i].visited)
            visit(link, i, &done);
    }
}

/* A part of an object's functions: a table, or one function; number of them. */
struct part {
    struct elfparse_view table;
    uint64_t single;
    int backwards;
};

#define PARTS 3u

/* The parts of an object in the order in which they are called. */
static struct part part_of(const struct elfparse_calls *calls, const struct elfparse_object *object)
{
    struct part part = {{NULL, 0}, 0, 0};

    if (calls->kind == ELFPARSE_CALLS_INIT) {
        if (calls->part == 1)
            part.single = object->init;
        else if (calls->part == 2)
            part.table = object->init_array;
        return part;
    }
    if (calls->part == 0)
        part.table = object->fini_array;
    else if (calls->part == 1)
        part.single = object->fini;
    part.backwards = 1;
    return part;
}

/* The next function of a part. 1, or 0 where all were called. */
static int next_of(struct elfparse_calls *calls, const struct part *part, uint64_t *address)
{
    uint32_t word = elfp_link_word(calls->link);
    uint64_t count = part->table.size / word, number = calls->number;

    if (part->single != 0 && number == 0)
        *address = part->single;
    else if (number < count)
        *address = elfp_link_decode(
            part->table.bytes + (part->backwards ? count - 1 - number : number) * word, word);
    else
        return 0;
    calls->number++;
    return 1;
}

/* Before all others: those that the program wants called first. */
static int next_first(struct elfparse_calls *calls, uint64_t *address)
{
    struct part part = {{NULL, 0}, 0, 0};

    if (calls->kind != ELFPARSE_CALLS_INIT || calls->place != 0 || calls->part != 0)
        return 0;
    part.table = calls->link->objects[0].preinit_array;
    return next_of(calls, &part, address);
}

void elfparse_link_calls_open(const struct elfparse_link *link, enum elfparse_calls_kind kind,
                              struct elfparse_calls *calls)
{
    *calls = (struct elfparse_calls){.link = link, .kind = (uint32_t)kind};
}

int elfparse_link_next_call(struct elfparse_calls *calls, uint64_t *address)
{
    const struct elfparse_link *link = calls->link;

    if (link->count != 0 && next_first(calls, address))
        return 1;
    for (; calls->place < link->count; calls->place++, calls->part = 0) {
        uint32_t turn =
            calls->kind == ELFPARSE_CALLS_INIT ? calls->place : link->count - 1 - calls->place;
        const struct elfparse_object *object = &link->objects[link->objects[turn].order];

        for (; calls->part < PARTS; calls->part++, calls->number = 0) {
            struct part part = part_of(calls, object);

            if (next_of(calls, &part, address))
                return 1;
        }
    }
    return 0;
}
