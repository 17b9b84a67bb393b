/* The parts of linking: tables of an object, look-up, versions, errors. Internal. */
#ifndef ELFP_LINKER_H
#define ELFP_LINKER_H

#include <elfparse/link.h>

#include "relocator.h"

/* st_info, st_other, st_shndx (gABI, "Symbol Table") */
#define ELFP_STB_LOCAL     0u
#define ELFP_STB_WEAK      2u
#define ELFP_STB_UNIQUE    10u
#define ELFP_STT_TLS       6u
#define ELFP_STT_GNU_IFUNC 10u
#define ELFP_STV_INTERNAL  1u
#define ELFP_STV_HIDDEN    2u
#define ELFP_SHN_UNDEF     0u
#define ELFP_SHN_ABS       0xfff1u

/* The steps of a look-up, or of all look-ups for one object (link.h, "Bounds"). */
struct elfp_link_work {
    uint64_t spent;
    uint64_t granted;
};

#define ELFP_LINK_WORK {0, ELFPARSE_LINK_STEPS}

/* Allows for one more symbol, or one more object that is asked for it. Each takes a step at least. */
/*@ requires \valid(work);
    assigns work->granted;
*/
static inline void elfp_link_grant(struct elfp_link_work *work)
{
    work->granted += ELFPARSE_LINK_STEPS_EACH;
}

/*
 * Spends steps: bytes that were read, records, so that their sum cannot wrap. Returns 0, or
 * ELFPARSE_LINK_EWORK where more are spent than granted; then each later call fails too, so that a
 * caller may leave the answer to the next one.
 */
/*@ requires \valid(work);
    assigns work->spent;
    ensures work->spent == (uint64_t)(\old(work->spent) + steps);
    ensures \result == 0 <==> work->spent <= work->granted;
*/
static inline int elfp_link_spend(struct elfp_link_work *work, uint64_t steps)
{
    work->spent += steps;
    return work->spent > work->granted ? ELFPARSE_LINK_EWORK : 0;
}

/* A version that is asked for. */
struct elfp_link_version {
    struct elfparse_view name; /* empty: none */
    uint32_t hash;
};

/* A symbol that is looked for. */
struct elfp_link_query {
    struct elfparse_view name;
    struct elfp_link_version version;
    struct elfp_link_work *work;
    uint32_t gnu_hash;
    uint32_t sysv_hash;
    uint32_t versioned; /* without a version: from this index on a symbol is a version */
    int defined;        /* an undefined symbol with a value does not do */
    int exact;          /* of a version: a symbol without one does not do */
};

/* A symbol that was found. object NULL: none, and the reference is weak. */
struct elfp_link_match {
    const struct elfparse_object *object;
    struct elfparse_symbol symbol;
    uint32_t index; /* of the symbol */
};

/* Where an error happens. */
struct elfp_link_place {
    struct elfparse_link_error *error;
    const struct elfparse_object *object;
    struct elfparse_view symbol;
    struct elfparse_view version;
    uint64_t address; /* biased; 0: none */
};

/* Fills the error and returns code. */
int elfp_link_fail(const struct elfp_link_place *place, int code, uint64_t expected,
                   uint64_t found);

/* 1 if size bytes from offset on lie in the view. */
/*@ assigns \nothing;
    ensures \result != 0 <==> offset + size <= view_size;
*/
static inline int elfp_link_fits(uint64_t offset, uint64_t size, uint64_t view_size)
{
    return size <= view_size && offset <= view_size - size;
}

/* The first multiple of align from offset on. */
/*@ requires align > 0 && offset + align <= 0xffffffffffffffff;
    assigns \nothing;
    ensures offset <= \result < offset + align;
    ensures \result % align == 0;
*/
static inline uint64_t elfp_link_round_up(uint64_t offset, uint64_t align)
{
    uint64_t rest = offset % align;

    return rest == 0 ? offset : offset + (align - rest);
}

/* Bytes of a word of the linked machine: 4 or 8. */
static inline uint32_t elfp_link_word(const struct elfparse_link *link)
{
    return elfp_reloc_word(link->machine);
}

/* A word of 4 or 8 bytes. */
static inline uint64_t elfp_link_decode(const uint8_t *bytes, uint32_t word)
{
    return word == 4 ? elfp_le32(bytes) : elfp_le64(bytes);
}

/* Stores a word of 4 or 8 bytes. */
void elfp_link_encode(uint8_t *bytes, uint64_t value, uint32_t word);

/* An address of the object: the bias is added. */
uint64_t elfp_link_address(const struct elfparse_link *link, const struct elfparse_object *object,
                           uint64_t vaddr);

/*
 * The memory of an object from address on, as far as ranges with that right follow each other
 * without a hole.
 */
struct elfparse_view elfp_link_view(const struct elfparse_object *object, uint64_t address,
                                    uint32_t prot);

/* The name of a library at offset of the object's strings. Returns 0 or a code. */
int elfp_link_library(const struct elfp_link_place *place, uint64_t offset,
                      struct elfparse_view *name);

/* The string at offset of a table, without its NUL. Returns 1, or 0 where it does not end there. */
int elfp_link_string(const struct elfparse_view *strings, uint64_t offset,
                     struct elfparse_view *string);

/* A string of C without its NUL. */
struct elfparse_view elfp_link_text(const char *text);

/* 1 if both have the same bytes, which can be read as far as they are equal. That far is spent. */
/*@ assigns \result \from *a, *b;
    assigns work->spent \from *a, *b, work->spent;
    ensures \result == 0 || \result == 1;
*/
int elfp_link_equal(const struct elfparse_view *a, const struct elfparse_view *b,
                    struct elfp_link_work *work);

/* Reads the dynamic entries of an object and makes views of its tables. */
int elfp_link_open(const struct elfparse_link *link, struct elfparse_object *object,
                   struct elfparse_link_error *error);

/* The dynamic entry with that index. 1, or 0 at the end. */
int elfp_link_dynamic(const struct elfparse_link *link, const struct elfparse_object *object,
                      uint32_t index, struct elfparse_dyn *entry);

/*
 * The index of the object of that name in the list, ELFPARSE_LINK_EUNDEFINED or ELFPARSE_LINK_EWORK. Grants
 * the steps of one more library.
 */
int elfp_link_named(const struct elfparse_link *link, const struct elfparse_view *name,
                    struct elfp_link_work *work);

/* Sorts the objects for initialisation: objects[i].order. */
void elfp_link_sort(struct elfparse_link *link);

/* Lays out thread-local storage: ELFPARSE_LINK_ETLSSIZE where it is too large. */
int elfp_link_layout_tls(struct elfparse_link *link, struct elfparse_link_error *error);

/* 1 on machines where the blocks lie above the thread pointer. */
int elfp_link_tls_above(uint32_t machine);

/*
 * The version with that index, of those that the object defines and needs. Returns 0 or a code; no
 * such version, and the one that only stands for the object, have an empty name.
 */
int elfp_link_version_at(const struct elfparse_object *object, uint32_t index,
                         struct elfp_link_version *version, struct elfp_link_work *work);

/* The entry of DT_VERSYM for a symbol; 1 (global, no version) where there is none. */
uint32_t elfp_link_versym(const struct elfparse_object *object, uint32_t index);

/* Checks that what an object needs of versions is defined. */
int elfp_link_check_versions(const struct elfparse_link *link, const struct elfparse_object *object,
                             struct elfparse_link_error *error);

/* Sets the name of a query, and its hashes. */
void elfp_link_ask(struct elfp_link_query *query, const struct elfparse_view *name);

/* Looks for a symbol in an object. 1 with *match, 0 where it has none, or a code. */
int elfp_link_find(const struct elfparse_link *link, const struct elfparse_object *object,
                   const struct elfp_link_query *query, struct elfp_link_match *match);

/* Looks in all objects but one (or none: NULL). 1, 0 or a code; *match says where. */
int elfp_link_search(const struct elfparse_link *link, const struct elfp_link_query *query,
                     const struct elfparse_object *except, struct elfp_link_match *match);

#endif
