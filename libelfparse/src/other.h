/* The other program headers: what can be wrong with them (O2 to O8). Internal. */
#ifndef ELFP_OTHER_H
#define ELFP_OTHER_H

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

#endif
