/* The list of objects: what is needed is loaded, sorted, called, and shown to debuggers. */
#include "linker.h"

#define DT_DEBUG 21

int elfp_link_named(const struct elfparse_link *link, const struct elfparse_view *name,
                    struct elfp_link_work *work)
{
    elfp_link_grant(work);
    for (uint32_t i = 0; i < link->count; i++) {
        const struct elfparse_object *object = &link->objects[i];
        struct elfparse_view path = {(const uint8_t *)object->name, name->size};

        if (elfp_link_equal(name, &object->needed, work) ||
            elfp_link_equal(name, &object->soname, work) ||
            (elfp_link_equal(name, &path, work) && path.bytes[path.size] == '\0'))
            return (int)i;
        if (elfp_link_spend(work, 1) != 0)
            return ELFPARSE_LINK_EWORK;
    }
    return ELFPARSE_LINK_EUNDEFINED;
}

/*
 * The next library that an object needs, from the entry with that index on. 1 with its name in place, 0
 * where there is none, or a code.
 */
static int next_needed(const struct elfparse_link *link, struct elfp_link_place *place,
                       uint32_t *index)
{
    struct elfparse_dyn entry;
    int code;

    do {
        if (!elfp_link_dynamic(link, place->object, (*index)++, &entry))
            return 0;
    } while (entry.tag != ELFPARSE_DT_NEEDED);
    code = elfp_link_library(place, entry.value, &place->symbol);
    return code == 0 ? 1 : code;
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
    struct elfp_link_work work = ELFP_LINK_WORK;
    uint32_t index = 0;
    int code;

    while ((code = next_needed(link, &place, &index)) == 1) {
        int found = elfp_link_named(link, &place.symbol, &work);

        if (found == ELFPARSE_LINK_EWORK)
            return elfp_link_fail(&place, found, work.granted, 0);
        code = found < 0 ? append(link, &place) : 0;
        if (code != 0)
            break;
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
    for (i = 0; code == 0 && i < link->count; i++) {
        if (link->objects[i].name == NULL)
            link->objects[i].name = "";
        code = elfp_link_open(link, &link->objects[i], error);
    }
    /* What is appended is looked at in its turn: breadth first. */
    for (i = 0; code == 0 && i < link->count; i++)
        code = load_needed(link, &link->objects[i], error);
    if (code == 0)
        elfp_link_sort(link);
    return code;
}

/* The next object that this one needs and that was not visited, or a negative number. */
static int next_unvisited(const struct elfparse_link *link, struct elfparse_object *object)
{
    /* No limit: loading has made the same searches within its own. */
    struct elfp_link_work work = {0, UINT64_MAX};
    struct elfp_link_place place = {.object = object};

    while (next_needed(link, &place, &object->cursor) == 1) {
        int found = elfp_link_named(link, &place.symbol, &work);
        if (found >= 0 && !link->objects[found].visited)
            return found;
    }
    return -1;
}

/*
 * Visits an object and all that it needs, depth first, and appends each to the order when all that
 * it needs was appended. The path from the root is kept in the objects: parent.
 */
static void visit(struct elfparse_link *link, uint32_t root, uint32_t *done)
{
    uint32_t current = root;

    link->objects[root].parent = ELFPARSE_NO_OBJECT;
    while (current != ELFPARSE_NO_OBJECT) {
        struct elfparse_object *object = &link->objects[current];
        int next;

        object->visited = 1;
        next = next_unvisited(link, object);
        if (next >= 0) {
            link->objects[next].parent = current;
            current = (uint32_t)next;
        } else {
            link->objects[(*done)++].order = current;
            current = object->parent;
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

/* A part of an object's functions: a table, or one function. */
struct part {
    const struct elfparse_view *table; /* NULL: none */
    uint64_t single;                   /* 0: none */
    int backwards;
};

#define PARTS 3u

/* The parts of an object in the order in which they are called. */
static struct part part_of(const struct elfparse_calls *calls, const struct elfparse_object *object)
{
    struct part part = {NULL, 0, 0};

    if (calls->kind == ELFPARSE_CALLS_INIT) {
        /* Before all others: those that the program wants called first. */
        if (calls->part == 0 && calls->place == 0)
            part.table = &calls->link->objects[0].preinit_array;
        else if (calls->part == 1)
            part.single = object->init;
        else if (calls->part == 2)
            part.table = &object->init_array;
        return part;
    }
    if (calls->part == 0)
        part.table = &object->fini_array;
    else if (calls->part == 1)
        part.single = object->fini;
    part.backwards = 1;
    return part;
}

/* The next function of a part. 1, or 0 where all were called. */
static int next_of(struct elfparse_calls *calls, const struct part *part, uint64_t *address)
{
    uint32_t word = elfp_link_word(calls->link);
    uint64_t count = part->table != NULL ? part->table->size / word : 0, number = calls->number;

    if (part->single != 0 && number == 0)
        *address = part->single;
    else if (number < count)
        *address = elfp_link_decode(
            part->table->bytes + (part->backwards ? count - 1 - number : number) * word, word);
    else
        return 0;
    calls->number++;
    return 1;
}

void elfparse_link_calls_open(const struct elfparse_link *link, enum elfparse_calls_kind kind,
                              struct elfparse_calls *calls)
{
    *calls = (struct elfparse_calls){.link = link, .kind = (uint32_t)kind};
}

int elfparse_link_next_call(struct elfparse_calls *calls, uint64_t *address)
{
    const struct elfparse_link *link = calls->link;

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

int elfparse_link_relro(const struct elfparse_object *object, struct elfparse_area *area)
{
    const struct elfparse_area *relro = &object->plan->relro;
    uint64_t start = relro->vaddr & ~(ELFPARSE_PAGE_SIZE - 1);
    uint64_t end = (relro->vaddr + relro->size) & ~(ELFPARSE_PAGE_SIZE - 1);

    if (relro->size == 0 || end <= start)
        return 0;
    area->vaddr = start;
    area->size = end - start;
    return 1;
}

/* Stores an address in the entry that debuggers look for. */
static void set_debug_entry(const struct elfparse_link *link, const struct elfparse_object *object,
                            uint64_t value)
{
    uint32_t word = elfp_link_word(link);
    struct elfparse_dyn entry;

    for (uint32_t i = 0; elfp_link_dynamic(link, object, i, &entry); i++) {
        uint64_t address = object->plan->dynamic.vaddr + (uint64_t)i * 2 * word + word;

        if (entry.tag == DT_DEBUG && elfp_link_view(object, address, ELFPARSE_PF_W).size >= word)
            elfp_link_encode((uint8_t *)object->memory + (address - object->plan->start), value,
                             word);
    }
}

void elfparse_link_publish(struct elfparse_link *link, enum elfparse_debug_state state,
                           struct elfparse_debug *debug)
{
    for (uint32_t i = 0; i < link->count; i++) {
        struct elfparse_object *object = &link->objects[i];

        object->map.bias = (uintptr_t)object->plan->bias;
        object->map.name = object->name;
        object->map.dynamic = (uintptr_t)object->plan->dynamic.vaddr;
        object->map.next = i + 1 < link->count ? &link->objects[i + 1].map : NULL;
        object->map.previous = i != 0 ? &link->objects[i - 1].map : NULL;
    }
    debug->version = 1;
    debug->objects = link->count != 0 ? &link->objects[0].map : NULL;
    debug->state = (int32_t)state;
    if (link->count != 0)
        set_debug_entry(link, &link->objects[0], (uint64_t)(uintptr_t)debug);
}

int elfparse_link_phdr_info(const struct elfparse_link *link, uint32_t object,
                            struct elfparse_phdr_info *info)
{
    const struct elfparse_object *about;

    if (object >= link->count)
        return ELFPARSE_ELINK;
    about = &link->objects[object];
    info->bias = about->plan->bias;
    info->name = about->name;
    info->phdr = about->plan->phdr_vaddr;
    info->phnum = about->plan->phnum;
    info->tls_module = about->tls_module;
    info->tls_offset =
        elfp_link_tls_above(link->machine) ? about->tls_offset : 0 - about->tls_offset;
    info->adds = link->count;
    return 0;
}
