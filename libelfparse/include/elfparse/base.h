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

/* The page size of x86-64; every address and size of a plan's ranges is a multiple of it. */
#define ELFPARSE_PAGE_SIZE UINT64_C(4096)

/* Sizes of the ELF64 structures in the file (gABI, chapters "ELF Header" and "Program Header"). */
#define ELFPARSE_EHDR_SIZE 64u
#define ELFPARSE_PHDR_SIZE 56u

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
