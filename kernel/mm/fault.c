/* Page faults in user memory. The area, the access and the page table entry select the case:
 *
 *      area?   allows it?   entry    private/shared, anon/file      case
 *      -----   ----------   -------  ---------------------------    ------------------------------
 *      none                                                          1 grow the stack, or -EFAULT
 *      yes     no                                                    2 -EACCES
 *      yes     yes          empty    anon, read                      3 the frame of zeros, read-only
 *      yes     yes          empty    anon, write                     4 a fresh frame of zeros
 *      yes     yes          empty    file, read or exec              5 the file's page, and those around it
 *      yes     yes          empty    private file, write             6 a copy of the file's page
 *      yes     yes          empty    shared file, write              7 the file's page, writable
 *      yes     yes          leaf     private, write, held by others  8 copy-on-write
 *      yes     yes          leaf     private, write, nobody else's   9 made writable again
 *      yes     yes          leaf     shared, write                  10 made writable (a hole is filled)
 *      yes     yes          leaf     anything else                  11 a stale translation: flush it
 *
 * A reserved bit in an entry, and a fault on a kernel address, never get here: trap/trap.c panics.
 * Every case obtains what it needs before it writes an entry. */
#include <umvfs/page.h>

#include "arch/phys.h"
#include "arch/tlb.h"
#include "lib/check.h"
#include "lib/errno.h"
#include "lib/planted.h"
#include "lib/string.h"
#include "lib/variable.h"
#include "mm/aspace_internal.h"

#define AROUND_PAGES 32 /* a fault on a file page maps the block of this many around it */

/* Keep out of line: these functions take the address of locals, which would make the anonymous-page
 * path spill registers. */
#define NOINLINE __attribute__((noinline))

struct frame *aspace_zero_frame;

struct fault {
    struct aspace *as;
    struct vma *vma;
    virt_t page;
    unsigned access;
    pte_t bits;   /* of a leaf with the area's protection */
    pte_t *entry; /* of the page; NULL: it has no table yet */
};

int aspace_init(void)
{
    aspace_zero_frame = frame_alloc_zeroed(FRAME_KERNEL);
    return aspace_zero_frame ? 0 : -ENOMEM;
}

pte_t aspace_leaf_bits(unsigned prot)
{
    pte_t bits = PTE_P | PTE_US | PTE_A;
    if (prot == 0)
        return 0;
    if (prot & PROT_WRITE)
        bits |= PTE_RW | PTE_D;
    if (!(prot & PROT_EXEC) && !planted(PLANT_NX_LEFT_OUT))
        bits |= pte_execute_disable;
    return bits;
}

static void flush_one(const struct fault *fault)
{
    if (tlb_current().value == frame_phys(fault->as->pt.root).value)
        tlb_flush_page(fault->page);
}

static uint64_t file_index(const struct fault *fault, virt_t page)
{
    return vma_page_index(fault->vma, page);
}

/* Gets the file's page with a new reference, or the frame of zeros for a hole. */
static int get_file_frame(const struct fault *fault, virt_t page, unsigned flags,
                          struct frame **out)
{
    void *pointer;
    int error = umvfs_page_get(fault->vma->inode, file_index(fault, page), flags, &pointer);
    if (error)
        return error;
    if (pointer) {
        *out = frame_of_ptr(pointer);
    } else {
        *out = aspace_zero_frame;
        frame_get(*out);
    }
    return 0;
}

/* Writes an empty entry. Takes over one reference on the frame, even on failure. `entry` is NULL if
 * the page has no table yet. */
static inline int set_empty(struct aspace *as, virt_t page, pte_t *entry, struct frame *frame,
                            pte_t bits)
{
    if (!entry)
        entry = pt_ensure(&as->pt, page);
    if (!entry) {
        frame_put(frame);
        return -ENOMEM;
    }
    if (planted(PLANT_TEXT_WRITABLE) && !(bits & PTE_XD))
        bits |= PTE_RW;
    pt_set(&as->pt, entry, frame, bits);
    return 0;
}

/* Cases 3 and 4 */
static inline int map_anonymous_page(struct aspace *as, virt_t page, unsigned access, pte_t *entry,
                                     pte_t bits)
{
    struct frame *frame = aspace_zero_frame;
    if (access & ACCESS_WRITE) {
        frame = frame_alloc_zeroed(FRAME_ANON);
        if (!frame)
            return -ENOMEM;
    } else {
        frame_get(frame);
        bits = planted(PLANT_ZEROS_WRITABLE) ? bits : bits & ~PTE_RW;
    }
    return set_empty(as, page, entry, frame, bits);
}

/* Looks the entry up again: getting the page may have filled a hole, which removes the frame of
 * zeros from other areas and may free their tables. */
static int set_file_page(const struct fault *fault, struct frame *frame, pte_t bits)
{
    return set_empty(fault->as, fault->page, pt_lookup(&fault->as->pt, fault->page), frame, bits);
}

/* Fills the empty entries of `count`. Takes over the references on the pages; NULL is a hole. */
static void set_run(struct pagetable *pt, pte_t *entry, void *const *pages, unsigned count,
                    pte_t bits)
{
    for (unsigned i = 0; i < count; i++, entry++) {
        if (pages[i] && *entry)
            frame_put(frame_of_ptr(pages[i]));
        else if (pages[i])
            pt_set(pt, entry, frame_of_ptr(pages[i]), bits);
    }
}

/* Maps the other pages of the block that the file has. The file returns them in its own runs, which
 * need not begin at the block's start. A page that is not available faults later. */
static void map_around(const struct fault *fault)
{
    const struct vma *vma = fault->vma;
    virt_t start = virt(fault->page.value & ~(AROUND_PAGES * PAGE_SIZE - 1));
    virt_t end = virt_add(start, AROUND_PAGES * PAGE_SIZE);
    UNINITIALIZED void *pages[AROUND_PAGES]; /* umvfs_page_get_run() tells how many it set */
    unsigned count;
    start = virt_max(start, vma->start);
    end = virt_min(end, vma->end);
    pte_t *entry = pt_lookup(&fault->as->pt, start);
    for (; start.value < end.value; start.value += count * PAGE_SIZE, entry += count) {
        count = umvfs_page_get_run(vma->inode, file_index(fault, start),
                                   (unsigned)(virt_distance(start, end) >> PAGE_SHIFT), pages);
        if (count == 0)
            break;
        set_run(&fault->as->pt, entry, pages, count, fault->bits & ~PTE_RW);
    }
}

/* Case 5. Even a read fills the hole of a file that is mapped shared: the frame of zeros would not
 * show later writes. */
static int map_file_page(const struct fault *fault)
{
    struct frame *frame;
    bool shared = (fault->vma->flags & VMA_SHARED) && !planted(PLANT_SHARED_HOLE_ZEROS);
    int error =
        get_file_frame(fault, fault->page, shared ? UMVFS_PAGE_WRITE : UMVFS_PAGE_READ, &frame);
    if (!error)
        error = set_file_page(fault, frame, fault->bits & ~PTE_RW);
    if (!error)
        map_around(fault);
    return error;
}

/* Cases 6 and 8: makes a private frame with the contents of `from`. */
static struct frame *copy_frame(const struct fault *fault, const struct frame *from)
{
    struct frame *copy =
        from == aspace_zero_frame ? frame_alloc_zeroed(FRAME_ANON) : frame_alloc(FRAME_ANON);
    if (copy && from != aspace_zero_frame)
        page_copy(frame_ptr(copy), frame_ptr(from));
    if (copy && planted(PLANT_COW_COPY_CUT))
        memset(frame_ptr(copy), 0, sizeof(uint64_t));
    if (copy)
        fault->vma->flags |= VMA_HAS_ANON;
    return copy;
}

/* Case 6 */
static int map_file_copy(const struct fault *fault)
{
    struct frame *frame;
    int error = get_file_frame(fault, fault->page, UMVFS_PAGE_READ, &frame);
    if (error)
        return error;
    if (planted(PLANT_PRIVATE_WRITES_FILE))
        return set_file_page(fault, frame, fault->bits);
    struct frame *copy = copy_frame(fault, frame);
    frame_put(frame);
    return copy ? set_file_page(fault, copy, fault->bits) : -ENOMEM;
}

/* Case 7 */
static int map_shared_page(const struct fault *fault)
{
    struct frame *frame;
    int error = get_file_frame(fault, fault->page, UMVFS_PAGE_WRITE, &frame);
    if (!error)
        error = set_file_page(fault, frame, fault->bits);
    if (!error)
        umvfs_page_written(fault->vma->inode);
    return error;
}

static void replace_frame(const struct fault *fault, pte_t *entry, struct frame *frame)
{
    struct frame *old = pte_frame(*entry);
    *entry = frame_phys(frame).value | fault->bits;
    flush_one(fault);
    frame_put(old);
}

/* Cases 8 and 9 */
static int write_private(const struct fault *fault, pte_t *entry)
{
    struct frame *frame = pte_frame(*entry);
    if (pt_may_write(aspace_writable_pages(fault->vma), frame) ||
        planted(PLANT_COW_COPIES_NOTHING)) {
        *entry |= fault->bits;
        flush_one(fault);
        return 0;
    }
    struct frame *copy = copy_frame(fault, frame);
    if (!copy)
        return -ENOMEM;
    replace_frame(fault, entry, copy);
    return 0;
}

/* Case 10 */
static int write_shared(const struct fault *fault)
{
    struct frame *frame;
    int error = get_file_frame(fault, fault->page, UMVFS_PAGE_WRITE, &frame);
    if (error)
        return error;
    pte_t *entry = pt_lookup(&fault->as->pt, fault->page);
    /* if it mapped the frame of zeros, that was removed when the hole was filled */
    if (!entry || *entry == 0)
        error = set_file_page(fault, frame, fault->bits);
    else
        replace_frame(fault, entry, frame);
    if (!error)
        umvfs_page_written(fault->vma->inode);
    return error;
}

/* An empty entry in an area of a file. */
static int fault_file(const struct fault *fault)
{
    if (!(fault->access & ACCESS_WRITE))
        return map_file_page(fault);
    return fault->vma->flags & VMA_SHARED ? map_shared_page(fault) : map_file_copy(fault);
}

/* An entry that is not empty. */
static int fault_leaf(const struct fault *fault, pte_t *entry)
{
    if (!(fault->access & ACCESS_WRITE) || (*entry & PTE_RW)) {
        flush_one(fault); /* case 11 */
        return 0;
    }
    return fault->vma->flags & VMA_SHARED ? write_shared(fault) : write_private(fault, entry);
}

/* All cases but absent anonymous pages, which need no struct. */
static NOINLINE int fault_other(struct aspace *as, struct vma *vma, virt_t page, unsigned access,
                                pte_t bits, pte_t *entry)
{
    const struct fault fault = {as, vma, page, access, bits, entry};
    return entry && *entry ? fault_leaf(&fault, entry) : fault_file(&fault);
}

/* Any right includes reading: x86-64 has no page that can only be executed. */
static bool allows(const struct vma *vma, unsigned access)
{
    if (access & ACCESS_READ)
        access = (access & ~ACCESS_READ) | (vma->prot ? 0 : PROT_ALL);
    return !(access & ~(unsigned)vma->prot);
}

static inline __attribute__((always_inline)) int fault_in_area(struct aspace *as, struct vma *vma,
                                                               virt_t page, unsigned access)
{
    if (!allows(vma, access)) /* case 2 */
        return -EACCES;
    pte_t bits = aspace_leaf_bits(vma->prot);
    if (planted(PLANT_GROWN_EXECUTABLE) && vma->start.value == page.value)
        bits &= ~pte_execute_disable;
    pte_t *entry = pt_lookup(&as->pt, page);
    if (vma->inode || (entry && *entry))
        return fault_other(as, vma, page, access, bits, entry);
    return map_anonymous_page(as, page, access, entry, bits);
}

/* Case 1. If the page cannot be made, the area keeps its old size. */
static NOINLINE int grow_and_fault(struct aspace *as, struct vma *vma, virt_t page, unsigned access)
{
    virt_t start = vma->start;
    if (!(vma->flags & VMA_GROWSDOWN))
        return -EFAULT;
    int error = aspace_grow_down(as, vma, page);
    if (error)
        return error;
    error = fault_in_area(as, vma, page, access);
    if (error)
        aspace_move_start(as, vma, start);
    return error;
}

int aspace_fault(struct aspace *as, virt_t address, unsigned access)
{
    if (address.value >= USER_END)
        return -EFAULT;
    struct vma *vma = vma_find(&as->areas, address);
    if (!vma)
        return -EFAULT;
    virt_t page = virt_floor(address);
    return vma->start.value > address.value ? grow_and_fault(as, vma, page, access)
                                            : fault_in_area(as, vma, page, access);
}

/* As Linux's MAP_POPULATE: private writable pages are copied now. */
static unsigned populate_access(const struct vma *vma)
{
    return (vma->prot & PROT_WRITE) && !(vma->flags & VMA_SHARED) ? ACCESS_WRITE : ACCESS_READ;
}

int aspace_populate_page(struct aspace *as, virt_t page, unsigned access)
{
    const pte_t *entry = pt_lookup(&as->pt, page);
    bool there = entry && *entry && (!(access & ACCESS_WRITE) || (*entry & PTE_RW));
    return there ? 0 : aspace_fault(as, page, access);
}

int aspace_populate_some(struct aspace *as, virt_t *at, virt_t end, size_t pages)
{
    struct vma *vma = vma_find(&as->areas, *at);
    for (; vma && vma->start.value < end.value; vma = vma_next(&as->areas, vma)) {
        virt_t page = virt_max(vma->start, *at);
        virt_t stop = virt_min(vma->end, end);
        for (; vma->prot && page.value < stop.value; page.value += PAGE_SIZE, pages--) {
            int error = pages > 0 ? aspace_populate_page(as, page, populate_access(vma)) : 0;
            if (error || pages == 0) {
                *at = page;
                return error;
            }
        }
        if (planted(PLANT_PAGE_MISSING) && vma->inode &&
            virt_distance(vma->start, stop) > PAGE_SIZE)
            (void)aspace_discard(as, virt_sub(stop, PAGE_SIZE), PAGE_SIZE);
    }
    *at = end;
    return 0;
}

int aspace_populate(struct aspace *as, virt_t start, uint64_t size)
{
    return aspace_populate_some(as, &start, virt_add(start, size), SIZE_MAX);
}

/* Finds the frame of an address, after the fault that the access would have caused. */
static int frame_at(struct aspace *as, virt_t address, unsigned access, struct frame **out)
{
    if (address.value >= USER_END) /* the kernel is mapped there */
        return -EFAULT;
    const pte_t *entry = pt_lookup(&as->pt, address);
    if (!entry || !(*entry & PTE_P) || ((access & ACCESS_WRITE) && !(*entry & PTE_RW))) {
        int error = aspace_fault(as, address, access);
        if (error)
            return error;
        entry = pt_lookup(&as->pt, address);
    }
    *out = pte_frame(*entry);
    return 0;
}

int aspace_write(struct aspace *as, virt_t to, const void *data, uint64_t size)
{
    const uint8_t *from = data;
    while (size > 0) {
        uint64_t offset = to.value & PAGE_MASK;
        uint64_t n = PAGE_SIZE - offset < size ? PAGE_SIZE - offset : size;
        struct frame *frame;
        int error = frame_at(as, to, ACCESS_WRITE, &frame);
        if (error)
            return error;
        uint8_t *target = (uint8_t *)frame_ptr(frame) + offset;
        if (from) {
            memcpy(target, from, n);
            from += n;
        } else {
            memset(target, 0, n);
        }
        to.value += n;
        size -= n;
    }
    return 0;
}

int aspace_read(struct aspace *as, virt_t from, void *data, uint64_t size)
{
    uint8_t *to = data;
    while (size > 0) {
        uint64_t offset = from.value & PAGE_MASK;
        uint64_t n = PAGE_SIZE - offset < size ? PAGE_SIZE - offset : size;
        struct frame *frame;
        const struct vma *vma = vma_find(&as->areas, from);
        if (vma && vma->start.value <= from.value && !(vma->prot & PROT_READ))
            return -EACCES; /* also where the processor could read, since it can write or execute */
        int error = frame_at(as, from, ACCESS_READ, &frame);
        if (error)
            return error;
        memcpy(to, (const uint8_t *)frame_ptr(frame) + offset, n);
        from.value += n;
        to += n;
        size -= n;
    }
    return 0;
}

int aspace_install_page(struct aspace *as, virt_t address, struct frame *frame)
{
    struct vma *vma = vma_find(&as->areas, address);
    CHECK(vma && vma->start.value <= address.value, "no area at %#lx", address.value);
    pte_t *entry = pt_ensure(&as->pt, address);
    if (!entry)
        return -ENOMEM;
    CHECK(*entry == 0, "a page is there at %#lx", address.value);
    vma->flags |= VMA_HAS_ANON;
    pt_set(&as->pt, entry, frame, aspace_leaf_bits(vma->prot));
    return 0;
}
