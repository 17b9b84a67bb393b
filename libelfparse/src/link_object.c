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

struct elfparse_view elfp_link_view(const struct elfparse_object *object, uint64_t address)
{
    const struct elfparse_plan *plan = object->plan;
    const struct elfparse_range *range = plan->ranges, *last = range + plan->range_count;
    struct elfparse_view view = {NULL, 0};

    while (range < last && address - range->vaddr >= range->size)
        range++;
    if (range == last)
        return view;
    view.bytes = (const uint8_t *)object->memory + (address - plan->start);
    view.size = range->vaddr + range->size - address;
    for (; range + 1 < last && range[1].vaddr == range->vaddr + range->size; range++)
        view.size += range[1].size;
    return view;
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

/* The view that an entry's address begins, or NULL. */
static struct elfparse_view *table_of(struct elfparse_object *object, uint64_t tag)
{
    switch (tag) {
    case ELFPARSE_DT_STRTAB:
        return &object->strings;
    case ELFPARSE_DT_SYMTAB:
        return &object->symbols;
    case ELFPARSE_DT_GNU_HASH:
        return &object->gnu_hash;
    case ELFPARSE_DT_HASH:
        return &object->sysv_hash;
    case ELFPARSE_DT_VERSYM:
        return &object->versym;
    case ELFPARSE_DT_VERDEF:
        return &object->verdef;
    case ELFPARSE_DT_VERNEED:
        return &object->verneed;
    case DT_PREINIT_ARRAY:
        return &object->preinit_array;
    case DT_INIT_ARRAY:
        return &object->init_array;
    case DT_FINI_ARRAY:
        return &object->fini_array;
    default:
        return NULL;
    }
}

/* The tag of the table whose size an entry says, or DT_NULL. */
static uint64_t sized_table(uint64_t tag)
{
    switch (tag) {
    case ELFPARSE_DT_STRSZ:
        return ELFPARSE_DT_STRTAB;
    case DT_PREINIT_ARRAYSZ:
        return DT_PREINIT_ARRAY;
    case DT_INIT_ARRAYSZ:
        return DT_INIT_ARRAY;
    case DT_FINI_ARRAYSZ:
        return DT_FINI_ARRAY;
    default:
        return ELFPARSE_DT_NULL;
    }
}

/* Takes note of an entry that says where something is. */
static int take_address(const struct elfparse_link *link, struct elfparse_object *object,
                        const struct elfparse_dyn *entry, const struct elfp_link_place *place)
{
    uint64_t tag = (uint64_t)entry->tag;
    struct elfparse_view *view = table_of(object, tag);

    if (tag == DT_INIT && entry->value != 0)
        object->init = elfp_link_address(link, object, entry->value);
    if (tag == DT_FINI && entry->value != 0)
        object->fini = elfp_link_address(link, object, entry->value);
    if (tag == DT_SYMBOLIC || (tag == DT_FLAGS && (entry->value & DF_SYMBOLIC) != 0))
        object->symbolic = 1;
    if (view == NULL)
        return 0;
    *view = elfp_link_view(object, elfp_link_address(link, object, entry->value));
    return view->bytes != NULL ? 0 : elfp_link_fail(place, ELFPARSE_LINK_EDYNAMIC, 0, tag);
}

/* Takes note of an entry that needs the tables: their sizes, and DT_SONAME. */
static int take_size(struct elfparse_object *object, const struct elfparse_dyn *entry,
                     const struct elfp_link_place *place)
{
    struct elfparse_view *view = table_of(object, sized_table((uint64_t)entry->tag));

    if (entry->tag == ELFPARSE_DT_SONAME)
        return elfp_link_library(place, entry->value, &object->soname);
    /* Dynamic linkers do not look at DT_STRSZ, which may be 0. */
    if (view == NULL || (entry->value == 0 && view == &object->strings))
        return 0;
    if (entry->value > view->size)
        return elfp_link_fail(place, ELFPARSE_LINK_EDYNAMIC, view->size, (uint64_t)entry->tag);
    view->size = entry->value;
    return 0;
}

/* The size of an array of functions; without an entry that says it, none is called. */
static void limit_array(struct elfparse_object *object, uint64_t tag, uint64_t sized)
{
    if ((sized >> tag & 1) == 0)
        table_of(object, sized_table(tag))->size = 0;
}

int elfp_link_open(const struct elfparse_link *link, struct elfparse_object *object,
                   struct elfparse_link_error *error)
{
    struct elfp_link_place place = {.error = error, .object = object};
    struct elfparse_dyn entry;
    uint64_t sized = 0; /* a bit for each tag */
    uint32_t i;
    int code = 0;

    if (object->plan->dynamic.size == 0)
        return 0;
    object->dynamic = elfp_link_view(object, object->plan->dynamic.vaddr);
    for (i = 0; code == 0 && elfp_link_dynamic(link, object, i, &entry); i++)
        code = take_address(link, object, &entry, &place);
    for (i = 0; code == 0 && elfp_link_dynamic(link, object, i, &entry); i++) {
        sized |= (uint64_t)entry.tag < 64 ? UINT64_C(1) << entry.tag : 0;
        code = take_size(object, &entry, &place);
    }
    limit_array(object, DT_PREINIT_ARRAYSZ, sized);
    limit_array(object, DT_INIT_ARRAYSZ, sized);
    limit_array(object, DT_FINI_ARRAYSZ, sized);
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

/* 1 if the bytes at address may be changed. */
static int is_writable(const struct elfparse_object *object, uint64_t address, uint64_t size)
{
    const struct elfparse_plan *plan = object->plan;

    for (uint32_t i = 0; i < plan->range_count; i++) {
        const struct elfparse_range *range = &plan->ranges[i];

        if ((range->prot & ELFPARSE_PF_W) != 0 && address - range->vaddr < range->size &&
            size <= range->size - (address - range->vaddr))
            return 1;
    }
    return 0;
}

/* Stores an address in the entry that debuggers look for. */
static void set_debug_entry(const struct elfparse_link *link, const struct elfparse_object *object,
                            uint64_t value)
{
    uint32_t word = elfp_link_word(link);
    struct elfparse_dyn entry;

    for (uint32_t i = 0; elfp_link_dynamic(link, object, i, &entry); i++) {
        uint64_t offset = (uint64_t)i * 2 * word + word;

        if (entry.tag == DT_DEBUG &&
            is_writable(object, object->plan->dynamic.vaddr + offset, word))
            elfp_link_encode((uint8_t *)object->memory +
                                 (object->plan->dynamic.vaddr - object->plan->start + offset),
                             value, word);
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
