#include "mm/aspace.h"

#include <umvfs/file.h>
#include <umvfs/vfs.h>

#include "lib/check.h"
#include "lib/errno.h"
#include "lib/planted.h"
#include "lib/variable.h"
#include "mm/aspace_internal.h"
#include "mm/slab.h"

/* Spare areas for the pieces that an operation cuts off, allocated before it begins. */
struct spares {
    struct vma *vma[2];
    unsigned count;
};

static int spares_get(struct spares *spares, unsigned count)
{
    for (spares->count = 0; spares->count < count; spares->count++) {
        struct vma *vma = slab_alloc(sizeof(*vma));
        if (!vma) {
            while (spares->count > 0)
                slab_free(spares->vma[--spares->count]);
            return -ENOMEM;
        }
        spares->vma[spares->count] = vma;
    }
    return 0;
}

static bool is_data(const struct vma *vma)
{
    return (vma->prot & PROT_WRITE) && !(vma->flags & (VMA_SHARED | VMA_GROWSDOWN));
}

static void account(struct aspace *as, const struct vma *vma, bool add)
{
    uint64_t size = vma_size(vma);
    as->total += add ? size : 0 - size;
    if (add && as->total > as->most_total)
        as->most_total = as->total;
    if (is_data(vma))
        as->data += add ? size : 0 - size;
    if (__builtin_expect(vma->flags & VMA_LOCKED, 0))
        as->locked += add ? size : 0 - size;
}

void aspace_link_area(struct aspace *as, struct vma *vma)
{
    vma->owner = as;
    vma_insert(&as->areas, vma);
    account(as, vma, true);
    if (vma->inode) {
        umvfs_inode_get(vma->inode);
        if (vma->flags & VMA_WRITER)
            umvfs_writer_get(vma->inode);
        filemap_add(vma);
    }
}

void aspace_drop_area(struct vma *vma)
{
    if (vma->inode) {
        filemap_remove(vma);
        if (vma->flags & VMA_WRITER)
            umvfs_writer_put(vma->inode);
        umvfs_inode_put(vma->inode);
    }
    slab_free(vma);
}

static void free_area(struct aspace *as, struct vma *vma)
{
    account(as, vma, false);
    vma_remove(&as->areas, vma);
    aspace_drop_area(vma);
}

/* A range that will be cut out: the first area that it touches, the areas that its two ends cut
 * (NULL: none; both may be the same), and the spare areas for the pieces. */
struct section {
    virt_t start, end;
    struct vma *above; /* the area that holds start, or the first one above it */
    struct vma *first, *low, *high;
    struct spares spares;
};

/* Cuts the area at `address`. Returns the upper piece, which is one of the spares. */
static struct vma *cut(struct aspace *as, struct vma *vma, virt_t address, struct spares *spares)
{
    struct vma *upper = spares->vma[--spares->count];
    upper->start = address;
    upper->end = vma->end;
    upper->prot = vma->prot;
    upper->flags = vma->flags;
    upper->inode = vma->inode;
    upper->page_index = vma_page_index(vma, address);
    account(as, upper, false);
    upper->flags &= (uint16_t)~VMA_GROWSDOWN; /* only the lowest piece still grows */
    vma->end = address;
    aspace_link_area(as, upper);
    return upper;
}

static void find_section(struct section *section, struct aspace *as, virt_t start, virt_t end)
{
    struct vma *first = vma_find(&as->areas, start), *last = first;
    section->above = first;
    if (first && first->start.value >= end.value)
        first = NULL;
    if (first && first->end.value < end.value)
        last = vma_find(&as->areas, end);
    section->start = start;
    section->end = end;
    section->first = first;
    section->low = first && first->start.value < start.value ? first : NULL;
    section->high =
        first && last && last->start.value < end.value && last->end.value > end.value ? last : NULL;
}

static unsigned pieces(const struct section *section)
{
    return (section->low ? 1u : 0u) + (section->high ? 1u : 0u);
}

/* Cuts both ends, and sets `first` to the first area inside. Nothing can fail after
 * spares_get(). */
static void cut_section(struct aspace *as, struct section *section)
{
    if (section->high)
        cut(as, section->high, section->end, &section->spares);
    if (section->low)
        section->first = cut(as, section->low, section->start, &section->spares);
}

/* Finds [start, end), and cuts the areas that it begins or ends in. */
static int open_section(struct section *section, struct aspace *as, virt_t start, virt_t end)
{
    find_section(section, as, start, end);
    if (as->areas.count + pieces(section) > VMA_COUNT_MAX)
        return -ENOMEM;
    int error = spares_get(&section->spares, pieces(section));
    if (!error)
        cut_section(as, section);
    return error;
}

static bool mergeable(const struct vma *low, const struct vma *high)
{
    uint64_t pages = vma_size(low) >> PAGE_SHIFT;
    return low->prot == high->prot && low->end.value == high->start.value &&
           low->inode == high->inode && !((low->flags ^ high->flags) & (uint16_t)~VMA_HAS_ANON) &&
           (!low->inode || low->page_index + pages == high->page_index) &&
           !(low->flags & VMA_GROWSDOWN);
}

/* Joins vma with its neighbours if they have the same attributes. Returns the joined area. The sums
 * of bytes do not change. */
static struct vma *merge(struct aspace *as, struct vma *vma)
{
    struct vma *low = vma_prev(&as->areas, vma), *high = vma_next(&as->areas, vma);
    if (high && mergeable(vma, high)) {
        vma->flags |= high->flags;
        vma->end = high->end; /* first, so that the area above never sees another gap */
        vma_remove(&as->areas, high);
        aspace_drop_area(high);
    }
    if (low && mergeable(low, vma))
        return merge(as, low);
    return vma;
}

static void set_moving(struct aspace *as, struct vma *vma, bool is_moving, unsigned prot)
{
    account(as, vma, false);
    vma->flags = (uint16_t)((vma->flags & ~VMA_MOVING) | (is_moving ? VMA_MOVING : 0));
    vma->prot = (uint8_t)prot;
    account(as, vma, true);
}

int aspace_isolate(struct aspace *as, virt_t start, uint64_t size, struct vma **out)
{
    UNINITIALIZED struct section section; /* open_section() */
    int error = open_section(&section, as, start, virt_add(start, size));
    if (error)
        return error;
    set_moving(as, section.first, true, 0);
    *out = section.first;
    return 0;
}

void aspace_settle(struct aspace *as, virt_t start, unsigned prot)
{
    struct vma *vma = vma_find(&as->areas, start);
    set_moving(as, vma, false, prot);
    merge(as, vma);
}

static bool in_range(virt_t start, uint64_t size)
{
    return start.value >= USER_MIN && size > 0 && virt_in_user(start, size);
}

static void clear_pages(struct aspace *as, virt_t start, virt_t end)
{
    UNINITIALIZED struct pt_flush flush; /* pt_flush_begin(); `nr` tells how many addresses */
    pt_flush_begin(&flush, &as->pt);
    pt_unmap(&as->pt, planted(PLANT_UNMAP_LEAVES_PAGE) ? virt_add(start, PAGE_SIZE) : start, end,
             &flush);
    pt_flush_end(&flush);
}

static void free_areas(struct aspace *as, struct vma *first, virt_t end)
{
    for (struct vma *vma = first; vma && vma->start.value < end.value;) {
        struct vma *next = vma_next(&as->areas, vma);
        free_area(as, vma);
        vma = next;
    }
}

/* Removes all areas and pages of a section whose ends are cut. */
static void clear_section(struct aspace *as, const struct section *section)
{
    clear_pages(as, section->start, section->end);
    free_areas(as, section->first, section->end);
}

static void move_end(struct aspace *as, struct vma *vma, virt_t end)
{
    account(as, vma, false);
    vma->end = end;
    account(as, vma, true);
    vma_end_moved(&as->areas, vma);
}

/* Only a section in the middle of one area needs a spare area; otherwise areas become shorter. The
 * upper piece of a growing area does not grow any more. */
static void trim_section(struct aspace *as, struct section *section)
{
    struct vma *low = section->low, *high = section->high;
    if (high && low == high) {
        cut(as, high, section->end, &section->spares);
    } else if (high) {
        account(as, high, false);
        high->flags &= (uint16_t)~VMA_GROWSDOWN;
        account(as, high, true);
        aspace_move_start(as, high, section->end);
    }
    if (low) {
        move_end(as, low, section->start);
        section->first = vma_next(&as->areas, low);
    }
}

int aspace_unmap(struct aspace *as, virt_t start, uint64_t size)
{
    UNINITIALIZED struct section section; /* find_section(), spares_get() */
    if (!virt_in_user(start, size) || size == 0)
        return -EINVAL;
    find_section(&section, as, start, virt_add(start, size));
    if (!section.first)
        return 0;
    bool hole = section.low && section.low == section.high;
    if (hole && as->areas.count >= VMA_COUNT_MAX) /* at the limit, an end can still be removed */
        return -ENOMEM;
    int error = spares_get(&section.spares, hole ? 1 : 0);
    if (error)
        return error;
    clear_pages(as, section.start, section.end);
    trim_section(as, &section);
    free_areas(as, section.first, section.end);
    return 0;
}

/* Bytes of a section that areas cover, and of those the private writable ones. */
static void count_covered(const struct aspace *as, const struct section *section, uint64_t *total,
                          uint64_t *data)
{
    *total = *data = 0;
    const struct vma *vma = section->first;
    for (; vma && vma->start.value < section->end.value; vma = vma_next(&as->areas, vma)) {
        virt_t from = virt_max(vma->start, section->start);
        virt_t to = virt_min(vma->end, section->end);
        *total += virt_distance(from, to);
        if (is_data(vma))
            *data += virt_distance(from, to);
    }
}

static int check_limits(const struct aspace *as, const struct vma *wanted,
                        const struct section *section)
{
    uint64_t total, data, size = vma_size(wanted);
    count_covered(as, section, &total, &data);
    if (as->limits.total < size || as->total - total > as->limits.total - size)
        return -ENOMEM;
    if (is_data(wanted) && !(wanted->flags & VMA_NORESERVE) && size > frame_total() * PAGE_SIZE)
        return -ENOMEM; /* more than there could ever be */
    if (is_data(wanted) && (as->limits.data < size || as->data - data > as->limits.data - size))
        return -ENOMEM;
    return 0;
}

static int check_mapping(const struct aspace_mapping *m)
{
    if (!in_range(m->start, m->size) || ((m->start.value | m->size) & PAGE_MASK))
        return -EINVAL;
    if ((m->prot & PROT_WRITE) && (m->prot & PROT_EXEC))
        return -EACCES;
    return m->inode ? filemap_prepare(m->inode) : 0;
}

/* Fills in the attributes of an area, without its links. */
static void describe(struct vma *vma, const struct aspace_mapping *mapping)
{
    vma->start = mapping->start;
    vma->end = virt_add(mapping->start, mapping->size);
    vma->prot = (uint8_t)mapping->prot;
    vma->flags = (uint16_t)mapping->flags;
    vma->inode = mapping->inode;
    vma->page_index = mapping->page_index;
}

/* The common case: extends the area just below the free range if it has the same attributes. */
static bool extend_below(struct aspace *as, const struct vma *wanted, const struct vma *above)
{
    struct vma *low = vma_below(&as->areas, above);
    if (!low || !mergeable(low, wanted))
        return false;
    account(as, wanted, true);
    low->end = wanted->end;
    vma_end_moved(&as->areas, low);
    struct vma *high = vma_next(&as->areas, low);
    if (high && mergeable(low, high))
        merge(as, low);
    return true;
}

int aspace_map(struct aspace *as, const struct aspace_mapping *mapping, bool replace)
{
    UNINITIALIZED struct section section; /* find_section(), spares_get() */
    int error = check_mapping(mapping);
    if (error)
        return error;
    virt_t start = mapping->start, end = virt_add(start, mapping->size);
    UNINITIALIZED struct vma wanted; /* describe(): all that is read of it */
    describe(&wanted, mapping);
    find_section(&section, as, start, end);
    if (section.first && !replace)
        return -EEXIST;
    error = check_limits(as, &wanted, &section);
    if (error)
        return error;
    if (!section.first && extend_below(as, &wanted, section.above))
        return 0;
    if (as->areas.count + pieces(&section) >= VMA_COUNT_MAX)
        return -ENOMEM;
    struct vma *vma = slab_alloc(sizeof(*vma));
    error = vma ? spares_get(&section.spares, pieces(&section)) : -ENOMEM;
    if (error) {
        slab_free(vma);
        return error;
    }
    describe(vma, mapping);
    cut_section(as, &section);
    if (section.first)
        clear_section(as, &section);
    aspace_link_area(as, vma);
    merge(as, vma);
    return 0;
}

static bool is_free(struct aspace *as, virt_t start, uint64_t size)
{
    if (!in_range(start, size))
        return false;
    const struct vma *above = vma_find(&as->areas, start);
    return !above || above->start.value >= start.value + size;
}

virt_t aspace_find_place(struct aspace *as, virt_t hint, uint64_t size)
{
    hint = virt_floor(hint);
    if (is_free(as, hint, size))
        return hint;
    virt_t place = vma_find_gap(&as->areas, size, virt(USER_MIN), as->mmap_top);
    return place.value ? place : vma_find_gap(&as->areas, size, virt(USER_MIN), virt(STACK_TOP));
}

virt_t aspace_find_low_place(struct aspace *as, virt_t hint, uint64_t size)
{
    hint = virt_floor(hint);
    if (hint.value < LOW_PLACE_END && size <= LOW_PLACE_END - hint.value && is_free(as, hint, size))
        return hint;
    return vma_find_gap(&as->areas, size, virt(LOW_PLACE_START), virt(LOW_PLACE_END));
}

/* Checks that areas cover all of [start, *end) and that all of them may have prot. If not, *end
 * becomes the first address that fails. */
static int check_protect(struct aspace *as, virt_t start, virt_t *end, unsigned prot)
{
    struct vma *vma = vma_find(&as->areas, start);
    uint64_t data = as->data;
    int error = 0;
    for (; vma && vma->start.value <= start.value && start.value < end->value;
         vma = vma_next(&as->areas, vma)) {
        virt_t stop = virt_min(vma->end, *end);
        if ((prot & PROT_WRITE) && (vma->flags & VMA_NO_WRITE))
            error = -EACCES;
        if ((prot & PROT_WRITE) && !is_data(vma) && !(vma->flags & (VMA_SHARED | VMA_GROWSDOWN)))
            data += virt_distance(start, stop);
        if (!error && data > as->data && data > as->limits.data)
            error = -ENOMEM;
        if (error)
            break;
        start = stop;
    }
    if (start.value < end->value && !error)
        error = -ENOMEM;
    if (error)
        *end = start;
    return error;
}

static void protect_area(struct aspace *as, struct vma *vma, unsigned prot, struct pt_flush *flush)
{
    account(as, vma, false);
    vma->prot = (uint8_t)prot;
    account(as, vma, true);
    if (!planted(PLANT_PROTECT_IGNORED))
        pt_protect(&as->pt, vma->start, vma->end, aspace_leaf_bits(prot),
                   aspace_writable_pages(vma), flush);
}

int aspace_protect(struct aspace *as, virt_t start, uint64_t size, unsigned prot)
{
    UNINITIALIZED struct section section; /* open_section() */
    UNINITIALIZED struct pt_flush flush;  /* pt_flush_begin(); `nr` tells how many addresses */
    if (!in_range(start, size))
        return -ENOMEM;
    if ((prot & PROT_WRITE) && (prot & PROT_EXEC))
        return -EACCES;
    virt_t end = virt_add(start, size);
    int refused = check_protect(as, start, &end, prot);
    if (end.value == start.value)
        return refused;
    int error = open_section(&section, as, start, end);
    if (error)
        return error;
    pt_flush_begin(&flush, &as->pt);
    struct vma *vma = section.first;
    while (vma && vma->start.value < end.value) {
        protect_area(as, vma, prot, &flush);
        vma = vma_next(&as->areas, merge(as, vma));
    }
    if (vma)
        merge(as, vma);
    if (planted(PLANT_TLB_NOT_FLUSHED))
        flush.active = false;
    pt_flush_end(&flush);
    return refused;
}

/* The end of the part of [start, end) without holes. */
static virt_t end_of_mapped(struct aspace *as, virt_t start, virt_t end)
{
    struct vma *vma = vma_find(&as->areas, start);
    for (; vma && vma->start.value <= start.value && start.value < end.value;
         vma = vma_next(&as->areas, vma))
        start = vma->end;
    return virt_min(start, end);
}

static int flag_area(struct aspace *as, struct vma *vma, unsigned set, unsigned clear)
{
    if ((set & VMA_WIPEFORK) && (vma->inode || (vma->flags & VMA_SHARED)))
        return -EINVAL;
    account(as, vma, false);
    vma->flags = (uint16_t)((vma->flags & ~clear) | set);
    account(as, vma, true);
    return 0;
}

int aspace_flag(struct aspace *as, virt_t start, uint64_t size, unsigned set, unsigned clear)
{
    UNINITIALIZED struct section section; /* open_section() */
    if (!in_range(start, size))
        return -ENOMEM;
    virt_t end = end_of_mapped(as, start, virt_add(start, size));
    int refused = end.value < start.value + size ? -ENOMEM : 0;
    if (end.value == start.value)
        return refused;
    int error = open_section(&section, as, start, end);
    if (error)
        return error;
    struct vma *vma = section.first;
    while (vma && vma->start.value < end.value && !error) {
        error = flag_area(as, vma, set, clear);
        vma = vma_next(&as->areas, merge(as, vma));
    }
    if (vma)
        merge(as, vma);
    return error ? error : refused;
}

uint64_t aspace_locked_in(struct aspace *as, virt_t start, uint64_t size)
{
    uint64_t locked = 0;
    virt_t end = virt_add(start, size);
    const struct vma *vma = vma_find(&as->areas, start);
    for (; vma && vma->start.value < end.value; vma = vma_next(&as->areas, vma)) {
        virt_t from = virt_max(vma->start, start);
        virt_t to = virt_min(vma->end, end);
        locked += vma->flags & VMA_LOCKED ? virt_distance(from, to) : 0;
    }
    return locked;
}

static __attribute__((noinline)) bool lock_heap(const struct aspace *as,
                                                struct aspace_mapping *heap)
{
    heap->flags |= VMA_LOCKED;
    return aspace_may_lock(as, heap->size);
}

virt_t aspace_brk(struct aspace *as, virt_t end)
{
    virt_t old = virt_ceil(as->brk), new;
    if (end.value < as->brk_start.value || end.value >= USER_END)
        return as->brk;
    if (__builtin_expect(as->limits.fixed_heap, 0))
        return as->brk;
    new = virt_ceil(end);
    if (new.value < old.value && aspace_unmap(as, new, virt_distance(new, old)) != 0)
        return as->brk;
    if (new.value > old.value) {
        struct aspace_mapping heap = {
            old, virt_distance(old, new), PROT_READ | PROT_WRITE, VMA_BRK, NULL, 0};
        if (__builtin_expect(as->locks_new, 0) && !lock_heap(as, &heap))
            return as->brk;
        const struct vma *above = vma_find(&as->areas, old);
        /* a page stays free above the heap */
        if (above && above->start.value < new.value + PAGE_SIZE)
            return as->brk;
        if (aspace_map(as, &heap, false) != 0)
            return as->brk;
    }
    as->brk = end;
    return end;
}

int aspace_discard(struct aspace *as, virt_t start, uint64_t size)
{
    virt_t end = virt_in_user(start, size) ? virt_add(start, size) : virt(USER_END);
    if (start.value >= USER_END)
        return -ENOMEM;
    UNINITIALIZED struct pt_flush flush; /* pt_flush_begin(); `nr` tells how many addresses */
    pt_flush_begin(&flush, &as->pt);
    if (!planted(PLANT_DISCARD_IGNORED))
        pt_unmap(&as->pt, start, end, &flush);
    pt_flush_end(&flush);
    return aspace_check_mapped(as, start, size);
}

virt_t aspace_chunk_end(struct aspace *as, virt_t start, virt_t end, size_t budget)
{
    const struct vma *vma = vma_find(&as->areas, start);
    for (; vma && vma->start.value < end.value; vma = vma_next(&as->areas, vma)) {
        virt_t from = virt_max(vma->start, start);
        virt_t to = virt_min(vma->end, end);
        if (budget == 0)
            return from;
        virt_t stop = pt_chunk_end(&as->pt, from, to, &budget);
        if (stop.value < to.value)
            return stop;
        budget -= budget < ASPACE_AREA_COST ? budget : ASPACE_AREA_COST;
    }
    return end;
}

void aspace_move_start(struct aspace *as, struct vma *vma, virt_t start)
{
    account(as, vma, false);
    vma->page_index += (start.value >> PAGE_SHIFT) - (vma->start.value >> PAGE_SHIFT);
    vma->start = start;
    account(as, vma, true);
    vma_moved(&as->areas, vma);
}

int aspace_grow_down(struct aspace *as, struct vma *vma, virt_t page)
{
    const struct vma *below = vma_prev(&as->areas, vma);
    uint64_t more = virt_distance(page, vma->start);
    if (virt_distance(page, vma->end) > as->limits.stack)
        return -EFAULT;
    if (below &&
        (page.value < below->end.value || virt_distance(below->end, page) < STACK_GUARD_GAP))
        return -EFAULT;
    if (page.value < USER_MIN + STACK_GUARD_GAP)
        return -EFAULT;
    if (vma->inode && vma->page_index < more >> PAGE_SHIFT)
        return -EFAULT; /* the file has no page before its first */
    if (as->limits.total < more || as->total > as->limits.total - more)
        return -EFAULT;
    if ((vma->flags & VMA_LOCKED) && !aspace_may_lock(as, more))
        return -EFAULT;
    aspace_move_start(as, vma, page);
    return 0;
}

static int count_page(void *ctx, virt_t address, pte_t *entry)
{
    struct aspace_usage *usage = ctx;
    const struct frame *frame = pte_frame(*entry);
    (void)address;
    if (frame == aspace_zero_frame)
        usage->zero++;
    else if (frame->kind == FRAME_FILE)
        usage->file++;
    else
        usage->anon++;
    return 0;
}

void aspace_usage(const struct aspace *as, struct aspace_usage *out)
{
    *out = (struct aspace_usage){.tables = as->pt.tables};
    pt_walk(&as->pt, virt(0), virt(USER_END), count_page, out);
}
