/* Address spaces: the areas of a process and its page tables.
 *
 * Every operation prepares, then commits: it allocates everything that may fail (areas, frames,
 * tables) before the first change. Errors are negative; on error nothing has changed. Addresses and
 * lengths that must be page-aligned are named so; user ranges end at USER_END. */
#ifndef UMBRA_MM_ASPACE_H
#define UMBRA_MM_ASPACE_H

#include <stdbool.h>

#include "lib/cmdline.h"
#include "lib/ref.h"
#include "mm/pagetable.h"
#include "mm/vma.h"

/* The kind of an access. */
#define ACCESS_READ  PROT_READ
#define ACCESS_WRITE PROT_WRITE
#define ACCESS_EXEC  PROT_EXEC

/* Limits of one address space; RLIM_INFINITY-like values mean none. */
struct aspace_limits {
    uint64_t total;  /* RLIMIT_AS, bytes */
    uint64_t data;   /* RLIMIT_DATA, bytes of private writable areas */
    uint64_t stack;  /* RLIMIT_STACK, bytes that a growing area may have */
    uint64_t locked; /* RLIMIT_MEMLOCK, bytes in areas with VMA_LOCKED */
    bool fixed_heap; /* brk(2) cannot move the end of the heap */
};

#define VMA_COUNT_MAX   65530 /* areas in one address space, as Linux's vm.max_map_count */
#define STACK_GUARD_GAP (256 * PAGE_SIZE) /* kept free below a growing area, as on Linux */

struct aspace {
    struct pagetable pt;
    struct vma_set areas;
    struct aspace_limits limits;
    uint64_t total, data; /* bytes in areas; in private writable areas */
    uint64_t most_total;  /* the largest `total` that there has been */
    uint64_t locked;      /* bytes in areas with VMA_LOCKED */
    uint8_t barriers;     /* membarrier(2): the commands that were registered */
    bool locks_new;       /* mlockall(MCL_FUTURE): new areas have VMA_LOCKED */
    virt_t mmap_top;      /* mmap(2) places areas below it */
    virt_t brk_start, brk;
    struct ref refs; /* processes that use it */
};

/* Long changes go in chunks, so that the caller can reach a scheduling point between two of them.
 * Every function here leaves the address space consistent. A budget counts present pages: a page
 * costs about 100 instructions, an area ASPACE_AREA_COST pages, a table PT_TABLE_COST.
 *
 * Measured under callgrind on the host, instructions a page, dense and with one page in each table, and the
 * worst case of one chunk of ASPACE_CHUNK pages (1,928 tables with one page each) and of 1 GiB in one piece:
 *
 *                         dense   sparse   one chunk   1 GiB
 *     unmap, discard      136     395      4.5 M       36 M dense, 52 M sparse
 *     free                136     394      4.4 M       36 M dense, 52 M sparse
 *     protect             15      97       0.5 M       13 M sparse
 *     clone               23      882      1.7 M       77 M sparse
 *     populate            770              6.3 M (ASPACE_POPULATE_CHUNK pages)
 *     resident            20               0.1 M (4096 pages)
 *     remap               57      1076     1.9 M       15 M dense, 94 M sparse
 *
 * Sparse, 1 GiB has 131,072 pages with a table each, or 87,381 if a second table is made. */
#define ASPACE_AREA_COST 10
#define ASPACE_CHUNK     ((size_t)32768)

/* The budget of a chunk that is `pages` otherwise: few with `chop` on the command line. */
static inline size_t aspace_chunk(size_t pages)
{
    return cmdline_options.chop ? 3 : pages;
}

/* A mapping: its place, its attributes and its file. */
struct aspace_mapping {
    virt_t start;              /* page-aligned */
    uint64_t size;             /* bytes, page-aligned, more than 0 */
    unsigned prot;             /* PROT_* */
    unsigned flags;            /* VMA_* */
    struct umvfs_inode *inode; /* NULL: anonymous; the area takes a reference of its own */
    uint64_t page_index;       /* of the file, at start */
};

/* The budget of an operation in one piece, whatever its size. */
#define ASPACE_WHOLE SIZE_MAX

/* The budget for copying or freeing an address space: a small one is done in one piece. */
static inline size_t aspace_budget(const struct aspace *as)
{
    bool is_small = as->pt.tables <= ASPACE_CHUNK / PT_ENTRIES && as->areas.count <= 1000;
    return is_small && !cmdline_options.chop ? ASPACE_WHOLE : aspace_chunk(ASPACE_CHUNK);
}

/* Allocates the frame of zeros, which reads of untouched anonymous memory map. Called at boot. */
int aspace_init(void);

/* Creates an empty address space with one reference and stores it in *out. Returns 0 or -ENOMEM. */
int aspace_create(struct aspace **out);

static inline void aspace_get(struct aspace *as)
{
    ref_get(&as->refs);
}

/* Drops a reference. The last one frees areas, pages and tables; the address space must not be in
 * use then. The same in chunks:
 *
 *     if (ref_put(&as->refs))
 *         while (aspace_free_some(as, ASPACE_CHUNK))
 *             (void)sched_point();
 *
 * aspace_free_some() returns true if something is left; the address space must not be used any
 * more. */
void aspace_put(struct aspace *as);
bool aspace_free_some(struct aspace *as, size_t budget);

/* Copies an address space into *out; every private page is shared copy-on-write. Returns 0 or
 * -ENOMEM. The same in chunks: aspace_clone_begin() makes an empty copy; aspace_clone_some() copies
 * from *at, which starts at 0, as far as the budget allows, and moves *at, finally to USER_END.
 * After -ENOMEM, or to stop early, the caller puts the copy. Nobody may map or unmap in the
 * original before the end; faults are allowed, also those that make an area grow. */
int aspace_clone(struct aspace *from, struct aspace **out);
int aspace_clone_begin(const struct aspace *from, struct aspace **out);
int aspace_clone_some(struct aspace *from, struct aspace *to, virt_t *at, size_t budget);

/* Returns how far an operation on [start, end) may go with this budget, which is more than 0: an
 * address above start. aspace_unmap(), aspace_protect() and aspace_discard() then take [start, that
 * address), and the next chunk begins there. Of several aspace_unmap() in such a sequence only the
 * first can fail. */
virt_t aspace_chunk_end(struct aspace *as, virt_t start, virt_t end, size_t budget);

/* Maps at exactly the given place, which must be free (-EEXIST); `replace` first removes the
 * mappings there. -EINVAL: outside the user range; -EACCES: WRITE and EXEC; -ENOMEM: a limit or
 * memory. */
int aspace_map(struct aspace *as, const struct aspace_mapping *mapping, bool replace);

/*
 * Finds `size` free bytes: at hint if that is free, else at the highest place below mmap_top; 0:
 * none.
 */
virt_t aspace_find_place(struct aspace *as, virt_t hint, uint64_t size);

/*
 * The same for MAP_32BIT: the hint must lie below LOW_PLACE_END, and other places between the two.
 */
#define LOW_PLACE_START 0x40000000ull
#define LOW_PLACE_END   0x80000000ull
virt_t aspace_find_low_place(struct aspace *as, virt_t hint, uint64_t size);

/* Removes the mappings in [start, start + size). Holes are not an error, page 0 is. -EINVAL: size 0
 * or beyond USER_END; -ENOMEM: a hole in the middle of an area, which makes two areas of it. */
int aspace_unmap(struct aspace *as, virt_t start, uint64_t size);

/* Changes the protection of [start, start + size). -ENOMEM: part of it is not mapped, a limit, or memory;
 * -EACCES: WRITE and EXEC, or writing to a shared mapping of a file opened for reading. As on Linux, what
 * lies before the first hole, or before the area that may not be changed, is changed nevertheless. */
int aspace_protect(struct aspace *as, virt_t start, uint64_t size, unsigned prot);

/* Sets and clears flags of areas, for mlock(2) VMA_LOCKED, for madvise(2) VMA_DONTFORK and VMA_WIPEFORK. It
 * checks no limit and makes no pages. -ENOMEM: part of the range is not mapped, or memory; -EINVAL:
 * VMA_WIPEFORK of an area that is not private and anonymous. What lies before the first hole, or before
 * such an area, is changed nevertheless. */
int aspace_flag(struct aspace *as, virt_t start, uint64_t size, unsigned set, unsigned clear);

/* Bytes of [start, start + size) in areas with VMA_LOCKED. */
uint64_t aspace_locked_in(struct aspace *as, virt_t start, uint64_t size);

/* Whether so many more bytes may be locked. */
static inline bool aspace_may_lock(const struct aspace *as, uint64_t more)
{
    return as->locked <= as->limits.locked && more <= as->limits.locked - as->locked;
}

/* Moves the end of the heap. Returns the new end, or the old one if it cannot be moved. */
virt_t aspace_brk(struct aspace *as, virt_t end);

/* Drops the pages of [start, start + size): anonymous ones read as zero, file ones are read from
 * the file again. -ENOMEM: part of it is not mapped; the rest is dropped all the same. */
int aspace_discard(struct aspace *as, virt_t start, uint64_t size);

/* mremap(2): changes the size of [from, from + old_size), which is in one area, to new_size. Unless it
 * moves, what is cut off may be in any areas, or none. It moves the range if necessary: REMAP_STAY never, REMAP_MOVE anywhere, REMAP_FIXED to *to,
 * replacing the mappings there. Sizes are page-aligned, new_size is not 0; old_size 0 makes a
 * second mapping of a shared area. Stores the address in *to. -EFAULT: not one area; -EINVAL: the
 * ranges overlap; -EAGAIN: more would be locked than
 * allowed; -ENOMEM. */
enum aspace_remap_mode { REMAP_STAY, REMAP_MOVE, REMAP_FIXED };
int aspace_remap(struct aspace *as, virt_t from, uint64_t old_size, uint64_t new_size,
                 enum aspace_remap_mode mode, virt_t *to);

/* The same in chunks: aspace_move_begin() finds what is to be done, which may be nothing any more, and
 *
 *     while (aspace_move_some(as, &move, ASPACE_CHUNK))
 *         if (sched_point() != 0)
 *             return -EINTR;
 *
 * does it; move.error is the result. Between two chunks both places are areas, and each page is in one of
 * them. Nobody else may map or unmap there meanwhile; aspace_fault(), aspace_read(), aspace_write() and
 * aspace_file_pages_gone() are allowed, and make no page in these areas. What REMAP_FIXED replaces goes first
 * then, as on Linux, and does not come back after an error. */
enum aspace_move_stage {
    MOVE_CLEAR, /* what is at the new place goes */
    MOVE_MAP,
    MOVE_PREPARE, /* tables are made */
    MOVE_PAGES,
    MOVE_UNMAP, /* the old place goes */
    MOVE_DROP,  /* after an error: the new place goes */
    MOVE_OVER
};

struct aspace_move {
    enum aspace_move_stage stage;
    int error;
    virt_t from, to;
    uint64_t old_size, new_size, kept;
    uint64_t done; /* bytes, of the present stage */
    bool replaces, clears_only;
    int then; /* the error after a clearing */
    struct aspace_mapping mapping;
};

int aspace_move_begin(struct aspace *as, virt_t from, uint64_t old_size, uint64_t new_size,
                      enum aspace_remap_mode mode, virt_t *to, struct aspace_move *move);
bool aspace_move_some(struct aspace *as, struct aspace_move *move, size_t budget);

/* Returns 0 if areas cover all of [start, start + size), else -ENOMEM. */
int aspace_check_mapped(struct aspace *as, virt_t start, uint64_t size);

/* mincore(2): sets vec[i] to 1 if page i from start is in memory, else to 0. Returns the number of pages, which are
 * fewer than asked for if a page is not mapped: those before it. */
size_t aspace_resident(struct aspace *as, virt_t start, size_t pages, uint8_t *vec);

/* Makes one page present for an access (a set of ACCESS_*). Returns 0; -EFAULT: not mapped;
 * -EACCES: the mapping does not allow the access; -ENXIO: past the end of the file; -ENOMEM. */
int aspace_fault(struct aspace *as, virt_t address, unsigned access);

/* Makes all of [start, start + size) present as the areas allow. Errors as above; pages that were
 * made stay. aspace_populate_some() handles at most so many pages from *at, and moves *at, finally
 * to the end. Making a page costs about 900 instructions. */
int aspace_populate(struct aspace *as, virt_t start, uint64_t size);
#define ASPACE_POPULATE_CHUNK ((size_t)8192)
int aspace_populate_some(struct aspace *as, virt_t *at, virt_t end, size_t pages);

/* The same as aspace_fault() for a page that may be there already, which then costs little. */
int aspace_populate_page(struct aspace *as, virt_t page, unsigned access);

/* Writes to the memory of an address space, which need not be the one in use, with the rights of
 * the process itself. data NULL writes zeros. Errors as aspace_fault. */
int aspace_write(struct aspace *as, virt_t to, const void *data, uint64_t size);

/* Reads in the same way. */
int aspace_read(struct aspace *as, virt_t from, void *data, uint64_t size);

/* Maps a frame at an address that an area covers and where no page is present, whatever the area's
 * protection: the loader fills pages so. Takes over one reference on success. -ENOMEM. */
int aspace_install_page(struct aspace *as, virt_t address, struct frame *frame);

/* libvfs is about to free pages [first, last] of an inode: removes them from all address spaces. */
void aspace_file_pages_gone(struct umvfs_inode *inode, uint64_t first, uint64_t last);

/* Page `index` of an inode, a hole until now, has contents: removes the frame of zeros where it was
 * mapped for it. Tables may become empty and be freed, so callers must look their entries up again.
 * */
void aspace_file_hole_filled(struct umvfs_inode *inode, uint64_t index);

/* aspace_set_file_path() stores the path of a mapped file, unless one is stored, until its last
 * mapping is removed. aspace_file_path() returns it, or NULL; it takes no reference. */
struct umvfs_path;
void aspace_set_file_path(struct umvfs_inode *inode, const struct umvfs_path *path);
const struct umvfs_path *aspace_file_path(const struct umvfs_inode *inode);

/* libvfs is about to free the inode with this cookie. */
void aspace_file_gone(void *cookie);

/* Frames that the address space holds: its tables, and pages by kind. */
struct aspace_usage {
    size_t tables, anon, file, zero;
};
void aspace_usage(const struct aspace *as, struct aspace_usage *out);

#endif
