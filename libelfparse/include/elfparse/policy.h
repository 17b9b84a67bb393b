/*
 * What an embedder lets through. The hard rules hold under every policy; a policy sets the limits,
 * says which traits of a well-formed file are refused all the same, and which contents are looked
 * into.
 */
#ifndef ELFPARSE_POLICY_H
#define ELFPARSE_POLICY_H

#include <elfparse/base.h>

ELFPARSE_BEGIN_DECLS

/*
 * Traits: what is worth knowing about a file, and what a policy may refuse. A plan lists those that
 * its file has; a file with one that policy.refuse names is refused with the code in the comment.
 */
#define ELFPARSE_TRAIT_OSABI       (1u << 0)  /* E4, neither SYSV nor GNU: EOSABI */
#define ELFPARSE_TRAIT_ABIVERSION  (1u << 1)  /* E4, not 0: EABIVERSION */
#define ELFPARSE_TRAIT_PADDING     (1u << 2)  /* E4, e_ident's padding not zero: EPADDING */
#define ELFPARSE_TRAIT_EFLAGS      (1u << 3)  /* E6, e_flags not 0: EFLAGS */
#define ELFPARSE_TRAIT_FIXED       (1u << 4)  /* E5, ET_EXEC: EFIXED */
#define ELFPARSE_TRAIT_SEGFLAGS    (1u << 5)  /* L8, bits of PF_MASKOS or PF_MASKPROC: ESEGFLAGS */
#define ELFPARSE_TRAIT_UNREADABLE  (1u << 6)  /* L8, a PT_LOAD without PF_R: EUNREADABLE */
#define ELFPARSE_TRAIT_ZERO_RO     (1u << 7)  /* L10, zero pages without PF_W, PF_X: EZEROPERM */
#define ELFPARSE_TRAIT_EMPTY_LOAD  (1u << 8)  /* L13, a PT_LOAD of p_memsz 0: EEMPTYLOAD */
#define ELFPARSE_TRAIT_NO_ENTRY    (1u << 9)  /* O1, a shared object without entry: ENOENTRY */
#define ELFPARSE_TRAIT_INTERP      (1u << 10) /* O2, asks for an interpreter: EINTERP */
#define ELFPARSE_TRAIT_INTERP_LATE (1u << 11) /* O2, PT_INTERP after a PT_LOAD: EINTERPORDER */
#define ELFPARSE_TRAIT_INTERP_REL  (1u << 12) /* O2, a relative path: EINTERPPATH */
#define ELFPARSE_TRAIT_EXEC_STACK  (1u << 13) /* O6, PT_GNU_STACK with PF_X: ESTACK */
#define ELFPARSE_TRAIT_NOTES       (1u << 14) /* O8, damaged: ENOTE, EPROPERTY, ... */
#define ELFPARSE_TRAIT_COUNT       15u

/*
 * Contents beyond the headers that elfparse_plan_make reads and judges, for policy.contents. With
 * any of them the headers O2 to O8 are judged as well.
 */
#define ELFPARSE_READ_INTERP  (1u << 0) /* the path of PT_INTERP (O2) */
#define ELFPARSE_READ_DYNAMIC (1u << 1) /* the end of PT_DYNAMIC (O4) */
#define ELFPARSE_READ_NOTES   (1u << 2) /* PT_NOTE and PT_GNU_PROPERTY (O8) */
#define ELFPARSE_READ_ALL     7u

struct elfparse_policy {
    uint64_t user_min;   /* lowest address a program may map, page-aligned; 0 would allow page 0 */
    uint64_t user_end;   /* end of what a program may map, page-aligned; 0 refuses everything */
    uint64_t max_memory; /* limit of the sum of all p_memsz in bytes; 0 refuses everything */
    uint64_t max_align;  /* largest p_align of a PT_LOAD; 0 allows only p_align 0 */
    uint64_t max_tls_size;  /* largest p_memsz of PT_TLS; 0 refuses all but an empty one */
    uint64_t max_tls_align; /* largest p_align of PT_TLS; 0 allows only p_align 0 */
    /* Largest p_filesz of a PT_NOTE or PT_GNU_PROPERTY, of which max_phnum may name the same bytes;
     * 0: only empty ones. */
    uint64_t max_note_bytes;
    uint32_t max_phnum;  /* largest e_phnum; 0 refuses everything */
    uint32_t max_loads;  /* largest number of PT_LOADs that are not empty; 0 refuses everything */
    uint32_t max_interp; /* largest p_filesz of PT_INTERP, the NUL included */
    uint32_t refuse;     /* ELFPARSE_TRAIT_*; 0 refuses no trait */
    uint32_t contents;   /* ELFPARSE_READ_*; 0: the Ehdr and PT_LOAD only (E1 to L13, O1) */
    uint32_t machines;   /* ELFPARSE_MACHINE_*; 0 refuses everything */
    uint32_t page_size;  /* 4096, 16384 or 65536; others are an argument error */
};

/*
 * The policies below accept x86-64 and map pages of 4 KiB. For another machine copy one and set
 * machines, page_size and the user range.
 *
 * For a kernel that is going to run the file. Beyond what linux_compat refuses: a file without
 * entry, a relative interpreter, an executable stack, and what passes smaller limits.
 */
extern const struct elfparse_policy elfparse_policy_kernel;

/*
 * As elfparse_policy_kernel, for the file that a PT_INTERP names. Its own PT_INTERP and what it
 * wants the stack to be are ignored, as Linux does; its path is not read. One of ET_EXEC must not
 * be where the program, its break or its stack are, which its caller has to look after.
 */
extern const struct elfparse_policy elfparse_policy_kernel_interp;

/*
 * Every file that linkers write and Linux runs, shared objects included. Limits are those of Linux.
 * A field that nobody uses to map or start the program does not decide: damage in it is a trait.
 */
extern const struct elfparse_policy elfparse_policy_linux_compat;

ELFPARSE_END_DECLS

#endif
