/* A program header in host order, and what a rule's check answers. Internal. */
#ifndef ELFP_PHDR_H
#define ELFP_PHDR_H

#include <elfparse/base.h>

#include "bytes.h"

/* Violations happen once in a file's life: keep their code out of the straight path. */
#define ELFP_RARE(condition) __builtin_expect(!!(condition), 0)

/* One copy for all that call it. */
#define ELFP_APART __attribute__((noinline))

/* Called from cold code only, but as often as there are such files: fast rather than small. */
#define ELFP_WARM __attribute__((hot, noinline))

/* One copy in each caller, which knows an argument that all of it depends on. */
#define ELFP_ALWAYS_INLINE inline __attribute__((always_inline))

/* Of every file that is not an ordinary one of x86-64, if there may be any. */
#if ELFPARSE_MACHINES == ELFPARSE_MACHINE_X86_64
#define ELFP_FOREIGN ELFP_COLD
#else
#define ELFP_FOREIGN ELFP_WARM
#endif

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

/*
 * Where a header's pointer is kept, by its type: p_type 0 to 7 stand for themselves, and those from
 * PT_GNU_EH_FRAME to PT_GNU_PROPERTY follow. Other types have none.
 */
enum elfp_slot {
    ELFP_DYNAMIC = ELFPARSE_PT_DYNAMIC,
    ELFP_INTERP = ELFPARSE_PT_INTERP,
    ELFP_NOTE = ELFPARSE_PT_NOTE,
    ELFP_PHDR = ELFPARSE_PT_PHDR,
    ELFP_TLS = ELFPARSE_PT_TLS,
    ELFP_EH_FRAME = 8,
    ELFP_STACK,
    ELFP_RELRO,
    ELFP_PROPERTY,
    ELFP_SLOTS
};

/* The slots of which a file has at most one header (O2 to O7). */
#define ELFP_ONCE                                                                                  \
    (1u << ELFP_DYNAMIC | 1u << ELFP_INTERP | 1u << ELFP_PHDR | 1u << ELFP_TLS |                   \
     1u << ELFP_STACK | 1u << ELFP_RELRO | 1u << ELFP_PROPERTY)

/* The slot of a type, or ELFP_SLOTS. */
static inline uint32_t elfp_slot(uint32_t type)
{
    if (type < ELFP_EH_FRAME)
        return type;
    type -= ELFPARSE_PT_GNU_EH_FRAME;
    return type < ELFP_SLOTS - ELFP_EH_FRAME ? type + ELFP_EH_FRAME : ELFP_SLOTS;
}

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
