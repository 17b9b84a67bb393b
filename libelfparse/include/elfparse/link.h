/*
 * The core of a dynamic linker, for programs that have no C library: kernels, unikernels, boot
 * loaders, sandboxes. It takes objects that lie in memory (a plan.h plan each, bias applied) and
 * makes a running image of them. Nothing is allocated, nothing recurses, and no system call is
 * made: what touches the world is a callback.
 *
 * Data. A struct elfparse_link has an array of struct elfparse_object that the caller owns. The
 * order of the array is the load order, and also the scope: the first object that defines a symbol
 * wins. Each object keeps views of its own tables. A view is a pointer and the number of bytes that
 * can be read there, and every access is checked against it, since relocation may change tables
 * that lie in writable memory.
 *
 * Phases.
 *   1. elfparse_link_load     opens the objects, finds what DT_NEEDED names, breadth first, by
 *                             callback; then sorts the initialisers.
 *   2. elfparse_link_relocate (a) lays out thread-local storage; (b) checks that needed versions
 *                             exist, resolves every symbol and checks every relocation of every
 *                             object; (c) writes. Only (c) changes the memory of objects. It
 *                             begins with the last object, so that a copy relocation copies
 *                             contents that are relocated already.
 *   3. The caller shows the objects to a debugger with elfparse_link_publish, makes the pages of
 *      elfparse_link_relro read-only, makes threads' blocks with elfparse_link_fill_tls, and calls
 *      the functions that elfparse_link_next_call lists.
 *
 * Symbols are bound as the GNU C library does it with LD_BIND_NOW: DT_GNU_HASH or else DT_HASH,
 * versions, a weak definition counts as a strong one, an undefined weak symbol is 0, a protected or
 * hidden one binds to its own object, STB_GNU_UNIQUE, DT_SYMBOLIC, an undefined function with a value (the PLT
 * entry of a program at a fixed address) takes references that are not calls.
 *
 * Absent: lazy binding (all of the PLT is bound at once), dlopen and dlclose (the list of objects
 * only grows, and is relocated once), LD_PRELOAD and search paths (the caller puts more than one
 * object in the list before it calls elfparse_link_load; the callback searches), auditing, prelink,
 * one file under two names (the callback's matter).
 *
 * Bounds. Hostile tables cannot make a link slow. Steps are counted: an entry of a hash chain, a record of
 * versions and a byte of a name that is scanned or compared is a step; so are the objects among which
 * a library is looked for. The relocations of an object
 * may take ELFPARSE_LINK_STEPS, and ELFPARSE_LINK_STEPS_EACH more for each symbol that is bound and for each
 * object that is asked for it; so may the search for the libraries that an object needs, for each of them, the
 * check of an object's versions, for each version, and one call of elfparse_link_lookup. Copy relocations of an object copy no more bytes than it has. What would
 * take more is ELFPARSE_LINK_EWORK. Linkers size hash tables so that a look-up in one object takes a few
 * steps: no program of Debian's /usr/bin comes near.
 *
 * Machines are those of relocate.h. Sources: gABI, "Dynamic Linking"; Linux gABI extensions,
 * "Symbol Versioning"; Drepper, "ELF Handling For Thread-Local Storage"; the psABIs.
 */
#ifndef ELFPARSE_LINK_H
#define ELFPARSE_LINK_H

#include <elfparse/error.h>
#include <elfparse/file.h>
#include <elfparse/plan.h>
#include <elfparse/relocate.h>

ELFPARSE_BEGIN_DECLS

/* Dynamic entries that are read of an object, DT_NULL included. */
#define ELFPARSE_LINK_DYNAMIC_MAX 4096u
/* Records and parts that are read of a table of versions: as many as there are indices. */
#define ELFPARSE_LINK_VERSIONS_MAX 32768u
/* Steps: see "Bounds" above. */
#define ELFPARSE_LINK_STEPS      1048576u
#define ELFPARSE_LINK_STEPS_EACH 4096u
/* Bytes of a library's name in DT_NEEDED and DT_SONAME. */
#define ELFPARSE_LINK_LIBRARY_MAX 4095u
/* Objects of a link; no_object is never the index of one. */
#define ELFPARSE_LINK_OBJECTS_MAX 65535u
#define ELFPARSE_NO_OBJECT        0xffffffffu

/* Codes besides those of error.h, which relocation uses. */
enum elfparse_link_code {
    ELFPARSE_LINK_EDYNAMIC = -140,  /* found: tag of an entry whose table is not in memory */
    ELFPARSE_LINK_EFULL = -141,     /* symbol: a library; expected: the capacity of the list */
    ELFPARSE_LINK_ELOAD = -142,     /* symbol: a library; found: what the callback returned */
    ELFPARSE_LINK_EHASH = -143,     /* a hash table contradicts itself; found: the symbol's index */
    ELFPARSE_LINK_EVERTABLE = -144, /* a table of versions does not end, or leaves memory */
    ELFPARSE_LINK_EVERSION = -145,  /* version of library symbol is needed, but not defined */
    ELFPARSE_LINK_ENAME = -146,     /* found: offset of a string that does not end in its table, or
                                       of a library's name of more than expected bytes */
    ELFPARSE_LINK_EUNDEFINED = -147, /* symbol is defined by no object */
    ELFPARSE_LINK_ECOPY = -148,      /* the bytes of symbol are not in memory; found: where */
    ELFPARSE_LINK_ETLS = -149,       /* symbol is in an object without PT_TLS, or a descriptor is
                                        asked for and elfparse_link.tls_descriptor is 0 */
    ELFPARSE_LINK_EIFUNC = -150,     /* found: what the callback returned; 0: there is none */
    ELFPARSE_LINK_ETLSSIZE = -151,   /* thread-local storage of all objects passes 2^31 bytes */
    ELFPARSE_LINK_EWORK = -152 /* symbol takes its object past expected steps or copied bytes */
};

/* Bytes that can be read. */
struct elfparse_view {
    const uint8_t *bytes; /* NULL: none */
    uint64_t size;
};

/*
 * What a debugger reads (struct link_map of the GNU C library), with the pointers of this machine.
 */
struct elfparse_link_map {
    uintptr_t bias;
    const char *name;
    uintptr_t dynamic;
    struct elfparse_link_map *next;
    struct elfparse_link_map *previous;
};

enum elfparse_debug_state { ELFPARSE_DEBUG_CONSISTENT, ELFPARSE_DEBUG_ADD, ELFPARSE_DEBUG_DELETE };

/* struct r_debug */
struct elfparse_debug {
    int32_t version;
    struct elfparse_link_map *objects;
    uintptr_t breakpoint; /* the caller's function that does nothing, called at each change */
    int32_t state;        /* enum elfparse_debug_state */
    uintptr_t base;       /* bias of the linker itself; 0: none */
};

struct elfparse_object {
    /* Of the caller. All zero besides. */
    const char *name; /* a path, for sentences and debuggers; NULL: as needed, or "" */
    const struct elfparse_plan *plan; /* its bias is applied */
    void *memory; /* what has the address plan->start; plan->end - plan->start bytes */

    /* Of the library, for reading. Addresses are biased; a view of no table is empty. */
    struct elfparse_view needed; /* the name by which DT_NEEDED asked for it */
    struct elfparse_view soname;
    uint32_t tls_module; /* from 1 on; 0: has no thread-local storage */
    uint32_t order;      /* index of the object that is initialised in this place */
    uint64_t tls_offset; /* variant 1: the block's offset from the thread pointer; 2: less it */
    struct elfparse_view dynamic;
    struct elfparse_view strings;
    struct elfparse_view symbols; /* this and the next five go on to where memory ends */
    struct elfparse_view gnu_hash;
    struct elfparse_view sysv_hash;
    struct elfparse_view versym;
    struct elfparse_view verdef;
    struct elfparse_view verneed;
    struct elfparse_view preinit_array;
    struct elfparse_view init_array;
    struct elfparse_view fini_array;
    uint64_t init; /* 0: none */
    uint64_t fini; /* 0: none */
    uint32_t symbolic;
    uint32_t visited; /* of the sort: 0 or 1 */
    uint32_t parent;  /* of the sort: the object that led here */
    uint32_t cursor;  /* of the sort: dynamic entries that were looked at */
    struct elfparse_link_map map;
};

struct elfparse_link {
    /* Of the caller. */
    uint32_t machine; /* ELFPARSE_EM_* */
    uint32_t flags;   /* 0 or ELFPARSE_RELOCATE_TEXT */
    struct elfparse_object *objects;
    uint32_t capacity; /* elements; at most ELFPARSE_LINK_OBJECTS_MAX */
    uint32_t count;    /* objects that the caller put there: the program, and what comes with it */
    /*
     * Fills name, plan and memory of an object that is all zero and returns 0, or returns a negative
     * value. needed is what by asks for.
     */
    int (*load)(void *ctx, const struct elfparse_object *by, const char *needed,
                struct elfparse_object *object);
    /*
     * Calls the function at resolver, of an indirect function, for the word at place and stores
     * what it returns. Returns 0 or a negative value. NULL: such functions are an error.
     */
    int (*ifunc)(void *ctx, uint64_t place, uint64_t resolver, uint64_t *value);
    void *ctx;
    /*
     * Address of the function that TLS descriptors call: it returns the descriptor's second word.
     * 0: they are an error.
     */
    uint64_t tls_descriptor;

    /* Of elfparse_link_relocate. */
    uint32_t tls_modules; /* objects with thread-local storage */
    uint64_t tls_size;    /* bytes of a thread's block, a multiple of tls_align */
    uint64_t tls_align;   /* a power of two */
};

/* An error with the names that its sentence needs. They lie in the memory of objects. */
struct elfparse_link_error {
    struct elfparse_error error; /* .code: enum elfparse_link_code or elfparse_code */
    const char *object;          /* name of the object; "" where it has none */
    struct elfparse_view symbol; /* or a library; empty: none */
    struct elfparse_view version;
    uint64_t place; /* without bias: what a relocation changes, or the wrong entry; 0: none */
};

/* Enough for every sentence, names of up to 255 bytes included. */
#define ELFPARSE_LINK_ERROR_MAX 1280u

/* As elfparse_error_format. Names are cut after 255 bytes. */
size_t elfparse_link_error_format(const struct elfparse_link_error *error, char *buf, size_t size);

/*
 * Phase 1. Returns 0, and count and the objects are whole; or the error's code, and count says how
 * many objects were loaded, for the caller to unload. No byte of their memory was changed. error
 * may be NULL, here and below.
 */
int elfparse_link_load(struct elfparse_link *link, struct elfparse_link_error *error);

/*
 * Phase 2. Returns 0 or the error's code. On failure no byte of the objects' memory was changed,
 * with two exceptions: ELFPARSE_ERELCHANGED and a callback ifunc that fails, since indirect
 * functions cannot be called before their objects are relocated.
 */
int elfparse_link_relocate(struct elfparse_link *link, struct elfparse_link_error *error);

/*
 * Looks a symbol up in all objects, as dlsym does (version NULL) or dlvsym. Returns 0, with the
 * index of the object in *object and the symbol, or ELFPARSE_LINK_EUNDEFINED or another code.
 */
int elfparse_link_lookup(const struct elfparse_link *link, const char *name, const char *version,
                         uint32_t *object, struct elfparse_symbol *symbol);

/*
 * The pages that become read-only after relocation. 1 with *area, whose limits are multiples of the
 * page size, or 0 where there are none.
 */
int elfparse_link_relro(const struct elfparse_object *object, struct elfparse_area *area);

/*
 * Fills a thread's block of tls_size bytes, aligned to tls_align. The thread pointer is its end in
 * variant 2 (x86-64, i386) and its start in variant 1, where the first words are left zero for the
 * thread control block.
 */
void elfparse_link_fill_tls(const struct elfparse_link *link, void *block);

enum elfparse_calls_kind { ELFPARSE_CALLS_INIT, ELFPARSE_CALLS_FINI };

/* A walk over functions to call. The caller's, opened by the function below. */
struct elfparse_calls {
    const struct elfparse_link *link;
    uint32_t kind;   /* enum elfparse_calls_kind */
    uint32_t place;  /* objects that are done, in the order of kind */
    uint32_t part;   /* parts of this object that are done */
    uint64_t number; /* calls of this part that are done */
};

/*
 * Initialisers: DT_PREINIT_ARRAY of the first object, then each object after those that it needs:
 * DT_INIT, DT_INIT_ARRAY. Those of objects that need each other come in the order of the GNU C
 * library. Finalisers: the reverse order, DT_FINI_ARRAY from its end, DT_FINI.
 */
void elfparse_link_calls_open(const struct elfparse_link *link, enum elfparse_calls_kind kind,
                              struct elfparse_calls *calls);

/* The address of the next function; 1, or 0 at the end. */
int elfparse_link_next_call(struct elfparse_calls *calls, uint64_t *address);

/*
 * Fills *debug and the objects' maps, and stores its address in DT_DEBUG of the first object, where
 * there is that entry in writable memory. Call it before the pages of RELRO become read-only, since
 * DT_DEBUG lies there. The objects lie at their addresses in the memory of this process or kernel,
 * and have the width of its pointers. breakpoint and base of *debug are the caller's, who calls
 * breakpoint afterwards.
 */
void elfparse_link_publish(struct elfparse_link *link, enum elfparse_debug_state state,
                           struct elfparse_debug *debug);

/* What dl_iterate_phdr tells of an object. */
struct elfparse_phdr_info {
    uint64_t bias;
    const char *name;
    uint64_t phdr; /* address; 0: the program headers are not loaded */
    uint32_t phnum;
    uint32_t tls_module; /* 0: none */
    uint64_t tls_offset; /* of the thread's block from the thread pointer, as a signed number */
    uint64_t adds;       /* objects that were ever added; none was ever removed */
};

/* Returns 0, or ELFPARSE_ELINK where there are fewer objects. */
int elfparse_link_phdr_info(const struct elfparse_link *link, uint32_t object,
                            struct elfparse_phdr_info *info);

ELFPARSE_END_DECLS

#endif
