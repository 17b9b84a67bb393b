/* Address spaces: the areas of a process and the page tables that show them.
 *
 * Every operation prepares, then commits: whatever may fail (areas, frames, tables) is obtained before
 * the first change. Errors are negative; on error nothing has changed. Addresses and lengths that are
 * page-aligned are said so; user ranges end at USER_END. */
#ifndef UMBRA_MM_ASPACE_H
#define UMBRA_MM_ASPACE_H

#include <stdbool.h>

#include "lib/ref.h"
#include "mm/pagetable.h"
#include "mm/vma.h"

/* What a fault wanted. */
#define ACCESS_READ  PROT_READ
#define ACCESS_WRITE PROT_WRITE
#define ACCESS_EXEC  PROT_EXEC

/* Limits of one address space; RLIM_INFINITY-like values mean none. */
struct aspace_limits {
    uint64_t total; /* RLIMIT_AS, bytes */
    uint64_t data;  /* RLIMIT_DATA, bytes of private writable areas */
    uint64_t stack; /* RLIMIT_STACK, bytes that a growing area may have */
};

#define VMA_COUNT_MAX   65530 /* areas in one address space, as Linux's vm.max_map_count */
#define STACK_GUARD_GAP (256 * PAGE_SIZE) /* kept free below a growing area, as on Linux */

struct aspace {
    struct pagetable pt;
    struct vma_set areas;
    struct aspace_limits limits;
    uint64_t total, data; /* bytes in areas; in private writable areas */
    virt_t mmap_top;      /* mmap(2) places areas below it */
    virt_t brk_start, brk;
    struct ref refs; /* processes that use it */
};

/* What to put at a place. */
struct aspace_mapping {
    virt_t start;            /* page-aligned */
    uint64_t size;           /* bytes, page-aligned, more than 0 */
    unsigned prot;           /* PROT_* */
    unsigned flags;          /* VMA_* */
    struct vfs_inode *inode; /* NULL: anonymous; the area takes a reference of its own */
    uint64_t page_index;     /* of the file, at start */
};

/* The frame of zeros that reads of untouched anonymous memory see. Made once at boot. */
int aspace_init(void);

/* An empty address space with one reference, all in *out. -ENOMEM. */
int aspace_create(struct aspace **out);

static inline void aspace_get(struct aspace *as)
{
    ref_get(&as->refs);
}

/* One user less; the last one frees areas, pages and tables. It must not be the one in use then. */
void aspace_put(struct aspace *as);

/* A copy in which every private page is shared copy-on-write. -ENOMEM. */
int aspace_clone(struct aspace *from, struct aspace **out);

/* Maps at exactly the given place, which must be free (-EEXIST). With `replace`, what is there goes
 * first. -EINVAL: outside the user range; -EACCES: WRITE and EXEC; -ENOMEM: a limit or memory. */
int aspace_map(struct aspace *as, const struct aspace_mapping *mapping, bool replace);

/* A free place for size bytes: hint if that is free, else the highest below mmap_top; 0 if none. */
virt_t aspace_find_place(struct aspace *as, virt_t hint, uint64_t size);

/* Removes what is mapped in [start, start + size); holes are no error. -EINVAL, -ENOMEM (a split). */
int aspace_unmap(struct aspace *as, virt_t start, uint64_t size);

/* Changes the protection of [start, start + size). -ENOMEM: part of it is not mapped, or memory;
 * -EACCES: WRITE and EXEC, or writing to a shared mapping of a file opened for reading. */
int aspace_protect(struct aspace *as, virt_t start, uint64_t size, unsigned prot);

/* Moves the end of the heap; returns the end in force, which is the old one if it cannot. */
virt_t aspace_brk(struct aspace *as, virt_t end);

/* Drops the pages of [start, start + size): anonymous ones read as zero, file ones come back from the
 * file. -ENOMEM: part of it is not mapped; the rest is dropped all the same. */
int aspace_discard(struct aspace *as, virt_t start, uint64_t size);

/* mremap(2): gives [from, from + old_size) of one area the size new_size, and moves it if it must
 * and may: REMAP_STAY never, REMAP_MOVE anywhere, REMAP_FIXED to *to, replacing what is there. Sizes are
 * page-aligned, new_size is not 0; old_size 0 makes a second mapping of a shared area. *to is set to
 * the place. -EFAULT: not one area; -EINVAL: the places overlap; -ENOMEM. */
enum aspace_remap_mode { REMAP_STAY, REMAP_MOVE, REMAP_FIXED };
int aspace_remap(struct aspace *as, virt_t from, uint64_t old_size, uint64_t new_size,
                 enum aspace_remap_mode mode, virt_t *to);

/* msync(2): files behind shared writable areas count as written now. -ENOMEM: a hole. */
int aspace_sync(struct aspace *as, virt_t start, uint64_t size);

/* mincore(2) for one page: 1 in memory, 0 not, -ENOMEM: nothing is mapped there. */
int aspace_is_resident(struct aspace *as, virt_t page);

/* Makes one page present for an access (a set of ACCESS_*). 0; -EFAULT: nothing is mapped there;
 * -EACCES: mapped, but not for that; -ENXIO: past the end of the file; -ENOMEM. */
int aspace_fault(struct aspace *as, virt_t address, unsigned access);

/* Makes all of [start, start + size) present as the areas allow. -ENOMEM and so on as above; pages that
 * were made stay. */
int aspace_populate(struct aspace *as, virt_t start, uint64_t size);

/* Writes to memory of an address space that need not be the one in use, as the process itself could
 * have. data NULL writes zeros. Errors as aspace_fault. */
int aspace_write(struct aspace *as, virt_t to, const void *data, uint64_t size);

/* Reads likewise. */
int aspace_read(struct aspace *as, virt_t from, void *data, uint64_t size);

/* Puts a frame at an address that an area covers and no page is at yet, whatever the area allows the process: how the loader
 * fills pages. Takes over one reference on success. -ENOMEM. */
int aspace_install_page(struct aspace *as, virt_t address, struct frame *frame);

/* The VFS says that pages [first, last] of an inode are about to go: drop them everywhere. */
void aspace_file_pages_gone(struct vfs_inode *inode, uint64_t first, uint64_t last);

/* The VFS says that page `index` of an inode, a hole until now, has contents: what shows zeros there must
 * find the page. Tables may become empty and go: who holds an entry looks it up again. */
void aspace_file_hole_filled(struct vfs_inode *inode, uint64_t index);

/* The inode is about to be freed. */
void aspace_file_gone(void *cookie);

/* Frames that the address space holds: its tables, and pages by kind. */
struct aspace_usage {
    size_t tables, anon, file, zero;
};
void aspace_usage(const struct aspace *as, struct aspace_usage *out);

#endif
