/* Memory. */
#include "lib/errno.h"
#include "syscall/syscall.h"

#define MAP_SHARED          0x01u
#define MAP_PRIVATE         0x02u
#define MAP_SHARED_VALIDATE 0x03u
#define MAP_TYPE            0x0fu
#define MAP_FIXED           0x10u
#define MAP_ANONYMOUS       0x20u
#define MAP_GROWSDOWN       0x100u
#define MAP_POPULATE        0x8000u
#define MAP_FIXED_NOREPLACE 0x100000u

#define MADV_NORMAL     0
#define MADV_WILLNEED   3
#define MADV_DONTNEED   4
#define MADV_FREE       8
#define MADV_HUGEPAGE   14
#define MADV_NOHUGEPAGE 15
#define MADV_DONTDUMP   16

/* Fills in the file part of a mapping. */
static int file_mapping(struct file *file, unsigned type, uint64_t offset,
                        struct aspace_mapping *mapping)
{
    uint32_t access = file->vfs.flags & VFS_O_ACCMODE;
    if (file->ops || !file->vfs.inode || !VFS_S_ISREG(vfs_inode_mode(file->vfs.inode)))
        return -ENODEV;
    if (access == VFS_O_WRONLY || (file->vfs.flags & VFS_O_PATH))
        return file->vfs.flags & VFS_O_PATH ? -EBADF : -EACCES;
    if (type != MAP_PRIVATE && access == VFS_O_RDONLY) {
        if (mapping->prot & PROT_WRITE)
            return -EACCES;
        mapping->flags |= VMA_NO_WRITE;
    }
    mapping->inode = file->vfs.inode;
    mapping->page_index = offset >> PAGE_SHIFT;
    return 0;
}

SYSCALL(mmap)
{
    struct aspace *as = current_task->aspace;
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
    if (!(flags & MAP_ANONYMOUS)) {
        struct file *file;
        int error = file_of((int)e, &file);
        if (__builtin_add_overflow(f, mapping.size, &end))
            return -EOVERFLOW;
        if (!error)
            error = file_mapping(file, type, f, &mapping);
        if (error)
            return error;
    }
    mapping.start = fixed ? a : aspace_find_place(as, a, mapping.size);
    if (!mapping.start)
        return fixed ? -EPERM : -ENOMEM;
    int error = aspace_map(as, &mapping, flags & MAP_FIXED);
    if (error)
        return error == -EINVAL ? -ENOMEM : error;
    if (flags & MAP_POPULATE)
        (void)aspace_populate(as, mapping.start, mapping.size);
    return (long)mapping.start;
}

SYSCALL(munmap)
{
    if ((a & PAGE_MASK) || b == 0 || b > USER_END)
        return -EINVAL;
    return aspace_unmap(current_task->aspace, a, page_ceil(b));
}

SYSCALL(mprotect)
{
    if ((a & PAGE_MASK) || (c & ~(uint64_t)PROT_ALL))
        return -EINVAL;
    if (b == 0)
        return 0;
    if (b > USER_END)
        return -ENOMEM;
    return aspace_protect(current_task->aspace, a, page_ceil(b), (unsigned)c);
}

SYSCALL(brk)
{
    return (long)aspace_brk(current_task->aspace, a);
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
        return aspace_discard(current_task->aspace, a, page_ceil(b));
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
