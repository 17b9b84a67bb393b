#include "judge.h"

#define DYN_SIZE 16u /* sizeof(Elf64_Dyn) */

/* Some byte of the eight is 0 (the low bits of a word survive only in bytes that are). */
static int has_nul(uint64_t word)
{
    const uint64_t low = UINT64_C(0x0101010101010101);

    return ((word - low) & ~word & (low << 7)) != 0;
}

/* Index of the first NUL of the size bytes at path, or size. */
static uint64_t find_nul(const uint8_t *path, uint64_t size)
{
    uint64_t i = 0;

    while (size - i >= 8 && !has_nul(elfp_le64(path + i)))
        i += 8;
    while (i < size && path[i] != 0)
        i++;
    return i;
}

int elfp_contents_interp(struct elfp_judge *judge, uint64_t offset, uint64_t size, uint32_t index)
{
    const uint8_t *path;
    uint64_t nul;

    if (elfp_fetch_keep(judge, offset, (size_t)size, &path) != 0)
        return 1;
    nul = find_nul(path, size);
    if (ELFP_RARE(nul != size - 1)) {
        struct elfp_detail detail = {offset, size - 1, nul};

        return elfp_raise_other(judge, ELFP_OTHER_INTERP_NUL, index, &detail);
    }
    if (ELFP_RARE(path[0] != '/') && elfp_raise_traits(judge, ELFPARSE_TRAIT_INTERP_REL, index))
        return 1;
    judge->plan->interp.path = (const char *)path;
    return 0;
}

/*
 * A table nearly always has DT_NULL last, so one look there settles it. Otherwise anything may
 * follow the DT_NULL that ends the table.
 */
int elfp_contents_dynamic(struct elfp_judge *judge, uint64_t offset, uint64_t size, uint32_t index)
{
    uint64_t last = offset + size - DYN_SIZE;
    uint64_t next = offset;
    const uint8_t *entry;

    if (elfp_view(judge, last, DYN_SIZE, &entry) != 0)
        return 1;
    while (ELFP_RARE(elfp_le64(entry) != 0)) {
        struct elfp_detail detail = {offset + size, 0, 0};

        if (next == last)
            return elfp_raise_other(judge, ELFP_OTHER_DYN_END, index, &detail);
        if (elfp_view(judge, next, DYN_SIZE, &entry) != 0)
            return 1;
        next += DYN_SIZE;
    }
    return 0;
}
