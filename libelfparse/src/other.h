/* The other program headers: rules O2 to O7 as far as the headers alone decide. Internal, pure. */
#ifndef ELFP_OTHER_H
#define ELFP_OTHER_H

#include <elfparse/policy.h>

#include "load.h"

/* In the order in which they are reported. */
enum elfp_other_fault {
    ELFP_OTHER_BOUNDS = 1u << 0,       /* O2 to O8 */
    ELFP_OTHER_INTERP_LOW = 1u << 1,   /* O2 */
    ELFP_OTHER_INTERP_HIGH = 1u << 2,  /* O2 */
    ELFP_OTHER_INTERP_NUL = 1u << 3,   /* O2, in the path itself */
    ELFP_OTHER_PHDR_OFFSET = 1u << 4,  /* O3 */
    ELFP_OTHER_PHDR_SIZE = 1u << 5,    /* O3 */
    ELFP_OTHER_OUTSIDE = 1u << 6,      /* O3 to O5 */
    ELFP_OTHER_DYN_SIZE = 1u << 7,     /* O4 */
    ELFP_OTHER_DYN_END = 1u << 8,      /* O4, in the table itself */
    ELFP_OTHER_TLS_FILESZ = 1u << 9,   /* O5 */
    ELFP_OTHER_TLS_SIZE = 1u << 10,    /* O5 */
    ELFP_OTHER_TLS_ALIGN = 1u << 11,   /* O5 */
    ELFP_OTHER_TLS_LIMIT = 1u << 12,   /* O5 */
    ELFP_OTHER_TLS_RANGE = 1u << 13,   /* O5 */
    ELFP_OTHER_RELRO_START = 1u << 14, /* O7 */
    ELFP_OTHER_RELRO_END = 1u << 15,   /* O7 */
    ELFP_OTHER_NOTE_LIMIT = 1u << 16,  /* O8 */
    ELFP_OTHER_NOTE = 1u << 17,        /* O8, in a note itself */
    ELFP_OTHER_PROPERTY = 1u << 18     /* O8, in a property itself */
};

/* The copied program header table, of which first_load..last_load may be PT_LOADs. */
struct elfp_table {
    const uint8_t *bytes;
    uint64_t phoff;
    uint64_t file_size;
    uint32_t phnum;
    uint32_t first_load;
    uint32_t last_load; /* below first_load where there is none */
};

/* O2: size and place of the path. index is the PT_INTERP's own. */
struct elfp_finding elfp_interp_check(const struct elfp_table *table,
                                      const struct elfparse_policy *policy,
                                      const uint8_t *header, uint32_t index);

/* O3 */
struct elfp_finding elfp_phdr_check(const struct elfp_table *table, const uint8_t *header);

/* O4, all but the table's end */
struct elfp_finding elfp_dynamic_check(const struct elfp_table *table,
                                       const uint8_t *header);

/* O5 */
struct elfp_finding elfp_tls_check(const struct elfp_table *table,
                                   const struct elfparse_policy *policy,
                                   const uint8_t *header);

/* O7; *limit becomes the address that the segment must not pass, or 0 where it starts nowhere. */
struct elfp_finding elfp_relro_check(const struct elfp_table *table, const uint8_t *header,
                                     uint64_t *limit);

/* O8, all but the notes themselves */
struct elfp_finding elfp_note_check(const struct elfp_table *table,
                                    const struct elfparse_policy *policy,
                                    const uint8_t *header);

/*
 * Where the program header table is mapped: the address of the file's bytes phoff.. in the PT_LOAD
 * that holds all of them, or 0 if none does.
 */
uint64_t elfp_table_vaddr(const struct elfp_table *table);

/* The header with that index, below phnum. */
static inline const uint8_t *elfp_table_entry(const struct elfp_table *table, uint32_t index)
{
    return table->bytes + (size_t)index * ELFPARSE_PHDR_SIZE;
}

#endif
