#include "fail.h"
#include "memory.h"
#include "phdr.h"
#include "relocator.h"

/* What was wrong before something was applied is wrong; what is so only then was changed. */
ELFP_COLD int elfp_reloc_fail(const struct elfp_reloc_state *state, int code, uint64_t expected,
                              uint64_t found)
{
    if (state->pass != ELFP_RELOC_CHECK && code != ELFPARSE_ERELCALL)
        code = ELFPARSE_ERELCHANGED;
    return elfp_fail(state->error, code, ELFPARSE_RULE_NONE, state->entry, expected, found);
}

/*
 * The memory from the range on that has address, as far as ranges with that right follow each other
 * without a hole. 1, or 0 where there is none, or it has not that right.
 */
static int find_region(const struct elfparse_image *image, uint64_t address, uint32_t prot,
                       struct elfp_reloc_region *region)
{
    const struct elfparse_range *range = image->ranges, *end = range + image->range_count;

    while (range < end && address - range->vaddr >= range->size)
        range++;
    if (range == end || (range->prot & prot) != prot)
        return 0;
    region->start = range->vaddr;
    region->size = range->size;
    while (++range < end && (range->prot & prot) == prot &&
           range->vaddr == region->start + region->size)
        region->size += range->size;
    return 1;
}

/* 1 if the bytes lie in ranges. */
int elfp_reloc_readable(const struct elfp_reloc_state *state, uint64_t address, uint64_t size)
{
    struct elfp_reloc_region region = {0, 0};

    return find_region(state->image, address, 0, &region) &&
           elfp_reloc_inside(address, size, region.start, region.size);
}

/* The bytes must lie in ranges. */
int elfp_reloc_read_bytes(const struct elfp_reloc_state *state, uint64_t address, void *to,
                          size_t size)
{
    const struct elfparse_image *image = state->image;
    int answer;

    if (image->memory != NULL) {
        memcpy(to, (const uint8_t *)image->memory + (address - image->start), size);
        return 0;
    }
    answer = image->read(image->ctx, address, to, size);
    if (answer >= 0)
        return 0;
    return elfp_reloc_fail(state, ELFPARSE_ERELCALL, 0, (uint64_t)(int64_t)answer);
}

/* As read_bytes, of any address. */
int elfp_reloc_read_checked(const struct elfp_reloc_state *state, uint64_t address, void *to,
                            size_t size)
{
    if (!elfp_reloc_readable(state, address, size))
        return elfp_reloc_fail(state, ELFPARSE_ERELTABLE, size, address);
    return elfp_reloc_read_bytes(state, address, to, size);
}

int elfp_reloc_write(const struct elfp_reloc_state *state, uint64_t address, const uint8_t *bytes,
                     size_t size)
{
    const struct elfparse_image *image = state->image;
    int answer;

    if (image->memory != NULL) {
        memcpy((uint8_t *)image->memory + (address - image->start), bytes, size);
        return 0;
    }
    answer = image->write(image->ctx, address, bytes, size);
    if (answer >= 0)
        return 0;
    return elfp_reloc_fail(state, ELFPARSE_ERELCALL, 0, (uint64_t)(int64_t)answer);
}

/* Checks that a target lies in memory that relocations may change. */
int elfp_reloc_check_target(struct elfp_reloc_state *state, uint64_t address, uint64_t size)
{
    uint32_t prot = (state->image->flags & ELFPARSE_RELOCATE_TEXT) != 0 ? 0 : ELFPARSE_PF_W;

    if (elfp_reloc_inside(address, size, state->targets.start, state->targets.size))
        return 0;
    if (find_region(state->image, address, prot, &state->targets) &&
        elfp_reloc_inside(address, size, state->targets.start, state->targets.size))
        return 0;
    state->targets.size = 0;
    return elfp_reloc_fail(
        state, elfp_reloc_readable(state, address, size) ? ELFPARSE_ERELTEXT : ELFPARSE_ERELTARGET,
        size, address);
}
