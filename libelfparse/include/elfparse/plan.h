/*
 * The load plan: everything that a loader needs to know of a program, judged before anything is
 * mapped. A plan is made once from a copy of the headers and does not refer to the file again, so
 * that what is mapped is what was judged.
 *
 * A loader walks ranges[] in order. Ranges are page-aligned, ascending and disjoint; the span
 * start..end covers them all, with holes where nothing is mapped.
 *
 *   FILE    pages of the file, from offset on. If the file ends inside the last page, file_bytes is
 *           below size, and the rest of that page is zero, as in a page cache.
 *   SPLIT   one page: file_bytes bytes from offset, then zeros, although the file may go on. It
 *           needs a private copy.
 *   ZERO    anonymous pages of zeros.
 */
#ifndef ELFPARSE_PLAN_H
#define ELFPARSE_PLAN_H

#include <elfparse/base.h>
#include <elfparse/error.h>
#include <elfparse/policy.h>
#include <elfparse/reader.h>

ELFPARSE_BEGIN_DECLS

enum elfparse_range_kind {
    ELFPARSE_RANGE_FILE = 1,
    ELFPARSE_RANGE_SPLIT = 2,
    ELFPARSE_RANGE_ZERO = 3
};

struct elfparse_range {
    uint64_t vaddr;      /* first address, a multiple of the policy's page size */
    uint64_t size;       /* bytes, a multiple of the page size, not 0 */
    uint64_t offset;     /* page-aligned file offset of vaddr; 0 for ZERO */
    uint64_t file_bytes; /* leading bytes that come from the file; the rest of the range is zero */
    uint32_t prot;       /* ELFPARSE_PF_R | W | X; never W and X */
    uint16_t segment;    /* index of the PT_LOAD's program header */
    uint16_t kind;       /* enum elfparse_range_kind */
};

/* A loader needs at most this many ranges for a file with that many PT_LOADs. */
#define ELFPARSE_RANGES_PER_LOAD 3u

/*
 * Bytes of scratch that are always enough for a file with that many program headers and an
 * interpreter path of that many bytes (NUL included). 64 more than needed for the tables: a window
 * on the notes. For files of 32 bits as well, whose headers take more room there than in the file.
 */
#define ELFPARSE_SCRATCH_SIZE(phnum, interp)                                                       \
    (ELFPARSE_EHDR_SIZE + (size_t)(phnum) * ELFPARSE_PHDR_SIZE + (size_t)(interp) + 64u)

/* Scratch of this size holds what nearly all files need and makes one read of most. */
#define ELFPARSE_SCRATCH_USUAL 2048u

/* The caller's storage for one plan; it must live, unchanged, as long as the plan is used. */
struct elfparse_storage {
    void *scratch;                 /* any alignment; the copy of the headers, plan.interp.path */
    size_t scratch_size;           /* bytes */
    struct elfparse_range *ranges; /* becomes plan.ranges */
    uint32_t range_capacity;       /* elements */
};

struct elfparse_interp {
    const char
        *path; /* absolute, NUL-terminated, in the caller's scratch; NULL: none, or not read */
    uint64_t offset; /* p_offset */
    uint64_t size;   /* p_filesz: the path, its NUL and padding; 0: asks for no interpreter */
};

struct elfparse_tls {
    uint64_t vaddr;  /* of the template; biased */
    uint64_t offset; /* of the template in the file */
    uint64_t filesz; /* bytes of the template */
    uint64_t memsz;  /* bytes of a thread's block; 0: no PT_TLS, or an empty one */
    uint64_t align;  /* a power of two, 1 or more */
};

struct elfparse_area {
    uint64_t vaddr; /* biased */
    uint64_t size;  /* bytes; 0: none */
};

struct elfparse_build_id {
    uint64_t offset; /* of the identifier's bytes in the file */
    uint64_t size;   /* bytes; 0: none, or notes were not read */
};

/* plan.features: what every object of the program was compiled for (psABI, "Program Property"). */
#define ELFPARSE_FEATURE_IBT   (1u << 0) /* x86-64, i386 */
#define ELFPARSE_FEATURE_SHSTK (1u << 1)
#define ELFPARSE_FEATURE_BTI   (1u << 0) /* AArch64 */
#define ELFPARSE_FEATURE_PAC   (1u << 1)
#define ELFPARSE_FEATURE_GCS   (1u << 2)

struct elfparse_plan {
    uint64_t entry;  /* AT_ENTRY, biased; 0: none (ELFPARSE_TRAIT_NO_ENTRY). Of PowerPC 64 with ABI
                        1 (flags & 3 is not 2) the address of a function descriptor. */
    uint64_t start;  /* lowest page of the span, biased */
    uint64_t end;    /* end of its last page, biased; the span fits the policy's user range */
    uint64_t align;  /* the load bias must be a multiple of it: a power of two, a page or more */
    uint64_t bias;   /* the load bias that was applied; 0 after elfparse_plan_make */
    uint64_t memory; /* sum of all p_memsz in bytes */
    uint64_t phdr_vaddr; /* AT_PHDR, biased: where the table at e_phoff is; 0: in no PT_LOAD */
    const struct elfparse_range *ranges; /* the caller's storage */
    uint32_t range_count;
    uint32_t load_count;  /* PT_LOADs that are not empty */
    uint16_t type;        /* ELFPARSE_ET_EXEC (bias 0 only) or ELFPARSE_ET_DYN */
    uint16_t phnum;       /* AT_PHNUM */
    uint32_t traits;      /* ELFPARSE_TRAIT_* */
    uint32_t features;    /* ELFPARSE_FEATURE_* of the machine */
    uint32_t stack_flags; /* p_flags of PT_GNU_STACK, PF_R | PF_W where there is none */
    uint64_t stack_size;  /* p_memsz of PT_GNU_STACK: a wish; 0: none */
    uint32_t flags;       /* e_flags */
    uint16_t machine;     /* e_machine */
    uint8_t elf_class;    /* ELFPARSE_CLASS32 or 64: AT_PHENT is 32 or 56 */
    uint8_t data;         /* ELFPARSE_DATALSB or MSB */
    struct elfparse_interp interp;
    struct elfparse_tls tls;
    struct elfparse_area relro;   /* as in the file, up to the end of its segment's last page */
    struct elfparse_area dynamic; /* PT_DYNAMIC; all of it bytes of the file that are mapped */
    struct elfparse_build_id build_id;
};

/*
 * Reads the headers through reader, judges them under policy and makes the plan, all addresses as
 * the file has them (for ET_DYN: relative to the load bias).
 *
 * policy NULL means elfparse_policy_kernel. On success returns 0, and plan with storage->ranges is
 * whole; error (which may be NULL) is not touched. On failure returns the error's code; *error says
 * what, where and why, *plan is all zero, and the contents of scratch and ranges are unspecified.
 * ELFPARSE_ESCRATCH and ELFPARSE_ERANGES say in error->expected how much is needed; the former may
 * be followed by another, larger one once more of the file was seen.
 *
 * Each byte of the headers is read at most once. Sources: gABI, "ELF Header", "Program Header",
 * "Program Loading"; x86-64 psABI, "Program Loading and Dynamic Linking"; the rules in README.md.
 */
int elfparse_plan_make(const struct elfparse_reader *reader, const struct elfparse_policy *policy,
                       const struct elfparse_storage *storage, struct elfparse_plan *plan,
                       struct elfparse_error *error);

/*
 * Adds bias to every address of plan and of its ranges (the same storage that was handed to
 * elfparse_plan_make, hence the second parameter), modulo 2^64, so that a program moves down by a
 * bias that is negative in two's complement; after checking that bias is a multiple of plan->align
 * and that the biased span lies in the policy's user range without a wrap (L4, L9).
 * ET_EXEC takes bias 0 only. A bias other than 0 can be applied once; bias 0 always succeeds.
 * policy NULL means elfparse_policy_kernel. Returns 0 or the error's code; on failure plan and
 * ranges are unchanged.
 */
int elfparse_plan_apply_bias(struct elfparse_plan *plan, const struct elfparse_storage *storage,
                             const struct elfparse_policy *policy, uint64_t bias,
                             struct elfparse_error *error);

/*
 * Called for each violation that elfparse_plan_diagnose finds. Returns 0 to go on, anything else to
 * stop there.
 */
typedef int (*elfparse_diagnose_fn)(void *ctx, const struct elfparse_error *error);

/*
 * As elfparse_plan_make, but goes on after a violation wherever the rest can still be judged, and
 * reports each through fn. Returns 0 if there was none, and plan is whole; else the first one's
 * code, and plan is all zero. For tools: a loader stops at the first.
 */
int elfparse_plan_diagnose(const struct elfparse_reader *reader,
                           const struct elfparse_policy *policy,
                           const struct elfparse_storage *storage, struct elfparse_plan *plan,
                           elfparse_diagnose_fn fn, void *ctx);

ELFPARSE_END_DECLS

#endif
