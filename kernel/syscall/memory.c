/* Memory management: mmap(2), mprotect(2), brk(2) and so on. */
#include <umvfs/mount.h>

#include "file/unnamed.h"
#include "lib/errno.h"
#include "mm/slab.h"
#include "mm/usercopy.h"
#include "proc/debug_stop.h"
#include "syscall/calls.h"
#include "syscall/files.h"
#include "syscall/memory.h"
#include "task/sched.h"

#define MAP_SHARED          0x01u
#define MAP_PRIVATE         0x02u
#define MAP_SHARED_VALIDATE 0x03u
#define MAP_TYPE            0x0fu
#define MAP_FIXED           0x10u
#define MAP_ANONYMOUS       0x20u
#define MAP_32BIT           0x40u
#define MAP_GROWSDOWN       0x100u
#define MAP_LOCKED          0x2000u
#define MAP_NORESERVE       0x4000u
#define MAP_POPULATE        0x8000u
#define MAP_HUGETLB         0x40000u
#define MAP_FIXED_NOREPLACE 0x100000u
/* What MAP_SHARED_VALIDATE accepts: the flags that Linux had before it, with the sizes of pages. */
#define MAP_BEFORE_VALIDATE 0x7c07f9f3ull
#define PROT_SEM            8u /* for machines whose atomic operations need it */

#define MADV_NORMAL          0
#define MADV_RANDOM          1
#define MADV_SEQUENTIAL      2
#define MADV_WILLNEED        3
#define MADV_DONTNEED        4
#define MADV_FREE            8
#define MADV_DONTFORK        10
#define MADV_DOFORK          11
#define MADV_HUGEPAGE        14
#define MADV_NOHUGEPAGE      15
#define MADV_DONTDUMP        16
#define MADV_DODUMP          17
#define MADV_WIPEONFORK      18
#define MADV_KEEPONFORK      19
#define MADV_COLD            20
#define MADV_PAGEOUT         21
#define MADV_POPULATE_READ   22
#define MADV_POPULATE_WRITE  23
#define MADV_DONTNEED_LOCKED 24

/* Stops in the debugger after a call unless its result is an error. Returns the result. */
static long stop_after(enum debug_stop stop, long result)
{
    if (result >= 0)
        debug_stop(stop, current_process);
    return result;
}

/* True for /dev/zero, of which a mapping is anonymous memory. */
static bool maps_zeros(const struct file *file)
{
    return file->ops && file->ops->maps_zeros;
}

/* False for the files of /proc, whose contents are made by each read. */
static bool has_pages(const struct umvfs_inode *inode)
{
    return UMVFS_S_ISREG(umvfs_inode_mode(inode)) && !umvfs_inode_ops(inode);
}

/* Checks the rights to map a file, and fills in the file part of a mapping. */
static int file_mapping(struct file *file, unsigned type, uint64_t offset,
                        struct aspace_mapping *mapping)
{
    uint32_t access = file->vfs.flags & UMVFS_O_ACCMODE;
    if (type != MAP_PRIVATE && access != UMVFS_O_RDWR && (mapping->prot & PROT_WRITE))
        return -EACCES;
    if (!file_may_read(file))
        return -EACCES;
    if ((mapping->prot & PROT_EXEC) && (umvfs_mount_flags(&file->vfs.path) & UMVFS_MS_NOEXEC))
        return -EPERM;
    if (!maps_zeros(file) && (file->ops || !has_pages(file->vfs.inode)))
        return -ENODEV;
    if (mapping->flags & VMA_GROWSDOWN)
        return -EINVAL;
    if (type != MAP_PRIVATE && access == UMVFS_O_RDONLY)
        mapping->flags |= VMA_NO_WRITE;
    if (maps_zeros(file))
        return 0;
    if (access != UMVFS_O_RDONLY)
        mapping->flags |= VMA_WRITER;
    mapping->inode = file->vfs.inode;
    mapping->page_index = offset >> PAGE_SHIFT;
    umvfs_file_accessed(&file->vfs);
    return 0;
}

/* Shared anonymous memory is a file without a name. */
static int shared_anonymous(uint64_t size, struct umvfs_file *file, struct aspace_mapping *mapping)
{
    int error = mapping->flags & VMA_GROWSDOWN ? -EINVAL : unnamed_memory(size, file);
    if (!error)
        mapping->inode = file->inode;
    return error;
}

int memory_populate(struct aspace *as, virt_t at, virt_t end)
{
    int error = 0;
    while (at.value < end.value && !error) {
        error = aspace_populate_some(as, &at, end, aspace_chunk(ASPACE_POPULATE_CHUNK));
        if (!error && at.value < end.value)
            error = sched_point();
    }
    return error;
}

#define SMALL_RANGE (16ull << 20) /* bytes */

/* True if a range is one chunk, whatever is there. */
static inline bool is_one_chunk(uint64_t size)
{
    return size <= SMALL_RANGE && !cmdline_options.chop;
}

/* passes_holes: -ENOMEM, which is for a hole, does not end it, and is the result in the end. */
static __attribute__((noinline)) int many_chunks(virt_t start, virt_t end, range_fn *operation,
                                                 unsigned argument, bool passes_holes)
{
    struct aspace *as = current_process->aspace;
    int result = 0;
    while (start.value < end.value) {
        virt_t next = aspace_chunk_end(as, start, end, aspace_chunk(ASPACE_CHUNK));
        int error = operation(as, start, virt_distance(start, next), argument);
        if (passes_holes && error == -ENOMEM) {
            result = error;
            error = 0;
        }
        if (!error && next.value < end.value)
            error = sched_point();
        if (error)
            return error;
        start = next;
    }
    return result;
}

static inline int in_chunks(virt_t start, uint64_t size, range_fn *operation, unsigned argument)
{
    virt_t end = virt_add(start, size);
    if (is_one_chunk(size) || end.value > USER_END)
        return operation(current_process->aspace, start, size, argument);
    return many_chunks(start, end, operation, argument, false);
}

static int advise_in_chunks(virt_t start, uint64_t size, range_fn *operation, unsigned argument)
{
    virt_t end = virt_add(start, size);
    if (is_one_chunk(size) || end.value > USER_END)
        return operation(current_process->aspace, start, size, argument);
    return many_chunks(start, end, operation, argument, true);
}

int memory_in_chunks(virt_t start, uint64_t size, range_fn *operation, unsigned argument)
{
    return in_chunks(start, size, operation, argument);
}

static int unmap_range(struct aspace *as, virt_t start, uint64_t size, unsigned argument)
{
    (void)argument;
    return aspace_unmap(as, start, size);
}

/* What MAP_FIXED replaces goes first if it may be much; as on Linux, it does not come back after an error. */
static __attribute__((noinline)) int make_room(const struct aspace_mapping *mapping)
{
    bool is_refused = (mapping->prot & PROT_WRITE) && (mapping->prot & PROT_EXEC);
    if (is_one_chunk(mapping->size) || is_refused || mapping->start.value < USER_MIN)
        return 0;
    return in_chunks(mapping->start, mapping->size, unmap_range, 0);
}

/* Puts the mapping at its place; the area holds the inode from then on. */
static long map_and_close(struct aspace *as, struct aspace_mapping *mapping, virt_t hint,
                          unsigned flags, struct umvfs_file *unnamed, const struct umvfs_path *path)
{
    bool fixed = flags & (MAP_FIXED | MAP_FIXED_NOREPLACE);
    mapping->start = fixed               ? hint
                     : flags & MAP_32BIT ? aspace_find_low_place(as, hint, mapping->size)
                                         : aspace_find_place(as, hint, mapping->size);
    int error = mapping->start.value ? 0 : fixed ? -EPERM : -ENOMEM;
    if (!error && fixed && (flags & MAP_FIXED))
        error = make_room(mapping);
    if (!error)
        error = aspace_map(as, mapping, flags & MAP_FIXED);
    if (!error && path)
        aspace_set_file_path(mapping->inode, path);
    if (unnamed->inode)
        umvfs_close(unnamed);
    if (error)
        return error == -EINVAL ? -ENOMEM : error;
    if ((flags & MAP_POPULATE) || (mapping->flags & VMA_LOCKED))
        (void)memory_populate(as, mapping->start, virt_add(mapping->start, mapping->size));
    return (long)mapping->start.value;
}

/* Fills in the object of the mapping, depending on the flags. file NULL: no file. */
static int anonymous_or_file(struct aspace_mapping *mapping, unsigned type, struct file *file,
                             uint64_t offset, struct umvfs_file *unnamed,
                             const struct umvfs_path **path)
{
    if (file) {
        int error = file_mapping(file, type, offset, mapping);
        *path = &file->vfs.path;
        if (error || !maps_zeros(file))
            return error;
        mapping->page_index = type == MAP_PRIVATE ? 0 : offset >> PAGE_SHIFT; /* as Linux has it */
    }
    *path = type == MAP_PRIVATE ? NULL : &unnamed->path;
    return type == MAP_PRIVATE ? 0 : shared_anonymous(mapping->size, unnamed, mapping);
}

static unsigned area_flags(unsigned flags)
{
    return ((flags & MAP_TYPE) != MAP_PRIVATE ? VMA_SHARED : 0) |
           (flags & MAP_GROWSDOWN ? VMA_GROWSDOWN : 0) |
           (flags & MAP_NORESERVE ? VMA_NORESERVE : 0) |
           (flags & MAP_LOCKED || current_process->aspace->locks_new ? VMA_LOCKED : 0);
}

/* Whether memory may be locked, for a mapping that locks it. */
static __attribute__((noinline)) int check_lock(const struct aspace_mapping *mapping,
                                                unsigned flags)
{
    if ((flags & MAP_LOCKED) && !memory_may_lock_any())
        return -EPERM;
    return aspace_may_lock(current_process->aspace, mapping->size) ? 0 : -EAGAIN;
}

/* The checks that Linux makes before those of the file, in the same order. */
static int check_place(virt_t addr, uint64_t length, uint64_t offset, unsigned flags)
{
    struct aspace *as = current_process->aspace;
    bool fixed = flags & (MAP_FIXED | MAP_FIXED_NOREPLACE);
    uint64_t end;
    if (length == 0)
        return -EINVAL;
    if (length > USER_END)
        return -ENOMEM;
    if (__builtin_add_overflow(offset, page_ceil(length), &end))
        return -EOVERFLOW;
    if (fixed && (addr.value & PAGE_MASK))
        return -EINVAL;
    bool taken = (flags & MAP_FIXED_NOREPLACE) && virt_in_user(addr, page_ceil(length)) &&
                 aspace_find_place(as, addr, page_ceil(length)).value != addr.value;
    return taken && addr.value >= USER_MIN ? -EEXIST : 0;
}

/* Checks the kind of the mapping, and the flags that only some kinds have. There are no huge pages:
 * the error is that of a Linux which has none left. */
static int check_type(const struct file *file, uint64_t flags)
{
    unsigned type = flags & MAP_TYPE;
    if (type != MAP_SHARED && type != MAP_PRIVATE && !(type == MAP_SHARED_VALIDATE && file))
        return -EINVAL;
    if (type == MAP_SHARED_VALIDATE && (flags & ~MAP_BEFORE_VALIDATE))
        return -EOPNOTSUPP;
    if (flags & MAP_HUGETLB)
        return file ? -EINVAL : -ENOMEM;
    return 0;
}

/* A mapping of a regular file ends within the largest size that a file can have. */
static int check_end(const struct file *file, uint64_t length, uint64_t offset)
{
    if (!file || !UMVFS_S_ISREG(umvfs_inode_mode(file->vfs.inode)))
        return 0;
    return offset > (uint64_t)INT64_MAX - page_ceil(length) ? -EOVERFLOW : 0;
}

/* Passes the result on of a call that asked for these rights. */
static __attribute__((noinline)) long say_refused(long error, uint64_t prot)
{
    static bool is_said;
    if (error == -EACCES && (prot & PROT_WRITE) && (prot & PROT_EXEC))
        say_absent(&is_said, "memory is never both writable and executable here: EACCES");
    return error;
}

/* Of prot, flags and fd Linux takes all 64 bits, and uses the lower 32. */
long sys_mmap(virt_t addr, uint64_t length, uint64_t prot, uint64_t flags, uint64_t fd,
              uint64_t offset)
{
    struct umvfs_file unnamed;
    struct file *file = NULL;
    const struct umvfs_path *path;
    unsigned wanted = (unsigned)flags, type = wanted & MAP_TYPE;
    unnamed.inode = NULL;
    if (offset & PAGE_MASK)
        return -EINVAL;
    if (!(wanted & MAP_ANONYMOUS) && file_of((int)fd, &file) != 0)
        return -EBADF;
    int error = check_place(addr, length, offset, wanted);
    if (!error)
        error = check_end(file, length, offset);
    if (!error)
        error = check_type(file, flags);
    if (error)
        return error;
    struct aspace_mapping mapping = {
        .size = page_ceil(length), .prot = prot & PROT_ALL, .flags = area_flags(wanted)};
    if (__builtin_expect(mapping.flags & VMA_LOCKED, 0))
        error = check_lock(&mapping, wanted);
    if (!error)
        error = anonymous_or_file(&mapping, type, file, offset, &unnamed, &path);
    if (error)
        return error;
    long place = map_and_close(current_process->aspace, &mapping, addr, wanted, &unnamed, path);
    if (place < 0)
        return say_refused(place, prot);
    return stop_after(STOP_MMAP, place);
}

long sys_munmap(virt_t addr, size_t length)
{
    if (!virt_in_user(addr, length) || (addr.value & PAGE_MASK) || length == 0)
        return -EINVAL;
    return stop_after(STOP_MUNMAP, in_chunks(addr, page_ceil(length), unmap_range, 0));
}

long sys_mprotect(virt_t addr, size_t length, uint64_t prot)
{
    if ((addr.value & PAGE_MASK) || (prot & ~(uint64_t)(PROT_ALL | PROT_SEM)))
        return -EINVAL;
    if (length == 0)
        return 0;
    if (!virt_in_user(addr, length))
        return -ENOMEM;
    int error = in_chunks(addr, page_ceil(length), aspace_protect, (unsigned)prot & PROT_ALL);
    if (error)
        return say_refused(error, prot);
    return stop_after(STOP_MPROTECT, 0);
}

#define MREMAP_MAYMOVE 1u
#define MREMAP_FIXED   2u

/* An address space that others use and may change is changed in one piece. A process that ends in between may
 * leave both places: it has no use for them any more. */
static int move_in_chunks(virt_t from, uint64_t old_size, uint64_t new_size,
                          enum aspace_remap_mode mode, virt_t *to)
{
    struct aspace *as = current_process->aspace;
    struct aspace_move move;
    bool is_small = is_one_chunk(old_size) && is_one_chunk(new_size);
    size_t budget = is_small || as->refs.count > 1 ? ASPACE_WHOLE : aspace_chunk(ASPACE_CHUNK);
    int error = aspace_move_begin(as, from, old_size, new_size, mode, to, &move);
    while (!error && aspace_move_some(as, &move, budget))
        if (budget != ASPACE_WHOLE)
            error = sched_point();
    return error ? error : move.error;
}

/* Makes the pages that a locked area has in addition. */
static void populate_if_locked(virt_t at, uint64_t old_size, uint64_t new_size)
{
    struct aspace *as = current_process->aspace;
    if (as->locked > 0 && new_size > old_size && (vma_find(&as->areas, at)->flags & VMA_LOCKED))
        (void)memory_populate(as, virt_add(at, old_size), virt_add(at, new_size));
}

long sys_mremap(virt_t old_address, uint64_t old_size, uint64_t new_size, uint64_t flags,
                virt_t new_address)
{
    virt_t to = new_address;
    bool fixed = flags & MREMAP_FIXED;
    if ((old_address.value & PAGE_MASK) || new_size == 0 ||
        (flags & ~(uint64_t)(MREMAP_MAYMOVE | MREMAP_FIXED)))
        return -EINVAL;
    if (fixed && (!(flags & MREMAP_MAYMOVE) || (to.value & PAGE_MASK)))
        return -EINVAL;
    if (old_size > USER_END || new_size > USER_END)
        return new_size > USER_END ? -ENOMEM : -EINVAL;
    if (fixed && (to.value < USER_MIN || !virt_in_user(to, page_ceil(new_size))))
        return -EINVAL;
    int error = move_in_chunks(old_address, page_ceil(old_size), page_ceil(new_size),
                               fixed                    ? REMAP_FIXED
                               : flags & MREMAP_MAYMOVE ? REMAP_MOVE
                                                        : REMAP_STAY,
                               &to);
    if (!error)
        populate_if_locked(to, page_ceil(old_size), page_ceil(new_size));
    return stop_after(STOP_MREMAP, error ? error : (long)to.value);
}

#define MS_ASYNC      1u
#define MS_INVALIDATE 2u
#define MS_SYNC       4u

long sys_msync(virt_t addr, size_t length, unsigned flags)
{
    if ((addr.value & PAGE_MASK) || (flags & ~(MS_ASYNC | MS_INVALIDATE | MS_SYNC)) ||
        (flags & (MS_ASYNC | MS_SYNC)) == (MS_ASYNC | MS_SYNC))
        return -EINVAL;
    if (length > USER_END)
        return -ENOMEM;
    if (length == 0)
        return 0;
    if ((flags & MS_INVALIDATE) &&
        aspace_locked_in(current_process->aspace, addr, page_ceil(length)) > 0)
        return -EBUSY;
    return aspace_check_mapped(current_process->aspace, addr, page_ceil(length));
}

#define MINCORE_CHUNK 4096 /* pages */

/* One chunk: at most `pages` from `start` on, as bytes at `to`. Returns how many there are before a hole. */
static long mincore_chunk(virt_t start, size_t pages, user_t to)
{
    uint8_t *vec = slab_alloc(MINCORE_CHUNK);
    if (!vec)
        return -EAGAIN;
    size_t n = aspace_resident(current_process->aspace, start, pages, vec);
    int error = n > 0 ? copy_to_user(to, vec, n) : -ENOMEM;
    slab_free(vec);
    return error ? error : (long)n;
}

long sys_mincore(virt_t addr, size_t length, user_t vec)
{
    uint64_t pages = (length >> PAGE_SHIFT) + ((length & PAGE_MASK) != 0);
    if (addr.value & PAGE_MASK)
        return -EINVAL;
    if (!virt_in_user(addr, length))
        return -ENOMEM;
    if (!user_range_is_valid(vec, pages))
        return -EFAULT;
    for (uint64_t i = 0; i < pages;) {
        size_t most = pages - i < MINCORE_CHUNK ? pages - i : MINCORE_CHUNK;
        long n = mincore_chunk(virt_add(addr, i << PAGE_SHIFT), most, user_add(vec, i));
        if (n < 0)
            return n;
        i += (uint64_t)n;
        int error = i < pages ? sched_point() : 0;
        if (error)
            return error;
    }
    return 0;
}

/* A heap that becomes much smaller does so in steps of this size. */
#define BRK_STEP (64ull << 20)

/* False: the process is about to be ended. */
static __attribute__((noinline)) bool shrink_heap(struct aspace *as, virt_t addr)
{
    while (virt_distance(addr, as->brk) > BRK_STEP) {
        virt_t wanted = virt_ceil(virt_sub(as->brk, BRK_STEP));
        if (aspace_brk(as, wanted).value != wanted.value)
            return true;
        if (sched_point() != 0)
            return false;
    }
    return true;
}

/* After mlockall(MCL_FUTURE) the pages of the heap are made at once. */
static __attribute__((noinline)) long brk_locked(struct aspace *as, virt_t addr)
{
    virt_t old = as->brk, new = aspace_brk(as, addr);
    if (new.value > old.value)
        (void)memory_populate(as, virt_ceil(old), virt_ceil(new));
    return (long)new.value;
}

long sys_brk(virt_t addr)
{
    struct aspace *as = current_process->aspace;
    if (addr.value < as->brk.value && addr.value >= as->brk_start.value &&
        virt_distance(addr, as->brk) > BRK_STEP && !shrink_heap(as, addr))
        return (long)as->brk.value;
    if (__builtin_expect(as->locks_new, 0))
        return brk_locked(as, addr);
    return stop_after(STOP_BRK, (long)aspace_brk(as, addr).value);
}

static int discard_range(struct aspace *as, virt_t start, uint64_t size, unsigned argument)
{
    (void)argument;
    return aspace_discard(as, start, size);
}

/* Locked memory, and for MADV_FREE all but private memory without a file. */
static bool is_kept(const struct vma *vma, unsigned advice)
{
    return (vma->flags & VMA_LOCKED) || (advice == MADV_FREE && vma->inode);
}

/* Drops the pages before the first area of the range that is kept. */
static int discard_others(virt_t start, uint64_t size, unsigned advice)
{
    struct aspace *as = current_process->aspace;
    bool looks = as->locked > 0 || advice == MADV_FREE;
    const struct vma *vma = looks ? vma_find(&as->areas, start) : NULL;
    while (vma && vma->start.value < start.value + size && !is_kept(vma, advice))
        vma = vma_next(&as->areas, vma);
    if (!vma || vma->start.value >= start.value + size)
        return advise_in_chunks(start, size, discard_range, 0);
    int error = vma->start.value > start.value
                    ? advise_in_chunks(start, virt_distance(start, vma->start), discard_range, 0)
                    : 0;
    return error == -EINTR ? error : -EINVAL;
}

/* Sets what fork(2) does with the memory, beyond holes as well. */
static int advise_fork(struct aspace *as, virt_t start, uint64_t size, unsigned advice)
{
    unsigned flag = advice == MADV_DONTFORK || advice == MADV_DOFORK ? VMA_DONTFORK : VMA_WIPEFORK;
    bool set = advice == MADV_DONTFORK || advice == MADV_WIPEONFORK;
    virt_t end = virt_add(start, size);
    int holes = 0;
    while (start.value < end.value) {
        const struct vma *vma = vma_find(&as->areas, start);
        virt_t from = vma ? virt_max(start, virt_min(vma->start, end)) : end;
        virt_t to = vma ? virt_min(vma->end, end) : end;
        holes = from.value > start.value ? -ENOMEM : holes;
        int error = from.value < to.value ? aspace_flag(as, from, virt_distance(from, to),
                                                        set ? flag : 0, set ? 0 : flag)
                                          : 0;
        if (error)
            return error;
        start = to;
    }
    return holes;
}

/* Makes the pages present up to the end of their area, or as many as are one chunk, and moves *at. */
static int populate_part(struct aspace *as, virt_t *at, virt_t end, unsigned access)
{
    const struct vma *vma = vma_find(&as->areas, *at);
    if (!vma || vma->start.value > at->value)
        return -ENOMEM;
    if (!(vma->prot & (access == ACCESS_WRITE ? PROT_WRITE : PROT_READ)))
        return -EINVAL;
    size_t pages = aspace_chunk(ASPACE_POPULATE_CHUNK);
    virt_t stop = virt_min(vma->end, end);
    int error = 0;
    for (; at->value < stop.value && pages > 0 && !error; pages--) {
        error = aspace_populate_page(as, *at, access);
        at->value += error ? 0 : PAGE_SIZE;
    }
    return error == -ENXIO ? -EFAULT : error; /* past the end of the file */
}

/* MADV_POPULATE_READ and MADV_POPULATE_WRITE: the pages before one that cannot be there stay. */
static int populate_for(virt_t at, uint64_t size, unsigned access)
{
    struct aspace *as = current_process->aspace;
    virt_t end = virt_add(at, size);
    int error = 0;
    while (at.value < end.value && !error) {
        error = populate_part(as, &at, end, access);
        if (!error && at.value < end.value)
            error = sched_point();
    }
    return error;
}

/* Every advice is for mapped memory: a hole is -ENOMEM after the rest was done. */
static long advise(virt_t start, uint64_t size, unsigned advice)
{
    switch (advice) {
    case MADV_DONTNEED:
    case MADV_FREE:
        return stop_after(STOP_MADVISE, discard_others(start, size, advice));
    case MADV_DONTNEED_LOCKED:
        return stop_after(STOP_MADVISE, advise_in_chunks(start, size, discard_range, 0));
    case MADV_DONTFORK:
    case MADV_DOFORK:
    case MADV_WIPEONFORK:
    case MADV_KEEPONFORK:
        return advise_in_chunks(start, size, advise_fork, advice);
    case MADV_POPULATE_READ:
        return populate_for(start, size, ACCESS_READ);
    case MADV_POPULATE_WRITE:
        return populate_for(start, size, ACCESS_WRITE);
    case MADV_COLD:
    case MADV_PAGEOUT:
        if (aspace_locked_in(current_process->aspace, start, size) > 0)
            return -EINVAL;
        __attribute__((fallthrough));
    default:
        return aspace_check_mapped(current_process->aspace, start, size);
    }
}

/* Advice that asks for nothing here, or that advise() follows. */
static bool advice_exists(unsigned advice)
{
    static const uint64_t known =
        1u << MADV_NORMAL | 1u << MADV_RANDOM | 1u << MADV_SEQUENTIAL | 1u << MADV_WILLNEED |
        1u << MADV_DONTNEED | 1u << MADV_FREE | 1u << MADV_DONTFORK | 1u << MADV_DOFORK |
        1u << MADV_HUGEPAGE | 1u << MADV_NOHUGEPAGE | 1u << MADV_DONTDUMP | 1u << MADV_DODUMP |
        1u << MADV_WIPEONFORK | 1u << MADV_KEEPONFORK | 1u << MADV_COLD | 1u << MADV_PAGEOUT |
        1u << MADV_POPULATE_READ | 1u << MADV_POPULATE_WRITE | 1u << MADV_DONTNEED_LOCKED;
    return advice < 64 && (known >> advice & 1u);
}

long sys_madvise(virt_t addr, size_t length, int advice)
{
    if (!advice_exists((unsigned)advice))
        return -EINVAL;
    if ((addr.value & PAGE_MASK) || length > UINT64_MAX - PAGE_MASK ||
        page_ceil(length) > UINT64_MAX - addr.value)
        return -EINVAL;
    return length == 0 ? 0 : advise(addr, page_ceil(length), (unsigned)advice);
}
