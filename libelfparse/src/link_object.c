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

void elfp_link_encode(uint8_t *bytes, uint64_t value, uint32_t word)
{
    for (uint32_t i = 0; i < word; i++)
        bytes[i] = (uint8_t)(value >> (i * 8));
}

uint64_t elfp_link_address(const struct elfparse_link *link, const struct elfparse_object *object,
                           uint64_t vaddr)
{
    uint64_t address = object->plan->bias + vaddr;

    return elfp_link_word(link) == 4 ? (uint32_t)address : address;
}

struct elfparse_view elfp_link_view(const struct elfparse_object *object, uint64_t address,
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

int elfp_link_equal(const struct elfparse_view *a, const struct elfparse_view *b,
                    struct elfp_link_work *work)
{
    uint64_t i = 0;

    if (a->size != b->size)
        return 0;
    while (i < a->size && a->bytes[i] == b->bytes[i])
        i++;
    elfp_link_spend(work, i);
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
        *view_of(object, i) = elfp_link_view(object, address, 0);
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
        break; /* each has a tag of its own */
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
    object->dynamic = elfp_link_view(object, object->plan->dynamic.vaddr, 0);
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
