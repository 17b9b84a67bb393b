/* The creation, the copy for fork, and the end of an address space. */
#include <umvfs/vfs.h>

#include "lib/check.h"
#include "lib/errno.h"
#include "lib/planted.h"
#include "lib/variable.h"
#include "mm/aspace_internal.h"
#include "mm/slab.h"

int aspace_create(struct aspace **out)
{
    struct aspace *as = slab_alloc_zeroed(sizeof(*as));
    if (!as)
        return -ENOMEM;
    int error = pt_create(&as->pt);
    if (error) {
        slab_free(as);
        return error;
    }
    vma_set_init(&as->areas);
    as->limits = (struct aspace_limits){UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, false};
    as->mmap_top = virt(STACK_TOP);
    as->refs = REF_ONE;
    *out = as;
    return 0;
}

/* Removes the pages of an area from its start, as far as the budget allows. Returns true if none is
 * left. The area need not be in the tree any more. */
static bool free_pages(struct aspace *as, struct vma *vma, size_t *budget, struct pt_flush *flush)
{
    virt_t stop =
        *budget == ASPACE_WHOLE ? vma->end : pt_chunk_end(&as->pt, vma->start, vma->end, budget);
    pt_unmap(&as->pt, vma->start, stop, flush);
    vma->page_index += virt_distance(vma->start, stop) >> PAGE_SHIFT;
    vma->start = stop;
    return stop.value == vma->end.value;
}

/* Frees area by area, so that empty parts of the tables are skipped. It does not update the tree of
 * areas, which is not searched any more. */
static bool free_areas(struct aspace *as, size_t budget)
{
    UNINITIALIZED struct pt_flush flush; /* pt_flush_begin(); `nr` tells how many addresses */
    bool all = true;
    pt_flush_begin(&flush, &as->pt);
    CHECK(!flush.active, "the address space in use is freed");
    LIST_FOR_EACH (vma, &as->areas.list, struct vma, link) {
        all = budget > 0 && free_pages(as, vma, &budget, &flush);
        if (!all)
            break;
        if (budget != ASPACE_WHOLE)
            budget -= budget < ASPACE_AREA_COST ? budget : ASPACE_AREA_COST;
        list_remove(&vma->link);
        aspace_drop_area(vma);
    }
    pt_flush_end(&flush);
    return all;
}

bool aspace_free_some(struct aspace *as, size_t budget)
{
    as->areas.root = as->areas.hint = NULL;
    as->pt.keeps_tables = false; /* a move may have been left in the middle */
    if (!free_areas(as, budget))
        return true;
    if (!planted(PLANT_EXIT_LEAKS_TABLE))
        pt_destroy(&as->pt);
    slab_free(as);
    return false;
}

void aspace_put(struct aspace *as)
{
    if (ref_put(&as->refs))
        (void)aspace_free_some(as, ASPACE_WHOLE);
}

/* True if fork must copy the area's page tables. Other pages are mapped again by faults. */
static bool has_own_pages(const struct vma *vma)
{
    return !vma->inode || (!(vma->flags & VMA_SHARED) && (vma->flags & VMA_HAS_ANON));
}

/* The copy of an area, if its first part has been copied; else NULL. Copies are made in ascending order, and
 * an area keeps its end: its start moves between two chunks if another process makes a stack grow. */
static struct vma *copy_of(const struct aspace *to, const struct vma *vma)
{
    struct vma *last = vma_below(&to->areas, NULL);
    return last && last->end.value == vma->end.value ? last : NULL;
}

/* Copies the part of an area that lies in [start, end), and the area itself with its first part. */
static int clone_area(struct aspace *from, struct aspace *to, const struct vma *vma, virt_t start,
                      virt_t end, struct pt_flush *flush)
{
    struct vma *copy = copy_of(to, vma);
    if (copy) {
        copy->flags |= vma->flags & VMA_HAS_ANON;
        start = virt_max(vma->start, start);
    } else {
        copy = slab_alloc(sizeof(*copy));
        if (!copy)
            return -ENOMEM;
        *copy = *vma;
        copy->flags &= (uint16_t)~VMA_LOCKED;
        aspace_link_area(to, copy);
        start = vma->start;
    }
    if (!has_own_pages(vma) || (vma->flags & VMA_WIPEFORK))
        return 0;
    end = virt_min(vma->end, end);
    int error = pt_copy_prepare(&to->pt, &from->pt, start, end);
    if (!error)
        pt_copy(&to->pt, &from->pt, start, end, !(vma->flags & VMA_SHARED), flush);
    return error;
}

int aspace_clone_begin(const struct aspace *from, struct aspace **out)
{
    struct aspace *to;
    int error = aspace_create(&to);
    if (error)
        return error;
    to->limits = from->limits;
    to->barriers = from->barriers;
    to->mmap_top = from->mmap_top;
    to->brk_start = from->brk_start;
    to->brk = from->brk;
    *out = to;
    return 0;
}

int aspace_clone_some(struct aspace *from, struct aspace *to, virt_t *at, size_t budget)
{
    virt_t end = budget == ASPACE_WHOLE ? virt(USER_END)
                                        : aspace_chunk_end(from, *at, virt(USER_END), budget);
    UNINITIALIZED struct pt_flush flush; /* pt_flush_begin(); `nr` tells how many addresses */
    int error = 0;
    pt_flush_begin(&flush, &from->pt);
    struct vma *vma = vma_find(&from->areas, *at);
    for (; vma && vma->start.value < end.value && !error; vma = vma_next(&from->areas, vma))
        error = vma->flags & VMA_DONTFORK ? 0 : clone_area(from, to, vma, *at, end, &flush);
    pt_flush_end(&flush);
    *at = end;
    return error;
}

int aspace_clone(struct aspace *from, struct aspace **out)
{
    struct aspace *to;
    virt_t at = virt(0);
    int error = aspace_clone_begin(from, &to);
    if (error)
        return error;
    error = aspace_clone_some(from, to, &at, ASPACE_WHOLE);
    if (error)
        aspace_put(to);
    else
        *out = to;
    return error;
}
