#include "judge.h"

#define DYN_SIZE 16u /* sizeof(Elf64_Dyn) */

/* Index of the first NUL of the size bytes at path, or size. */
static uint64_t find_nul(const uint8_t *path, uint64_t size)
{
    uint64_t i = 0;

    while (i < size && path[i] != 0)
        i++;
    return i;
}

int elfp_contents_interp(struct elfp_judge *judge, const struct elfp_phdr *phdr, uint32_t index)
{
    const uint8_t *path;
    uint64_t nul;

    if (elfp_fetch_keep(judge, phdr->offset, (size_t)phdr->filesz, &path) != 0)
        return 1;
    nul = find_nul(path, phdr->filesz);
    if (ELFP_RARE(nul != phdr->filesz - 1)) {
        struct elfp_detail detail = {phdr->offset, phdr->filesz - 1, nul};

        return elfp_raise_other(judge, ELFP_OTHER_INTERP_NUL, index, &detail);
    }
    if (ELFP_RARE(path[0] != '/') && elfp_raise_traits(judge, ELFPARSE_TRAIT_INTERP_REL, index))
        return 1;
    judge->plan->interp.path = (const char *)path;
    return 0;
}

/*
 * A table nearly always has DT_NULL last, so one look there settles it. Otherwise anything may follow
 * the DT_NULL that ends the table.
 */
int elfp_contents_dynamic(struct elfp_judge *judge, const struct elfp_phdr *phdr, uint32_t index)
{
    uint64_t at = phdr->filesz - DYN_SIZE;
    uint64_t next = 0;
    const uint8_t *entry;

    if (elfp_fetch_view(judge, phdr->offset + at, DYN_SIZE, &entry) != 0)
        return 1;
    while (ELFP_RARE(elfp_le64(entry) != 0)) {
        struct elfp_detail detail = {phdr->offset + phdr->filesz, 0, 0};

        if (next == at)
            return elfp_raise_other(judge, ELFP_OTHER_DYN_END, index, &detail);
        if (elfp_fetch_view(judge, phdr->offset + next, DYN_SIZE, &entry) != 0)
            return 1;
        next += DYN_SIZE;
    }
    return 0;
}
