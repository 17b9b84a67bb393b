/* mlock(2) and the like. Pages never leave memory here, so that locking makes the pages and counts
 * them. */
#include "lib/errno.h"
#include "syscall/calls.h"
#include "syscall/memory.h"
#include "task/process.h"

#define MLOCK_ONFAULT 1u
#define MCL_CURRENT   1
#define MCL_FUTURE    2
#define MCL_ONFAULT   4
#define POINT_AREAS   1000 /* between two scheduling points */

bool memory_may_lock_any(void)
{
    return current_process->limits[RLIMIT_MEMLOCK].soft != 0 || capable(CAP_IPC_LOCK);
}

static int lock_range(struct aspace *as, virt_t start, uint64_t size, unsigned lock)
{
    return aspace_flag(as, start, size, lock ? VMA_LOCKED : 0, lock ? 0 : VMA_LOCKED);
}

/* The pages from addr on, which need not be at the start of one. */
struct pages {
    virt_t start;
    uint64_t size;
};

static struct pages pages_of(virt_t addr, size_t length)
{
    return (struct pages){virt_floor(addr), page_ceil(length + (addr.value & PAGE_MASK))};
}

/* -EINVAL: they wrap around; -ENOMEM: they go beyond the addresses of programs. */
static int check_pages(const struct pages *pages)
{
    virt_t end = virt_add(pages->start, pages->size);
    return end.value < pages->start.value ? -EINVAL : end.value > USER_END ? -ENOMEM : 0;
}

static bool may_lock(struct aspace *as, const struct pages *pages)
{
    if (aspace_may_lock(as, pages->size))
        return true;
    return check_pages(pages) == 0 &&
           aspace_may_lock(as, pages->size - aspace_locked_in(as, pages->start, pages->size));
}

static bool has_closed_area(struct aspace *as, const struct pages *pages)
{
    virt_t end = virt_add(pages->start, pages->size);
    const struct vma *vma = vma_find(&as->areas, pages->start);
    while (vma && vma->start.value < end.value && vma->prot)
        vma = vma_next(&as->areas, vma);
    return vma && vma->start.value < end.value;
}

/* As on Linux, a page that cannot be there is -ENOMEM, and too little memory -EAGAIN. */
static int make_pages(struct aspace *as, const struct pages *pages)
{
    int error = memory_populate(as, pages->start, virt_add(pages->start, pages->size));
    if (!error && has_closed_area(as, pages))
        return -ENOMEM;
    return error == -ENOMEM ? -EAGAIN : error == -EFAULT || error == -ENXIO ? -ENOMEM : error;
}

static long lock_pages(virt_t addr, size_t length, bool populates)
{
    struct aspace *as = current_process->aspace;
    struct pages pages = pages_of(addr, length);
    if (!memory_may_lock_any())
        return -EPERM;
    if (pages.size == 0)
        return 0;
    if (!may_lock(as, &pages))
        return -ENOMEM;
    int error = check_pages(&pages);
    if (!error)
        error = memory_in_chunks(pages.start, pages.size, lock_range, 1);
    return error || !populates ? error : make_pages(as, &pages);
}

long sys_mlock(virt_t addr, size_t length)
{
    return lock_pages(addr, length, true);
}

long sys_mlock2(virt_t addr, size_t length, int flags)
{
    if ((unsigned)flags & ~MLOCK_ONFAULT)
        return -EINVAL;
    return lock_pages(addr, length, flags == 0);
}

long sys_munlock(virt_t addr, size_t length)
{
    struct pages pages = pages_of(addr, length);
    if (pages.size == 0)
        return 0;
    int error = check_pages(&pages);
    return error ? error : memory_in_chunks(pages.start, pages.size, lock_range, 0);
}

/* All areas. They need not be cut, so that only a signal ends it early. */
static int lock_all(bool lock)
{
    struct aspace *as = current_process->aspace;
    unsigned count = 0;
    struct vma *vma = vma_find(&as->areas, virt(0));
    while (vma) {
        virt_t end = vma->end;
        int error = lock_range(as, vma->start, virt_distance(vma->start, end), lock);
        if (!error && ++count % POINT_AREAS == 0)
            error = sched_point();
        if (error)
            return error;
        vma = vma_find(&as->areas, end);
    }
    return 0;
}

long sys_mlockall(int flags)
{
    struct aspace *as = current_process->aspace;
    if (flags <= 0 || (flags & ~(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT)) || flags == MCL_ONFAULT)
        return -EINVAL;
    if (!memory_may_lock_any())
        return -EPERM;
    if ((flags & MCL_CURRENT) && as->total > as->limits.locked)
        return -ENOMEM;
    as->locks_new = flags & MCL_FUTURE;
    int error = flags & MCL_CURRENT ? lock_all(true) : 0;
    if (!error && (flags & MCL_CURRENT) && !(flags & MCL_ONFAULT))
        (void)memory_populate(as, virt(0), virt(USER_END)); /* what cannot be there is left out */
    return error;
}

long sys_munlockall(void)
{
    current_process->aspace->locks_new = false;
    return lock_all(false);
}
