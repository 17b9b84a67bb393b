/* mremap(2), mincore(2) and msync(2). */
#include <vfs/page.h>

#include "lib/errno.h"
#include "lib/string.h"
#include "lib/uninitialized.h"
#include "mm/aspace_internal.h"

static void move_pages(struct aspace *as, virt_t from, virt_t to, uint64_t size)
{
    UNINITIALIZED struct pt_flush flush; /* pt_flush_begin(); `nr` tells how many addresses */
    pt_flush_begin(&flush, &as->pt);
    pt_move(&as->pt, from, to, size, &flush);
    pt_flush_end(&flush);
}

static struct aspace_mapping mapping_of(const struct vma *vma, virt_t from, virt_t to,
                                        uint64_t size)
{
    return (struct aspace_mapping){
        .start = to,
        .size = size,
        .prot = vma->prot,
        .flags = vma->flags & ~(unsigned)(VMA_GROWSDOWN | VMA_BRK),
        .inode = vma->inode,
        .page_index = vma->page_index + (vma->inode ? (from - vma->start) >> PAGE_SHIFT : 0),
    };
}

/* Maps the new place, moves the pages, unmaps the old place. Unmapping it may need memory; if there
 * is none, the pages move back. The new place stays an area of its own until then, so that
 * unmapping it needs no memory. */
static int move(struct aspace *as, const struct vma *vma, virt_t from, uint64_t old_size, virt_t to,
                uint64_t new_size, bool replace)
{
    struct aspace_mapping mapping = mapping_of(vma, from, to, new_size);
    uint64_t kept = old_size < new_size ? old_size : new_size;
    mapping.flags |= VMA_MOVING;
    int error = aspace_map(as, &mapping, replace);
    if (error)
        return error;
    error = pt_move_prepare(&as->pt, from, to, kept);
    if (!error) {
        move_pages(as, from, to, kept);
        error = old_size > 0 ? aspace_unmap(as, from, old_size) : 0;
        if (error)
            move_pages(as, to, from, kept);
    }
    if (error)
        (void)aspace_unmap(as, to, new_size);
    else
        aspace_settle(as, to);
    return error;
}

/* True if the area can be extended at its end. */
static bool grow_in_place(struct aspace *as, const struct vma *vma, virt_t from, uint64_t old_size,
                          uint64_t new_size)
{
    virt_t end = from + old_size;
    const struct vma *next = vma_next(&as->areas, vma);
    if (end != vma->end || new_size > USER_END - from || (next && next->start < from + new_size))
        return false;
    struct aspace_mapping more = mapping_of(vma, end, end, new_size - old_size);
    more.flags = vma->flags;
    return aspace_map(as, &more, false) == 0;
}

int aspace_remap(struct aspace *as, virt_t from, uint64_t old_size, uint64_t new_size,
                 enum aspace_remap_mode mode, virt_t *to)
{
    struct vma *vma = vma_find(&as->areas, from);
    if (!vma || vma->start > from)
        return -EFAULT;
    if (old_size == 0 && !(vma->flags & VMA_SHARED))
        return -EINVAL;
    if (old_size > vma->end - from)
        return -EFAULT;
    if (mode == REMAP_FIXED) {
        if (*to < from + old_size && from < *to + new_size)
            return -EINVAL;
        return move(as, vma, from, old_size, *to, new_size, true);
    }
    *to = from;
    if (old_size > 0 && new_size <= old_size)
        return new_size < old_size ? aspace_unmap(as, from + new_size, old_size - new_size) : 0;
    if (old_size > 0 && grow_in_place(as, vma, from, old_size, new_size))
        return 0;
    if (mode == REMAP_STAY)
        return -ENOMEM;
    *to = aspace_find_place(as, 0, new_size);
    return *to ? move(as, vma, from, old_size, *to, new_size, false) : -ENOMEM;
}

/* Calls visit for each area of [start, start + size); -ENOMEM at a hole. */
static int for_each_area(struct aspace *as, virt_t start, uint64_t size,
                         void (*visit)(struct vma *vma))
{
    virt_t at = start, end = start + size;
    if (start >= USER_END || size > USER_END - start)
        end = USER_END + 1; /* no area goes beyond */
    struct vma *vma = vma_find(&as->areas, start);
    for (; vma && vma->start <= at && at < end; vma = vma_next(&as->areas, vma)) {
        visit(vma);
        at = vma->end;
    }
    return at >= end ? 0 : -ENOMEM;
}

static void mark_written(struct vma *vma)
{
    if (vma->inode && (vma->flags & VMA_SHARED) && (vma->prot & PROT_WRITE))
        vfs_page_written(vma->inode);
}

int aspace_sync(struct aspace *as, virt_t start, uint64_t size)
{
    return for_each_area(as, start, size, mark_written);
}

static void ignore(struct vma *vma)
{
    (void)vma;
}

int aspace_check_mapped(struct aspace *as, virt_t start, uint64_t size)
{
    return for_each_area(as, start, size, ignore);
}

/* The result of mincore(2): one byte a page, from an address. */
struct residence {
    virt_t start;
    uint8_t *vec;
};

static int mark_resident(void *ctx, virt_t address, pte_t *entry)
{
    const struct residence *residence = ctx;
    (void)entry;
    residence->vec[(address - residence->start) >> PAGE_SHIFT] = 1;
    return 0;
}

/* Adds the pages that the file has in memory and that are not mapped here. */
static void ask_file(const struct vma *vma, virt_t start, virt_t end, uint8_t *vec)
{
    uint64_t index = vma->page_index + ((start - vma->start) >> PAGE_SHIFT);
    for (virt_t at = start; at < end; at += PAGE_SIZE, index++, vec++) {
        void *pointer = NULL;
        if (*vec || vfs_page_get(vma->inode, index, VFS_PAGE_READ, &pointer) != 0 || !pointer)
            continue;
        frame_put(frame_of_ptr(pointer));
        *vec = 1;
    }
}

int aspace_resident(struct aspace *as, virt_t start, size_t pages, uint8_t *vec)
{
    struct residence residence = {start, vec};
    virt_t end = start + pages * PAGE_SIZE;
    int error = aspace_check_mapped(as, start, end - start);
    if (error)
        return error;
    memset(vec, 0, pages);
    (void)pt_walk(&as->pt, start, end, mark_resident, &residence);
    const struct vma *vma = vma_find(&as->areas, start);
    for (; vma && vma->start < end; vma = vma_next(&as->areas, vma)) {
        virt_t from = vma->start > start ? vma->start : start;
        if (vma->inode)
            ask_file(vma, from, vma->end < end ? vma->end : end,
                     &vec[(from - start) >> PAGE_SHIFT]);
    }
    return 0;
}
