#include "linker.h"

/* Dynamic entries that file.h has no name for (gABI, "Dynamic Section"). */
#define DT_INIT            12u
#define DT_FINI            13u
#define DT_SYMBOLIC        16u
#define DT_INIT_ARRAY      25u
#define DT_FINI_ARRAY      26u
#define DT_INIT_ARRAYSZ    27u
#define DT_FINI_ARRAYSZ    28u
#define DT_FLAGS           30u
#define DT_PREINIT_ARRAY   32u
#define DT_PREINIT_ARRAYSZ 33u
#define DF_SYMBOLIC        2u

uint64_t elfp_link_address(const struct elfparse_link *link, const struct elfparse_object *object,
                           uint64_t vaddr)
{
    uint64_t address = object->plan->bias + vaddr;

    return elfp_link_word(link) == 4 ? (uint32_t)address : address;
}

/* The memory of an object from address on that has that right. */
static struct elfparse_view view_with(const struct elfparse_object *object, uint64_t address,
                                      uint32_t prot)
{
    const struct elfparse_plan *plan = object->plan;
    struct elfparse_view view = {NULL, 0};
    struct elfp_reloc_region region;

    if (!elfp_reloc_find_region(plan->ranges, plan->range_count, address, prot, &region))
        return view;
    view.bytes = (const uint8_t *)object->memory + (address - plan->start);
    view.size = region.start + region.size - address;
    return view;
}

struct elfparse_view elfp_link_view(const struct elfparse_object *object, uint64_t address)
{
    return view_with(object, address, 0);
}

int elfp_link_string(const struct elfparse_view *strings, uint64_t offset,
                     struct elfparse_view *string)
{
    uint64_t end = offset;

    while (end < strings->size && strings->bytes[end] != '\0')
        end++;
    if (end >= strings->size)
        return 0;
    string->bytes = strings->bytes + offset;
    string->size = end - offset;
    return 1;
}

int elfp_link_library(const struct elfp_link_place *place, uint64_t offset,
                      struct elfparse_view *name)
{
    if (!elfp_link_string(&place->object->strings, offset, name) ||
        name->size > ELFPARSE_LINK_LIBRARY_MAX)
        return elfp_link_fail(place, ELFPARSE_LINK_ENAME, ELFPARSE_LINK_LIBRARY_MAX, offset);
    return 0;
}

struct elfparse_view elfp_link_text(const char *text)
{
    struct elfparse_view view = {(const uint8_t *)text, 0};

    while (text != NULL && text[view.size] != '\0')
        view.size++;
    return view;
}

int elfp_link_equal(const struct elfparse_view *a, const struct elfparse_view *b)
{
    uint64_t i = 0;

    if (a->size != b->size)
        return 0;
    while (i < a->size && a->bytes[i] == b->bytes[i])
        i++;
    return i == a->size;
}

int elfp_link_dynamic(const struct elfparse_link *link, const struct elfparse_object *object,
                      uint32_t index, struct elfparse_dyn *entry)
{
    uint32_t word = elfp_link_word(link);
    uint64_t offset = (uint64_t)index * 2 * word;

    if (index >= ELFPARSE_LINK_DYNAMIC_MAX ||
        !elfp_link_fits(offset, (uint64_t)2 * word, object->dynamic.size))
        return 0;
    entry->tag = (int64_t)elfp_link_decode(object->dynamic.bytes + offset, word);
    entry->value = elfp_link_decode(object->dynamic.bytes + offset + word, word);
    return entry->tag != ELFPARSE_DT_NULL;
}

/* A table of an object: the tags of its address and its size, 0 where no entry says that. */
struct table {
    uint32_t address;
    uint32_t size;
    uint32_t view; /* where struct elfparse_object has it */
};

#define VIEW(name) offsetof(struct elfparse_object, name)

/* The first are arrays of functions. */
#define ARRAYS 3u
static const struct table tables[] = {
    {DT_PREINIT_ARRAY, DT_PREINIT_ARRAYSZ, VIEW(preinit_array)},
    {DT_INIT_ARRAY, DT_INIT_ARRAYSZ, VIEW(init_array)},
    {DT_FINI_ARRAY, DT_FINI_ARRAYSZ, VIEW(fini_array)},
    {ELFPARSE_DT_STRTAB, ELFPARSE_DT_STRSZ, VIEW(strings)},
    {ELFPARSE_DT_SYMTAB, 0, VIEW(symbols)},
    {ELFPARSE_DT_GNU_HASH, 0, VIEW(gnu_hash)},
    {ELFPARSE_DT_HASH, 0, VIEW(sysv_hash)},
    {ELFPARSE_DT_VERSYM, 0, VIEW(versym)},
    {ELFPARSE_DT_VERDEF, 0, VIEW(verdef)},
    {ELFPARSE_DT_VERNEED, 0, VIEW(verneed)},
};

#define TABLES (sizeof(tables) / sizeof(tables[0]))

static struct elfparse_view *view_of(struct elfparse_object *object, uint32_t table)
{
    return (struct elfparse_view *)(void *)((char *)object + tables[table].view);
}

/* Takes note of an entry that says where something is. */
static int take_address(const struct elfparse_link *link, struct elfparse_object *object,
                        const struct elfparse_dyn *entry, const struct elfp_link_place *place)
{
    uint64_t tag = (uint64_t)entry->tag;
    uint64_t address = elfp_link_address(link, object, entry->value);

    if (tag == DT_INIT && entry->value != 0)
        object->init = address;
    if (tag == DT_FINI && entry->value != 0)
        object->fini = address;
    if (tag == DT_SYMBOLIC || (tag == DT_FLAGS && (entry->value & DF_SYMBOLIC) != 0))
        object->symbolic = 1;
    for (uint32_t i = 0; i < TABLES; i++) {
        if (tables[i].address != tag)
            continue;
        *view_of(object, i) = elfp_link_view(object, address);
        if (view_of(object, i)->bytes == NULL)
            return elfp_link_fail(place, ELFPARSE_LINK_EDYNAMIC, 0, tag);
    }
    return 0;
}

/* Takes note of an entry that needs the tables: their sizes, and DT_SONAME. */
static int take_size(struct elfparse_object *object, const struct elfparse_dyn *entry,
                     const struct elfp_link_place *place, uint32_t *sized)
{
    uint64_t tag = (uint64_t)entry->tag;

    if (tag == ELFPARSE_DT_SONAME)
        return elfp_link_library(place, entry->value, &object->soname);
    for (uint32_t i = 0; i < TABLES; i++) {
        struct elfparse_view *view = view_of(object, i);

        /* Dynamic linkers do not look at DT_STRSZ, which may be 0. */
        if (tables[i].size != tag || (entry->value == 0 && i >= ARRAYS))
            continue;
        if (entry->value > view->size)
            return elfp_link_fail(place, ELFPARSE_LINK_EDYNAMIC, view->size, tag);
        view->size = entry->value;
        *sized |= 1u << i;
    }
    return 0;
}

int elfp_link_open(const struct elfparse_link *link, struct elfparse_object *object,
                   struct elfparse_link_error *error)
{
    struct elfp_link_place place = {.error = error, .object = object};
    struct elfparse_dyn entry;
    uint32_t i, sized = 0; /* a bit for each table */
    int code = 0;

    if (object->plan->dynamic.size == 0)
        return 0;
    object->dynamic = elfp_link_view(object, object->plan->dynamic.vaddr);
    for (i = 0; code == 0 && elfp_link_dynamic(link, object, i, &entry); i++)
        code = take_address(link, object, &entry, &place);
    for (i = 0; code == 0 && elfp_link_dynamic(link, object, i, &entry); i++)
        code = take_size(object, &entry, &place, &sized);
    /* Of an array without an entry that says its size no function is called. */
    for (i = 0; i < ARRAYS; i++) {
        if ((sized >> i & 1) == 0)
            view_of(object, i)->size = 0;
    }
    return code;
}

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
    while (current != ELFPARSE_NO_OBJECT) {
        struct elfparse_object *object = &link->objects[current];
        uint32_t next;

        object->visited = 1;
        next = next_needed(link, object);
        if (next != ELFPARSE_NO_OBJECT) {
            link->objects[next].parent = current;
            current = next;
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

#define DT_DEBUG 21

void elfp_link_encode(uint8_t *bytes, uint64_t value, uint32_t word)
{
    for (uint32_t i = 0; i < word; i++)
        bytes[i] = (uint8_t)(value >> (i * 8));
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

        if (entry.tag == DT_DEBUG && view_with(object, address, ELFPARSE_PF_W).size >= word)
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
        object->map.name = object->name != NULL ? object->name : "";
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
    info->name = about->name != NULL ? about->name : "";
    info->phdr = about->plan->phdr_vaddr;
    info->phnum = about->plan->phnum;
    info->tls_module = about->tls_module;
    info->tls_offset =
        elfp_link_tls_above(link->machine) ? about->tls_offset : 0 - about->tls_offset;
    info->adds = link->count;
    return 0;
}
