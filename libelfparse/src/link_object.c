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
