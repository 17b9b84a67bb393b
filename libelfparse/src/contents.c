#include "judge.h"

#define DYN_SIZE 16u /* sizeof(Elf64_Dyn) */

/* Some byte of the eight is 0 (the low bits of a word survive only in bytes that are). */
static inline uint64_t has_nul(uint64_t word)
{
    const uint64_t low = UINT64_C(0x0101010101010101);

    return (word - low) & ~word & (low << 7);
}

/* The path of size bytes, 9 or more, has its only NUL at its end. */
static inline int is_path(const uint8_t *path, uint64_t size)
{
    uint64_t last = size - 9; /* the word that ends before the NUL; words may overlap */
    uint64_t found = has_nul(elfp_le64(path + last));
    uint64_t i;

    for (i = 0; i < last; i += 8)
        found |= has_nul(elfp_le64(path + i));
    return found == 0 && path[size - 1] == 0;
}

/* A path that is short, relative or has its first NUL elsewhere. */
static ELFP_COLD int judge_path(struct elfp_judge *judge, const uint8_t *path, uint64_t size)
{
    const uint8_t *header = judge->place[ELFP_INTERP];
    uint64_t nul = 0;

    while (nul < size && path[nul] != 0)
        nul++;
    if (nul != size - 1) {
        struct elfp_detail detail = {elfp_le64(header + ELFP_P_OFFSET), size - 1, nul};

        return elfp_raise(judge, ELFP_OF_OTHER, ELFP_OTHER_INTERP_NUL, header, &detail);
    }
    judge->plan->interp.path = (const char *)path;
    return path[0] != '/' && elfp_raise_traits(judge, ELFPARSE_TRAIT_INTERP_REL, header) != 0;
}

int elfp_contents_interp(struct elfp_judge *judge, const uint8_t *header)
{
    uint64_t size = elfp_le64(header + ELFP_P_FILESZ);
    const uint8_t *path;

    if (elfp_fetch_keep(judge, elfp_le64(header + ELFP_P_OFFSET), (size_t)size, &path) != 0)
        return 1;
    if (ELFP_RARE(size < 9) || ELFP_RARE(!is_path(path, size)) || ELFP_RARE(path[0] != '/'))
        return judge_path(judge, path, size);
    judge->plan->interp.path = (const char *)path;
    return 0;
}

/* Looks for the DT_NULL in all entries but the last one, which is none. */
static ELFP_COLD int find_end(struct elfp_judge *judge, const uint8_t *header)
{
    uint64_t next = elfp_le64(header + ELFP_P_OFFSET);
    uint64_t end = next + elfp_le64(header + ELFP_P_FILESZ);
    struct elfp_detail detail = {end, 0, 0};
    const uint8_t *entry;

    for (; next != end - DYN_SIZE; next += DYN_SIZE) {
        if (elfp_view(judge, next, DYN_SIZE, &entry) != 0)
            return 1;
        if (elfp_le64(entry) == 0)
            return 0;
    }
    return elfp_raise(judge, ELFP_OF_OTHER, ELFP_OTHER_DYN_END, header, &detail);
}

/*
 * A table nearly always has DT_NULL last, so one look there settles it. Otherwise anything may
 * follow the DT_NULL that ends the table.
 */
int elfp_contents_dynamic(struct elfp_judge *judge, const uint8_t *header)
{
    uint64_t end = elfp_le64(header + ELFP_P_OFFSET) + elfp_le64(header + ELFP_P_FILESZ);
    const uint8_t *entry;

    if (elfp_view(judge, end - DYN_SIZE, DYN_SIZE, &entry) != 0)
        return 1;
    return ELFP_RARE(elfp_le64(entry) != 0) && find_end(judge, header) != 0;
}
