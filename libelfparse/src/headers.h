/*
 * The Ehdr, program headers and notes: where their fields are, and the rules that are pure, E1 to E9
 * of the Ehdr and L2 to L10 of one PT_LOAD. Internal.
 */
#ifndef ELFP_HEADERS_H
#define ELFP_HEADERS_H

#include <elfparse/base.h>
#include <elfparse/plan.h>

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

/* Byte offsets of the fields in the file (gABI, "ELF Header"). */
enum {
    ELFP_EI_CLASS = 4,
    ELFP_EI_DATA = 5,
    ELFP_EI_VERSION = 6,
    ELFP_EI_OSABI = 7,
    ELFP_EI_ABIVERSION = 8,
    ELFP_EI_PAD = 9,
    ELFP_E_TYPE = 16,
    ELFP_E_MACHINE = 18,
    ELFP_E_VERSION = 20,
    ELFP_E_ENTRY = 24,
    ELFP_E_PHOFF = 32,
    ELFP_E_SHOFF = 40,
    ELFP_E_FLAGS = 48,
    ELFP_E_EHSIZE = 52,
    ELFP_E_PHENTSIZE = 54,
    ELFP_E_PHNUM = 56,
    ELFP_E_SHENTSIZE = 58,
    ELFP_E_SHNUM = 60,
    ELFP_E_SHSTRNDX = 62
};

/* In the order in which they are reported. */
enum elfp_ehdr_fault {
    ELFP_EHDR_MAGIC = 1u << 0,        /* E1 */
    ELFP_EHDR_CLASS = 1u << 1,        /* E2 */
    ELFP_EHDR_DATA = 1u << 2,         /* E2 */
    ELFP_EHDR_IVERSION = 1u << 3,     /* E3, in e_ident */
    ELFP_EHDR_VERSION = 1u << 4,      /* E3 */
    ELFP_EHDR_TYPE = 1u << 5,         /* E5 */
    ELFP_EHDR_OBJECT = 1u << 6,       /* E5 */
    ELFP_EHDR_CORE = 1u << 7,         /* E5 */
    ELFP_EHDR_MACHINE = 1u << 8,      /* E6 */
    ELFP_EHDR_EHSIZE = 1u << 9,       /* E7 */
    ELFP_EHDR_PHENTSIZE = 1u << 10,   /* E7 */
    ELFP_EHDR_NOPHDR = 1u << 11,      /* E8 */
    ELFP_EHDR_XNUM = 1u << 12,        /* E8 */
    ELFP_EHDR_PHNUM = 1u << 13,       /* E8 */
    ELFP_EHDR_PHOFF_LOW = 1u << 14,   /* E9 */
    ELFP_EHDR_PHOFF_ALIGN = 1u << 15, /* E9 */
    ELFP_EHDR_PHTABLE = 1u << 16,     /* E9 */
    ELFP_EHDR_NOLOAD = 1u << 17,      /* L1, found once the program headers were seen */
    ELFP_EHDR_ENTRY = 1u << 18        /* O1, likewise */
};

/*
 * Not a file of an accepted class and byte order at all: what its other fields hold means nothing.
 */
#define ELFP_EHDR_FOREIGN (ELFP_EHDR_MAGIC | ELFP_EHDR_CLASS | ELFP_EHDR_DATA)

/*
 * Without these nothing is known about the program headers. A table that overlaps the Ehdr is none:
 * what is done with the scratch relies on its place behind the Ehdr.
 */
#define ELFP_EHDR_FATAL                                                                            \
    (ELFP_EHDR_FOREIGN | ELFP_EHDR_TYPE | ELFP_EHDR_OBJECT | ELFP_EHDR_CORE |                      \
     ELFP_EHDR_PHENTSIZE | ELFP_EHDR_NOPHDR | ELFP_EHDR_XNUM | ELFP_EHDR_PHNUM |                   \
     ELFP_EHDR_PHOFF_LOW | ELFP_EHDR_PHTABLE)

/* First four bytes of every ELF file, read as a little-endian number. */
#define ELFP_MAGIC 0x464c457fu

/* What a machine's files have in common. */
struct elfp_target {
    uint16_t machine;
    uint8_t elf_class;
    uint8_t data;
};

/* Of the accepted machines that which is most like the file's, for errors. */
struct elfp_target elfp_target_expected(const uint8_t *ehdr, uint32_t machine, uint32_t accepted);

/* Index in e_ident of the first padding byte that is not zero; the last one where all before are.
 */
uint32_t elfp_ehdr_padding(const uint8_t *ehdr);

/* In the order in which they are reported; the first 13 of one segment. */
enum elfp_load_fault {
    ELFP_LOAD_FILESZ = 1u << 0,      /* L2 */
    ELFP_LOAD_OFFSET = 1u << 1,      /* L3 */
    ELFP_LOAD_WRAP = 1u << 2,        /* L4 */
    ELFP_LOAD_ALIGN = 1u << 3,       /* L5 */
    ELFP_LOAD_ALIGN_LIMIT = 1u << 4, /* L5 */
    ELFP_LOAD_CONGRUENT = 1u << 5,   /* L5 */
    ELFP_LOAD_ORDER = 1u << 6,       /* L6 */
    ELFP_LOAD_OVERLAP = 1u << 7,     /* L6 */
    ELFP_LOAD_SHARED = 1u << 8,      /* L7 */
    ELFP_LOAD_WX = 1u << 9,          /* L8 */
    ELFP_LOAD_FLAGS = 1u << 10,      /* L8 */
    ELFP_LOAD_HIGH = 1u << 11,       /* L9 */
    ELFP_LOAD_ZEROPERM = 1u << 12,   /* L10 */
    ELFP_LOAD_LOW = 1u << 13,        /* L9, of all segments together, as the next three */
    ELFP_LOAD_SPAN = 1u << 14,       /* L9 */
    ELFP_LOAD_MEMORY = 1u << 15,     /* L11 */
    ELFP_LOAD_LIMIT = 1u << 16,      /* policy.max_loads */
    ELFP_LOAD_DUPLICATE = 1u << 17,  /* O2 to O8, of another header */
    ELFP_LOAD_EMPTY_HIGH = 1u << 18  /* L13 */
};

/* No policy reaches beyond the lower half of a 57-bit address space (Intel SDM, 5-Level Paging). */
#define ELFP_ADDRESS_END (UINT64_C(1) << 56)

/* Programs of 32 bits reach no further. */
#define ELFP_ADDRESS32_END (UINT64_C(1) << 32)

/* The fields of the judgement that the rules for one segment look at. */
struct elfp_bounds {
    uint64_t file_size;
    uint64_t user_end; /* at most ELFP_ADDRESS_END */
    uint64_t max_align;
    uint64_t usual_align; /* p_align that needs no closer look: a page, or 0 if max_align is less */
    uint64_t usual_end; /* user_end; 0 if pages do not have the usual size: all get a closer look */
    uint64_t page;      /* their size, a power of two; unspecified where there is but one */
};

/* Of these machines there are other page sizes than 4 KiB (Linux: PAGE_SIZE of arch/). */
#define ELFP_MACHINES_PAGES                                                                        \
    (~(ELFPARSE_MACHINE_X86_64 | ELFPARSE_MACHINE_I386 | ELFPARSE_MACHINE_S390X))

/* bounds->page, known at compile time where no machine is left that has other sizes. */
#if (ELFPARSE_MACHINES & ELFP_MACHINES_PAGES) != 0
#define ELFP_PAGE(bounds) ((bounds)->page)
#else
#define ELFP_PAGE(bounds) ((void)(bounds), ELFPARSE_PAGE_SIZE)
#endif

/*@ predicate in_file(struct elfp_bounds *b, struct elfp_phdr *p) =
      p->filesz <= p->memsz && (p->filesz == 0 || p->offset + p->filesz <= b->file_size);
    predicate is_page(integer size) = size == 4096 || size == 16384 || size == 65536;
    predicate shares(struct elfp_phdr *last, struct elfp_phdr *p) =
      last->flags == p->flags && last->filesz == last->memsz && p->filesz != 0;
*/

/*
 * All faults and traits of the segment at phdr, p_memsz not 0. last: the segment taken in before
 * it, which ends, rounded up to its page, at last_end; for the first, last_end is 0.
 */
struct elfp_finding elfp_load_check(const struct elfp_bounds *bounds, const struct elfp_phdr *phdr,
                                    const struct elfp_phdr *last, uint64_t last_end);

/* addr rounded down to its page; page is a power of two. */
/*@ assigns \nothing;
    ensures is_page(page) ==> \result <= addr;
*/
static inline uint64_t elfp_page_floor(uint64_t addr, uint64_t page)
{
    return addr & ~(page - 1);
}

/* addr rounded up to a page; addr is at most 2^64 - page. */
static inline uint64_t elfp_page_ceil(uint64_t addr, uint64_t page)
{
    return (addr + (page - 1)) & ~(page - 1);
}

/*
 * A fast check that nearly every segment passes. It returns not 0 for a segment that is readable,
 * has aligned file bytes on pages of its own, and has zeros after them only if it is writable: then
 * elfp_load_check would find no fault. After 0, elfp_load_check must decide. Decodes the 56 bytes
 * at header; *phdr is complete only if the result is not 0. Other arguments: see elfp_load_check.
 */
/*@ requires \valid_read(bounds) && \valid_read(header + (0 .. 55)) && \valid(phdr);
    requires \separated(phdr, bounds, header + (0 .. 55));
    assigns *phdr;
    ensures in_file: \result != 0 ==> in_file(bounds, phdr);
    ensures in_range: \result != 0 ==> phdr->vaddr + phdr->memsz <= bounds->usual_end;
    ensures no_wx: \result != 0 ==> phdr->flags != 3 && phdr->flags <= 6;
    ensures alone: \result != 0 ==> phdr->vaddr >= last_end;
    ensures zeros: \result != 0 && phdr->filesz < phdr->memsz ==> phdr->flags == 6;
*/
static inline int elfp_load_usual(const struct elfp_bounds *bounds, const uint8_t *header,
                                  uint64_t last_end, struct elfp_phdr *phdr)
{
    phdr->vaddr = elfp_le64(header + ELFP_P_VADDR);
    phdr->memsz = elfp_le64(header + ELFP_P_MEMSZ);
    if (phdr->vaddr > bounds->usual_end || phdr->memsz > bounds->usual_end - phdr->vaddr)
        return 0;
    phdr->offset = elfp_le64(header + ELFP_P_OFFSET);
    phdr->filesz = elfp_le64(header + ELFP_P_FILESZ);
    if (phdr->offset > bounds->file_size ||
        phdr->filesz - 1 >= bounds->file_size - phdr->offset || /* nor is it 0 */
        ((phdr->vaddr ^ phdr->offset) & (ELFPARSE_PAGE_SIZE - 1)) != 0 ||
        elfp_page_floor(phdr->vaddr, ELFPARSE_PAGE_SIZE) < last_end)
        return 0;
    phdr->align = elfp_le64(header + ELFP_P_ALIGN);
    phdr->flags = elfp_le32(header + ELFP_P_FLAGS);
    if (phdr->align != bounds->usual_align)
        return 0;
    if (phdr->memsz == phdr->filesz)
        return phdr->flags >= ELFPARSE_PF_R && phdr->flags <= (ELFPARSE_PF_R | ELFPARSE_PF_W);
    return phdr->memsz > phdr->filesz && phdr->flags == (ELFPARSE_PF_R | ELFPARSE_PF_W);
}

/* The file bytes of a segment that was taken in hold size bytes at offset, not 0. */
static inline int elfp_holds(const uint8_t *load, uint64_t offset, uint64_t size)
{
    uint64_t into = offset - elfp_le64(load + ELFP_P_OFFSET);
    uint64_t filesz = elfp_le64(load + ELFP_P_FILESZ);

    return into <= filesz && size <= filesz - into;
}

/* O1: entry is one of the segment's executable file bytes; the segment was judged. */
/*@ requires \valid_read(phdr);
    assigns \nothing;
    ensures inside: \result != 0 && phdr->vaddr + phdr->filesz <= ELFP_ADDRESS_END ==>
            phdr->vaddr <= entry < phdr->vaddr + phdr->filesz;
    ensures executable: \result != 0 ==> (phdr->flags & 1) != 0;
*/
static inline int elfp_holds_entry(const struct elfp_phdr *phdr, uint64_t entry)
{
    return (phdr->flags & ELFPARSE_PF_X) != 0 && entry - phdr->vaddr < phdr->filesz;
}

/* The layout of one note (gABI, "Note Section"; 8-byte padding: Linux gABI extensions). */
#define ELFP_NHDR_SIZE 12u

/* Types of notes whose name is "GNU". */
#define ELFP_NT_GNU_BUILD_ID 3u
#define ELFP_NT_GNU_PROPERTY 5u

struct elfp_note {
    uint32_t type;
    uint32_t namesz;
    uint32_t descsz;
    uint64_t desc; /* offset of the descriptor from the note's start */
    uint64_t next; /* bytes of the whole note, its padding included */
};

/*
 * Measures the note whose 12 header bytes are at bytes, of a big-endian file if big is not 0; align
 * is 4 or 8. Sizes are 32 bits wide, so
 * nothing wraps. Returns the bytes that the note needs without the padding at its end.
 */
static inline uint64_t elfp_note_measure(const uint8_t *bytes, uint64_t align, uint32_t big,
                                         struct elfp_note *note)
{
    note->namesz = elfp_get32(bytes, big);
    note->descsz = elfp_get32(bytes + 4, big);
    note->type = elfp_get32(bytes + 8, big);
    note->desc = ((uint64_t)note->namesz + ELFP_NHDR_SIZE + align - 1) & (0 - align);
    note->next = (note->desc + note->descsz + align - 1) & (0 - align);
    return note->desc + note->descsz;
}

/* The padding of the notes in a header or section with that alignment: 8 or else 4. */
static inline uint64_t elfp_note_align(uint64_t align)
{
    return align == 8 ? 8 : 4;
}

#endif
