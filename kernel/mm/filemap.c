/* The areas that map an inode: a record that is the VFS's cookie of the inode. Its list is walked
 * when pages of the file are freed. */
#include <umvfs/path.h>
#include <umvfs/vfs.h>

#include "lib/check.h"
#include "lib/errno.h"
#include "lib/variable.h"
#include "mm/aspace_internal.h"
#include "mm/slab.h"

struct filemap {
    struct list mappings;
    struct umvfs_path
        path; /* the file's path when it was mapped, for /proc; held while there are areas */
};

static struct list *mappings_of(const struct umvfs_inode *inode)
{
    struct filemap *map = umvfs_inode_cookie(inode);
    return map ? &map->mappings : NULL;
}

int filemap_prepare(struct umvfs_inode *inode)
{
    if (mappings_of(inode))
        return 0;
    struct filemap *map = slab_alloc_zeroed(sizeof(*map));
    if (!map)
        return -ENOMEM;
    list_init(&map->mappings);
    umvfs_inode_set_cookie(inode, map);
    return 0;
}

void aspace_set_file_path(struct umvfs_inode *inode, const struct umvfs_path *path)
{
    struct filemap *map = umvfs_inode_cookie(inode);
    if (map && !list_empty(&map->mappings) && !map->path.dentry)
        map->path = umvfs_path_get(path);
}

const struct umvfs_path *aspace_file_path(const struct umvfs_inode *inode)
{
    const struct filemap *map = umvfs_inode_cookie(inode);
    return map && map->path.dentry ? &map->path : NULL;
}

void filemap_add(struct vma *vma)
{
    list_append(mappings_of(vma->inode), &vma->mapping);
}

void filemap_remove(struct vma *vma)
{
    struct filemap *map = umvfs_inode_cookie(vma->inode);
    list_remove(&vma->mapping);
    if (list_empty(&map->mappings) && map->path.dentry)
        umvfs_path_put(&map->path); /* the area still holds the inode */
}

void aspace_file_gone(void *cookie)
{
    struct filemap *map = cookie;
    CHECK(list_empty(&map->mappings), "a mapped inode is freed");
    slab_free(cookie);
}

static void drop_pages(struct vma *vma, uint64_t first, uint64_t last, bool copies_too)
{
    uint64_t pages = vma_size(vma) >> PAGE_SHIFT;
    uint64_t area_last = vma->page_index + pages - 1;
    if (last < vma->page_index || first > area_last)
        return;
    uint64_t from = first > vma->page_index ? first - vma->page_index : 0;
    uint64_t to = (last < area_last ? last : area_last) - vma->page_index + 1;
    UNINITIALIZED struct pt_flush flush; /* pt_flush_begin(); `nr` tells how many addresses */
    struct pagetable *pt = &vma->owner->pt;
    virt_t start = virt_add(vma->start, from << PAGE_SHIFT);
    virt_t end = virt_add(vma->start, to << PAGE_SHIFT);
    pt_flush_begin(&flush, pt);
    if (copies_too || (vma->flags & VMA_SHARED))
        pt_unmap(pt, start, end, &flush);
    else
        pt_unmap_kind(pt, start, end, FRAME_FILE,
                      &flush); /* punching a hole keeps private copies */
    pt_flush_end(&flush);
}

/* Removes the frame of zeros where it was mapped for the page. */
static void drop_zeros(struct vma *vma, uint64_t index)
{
    uint64_t pages = vma_size(vma) >> PAGE_SHIFT;
    if (index < vma->page_index || index - vma->page_index >= pages)
        return;
    virt_t at = virt_add(vma->start, (index - vma->page_index) << PAGE_SHIFT);
    struct pagetable *pt = &vma->owner->pt;
    const pte_t *entry = pt_lookup(pt, at);
    UNINITIALIZED struct pt_flush flush; /* pt_flush_begin(); `nr` tells how many addresses */
    if (!entry || !*entry || pte_frame(*entry) != aspace_zero_frame)
        return;
    pt_flush_begin(&flush, pt);
    pt_unmap(pt, at, virt_add(at, PAGE_SIZE), &flush);
    pt_flush_end(&flush);
}

void aspace_file_hole_filled(struct umvfs_inode *inode, uint64_t index)
{
    struct list *list = mappings_of(inode);
    if (list)
        LIST_FOR_EACH (vma, list, struct vma, mapping)
            drop_zeros(vma, index);
}

void aspace_file_pages_gone(struct umvfs_inode *inode, uint64_t first, uint64_t last)
{
    struct list *list = mappings_of(inode);
    if (list)
        LIST_FOR_EACH (vma, list, struct vma, mapping)
            drop_pages(vma, first, last, last == UINT64_MAX);
}
