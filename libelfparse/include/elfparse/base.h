/*
 * libelfparse: what every header of the library needs.
 *
 * The library is freestanding: it asks for memcpy, memmove, memset and memcmp and nothing else,
 * keeps no state, allocates nothing and logs nothing. Two calls on different storage never affect
 * each other; calls that share storage are serialised by the caller.
 */
#ifndef ELFPARSE_BASE_H
#define ELFPARSE_BASE_H

#include <stddef.h>
#include <stdint.h>

/* The version of these headers; elfparse_version() gives that of the library. */
#define ELFPARSE_VERSION_MAJOR  0
#define ELFPARSE_VERSION_MINOR  2
#define ELFPARSE_VERSION_PATCH  0
#define ELFPARSE_VERSION_STRING "0.2.0"

/* A version as a number, to compare: ELFPARSE_VERSION >= ELFPARSE_VERSION_NUMBER(0, 2, 0). */
#define ELFPARSE_VERSION_NUMBER(major, minor, patch) ((major) * 1000000 + (minor) * 1000 + (patch))
#define ELFPARSE_VERSION                                                                           \
    ELFPARSE_VERSION_NUMBER(ELFPARSE_VERSION_MAJOR, ELFPARSE_VERSION_MINOR, ELFPARSE_VERSION_PATCH)

/*
 * Around declarations. In a freestanding compile, such as that of the static library or of a kernel,
 * functions and data are reached without a table of addresses. In a hosted one they may be in a
 * shared library; the shared library's own compile defines ELFPARSE_SHARED.
 */
#if __STDC_HOSTED__ || defined ELFPARSE_SHARED
#define ELFPARSE_PUSH_VISIBILITY _Pragma("GCC visibility push(default)")
#else
#define ELFPARSE_PUSH_VISIBILITY _Pragma("GCC visibility push(hidden)")
#endif
#ifdef __cplusplus
#define ELFPARSE_BEGIN_DECLS                                                                       \
    extern "C" {                                                                                   \
    ELFPARSE_PUSH_VISIBILITY
#define ELFPARSE_END_DECLS                                                                         \
    _Pragma("GCC visibility pop")                                                                  \
    }
#else
#define ELFPARSE_BEGIN_DECLS ELFPARSE_PUSH_VISIBILITY
#define ELFPARSE_END_DECLS   _Pragma("GCC visibility pop")
#endif

/* The usual page size; a policy may name a larger one. */
#define ELFPARSE_PAGE_SIZE UINT64_C(4096)

/* e_ident[EI_CLASS] and e_ident[EI_DATA] (gABI, "ELF Identification"). */
#define ELFPARSE_CLASS32 1u
#define ELFPARSE_CLASS64 2u
#define ELFPARSE_DATALSB 1u
#define ELFPARSE_DATAMSB 2u

/* e_machine */
#define ELFPARSE_EM_386       3u
#define ELFPARSE_EM_MIPS      8u
#define ELFPARSE_EM_PPC64     21u
#define ELFPARSE_EM_S390      22u
#define ELFPARSE_EM_ARM       40u
#define ELFPARSE_EM_X86_64    62u
#define ELFPARSE_EM_AARCH64   183u
#define ELFPARSE_EM_RISCV     243u
#define ELFPARSE_EM_LOONGARCH 258u

/*
 * Machines, for policy.machines: each stands for one e_machine, class and byte order. Those of MIPS
 * and PowerPC without LE in their name are big-endian, as s390x is.
 */
#define ELFPARSE_MACHINE_X86_64      (1u << 0)
#define ELFPARSE_MACHINE_AARCH64     (1u << 1)
#define ELFPARSE_MACHINE_AARCH64_BE  (1u << 2)
#define ELFPARSE_MACHINE_RISCV64     (1u << 3)
#define ELFPARSE_MACHINE_RISCV32     (1u << 4)
#define ELFPARSE_MACHINE_LOONGARCH64 (1u << 5)
#define ELFPARSE_MACHINE_I386        (1u << 6)
#define ELFPARSE_MACHINE_ARM         (1u << 7)
#define ELFPARSE_MACHINE_ARM_BE      (1u << 8)
#define ELFPARSE_MACHINE_PPC64       (1u << 9)
#define ELFPARSE_MACHINE_PPC64LE     (1u << 10)
#define ELFPARSE_MACHINE_S390X       (1u << 11)
#define ELFPARSE_MACHINE_MIPS        (1u << 12)
#define ELFPARSE_MACHINE_MIPSLE      (1u << 13)
#define ELFPARSE_MACHINE_MIPS64      (1u << 14)
#define ELFPARSE_MACHINE_MIPS64LE    (1u << 15)
#define ELFPARSE_MACHINE_COUNT       16u
#define ELFPARSE_MACHINE_ALL         0xffffu

/*
 * The machines that the library is compiled for; a policy accepts no others, and relocation knows
 * no others. To embed the sources in a loader for one machine, compile them with
 * -DELFPARSE_MACHINES=ELFPARSE_MACHINE_X86_64 or the like: what other classes and byte orders need
 * is left out then.
 */
#ifndef ELFPARSE_MACHINES
#define ELFPARSE_MACHINES ELFPARSE_MACHINE_ALL
#endif

/* Sizes of the ELF64 structures in the file (gABI, chapters "ELF Header" and "Program Header"). */
#define ELFPARSE_EHDR_SIZE 64u
#define ELFPARSE_PHDR_SIZE 56u

/* Those of ELF32. */
#define ELFPARSE_EHDR32_SIZE 52u
#define ELFPARSE_PHDR32_SIZE 32u

/* e_type (gABI, "ELF Header"). */
#define ELFPARSE_ET_REL  1u
#define ELFPARSE_ET_EXEC 2u
#define ELFPARSE_ET_DYN  3u
#define ELFPARSE_ET_CORE 4u

/* p_type (gABI, "Program Header"; the GNU ones from the Linux gABI extensions). */
#define ELFPARSE_PT_NULL         0u
#define ELFPARSE_PT_LOAD         1u
#define ELFPARSE_PT_DYNAMIC      2u
#define ELFPARSE_PT_INTERP       3u
#define ELFPARSE_PT_NOTE         4u
#define ELFPARSE_PT_PHDR         6u
#define ELFPARSE_PT_TLS          7u
#define ELFPARSE_PT_GNU_EH_FRAME 0x6474e550u
#define ELFPARSE_PT_GNU_STACK    0x6474e551u
#define ELFPARSE_PT_GNU_RELRO    0x6474e552u
#define ELFPARSE_PT_GNU_PROPERTY 0x6474e553u

/* p_flags (gABI, "Segment Permissions"); a range's prot uses the same bits. */
#define ELFPARSE_PF_X 1u
#define ELFPARSE_PF_W 2u
#define ELFPARSE_PF_R 4u

ELFPARSE_BEGIN_DECLS

/* The version of the library that is linked, as ELFPARSE_VERSION. */
uint32_t elfparse_version(void);

ELFPARSE_END_DECLS

#endif
