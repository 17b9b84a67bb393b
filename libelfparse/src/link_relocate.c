#include <elfparse/version.h>

#include "linker.h"

/* The lowest version index that a reference without a version passes over in the first place. */
#define REFERENCE_VERSIONS 3u

/* What RISC-V adds to the thread pointer's offset in a block (psABI, "Thread Local Storage"). */
#define RISCV_DTV_OFFSET 0x800u

/* One object while it is relocated. */
struct binder {
    const struct elfparse_link *link;
    const struct elfparse_object *object;
    struct elfparse_link_error *error;
    struct elfp_link_work work;
    uint64_t uncopied; /* bytes that copy relocations may still copy */
    int writing;       /* everything was checked */
    int code;          /* of an error that a callback below filled */
};

/* The types of calls through the PLT. */
static int is_plt(uint32_t machine, uint32_t type)
{
    switch (machine) {
    case ELFPARSE_EM_X86_64:
    case ELFPARSE_EM_386:
        return type == 7;
    case ELFPARSE_EM_AARCH64:
        return type == 1026;
    case ELFPARSE_EM_RISCV:
        return type == 5;
    default:
        return type == 22;
    }
}

static int fail(struct binder *binder, const struct elfp_link_place *place, int code,
                uint64_t expected, uint64_t found)
{
    binder->code = elfp_link_fail(place, code, expected, found);
    return code;
}

static struct elfp_link_place place_of(const struct binder *binder,
                                       const struct elfparse_relocation *relocation)
{
    struct elfp_link_place place = {
        .error = binder->error, .object = binder->object, .address = relocation->address};

    /* The entry of an indirect function needs no symbol: if it names one, that is not looked at. */
    if (relocation->index != 0 && relocation->kind != ELFPARSE_SPECIAL_IRELATIVE)
        elfp_link_string(&binder->object->strings, relocation->symbol.name, &place.symbol);
    return place;
}

/* 1 if the reference is to the object's own symbol, whatever others define. */
static int binds_locally(const struct elfparse_relocation *relocation)
{
    const struct elfparse_symbol *symbol = &relocation->symbol;

    if (relocation->index == 0 || symbol->info >> 4 == ELFP_STB_LOCAL)
        return 1;
    return (symbol->other & 3u) != 0 && symbol->shndx != ELFP_SHN_UNDEF;
}

/* The query for the symbol of a relocation. Returns 0 or a code. */
static int make_query(struct binder *binder, const struct elfparse_relocation *relocation,
                      struct elfp_link_place *place, struct elfp_link_query *query)
{
    uint32_t versym = elfp_link_versym(binder->object, relocation->index);
    int code;

    if (place->symbol.bytes == NULL)
        return ELFPARSE_LINK_ENAME;
    code = elfp_link_version_at(binder->object, versym & ELFPARSE_VERSYM_INDEX, &query->version,
                                &binder->work);
    if (code != 0)
        return code;
    elfp_link_ask(query, &place->symbol);
    query->versioned = REFERENCE_VERSIONS;
    query->defined = (relocation->kind != 0 && relocation->kind != ELFPARSE_SPECIAL_COPY) ||
                     is_plt(binder->link->machine, relocation->type);
    place->version = query->version.name;
    return 0;
}

/* Looks in the scope of the object: itself first, where it is DT_SYMBOLIC. */
static int search_scope(struct binder *binder, const struct elfp_link_query *query, int copy,
                        struct elfp_link_match *match)
{
    int code = 0;

    if (binder->object->symbolic && !copy)
        code = elfp_link_find(binder->link, binder->object, query, match);
    return code != 0 ? code
                     : elfp_link_search(binder->link, query, copy ? binder->object : NULL, match);
}

/*
 * A symbol of STB_GNU_UNIQUE is the same one for all references, whatever their versions: what the
 * last object that defines it binds to, since the GNU C library relocates that one first. Returns 1 or a code.
 */
static int find_unique(struct binder *binder, const struct elfp_link_query *query,
                       struct elfp_link_match *match)
{
    const struct elfparse_link *link = binder->link;
    struct elfp_link_query own = *query;
    struct elfp_link_match last;
    int code = 0;

    own.version.name.size = 0;
    for (uint32_t i = link->count; code == 0 && i-- > 0;) {
        code = elfp_link_find(link, &link->objects[i], &own, &last);
        if (code == 1 && last.symbol.info >> 4 != ELFP_STB_UNIQUE)
            code = 0;
    }
    if (code == 0) /* none that a reference without a version finds */
        return 1;
    if (code == 1)
        code = elfp_link_version_at(
            last.object, elfp_link_versym(last.object, last.index) & ELFPARSE_VERSYM_INDEX,
            &own.version, &binder->work);
    if (code == 0)
        code = elfp_link_search(link, &own, NULL, match);
    return code;
}

/* Counts the bytes of a symbol's name, or of the table in which it does not end. Returns 0 or a code. */
static int count_name(struct binder *binder, const struct elfparse_view *name)
{
    elfp_link_grant(&binder->work);
    return elfp_link_spend(&binder->work,
                           name->bytes != NULL ? name->size : binder->object->strings.size);
}

/* The definition that a relocation's symbol is bound to. Returns 0 or a code. */
static int find_definition(struct binder *binder, const struct elfparse_relocation *relocation,
                           struct elfp_link_place *place, struct elfp_link_match *match)
{
    struct elfp_link_query query = {.work = &binder->work};
    int code = relocation->index != 0 ? count_name(binder, &place->symbol) : 0;

    if (code == 0 && binds_locally(relocation)) {
        match->object = binder->object;
        match->symbol = relocation->symbol;
        return 0;
    }
    if (code == 0)
        code = make_query(binder, relocation, place, &query);
    if (code == 0)
        code = search_scope(binder, &query, relocation->kind == ELFPARSE_SPECIAL_COPY, match);
    if (code == 1 && match->symbol.info >> 4 == ELFP_STB_UNIQUE &&
        relocation->kind != ELFPARSE_SPECIAL_COPY)
        code = find_unique(binder, &query, match);
    if (code == 1)
        return 0;
    match->object = NULL;
    if (code == 0 && relocation->symbol.info >> 4 == ELFP_STB_WEAK)
        return 0;
    return fail(binder, place, code != 0 ? code : ELFPARSE_LINK_EUNDEFINED, binder->work.granted,
                code == ELFPARSE_LINK_ENAME ? relocation->symbol.name : relocation->index);
}

/* What an indirect function returns; 0 before anything is written. */
static int call_ifunc(struct binder *binder, const struct elfp_link_place *place, uint64_t resolver,
                      uint64_t *value)
{
    const struct elfparse_link *link = binder->link;
    int answer;

    *value = 0;
    if (link->ifunc == NULL)
        return fail(binder, place, ELFPARSE_LINK_EIFUNC, 0, 0);
    if (!binder->writing)
        return 0;
    answer = link->ifunc(link->ctx, place->address, resolver, value);
    if (answer < 0)
        return fail(binder, place, ELFPARSE_LINK_EIFUNC, 0, (uint64_t)(int64_t)answer);
    return 0;
}

/* The callback of relocate.h for the value of a symbol. */
static int bind_symbol(void *ctx, const struct elfparse_relocation *relocation, uint64_t *value)
{
    struct binder *binder = (struct binder *)ctx;
    struct elfp_link_place place = place_of(binder, relocation);
    struct elfp_link_match match;
    int code = find_definition(binder, relocation, &place, &match);

    *value = 0;
    if (code != 0 || match.object == NULL)
        return code;
    *value = match.symbol.value;
    if (match.symbol.shndx != ELFP_SHN_ABS)
        *value = elfp_link_address(binder->link, match.object, match.symbol.value);
    if ((match.symbol.info & 15u) == ELFP_STT_GNU_IFUNC && match.symbol.shndx != ELFP_SHN_UNDEF)
        return call_ifunc(binder, &place, *value, value);
    return 0;
}

/* The bytes of a target that relocate.h checked. */
static uint8_t *target_of(const struct binder *binder, const struct elfparse_relocation *relocation)
{
    return (uint8_t *)binder->object->memory + (relocation->address - binder->object->plan->start);
}

/* Stores a word, once everything was checked. */
static void store_word(const struct binder *binder, uint8_t *target, uint64_t value)
{
    if (binder->writing)
        elfp_link_encode(target, value, elfp_link_word(binder->link));
}

static int copy_contents(struct binder *binder, const struct elfparse_relocation *relocation,
                         const struct elfp_link_place *place, const struct elfp_link_match *match)
{
    uint64_t address = elfp_link_address(binder->link, match->object, match->symbol.value);
    uint64_t size = match->symbol.size < relocation->size ? match->symbol.size : relocation->size;
    struct elfparse_view source = elfp_link_view(match->object, address, 0);

    if (source.bytes == NULL || size > source.size)
        return fail(binder, place, ELFPARSE_LINK_ECOPY, size, address - match->object->plan->bias);
    if (size > binder->uncopied)
        return fail(binder, place, ELFPARSE_LINK_EWORK,
                    binder->object->plan->end - binder->object->plan->start, relocation->index);
    binder->uncopied -= size;
    if (binder->writing)
        memmove(target_of(binder, relocation), source.bytes, (size_t)size);
    return 0;
}

/* The offset of a thread-local symbol from the thread pointer. */
static uint64_t from_pointer(const struct binder *binder,
                             const struct elfparse_relocation *relocation,
                             const struct elfp_link_match *match)
{
    uint64_t offset = match->symbol.value + relocation->addend;

    return elfp_link_tls_above(binder->link->machine) ? offset + match->object->tls_offset
                                                      : offset - match->object->tls_offset;
}

/* Two words: a function and its argument, which ARM has in the other order. */
static int store_descriptor(struct binder *binder, const struct elfparse_relocation *relocation,
                            const struct elfp_link_place *place, uint64_t offset)
{
    uint32_t word = elfp_link_word(binder->link);
    int swapped = binder->link->machine == ELFPARSE_EM_ARM;
    uint8_t *target = target_of(binder, relocation);

    if (binder->link->tls_descriptor == 0)
        return fail(binder, place, ELFPARSE_LINK_ETLS, 0, relocation->type);
    store_word(binder, target + (swapped ? word : 0), binder->link->tls_descriptor);
    store_word(binder, target + (swapped ? 0 : word), offset);
    return 0;
}

static int store_tls(struct binder *binder, const struct elfparse_relocation *relocation,
                     const struct elfp_link_place *place, const struct elfp_link_match *match)
{
    uint64_t dtv = binder->link->machine == ELFPARSE_EM_RISCV ? RISCV_DTV_OFFSET : 0;
    uint64_t value = from_pointer(binder, relocation, match);

    if (match->object->tls_module == 0)
        return fail(binder, place, ELFPARSE_LINK_ETLS, 0, relocation->type);
    if (relocation->kind == ELFPARSE_SPECIAL_TLS_DESC)
        return store_descriptor(binder, relocation, place, value);
    if (relocation->kind == ELFPARSE_SPECIAL_TLS_MODULE)
        value = match->object->tls_module;
    else if (relocation->kind == ELFPARSE_SPECIAL_TLS_OFFSET)
        value = match->symbol.value + relocation->addend - dtv;
    store_word(binder, target_of(binder, relocation), value);
    return 0;
}

/* The callback of relocate.h for what it leaves to its caller. */
static int relocate_special(void *ctx, const struct elfparse_relocation *relocation)
{
    struct binder *binder = (struct binder *)ctx;
    struct elfp_link_place place = place_of(binder, relocation);
    struct elfp_link_match match;
    uint64_t value;
    int code;

    if (relocation->kind == ELFPARSE_SPECIAL_IRELATIVE) {
        code =
            call_ifunc(binder, &place,
                       elfp_link_address(binder->link, binder->object, relocation->addend), &value);
        if (code == 0)
            store_word(binder, target_of(binder, relocation), value);
        return code;
    }
    code = find_definition(binder, relocation, &place, &match);
    if (code != 0 || match.object == NULL)
        return code;
    if (relocation->kind == ELFPARSE_SPECIAL_COPY)
        return copy_contents(binder, relocation, &place, &match);
    return store_tls(binder, relocation, &place, &match);
}

/* Checks the relocations of an object, or applies them. */
static int relocate_object(const struct elfparse_link *link, const struct elfparse_object *object,
                           int writing, struct elfparse_link_error *error)
{
    const struct elfparse_plan *plan = object->plan;
    struct elfp_link_place place = {.error = error, .object = object};
    struct binder binder = {.link = link,
                            .object = object,
                            .error = error,
                            .work = ELFP_LINK_WORK,
                            .uncopied = plan->end - plan->start,
                            .writing = writing};
    struct elfparse_image image = {0};
    struct elfparse_error wrong;
    int code;

    image.machine = link->machine;
    image.flags = link->flags | (writing ? ELFPARSE_RELOCATE_CHECKED : ELFPARSE_RELOCATE_CHECK);
    image.ranges = plan->ranges;
    image.range_count = plan->range_count;
    image.bias = plan->bias;
    image.dynamic = plan->dynamic.size != 0 ? plan->dynamic.vaddr : 0;
    image.memory = object->memory;
    image.start = plan->start;
    image.size = plan->end - plan->start;
    image.bind = bind_symbol;
    image.special = relocate_special;
    image.ctx = &binder;
    code = elfparse_relocate(&image, &wrong);
    if (code == 0)
        return 0;
    if (binder.code != 0 && (!writing || binder.code == ELFPARSE_LINK_EIFUNC))
        return binder.code;
    /* What was right before something was written, and is wrong now, was changed. */
    if (writing)
        code = ELFPARSE_ERELCHANGED;
    place.address = wrong.offset;
    return elfp_link_fail(&place, code, wrong.expected, wrong.found);
}

int elfparse_link_relocate(struct elfparse_link *link, struct elfparse_link_error *error)
{
    int code = elfp_link_layout_tls(link, error);
    uint32_t i;

    for (i = 0; code == 0 && i < link->count; i++)
        code = elfp_link_check_versions(link, &link->objects[i], error);
    for (i = 0; code == 0 && i < link->count; i++)
        code = relocate_object(link, &link->objects[i], 0, error);
    for (i = link->count; code == 0 && i-- > 0;)
        code = relocate_object(link, &link->objects[i], 1, error);
    return code;
}

/*
 * Thread-local storage of the objects that are there from the start: each has a block at a fixed
 * distance from the thread pointer. Gaps that alignment leaves are used, as by the GNU C library, so
 * that offsets are the same. Source: Drepper, "ELF Handling For Thread-Local Storage".
 */

/* Thread-local storage of all objects: no more than offsets of 32 bits reach. */
#define TLS_MAX UINT64_C(0x7fffffff)

/* The blocks so far: they go up to end, but for a gap from low to high. */
struct layout {
    uint64_t end;
    uint64_t low;
    uint64_t high;
};

int elfp_link_tls_above(uint32_t machine)
{
    return machine != ELFPARSE_EM_X86_64 && machine != ELFPARSE_EM_386;
}

/* Bytes at the thread pointer that variant 1 leaves to the thread control block. */
static uint64_t control_block(uint32_t machine)
{
    switch (machine) {
    case ELFPARSE_EM_AARCH64:
        return 16;
    case ELFPARSE_EM_ARM:
        return 8;
    default:
        return 0;
    }
}

/* Bytes that the block's start is off a multiple of its alignment, downwards. */
static uint64_t skew(const struct elfparse_tls *tls)
{
    return (0 - tls->vaddr) & (tls->align - 1);
}

/* The distance below low of a block whose start is off by first: no less than low and its size. */
static uint64_t below(uint64_t low, uint64_t first, const struct elfparse_tls *tls)
{
    uint64_t least = low + tls->memsz > first ? low + tls->memsz - first : 0;

    return elfp_link_round_up(least, tls->align) + first;
}

/* Variant 2: distances below the thread pointer. */
static uint64_t place_below(struct layout *layout, const struct elfparse_tls *tls)
{
    uint64_t first = skew(tls), size = tls->memsz;
    uint64_t offset;

    if (layout->high - layout->low >= size) {
        offset = below(layout->low, first, tls);
        if (offset <= layout->high) {
            layout->low = offset;
            return offset;
        }
    }
    offset = below(layout->end, first, tls);
    if (offset > layout->end + size + (layout->high - layout->low)) {
        layout->low = layout->end;
        layout->high = offset - size;
    }
    layout->end = offset;
    return offset;
}

/* The first offset from low on where a block's aligned part can be, and its skew before it. */
static uint64_t above(uint64_t low, uint64_t first, uint64_t align)
{
    return elfp_link_round_up(low + first, align) - first;
}

/* Variant 1: offsets above the thread pointer. */
static uint64_t place_above(struct layout *layout, const struct elfparse_tls *tls)
{
    uint64_t first = skew(tls), size = tls->memsz;
    uint64_t offset = above(layout->low, first, tls->align);

    if (size <= layout->high - layout->low && offset + size <= layout->high) {
        layout->low = offset + size;
        return offset;
    }
    offset = above(layout->end, first, tls->align);
    if (offset - layout->end > layout->high - layout->low) {
        layout->low = layout->end;
        layout->high = offset;
    }
    layout->end = offset + size;
    return offset;
}

int elfp_link_layout_tls(struct elfparse_link *link, struct elfparse_link_error *error)
{
    struct layout layout = {control_block(link->machine), 0, 0};
    uint32_t i;

    link->tls_modules = 0;
    link->tls_align = 1;
    for (i = 0; i < link->count; i++) {
        struct elfparse_object *object = &link->objects[i];
        const struct elfparse_tls *tls = &object->plan->tls;
        struct elfp_link_place place = {.error = error, .object = object};

        object->tls_module = 0;
        if (tls->memsz == 0)
            continue;
        if (tls->memsz > TLS_MAX || tls->align > TLS_MAX ||
            layout.end + tls->memsz + 2 * tls->align > TLS_MAX)
            return elfp_link_fail(&place, ELFPARSE_LINK_ETLSSIZE, TLS_MAX, tls->memsz);
        object->tls_module = ++link->tls_modules;
        object->tls_offset = elfp_link_tls_above(link->machine) ? place_above(&layout, tls)
                                                                : place_below(&layout, tls);
        link->tls_align = tls->align > link->tls_align ? tls->align : link->tls_align;
    }
    link->tls_size = elfp_link_round_up(layout.end, link->tls_align);
    return 0;
}

void elfparse_link_fill_tls(const struct elfparse_link *link, void *block)
{
    uint8_t *bytes = (uint8_t *)block;

    memset(bytes, 0, (size_t)link->tls_size);
    for (uint32_t i = 0; i < link->count; i++) {
        const struct elfparse_object *object = &link->objects[i];
        const struct elfparse_tls *tls = &object->plan->tls;
        struct elfparse_view template = elfp_link_view(object, tls->vaddr, 0);
        uint64_t start = elfp_link_tls_above(link->machine) ? object->tls_offset
                                                            : link->tls_size - object->tls_offset;

        if (object->tls_module != 0 && tls->filesz <= template.size && tls->filesz <= tls->memsz)
            memcpy(bytes + start, template.bytes, (size_t)tls->filesz);
    }
}
