/*
 * Thread-local storage of the objects that are there from the start: each has a block at a fixed
 * distance from the thread pointer. Gaps that alignment leaves are used, as by the GNU C library, so
 * that offsets are the same. Source: Drepper, "ELF Handling For Thread-Local Storage".
 */
#include "linker.h"
#include "memory.h"

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
    uint64_t offset = elfp_link_round_up(low, align);

    return (offset - low < first ? offset + align : offset) - first;
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
        struct elfparse_view template = elfp_link_view(object, tls->vaddr);
        uint64_t start = elfp_link_tls_above(link->machine) ? object->tls_offset
                                                            : link->tls_size - object->tls_offset;

        if (object->tls_module != 0 && tls->filesz <= template.size && tls->filesz <= tls->memsz)
            memcpy(bytes + start, template.bytes, (size_t)tls->filesz);
    }
}
