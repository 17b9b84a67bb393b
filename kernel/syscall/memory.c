/* Memory. */
#include "file/files.h"
#include "file/unnamed.h"
#include "lib/errno.h"
#include "mm/usercopy.h"
#include "proc/debug_stop.h"
#include "syscall/syscall.h"

#define MAP_SHARED          0x01u
#define MAP_PRIVATE         0x02u
#define MAP_SHARED_VALIDATE 0x03u
#define MAP_TYPE            0x0fu
#define MAP_FIXED           0x10u
#define MAP_ANONYMOUS       0x20u
#define MAP_GROWSDOWN       0x100u
#define MAP_NORESERVE       0x4000u
#define MAP_POPULATE        0x8000u
#define MAP_FIXED_NOREPLACE 0x100000u

#define MADV_NORMAL     0
#define MADV_WILLNEED   3
#define MADV_DONTNEED   4
#define MADV_FREE       8
#define MADV_HUGEPAGE   14
#define MADV_NOHUGEPAGE 15
#define MADV_DONTDUMP   16

/* The debugger's stop for a call with this result, if that is no error; returns the result. */
static long stop_after(enum debug_stop stop, long result)
{
    if (result >= 0)
        debug_stop(stop, current_process);
    return result;
}

/* Fills in the file part of a mapping. */
static int file_mapping(struct file *file, unsigned type, uint64_t offset,
                        struct aspace_mapping *mapping)
{
    uint32_t access = file->vfs.flags & VFS_O_ACCMODE;
    if (access == VFS_O_WRONLY)
        return -EACCES;
    if (file->ops || !VFS_S_ISREG(vfs_inode_mode(file->vfs.inode)))
        return -ENODEV;
    if (type != MAP_PRIVATE && access == VFS_O_RDONLY) {
        if (mapping->prot & PROT_WRITE)
            return -EACCES;
        mapping->flags |= VMA_NO_WRITE;
    }
    mapping->inode = file->vfs.inode;
    mapping->page_index = offset >> PAGE_SHIFT;
    return 0;
}

/* Shared memory without a file is a file without a name. */
static int shared_anonymous(uint64_t size, struct vfs_file *file, struct aspace_mapping *mapping)
{
    int error = unnamed_memory(size, file);
    if (!error)
        mapping->inode = file->inode;
    return error;
}

/* Puts the mapping at its place; the area holds the inode from then on. */
static long map_and_close(struct aspace *as, struct aspace_mapping *mapping, uint64_t hint,
                          unsigned flags, struct vfs_file *unnamed)
{
    bool fixed = flags & (MAP_FIXED | MAP_FIXED_NOREPLACE);
    mapping->start = fixed ? hint : aspace_find_place(as, hint, mapping->size);
    int error = mapping->start ? aspace_map(as, mapping, flags & MAP_FIXED)
                : fixed        ? -EPERM
                               : -ENOMEM;
    if (unnamed->inode)
        vfs_close(unnamed);
    if (error)
        return error == -EINVAL ? -ENOMEM : error;
    if (flags & MAP_POPULATE)
        (void)aspace_populate(as, mapping->start, mapping->size);
    return (long)mapping->start;
}

SYSCALL(mmap)
{
    struct vfs_file unnamed;
    unnamed.inode = NULL;
    struct aspace *as = current_process->aspace;
    unsigned flags = (unsigned)d, type = flags & MAP_TYPE;
    struct aspace_mapping mapping = {.prot = (unsigned)c & PROT_ALL};
    bool fixed = flags & (MAP_FIXED | MAP_FIXED_NOREPLACE);
    uint64_t end;
    if (type != MAP_SHARED && type != MAP_PRIVATE && type != MAP_SHARED_VALIDATE)
        return -EINVAL;
    if (b == 0 || (f & PAGE_MASK) || (fixed && (a & PAGE_MASK)))
        return -EINVAL;
    if (b > USER_END)
        return -ENOMEM;
    mapping.size = page_ceil(b);
    if (type != MAP_PRIVATE)
        mapping.flags |= VMA_SHARED;
    if (flags & MAP_GROWSDOWN)
        mapping.flags |= VMA_GROWSDOWN;
    if (flags & MAP_NORESERVE)
        mapping.flags |= VMA_NORESERVE;
    if (!(flags & MAP_ANONYMOUS)) {
        struct file *file;
        int error = file_of((int)e, &file);
        if (__builtin_add_overflow(f, mapping.size, &end))
            return -EOVERFLOW;
        if (!error)
            error = file_mapping(file, type, f, &mapping);
        if (error)
            return error;
    } else if (type != MAP_PRIVATE) {
        int error = shared_anonymous(mapping.size, &unnamed, &mapping);
        if (error)
            return error;
    }
    return stop_after(STOP_MMAP, map_and_close(as, &mapping, a, flags, &unnamed));
}

SYSCALL(munmap)
{
    if ((a & PAGE_MASK) || b == 0 || b > USER_END)
        return -EINVAL;
    return stop_after(STOP_MUNMAP, aspace_unmap(current_process->aspace, a, page_ceil(b)));
}

SYSCALL(mprotect)
{
    if ((a & PAGE_MASK) || (c & ~(uint64_t)PROT_ALL))
        return -EINVAL;
    if (b == 0)
        return 0;
    if (b > USER_END)
        return -ENOMEM;
    return stop_after(STOP_MPROTECT,
                      aspace_protect(current_process->aspace, a, page_ceil(b), (unsigned)c));
}

#define MREMAP_MAYMOVE 1u
#define MREMAP_FIXED   2u

SYSCALL(mremap)
{
    unsigned flags = (unsigned)d;
    virt_t to = e;
    if ((a & PAGE_MASK) || c == 0 || (flags & ~(MREMAP_MAYMOVE | MREMAP_FIXED)))
        return -EINVAL;
    if ((flags & MREMAP_FIXED) && (!(flags & MREMAP_MAYMOVE) || (e & PAGE_MASK)))
        return -EINVAL;
    if (b > USER_END || c > USER_END)
        return c > USER_END ? -ENOMEM : -EINVAL;
    if ((flags & MREMAP_FIXED) && (e < USER_MIN || e > USER_END - page_ceil(c)))
        return -EINVAL;
    int error = aspace_remap(current_process->aspace, a, page_ceil(b), page_ceil(c),
                             flags & MREMAP_FIXED     ? REMAP_FIXED
                             : flags & MREMAP_MAYMOVE ? REMAP_MOVE
                                                      : REMAP_STAY,
                             &to);
    return stop_after(STOP_MREMAP, error ? error : (long)to);
}

#define MS_ASYNC      1u
#define MS_INVALIDATE 2u
#define MS_SYNC       4u

SYSCALL(msync)
{
    if ((a & PAGE_MASK) || (c & ~(uint64_t)(MS_ASYNC | MS_INVALIDATE | MS_SYNC)) ||
        (c & (MS_ASYNC | MS_SYNC)) == (MS_ASYNC | MS_SYNC))
        return -EINVAL;
    if (b > USER_END)
        return -ENOMEM;
    return b == 0 ? 0 : aspace_sync(current_process->aspace, a, page_ceil(b));
}

SYSCALL(mincore)
{
    uint64_t pages = (b >> PAGE_SHIFT) + ((b & PAGE_MASK) != 0);
    if (a & PAGE_MASK)
        return -EINVAL;
    if (a > USER_END || b > USER_END - a)
        return -ENOMEM;
    for (uint64_t i = 0; i < pages; i++) {
        int resident = aspace_is_resident(current_process->aspace, a + (i << PAGE_SHIFT));
        uint8_t byte = resident > 0;
        if (resident < 0)
            return resident;
        if (copy_to_user(user_ptr(c + i), &byte, 1) != 0)
            return -EFAULT;
    }
    return 0;
}

SYSCALL(brk)
{
    return stop_after(STOP_BRK, (long)aspace_brk(current_process->aspace, a));
}

SYSCALL(madvise)
{
    if (a & PAGE_MASK)
        return -EINVAL;
    if (b == 0)
        return 0;
    if (b > USER_END)
        return -EINVAL;
    switch (c) {
    case MADV_DONTNEED:
    case MADV_FREE:
        return stop_after(STOP_MADVISE, aspace_discard(current_process->aspace, a, page_ceil(b)));
    case MADV_NORMAL:
    case 1:
    case 2:
    case MADV_WILLNEED:
    case MADV_HUGEPAGE:
    case MADV_NOHUGEPAGE:
    case MADV_DONTDUMP:
        return 0;
    default:
        return -EINVAL;
    }
}
