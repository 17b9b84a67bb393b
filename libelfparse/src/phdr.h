/* A program header in host order, and what a rule's check answers. Internal. */
#ifndef ELFP_PHDR_H
#define ELFP_PHDR_H

#include <elfparse/base.h>

#include "bytes.h"

/* Violations happen once in a file's life: keep their code out of the straight path. */
#define ELFP_RARE(condition) __builtin_expect(!!(condition), 0)

/* Out of the straight path, and small rather than fast. */
#define ELFP_COLD __attribute__((cold, noinline))

/* Elf64_Phdr without p_paddr (gABI, "Program Header"). */
struct elfp_phdr {
    uint64_t offset;
    uint64_t vaddr;
    uint64_t filesz;
    uint64_t memsz;
    uint64_t align;
    uint32_t flags;
};

/* Byte offsets of the fields in the file. */
enum {
    ELFP_P_TYPE = 0,
    ELFP_P_FLAGS = 4,
    ELFP_P_OFFSET = 8,
    ELFP_P_VADDR = 16,
    ELFP_P_FILESZ = 32,
    ELFP_P_MEMSZ = 40,
    ELFP_P_ALIGN = 48
};

/*
 * What a check found: faults are bits of the check's own enumeration, traits are ELFPARSE_TRAIT_*.
 * Checks add bits up, each at most once, since provers are better at sums than at masks.
 */
struct elfp_finding {
    uint32_t faults;
    uint32_t traits;
};

/*@ requires \valid_read(p + (0 .. 55));
    requires \valid(out);
    requires \separated(out, p + (0 .. 55));
    assigns *out;
*/
static inline void elfp_phdr_decode(const uint8_t *p, struct elfp_phdr *out)
{
    out->flags = elfp_le32(p + ELFP_P_FLAGS);
    out->offset = elfp_le64(p + ELFP_P_OFFSET);
    out->vaddr = elfp_le64(p + ELFP_P_VADDR);
    out->filesz = elfp_le64(p + ELFP_P_FILESZ);
    out->memsz = elfp_le64(p + ELFP_P_MEMSZ);
    out->align = elfp_le64(p + ELFP_P_ALIGN);
}

#endif
