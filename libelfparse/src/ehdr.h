/* Ehdr: rules E1 to E9. Internal, pure. */
#ifndef ELFP_EHDR_H
#define ELFP_EHDR_H

#include <elfparse/plan.h>

#include "phdr.h"

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

#endif
