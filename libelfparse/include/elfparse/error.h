/*
 * Why a file was refused: one code a reason, the rule it breaks, where in the file, which program
 * headers, and the two values that disagree. The rules and their numbers are in
 * libelfparse/README.md.
 */
#ifndef ELFPARSE_ERROR_H
#define ELFPARSE_ERROR_H

#include <elfparse/base.h>

ELFPARSE_BEGIN_DECLS

/* The rules, in the order of the README's table. */
enum elfparse_rule {
    ELFPARSE_RULE_NONE = 0,
    ELFPARSE_RULE_E1,
    ELFPARSE_RULE_E2,
    ELFPARSE_RULE_E3,
    ELFPARSE_RULE_E4,
    ELFPARSE_RULE_E5,
    ELFPARSE_RULE_E6,
    ELFPARSE_RULE_E7,
    ELFPARSE_RULE_E8,
    ELFPARSE_RULE_E9,
    ELFPARSE_RULE_E10,
    ELFPARSE_RULE_L1,
    ELFPARSE_RULE_L2,
    ELFPARSE_RULE_L3,
    ELFPARSE_RULE_L4,
    ELFPARSE_RULE_L5,
    ELFPARSE_RULE_L6,
    ELFPARSE_RULE_L7,
    ELFPARSE_RULE_L8,
    ELFPARSE_RULE_L9,
    ELFPARSE_RULE_L10,
    ELFPARSE_RULE_L11,
    ELFPARSE_RULE_L12,
    ELFPARSE_RULE_L13,
    ELFPARSE_RULE_O1,
    ELFPARSE_RULE_O2,
    ELFPARSE_RULE_O3,
    ELFPARSE_RULE_O4,
    ELFPARSE_RULE_O5,
    ELFPARSE_RULE_O6,
    ELFPARSE_RULE_O7,
    ELFPARSE_RULE_O8,
    ELFPARSE_RULE_O9,
    ELFPARSE_RULE_O10,
    ELFPARSE_RULE_COUNT
};

/*
 * Every function that can fail returns 0 (or a count) or one of these. The comment says what found
 * and expected hold.
 */
enum elfparse_code {
    ELFPARSE_OK = 0,
    /* not about the file's content */
    ELFPARSE_EREAD = -1,     /* found: what the reader's callback returned */
    ELFPARSE_ESCRATCH = -2,  /* found: bytes of scratch given; expected: bytes needed */
    ELFPARSE_ERANGES = -3,   /* found: ranges of storage given; expected: ranges needed */
    ELFPARSE_EARGUMENT = -4, /* found: the argument's value */
    /* Ehdr */
    ELFPARSE_ETRUNCATED = -10,  /* E1, found: bytes there are; expected: bytes needed */
    ELFPARSE_EMAGIC = -11,      /* E1, found, expected: e_ident[0..3], first byte lowest */
    ELFPARSE_ECLASS = -12,      /* E2 */
    ELFPARSE_EDATA = -13,       /* E2 */
    ELFPARSE_EVERSION = -14,    /* E3, EI_VERSION or e_version */
    ELFPARSE_EOSABI = -15,      /* E4 */
    ELFPARSE_EABIVERSION = -16, /* E4 */
    ELFPARSE_EPADDING = -17,    /* E4, the first byte of e_ident's padding that is not zero */
    ELFPARSE_ETYPE = -18,       /* E5 */
    ELFPARSE_EOBJECT = -19,     /* E5, ET_REL: not linked yet */
    ELFPARSE_ECORE = -20,       /* E5, ET_CORE */
    ELFPARSE_EFIXED = -21,      /* E5, ET_EXEC where the policy refuses a fixed address */
    ELFPARSE_EMACHINE = -22,    /* E6 */
    ELFPARSE_EFLAGS = -23,      /* E6, e_flags */
    ELFPARSE_EEHSIZE = -24,     /* E7 */
    ELFPARSE_EPHENTSIZE = -25,  /* E7 */
    ELFPARSE_ENOPHDR = -26,     /* E8, e_phnum 0 */
    ELFPARSE_EPHNUM = -27,      /* E8, expected: the policy's limit */
    ELFPARSE_EXNUM = -28,       /* E8, PN_XNUM */
    ELFPARSE_EPHOFF = -29,      /* E9, e_phoff below 64 or not 8-aligned */
    ELFPARSE_EPHTABLE = -30,    /* E9, the table's end lies outside the file; expected: file size */
    ELFPARSE_ESHTABLE = -31,    /* E10, the section header table */
    ELFPARSE_ESHSTRNDX = -32,   /* E10 */
    /* PT_LOAD */
    ELFPARSE_ENOLOAD = -40, /* L1 */
    ELFPARSE_EFILESZ = -41, /* L2, found: p_filesz; expected: at most p_memsz */
    ELFPARSE_EOFFSET =
        -42, /* L3, found: p_offset + p_filesz (all ones: wraps); expected: file size */
    ELFPARSE_EWRAP = -43,       /* L4, found: p_vaddr; expected: p_memsz */
    ELFPARSE_EALIGN = -44,      /* L5, found: p_align, not 0, 1 or a power of two */
    ELFPARSE_EALIGNLIMIT = -45, /* L5, found: p_align; expected: at most the policy's limit */
    ELFPARSE_ECONGRUENT =
        -46, /* L5, found: p_vaddr; expected: p_offset, equal modulo page and p_align */
    ELFPARSE_EORDER = -47,      /* L6, found: p_vaddr; expected: not below that of phdr2 */
    ELFPARSE_EOVERLAP = -48,    /* L6, found: p_vaddr; expected: at or above the end of phdr2 */
    ELFPARSE_ESHAREDPAGE = -49, /* L7, found: the page that phdr and phdr2 share */
    ELFPARSE_EWX = -50,         /* L8, found: p_flags */
    ELFPARSE_ESEGFLAGS = -51,   /* L8, found: p_flags, with bits outside R, W, X */
    ELFPARSE_EUNREADABLE = -52, /* L8, found: p_flags, without PF_R */
    ELFPARSE_ERANGE = -53,      /* L9, found: the address; expected: the limit that it passes */
    ELFPARSE_EZEROPERM = -54,   /* L10, found: p_flags; expected: with PF_W */
    ELFPARSE_EMEMORY = -55,     /* L11, found: the sum of p_memsz; expected: at most the limit */
    ELFPARSE_ELOADLIMIT = -56,  /* number of PT_LOADs; expected: at most the limit */
    ELFPARSE_EEMPTYLOAD = -57,  /* L13, where the policy refuses it */
    /* load bias */
    ELFPARSE_EBIASFIXED = -60, /* found: the bias; ET_EXEC takes 0 only */
    ELFPARSE_EBIASALIGN = -61, /* found: the bias; expected: a multiple of this */
    ELFPARSE_EBIASTWICE = -62, /* found: the bias; expected: none, since this one was applied */
    /* the other headers */
    ELFPARSE_EENTRY = -70,       /* O1, found: e_entry */
    ELFPARSE_ENOENTRY = -71,     /* O1, found: e_entry, 0 or not in executable file bytes */
    ELFPARSE_EDUPLICATE = -72,   /* O2..O7, a second one; phdr2: the first */
    ELFPARSE_EINTERPORDER = -73, /* O2, after the first PT_LOAD */
    ELFPARSE_EINTERPSIZE = -74,  /* O2, found: p_filesz; expected: the limit that it passes */
    /* O2, empty or not ended, found: offset in the path of its first NUL, or its size; expected:
     * that of the last byte */
    ELFPARSE_EINTERPNUL = -75,
    ELFPARSE_EINTERPPATH = -76, /* O2, not absolute */
    ELFPARSE_EINTERP = -77,     /* O2, an interpreter asked for where the policy refuses it */
    ELFPARSE_EBOUNDS = -78,     /* O2..O8, the contents lie outside the file; as EOFFSET */
    ELFPARSE_EPHDR = -79,       /* O3, found: p_vaddr; expected: where the table is, 0: nowhere */
    ELFPARSE_EOUTSIDE = -80,    /* O4, O5, in no PT_LOAD's file bytes; found: p_vaddr */
    ELFPARSE_EDYNEND = -82,     /* O4, no DT_NULL */
    ELFPARSE_ETLSALIGN = -83,   /* O5, found: p_align, not 0 or a power of two */
    ELFPARSE_ETLSSIZE = -84,    /* O5, found: p_memsz; expected: at most the policy's limit */
    ELFPARSE_ESTACK = -85,      /* O6, found: p_flags with PF_X */
    ELFPARSE_ERELRO = -86,      /* O7, found: start or end; expected: the limit that it passes */
    ELFPARSE_ENOTE = -87,       /* O8, found: bytes needed; expected: bytes left */
    ELFPARSE_ENOTELIMIT = -88,  /* O8, found: p_filesz; expected: at most the limit */
    ELFPARSE_ETLSLIMIT = -90,   /* O5, found: p_align; expected: at most the policy's limit */
    ELFPARSE_ETLSFILESZ = -91,  /* O5, found: p_filesz; expected: at most p_memsz */
    ELFPARSE_EPROPERTY = -89,   /* O8, found: bytes needed; expected: bytes left */
    /* reading for tools (elfparse/file.h) */
    ELFPARSE_ETABLE = -100,  /* a table's entry size, size or offset is wrong */
    ELFPARSE_ELINK = -101,   /* found: sh_link or sh_info or another index; expected: below this */
    ELFPARSE_ESTRING = -102, /* found: offset of a string that does not end inside its table */
    ELFPARSE_EBUFFER = -103, /* found: bytes given; expected: bytes needed */
    ELFPARSE_EUNMAPPED = -104, /* found: an address that no PT_LOAD's file bytes hold */
    ELFPARSE_ENOTFOUND = -105,
    ELFPARSE_EHASH = -106,       /* a hash table contradicts itself */
    ELFPARSE_ECOMPRESSED = -107, /* found: index of a section with ELFPARSE_SHF_COMPRESSED */
    /* relocation (elfparse/relocate.h); offset is the address of the table's entry */
    ELFPARSE_ERELMACHINE = -120, /* found: e_machine */
    ELFPARSE_ERELTABLE = -121,   /* found: address, size or entry size of a table */
    ELFPARSE_ERELTYPE = -122,    /* found: a type that is not known, or that nobody handles */
    ELFPARSE_ERELTARGET = -123,  /* found: the target's address; expected: its bytes in ranges */
    ELFPARSE_ERELTEXT = -124,    /* found: the target's address, in a range without PF_W */
    ELFPARSE_ERELSYMBOL = -125,  /* found: the symbol's index; expected: below this */
    ELFPARSE_ERELUNDEF = -126,   /* found: index of a symbol that is not defined */
    ELFPARSE_ERELVALUE = -127,   /* found: the value; expected: the bytes that it has to fit in */
    ELFPARSE_ERELCHANGED = -128, /* the tables changed while they were applied */
    ELFPARSE_ERELCALL = -129     /* found: what a callback returned */
};

/* phdr and phdr2 of an error that no program header is to blame for. */
#define ELFPARSE_NO_INDEX 0xffffffffu

struct elfparse_error {
    int32_t code;      /* enum elfparse_code; 0: no error, all else is then 0 as well */
    uint32_t rule;     /* enum elfparse_rule; 0: no rule of the table */
    uint32_t phdr;     /* index of the program header, or ELFPARSE_NO_INDEX */
    uint32_t phdr2;    /* index of the other one, or ELFPARSE_NO_INDEX */
    uint64_t offset;   /* file offset of the field or bytes that are wrong */
    uint64_t expected; /* see enum elfparse_code */
    uint64_t found;
};

/* Enough for every sentence that elfparse_error_format writes. */
#define ELFPARSE_ERROR_MAX 320u

/*
 * Writes error as one English sentence, NUL-terminated and without newline, into the size bytes at
 * buf and returns its length without the NUL. What does not fit is cut, the NUL is always written;
 * with size 0 nothing is written. The result is never more than ELFPARSE_ERROR_MAX - 1.
 */
size_t elfparse_error_format(const struct elfparse_error *error, char *buf, size_t size);

/* The rule's name, "E1" to "O10", or "-" for ELFPARSE_RULE_NONE and numbers that are no rule. */
const char *elfparse_rule_name(uint32_t rule);

/* What the rule asks for, as a short phrase; "" for numbers that are no rule. */
const char *elfparse_rule_text(uint32_t rule);

ELFPARSE_END_DECLS

#endif
