/* Shared by the files that implement address spaces: aspace.c, fault.c, filemap.c, lifetime.c and
 * remap.c. */
#ifndef UMBRA_MM_ASPACE_INTERNAL_H
#define UMBRA_MM_ASPACE_INTERNAL_H

#include "mm/aspace.h"

/* The leaf bits for a protection. */
pte_t aspace_leaf_bits(unsigned prot);

/* The pages of the area that may be written without a fault: in a private area those with one
 * reference, in a shared one those of the file, since a hole must be filled first. */
static inline struct pt_writable aspace_writable_pages(const struct vma *vma)
{
    return vma->flags & VMA_SHARED ? (struct pt_writable){FRAME_FILE, UINT32_MAX}
                                   : (struct pt_writable){FRAME_ANON, 1};
}

/* Extends the growing area down to the page. Returns 0, or -EFAULT if that is beyond the limit or
 * in the guard gap. */
int aspace_grow_down(struct aspace *as, struct vma *vma, virt_t page);

/* Adds an area to the set and to its inode's list, which must be prepared, and counts it. */
void aspace_link_area(struct aspace *as, struct vma *vma);

/* Frees an area that is not in the set any more, and its entry in its inode's list. */
void aspace_drop_area(struct vma *vma);

/*
 * Moves the start of an area up or down between its neighbours. The part that it loses has no
 * pages.
 */
void aspace_move_start(struct aspace *as, struct vma *vma, virt_t start);

/* Makes a range within one area an area of its own with VMA_MOVING and no rights, and stores it in *out. The
 * rights in the page tables stay. Returns 0; -ENOMEM: too many areas, or memory. aspace_settle() ends that: it
 * gives the area that begins at `start` its rights and joins it with neighbours that have the same attributes. */
int aspace_isolate(struct aspace *as, virt_t start, uint64_t size, struct vma **out);
void aspace_settle(struct aspace *as, virt_t start, unsigned prot);

/* Adds an area to the list of mappings of its inode, or removes it. filemap_prepare() makes the
 * list at the first mapping. It returns 0 or -ENOMEM. */
int filemap_prepare(struct umvfs_inode *inode);
void filemap_add(struct vma *vma);
void filemap_remove(struct vma *vma);

extern struct frame *aspace_zero_frame;

#endif
