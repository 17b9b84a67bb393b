/*
 * Symbol versions: the tables .gnu.version, .gnu.version_d and .gnu.version_r as a dynamic linker
 * finds them, through DT_VERSYM, DT_VERDEF and DT_VERNEED, and look-up by version. Return values
 * are those of file.h. Source: Linux gABI extensions, "Symbol Versioning".
 */
#ifndef ELFPARSE_VERSION_H
#define ELFPARSE_VERSION_H

#include <elfparse/file.h>

ELFPARSE_BEGIN_DECLS

/* An entry of .gnu.version: this bit and an index. */
#define ELFPARSE_VERSYM_HIDDEN 0x8000u
#define ELFPARSE_VERSYM_INDEX  0x7fffu

/* elfparse_version.flags */
#define ELFPARSE_VER_FLG_BASE 1u
#define ELFPARSE_VER_FLG_WEAK 2u

/* A version that the file defines or needs. Names are offsets in the dynamic string table. */
struct elfparse_version {
    uint32_t index; /* as .gnu.version has it, without ELFPARSE_VERSYM_HIDDEN */
    uint32_t flags; /* ELFPARSE_VER_FLG_* */
    uint32_t hash;  /* of the name, as in DT_HASH */
    uint32_t name;
    uint32_t library; /* name of the library that it is needed from; 0: the file defines it */
};

enum elfparse_version_kind { ELFPARSE_VERSIONS_DEFINED, ELFPARSE_VERSIONS_NEEDED };

/* A walk over one of the two tables. The caller's, opened by the function below. */
struct elfparse_versions {
    const struct elfparse_file *file;
    uint64_t record; /* address of the next record; 0: none */
    uint64_t part;   /* address of the next part of a record of needed versions; 0: none */
    uint32_t library;
    uint32_t steps; /* so many records and parts were read */
    uint32_t kind;  /* enum elfparse_version_kind */
};

/* Opens the table; one that the file does not have is empty. */
int elfparse_versions_open(const struct elfparse_file *file, enum elfparse_version_kind kind,
                           struct elfparse_versions *versions, struct elfparse_error *error);

/*
 * The next version. ELFPARSE_ETABLE where a record has an unknown format or the table has more
 * entries than there are indices.
 */
int elfparse_version_next(struct elfparse_versions *versions, struct elfparse_version *version,
                          struct elfparse_error *error);

/* The version with that index, defined or needed; ELFPARSE_ENOTFOUND where there is none. */
int elfparse_version_find(const struct elfparse_file *file, uint32_t index,
                          struct elfparse_version *version, struct elfparse_error *error);

/*
 * The entry of .gnu.version for the dynamic symbol with that index: a version's index, which for 0
 * (local) and 1 (global) is no version, and ELFPARSE_VERSYM_HIDDEN. ELFPARSE_ENOTFOUND where the
 * file has no such table.
 */
int elfparse_symbol_version(const struct elfparse_file *file, uint32_t symbol, uint32_t *versym,
                            struct elfparse_error *error);

/*
 * Looks a symbol up as dlvsym of the GNU C library does: only that version. In a file without
 * versions any version is found. Errors are those of elfparse_lookup.
 */
int elfparse_lookup_version(const struct elfparse_file *file, const char *name, const char *version,
                            struct elfparse_symbol *symbol, struct elfparse_error *error);

/*
 * Looks a symbol up as the dynamic linker of the GNU C library binds a reference in another object.
 * With a version: that one, or a symbol that is not hidden and has no version. version NULL: the
 * symbol without version or of the first one (index up to 2), even if hidden, else the only default
 * version. Errors are those of elfparse_lookup.
 */
int elfparse_lookup_reference(const struct elfparse_file *file, const char *name,
                              const char *version, struct elfparse_symbol *symbol,
                              struct elfparse_error *error);

ELFPARSE_END_DECLS

#endif
