/* Shared by the files that make up the address spaces: aspace.c, fault.c, filemap.c, lifetime.c,
 * remap.c. */
#ifndef UMBRA_MM_ASPACE_INTERNAL_H
#define UMBRA_MM_ASPACE_INTERNAL_H

#include "mm/aspace.h"

/* The leaf bits for a protection. */
pte_t aspace_leaf_bits(unsigned prot);

/* Which pages of the area may be written without a fault: a private one if nobody else holds it, a shared
 * one if it is the file's own, for a hole has to be filled first. */
static inline struct pt_writable aspace_writable_pages(const struct vma *vma)
{
    return vma->flags & VMA_SHARED ? (struct pt_writable){FRAME_FILE, UINT32_MAX}
                                   : (struct pt_writable){FRAME_ANON, 1};
}

/* Extends the growing area down so that it holds the page. 0, -EFAULT (beyond the limit or into the
 * guard gap). */
int aspace_grow_down(struct aspace *as, struct vma *vma, virt_t page);

/* Puts an area that is filled in into the set and its inode's list, which must be prepared, and counts it. */
void aspace_link_area(struct aspace *as, struct vma *vma);

/* Frees an area that is not in the set any more, with its place in its inode's list. */
void aspace_drop_area(struct vma *vma);

/* Moves the start of an area to a place between its neighbours, either way; no page may be in what it loses. */
void aspace_move_start(struct aspace *as, struct vma *vma, virt_t start);

/* Ends VMA_MOVING of the area at `start` and joins it with its neighbours where they are alike. */
void aspace_settle(struct aspace *as, virt_t start);

/* Adds an area to, or takes it from, the list of mappings of its inode. The list is made at the first
 * mapping: filemap_prepare() does that and may answer -ENOMEM. */
int filemap_prepare(struct vfs_inode *inode);
void filemap_add(struct vma *vma);
void filemap_remove(struct vma *vma);

extern struct frame *aspace_zero_frame;

#endif
