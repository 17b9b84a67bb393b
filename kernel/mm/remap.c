/* mremap(2), mincore(2) and msync(2). */
#include <umvfs/page.h>

#include "lib/errno.h"
#include "lib/string.h"
#include "lib/variable.h"
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
        .page_index = vma->inode ? vma_page_index(vma, from) : vma->page_index,
    };
}

/* A range of the move's present stage, or what is left of it, that the budget pays for. */
static uint64_t chunk_of(struct aspace *as, const struct aspace_move *move, virt_t start,
                         uint64_t size, size_t budget)
{
    virt_t at = virt_add(start, move->done), end = virt_add(start, size);
    return virt_distance(at, budget == ASPACE_WHOLE ? end : aspace_chunk_end(as, at, end, budget));
}

static void enter_stage(struct aspace_move *move, enum aspace_move_stage stage)
{
    move->stage = stage;
    move->done = 0;
}

/* Takes the next chunk of [start, start + size) away; the stage is over at its end. An error can come only
 * before the first chunk, and not at all where the range is an area of its own. */
static int unmap_some(struct aspace *as, struct aspace_move *move, virt_t start, uint64_t size,
                      size_t budget)
{
    if (move->done >= size)
        return 0;
    uint64_t n = chunk_of(as, move, start, size, budget);
    int error = aspace_unmap(as, virt_add(start, move->done), n);
    move->done += n;
    return error;
}

/* What the place must be free of, or the part that is given back, goes first. */
static void clear_stage(struct aspace *as, struct aspace_move *move, size_t budget)
{
    if (budget != ASPACE_WHOLE || move->clears_only)
        move->error = unmap_some(as, move, move->to, move->new_size, budget);
    else
        move->done = move->new_size; /* aspace_map() does it */
    if (move->error) {
        enter_stage(move, MOVE_OVER);
    } else if (move->done >= move->new_size) {
        move->error = move->clears_only ? move->then : 0;
        enter_stage(move, move->clears_only ? MOVE_OVER : MOVE_MAP);
    }
}

/* Both places become areas of their own, in which nobody can make pages while some are on the way, not even
 * another process that looks at this one's memory. */
static int isolate_places(struct aspace *as, const struct aspace_move *move)
{
    struct vma *from, *to;
    int error = aspace_isolate(as, move->to, move->new_size, &to);
    if (error || move->old_size == 0)
        return error;
    error = aspace_isolate(as, move->from, move->old_size, &from);
    if (!error)
        to->flags |= from->flags & VMA_HAS_ANON; /* pages may have been copied since the begin */
    return error;
}

static void map_stage(struct aspace *as, struct aspace_move *move)
{
    move->error = aspace_map(as, &move->mapping, move->replaces);
    if (move->error) {
        enter_stage(move, MOVE_OVER);
        return;
    }
    move->error = isolate_places(as, move);
    enter_stage(move, move->error ? MOVE_DROP : MOVE_PREPARE);
}

static void prepare_stage(struct aspace *as, struct aspace_move *move, size_t budget)
{
    uint64_t n = 0;
    if (move->done < move->kept) {
        n = chunk_of(as, move, move->from, move->kept, budget);
        move->error = pt_move_prepare(&as->pt, virt_add(move->from, move->done),
                                      virt_add(move->to, move->done), n);
    }
    move->done += n;
    if (move->error)
        enter_stage(move, MOVE_DROP);
    else if (move->done >= move->kept)
        enter_stage(move, MOVE_PAGES);
}

static void pages_stage(struct aspace *as, struct aspace_move *move, size_t budget)
{
    if (move->done < move->kept) {
        uint64_t n = chunk_of(as, move, move->from, move->kept, budget);
        move_pages(as, virt_add(move->from, move->done), virt_add(move->to, move->done), n);
        move->done += n;
    }
    if (move->done >= move->kept)
        enter_stage(move, MOVE_UNMAP);
}

static void unmap_stage(struct aspace *as, struct aspace_move *move, size_t budget)
{
    (void)unmap_some(as, move, move->from, move->old_size, budget);
    if (move->done >= move->old_size) {
        aspace_settle(as, move->to, move->mapping.prot);
        enter_stage(move, MOVE_OVER);
    }
}

static void drop_stage(struct aspace *as, struct aspace_move *move, size_t budget)
{
    (void)unmap_some(as, move, move->to, move->new_size, budget);
    if (move->done < move->new_size)
        return;
    if (vma_find(&as->areas, move->from)->flags & VMA_MOVING)
        aspace_settle(as, move->from, move->mapping.prot);
    enter_stage(move, MOVE_OVER);
}

bool aspace_move_some(struct aspace *as, struct aspace_move *move, size_t budget)
{
    switch (move->stage) {
    case MOVE_CLEAR:
        clear_stage(as, move, budget);
        break;
    case MOVE_MAP:
        map_stage(as, move);
        break;
    case MOVE_PREPARE:
        prepare_stage(as, move, budget);
        break;
    case MOVE_PAGES:
        pages_stage(as, move, budget);
        break;
    case MOVE_UNMAP:
        unmap_stage(as, move, budget);
        break;
    case MOVE_DROP:
        drop_stage(as, move, budget);
        break;
    case MOVE_OVER:
        break;
    }
    /* Of the tables that were made, the first and the last may have other areas too, whose pages may go. */
    as->pt.keeps_tables = move->stage == MOVE_PREPARE || move->stage == MOVE_PAGES;
    return move->stage != MOVE_OVER;
}

/* Describes a move of [from, from + old_size) of the area to move->to. */
static void plan_move(struct aspace_move *move, const struct vma *vma, virt_t from,
                      uint64_t old_size, uint64_t new_size, bool replaces)
{
    move->from = from;
    move->old_size = old_size;
    move->new_size = new_size;
    move->kept = old_size < new_size ? old_size : new_size;
    move->replaces = replaces;
    move->mapping = mapping_of(vma, from, move->to, new_size);
    move->mapping.flags |= VMA_MOVING;
    enter_stage(move, replaces ? MOVE_CLEAR : MOVE_MAP);
}

/* Describes a move that only takes `size` bytes at `start` away, and the error that follows. */
static void plan_clearing(struct aspace_move *move, virt_t start, uint64_t size, int then)
{
    move->to = start;
    move->new_size = size;
    move->clears_only = true;
    move->then = then;
    enter_stage(move, size > 0 ? MOVE_CLEAR : MOVE_OVER);
}

/* True if the area can be extended at its end. */
static bool grow_in_place(struct aspace *as, const struct vma *vma, virt_t from, uint64_t old_size,
                          uint64_t new_size)
{
    virt_t end = virt_add(from, old_size);
    const struct vma *next = vma_next(&as->areas, vma);
    virt_t new_end = virt_add(from, new_size);
    if (end.value != vma->end.value || !virt_in_user(from, new_size) ||
        (next && next->start.value < new_end.value))
        return false;
    struct aspace_mapping more = mapping_of(vma, end, end, new_size - old_size);
    more.flags = vma->flags;
    return aspace_map(as, &more, false) == 0;
}

int aspace_move_begin(struct aspace *as, virt_t from, uint64_t old_size, uint64_t new_size,
                      enum aspace_remap_mode mode, virt_t *to, struct aspace_move *move)
{
    const struct vma *vma = vma_find(&as->areas, from);
    *move = (struct aspace_move){.to = *to, .stage = MOVE_OVER};
    if (!vma || vma->start.value > from.value)
        return -EFAULT;
    if (mode == REMAP_FIXED && to->value < from.value + old_size &&
        from.value < to->value + new_size)
        return -EINVAL;
    if (old_size == 0 && !(vma->flags & VMA_SHARED))
        return -EINVAL;
    if (mode != REMAP_FIXED && old_size > 0 && new_size <= old_size) {
        *to = from;
        if (!virt_in_user(from, old_size))
            return -EINVAL;
        plan_clearing(move, virt_add(from, new_size), old_size - new_size, 0);
        return 0;
    }
    if (old_size > virt_distance(from, vma->end))
        return -EFAULT;
    if ((vma->flags & VMA_LOCKED) && new_size > old_size &&
        !aspace_may_lock(as, new_size - old_size))
        return -EAGAIN;
    if (mode == REMAP_FIXED) {
        /* A copy of an area to its own place: as on Linux the place goes first, and with it the area. */
        if (to->value == from.value)
            plan_clearing(move, from, new_size, -EFAULT);
        else
            plan_move(move, vma, from, old_size, new_size, true);
        return 0;
    }
    *to = from;
    if (old_size > 0 && grow_in_place(as, vma, from, old_size, new_size))
        return 0;
    *to = mode == REMAP_STAY ? virt(0) : aspace_find_place(as, virt(0), new_size);
    if (!to->value)
        return -ENOMEM;
    move->to = *to;
    plan_move(move, vma, from, old_size, new_size, false);
    return 0;
}

int aspace_remap(struct aspace *as, virt_t from, uint64_t old_size, uint64_t new_size,
                 enum aspace_remap_mode mode, virt_t *to)
{
    struct aspace_move move;
    int error = aspace_move_begin(as, from, old_size, new_size, mode, to, &move);
    while (!error && aspace_move_some(as, &move, ASPACE_WHOLE))
        ;
    return error ? error : move.error;
}

int aspace_check_mapped(struct aspace *as, virt_t start, uint64_t size)
{
    virt_t at = start, end = virt_add(start, size);
    if (start.value == USER_END || !virt_in_user(start, size))
        end = virt(USER_END + 1); /* no area goes beyond */
    const struct vma *vma = vma_find(&as->areas, start);
    for (; vma && vma->start.value <= at.value && at.value < end.value;
         vma = vma_next(&as->areas, vma))
        at = vma->end;
    return at.value >= end.value ? 0 : -ENOMEM;
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
    residence->vec[virt_distance(residence->start, address) >> PAGE_SHIFT] = 1;
    return 0;
}

/* Adds the pages that the file has in memory and that are not mapped here. */
static void ask_file(const struct vma *vma, virt_t start, virt_t end, uint8_t *vec)
{
    uint64_t index = vma_page_index(vma, start);
    for (virt_t at = start; at.value < end.value; at.value += PAGE_SIZE, index++, vec++) {
        void *pointer = NULL;
        if (*vec || umvfs_page_get(vma->inode, index, UMVFS_PAGE_READ, &pointer) != 0 || !pointer)
            continue;
        frame_put(frame_of_ptr(pointer));
        *vec = 1;
    }
}

/* Where the areas that cover `start` have a hole, or `end`. */
static virt_t end_of_areas(struct aspace *as, virt_t start, virt_t end)
{
    virt_t at = start;
    const struct vma *vma = vma_find(&as->areas, at);
    for (; vma && vma->start.value <= at.value && at.value < end.value;
         vma = vma_next(&as->areas, vma))
        at = vma->end;
    return virt_min(at, end);
}

size_t aspace_resident(struct aspace *as, virt_t start, size_t pages, uint8_t *vec)
{
    struct residence residence = {start, vec};
    virt_t end = end_of_areas(as, start, virt_add(start, pages * PAGE_SIZE));
    pages = virt_distance(start, end) >> PAGE_SHIFT;
    memset(vec, 0, pages);
    (void)pt_walk(&as->pt, start, end, mark_resident, &residence);
    const struct vma *vma = vma_find(&as->areas, start);
    for (; vma && vma->start.value < end.value; vma = vma_next(&as->areas, vma)) {
        virt_t from = virt_max(vma->start, start);
        if (vma->inode)
            ask_file(vma, from, virt_min(vma->end, end),
                     &vec[virt_distance(start, from) >> PAGE_SHIFT]);
    }
    return pages;
}
