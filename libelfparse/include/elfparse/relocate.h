/*
 * Relocation of one object that lies in memory, as a static-PIE's start code or a dynamic linker
 * does it: RELR, REL, RELA and the PLT's table, for x86-64, AArch64, RISC-V 64, i386 and ARM
 * (little-endian). Everything is checked before the first byte is written, so that a failure
 * changes nothing: every target lies in writable ranges, every symbol in its table, every type is
 * known, every value fits. What was checked is checked again when it is applied, since the tables
 * may lie in memory that somebody else changes.
 *
 * Tables lie in bytes that come from the file (file_bytes of the ranges), not in the zeros of a
 * segment. So the time is bounded by the bytes of the file that are mapped: of the hash table's buckets
 * and last chain each word is read once, and each relocation is looked at up to three times, with a
 * search in its ranges.
 *
 * Indirect functions (IRELATIVE), thread-local storage and copies are handed to the caller.
 * Sources: gABI, "Relocation", "Dynamic Section"; the psABIs of the machines.
 */
#ifndef ELFPARSE_RELOCATE_H
#define ELFPARSE_RELOCATE_H

#include <elfparse/error.h>
#include <elfparse/file.h>
#include <elfparse/plan.h>

ELFPARSE_BEGIN_DECLS

/* What the caller does with a relocation that it is handed. */
enum elfparse_special {
    ELFPARSE_SPECIAL_IRELATIVE = 1, /* store what the function at bias + addend returns */
    ELFPARSE_SPECIAL_COPY,          /* copy the symbol's bytes from another object */
    ELFPARSE_SPECIAL_TLS_MODULE,    /* store the number of the object's TLS block */
    ELFPARSE_SPECIAL_TLS_OFFSET,    /* store the offset in the block */
    ELFPARSE_SPECIAL_TLS_POINTER,   /* store the offset from the thread pointer */
    ELFPARSE_SPECIAL_TLS_DESC       /* store two words */
};

struct elfparse_relocation {
    uint64_t address; /* of the target, biased; all of its bytes lie in writable ranges */
    uint64_t addend;  /* of a table without addends: the target's first word */
    uint32_t kind;    /* enum elfparse_special */
    uint32_t type;    /* the machine's number */
    uint32_t index;   /* of the symbol; 0: none, and symbol is all zero */
    uint32_t size;    /* bytes of the target */
    struct elfparse_symbol symbol;
};

/* Relocations in ranges that are not writable are applied as well. */
#define ELFPARSE_RELOCATE_TEXT (1u << 0)
/* Nothing is stored: everything is checked, and special is called for what is the caller's. */
#define ELFPARSE_RELOCATE_CHECK (1u << 1)
/*
 * An earlier call checked everything: the first pass is left out. Each entry is checked again when
 * it is applied, and what is wrong then gives ELFPARSE_ERELCHANGED.
 */
#define ELFPARSE_RELOCATE_CHECKED (1u << 2)

struct elfparse_image {
    uint32_t machine; /* ELFPARSE_EM_* */
    uint32_t flags;   /* ELFPARSE_RELOCATE_* */
    /* As of a plan whose bias was applied: ascending, disjoint, none empty, none that wraps. */
    const struct elfparse_range *ranges;
    uint32_t range_count;
    uint64_t bias;
    uint64_t dynamic; /* address of the dynamic entries, biased; 0: none, nothing to do */
    /*
     * The object's memory: size bytes at memory, the first of which has the address start. memory
     * NULL: through the callbacks, which return 0 or a negative value and are asked for bytes of
     * the ranges only.
     */
    void *memory;
    uint64_t start;
    uint64_t size;
    int (*read)(void *ctx, uint64_t address, void *buf, size_t len);
    int (*write)(void *ctx, uint64_t address, const void *buf, size_t len);
    /*
     * Stores the value of a symbol that is not local and returns 0, or returns a negative value. It
     * is asked twice for each use, before the first write and when it is applied. NULL: the
     * object's own symbols are used, 0 for weak ones that it does not define, and others are an
     * error.
     */
    int (*resolve)(void *ctx, uint32_t index, const struct elfparse_symbol *symbol,
                   uint64_t *value);
    /*
     * As resolve, and used in its place where it is not NULL: it is told of the relocation (kind is
     * 0), not of the symbol alone.
     */
    int (*bind)(void *ctx, const struct elfparse_relocation *relocation, uint64_t *value);
    /*
     * Called for each relocation that is the caller's, after all others were applied, in the order
     * of the tables. Returns 0 or a negative value. NULL: such relocations are an error.
     */
    int (*special)(void *ctx, const struct elfparse_relocation *relocation);
    void *ctx;
};

/*
 * Applies the object's relocations. Returns 0 or the error's code; error (which may be NULL) has in
 * offset the address of the table's entry. On failure nothing was written, with two exceptions:
 * ELFPARSE_ERELCHANGED, and a callback that fails although it did not before (ELFPARSE_ERELCALL),
 * which may leave some relocations applied. Nothing outside the ranges is ever read or written.
 */
int elfparse_relocate(const struct elfparse_image *image, struct elfparse_error *error);

ELFPARSE_END_DECLS

#endif
