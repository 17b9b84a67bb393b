/* Error numbers of libvfs: the values of Linux on x86-64, so that a kernel passes them through.
 * Functions return them negated (-VFS_ENOENT). Nothing here depends on the host's <errno.h>. */
#ifndef VFS_ERRNO_H
#define VFS_ERRNO_H

enum vfs_errno {
    VFS_EPERM = 1,         /* not the owner, or a privilege is missing */
    VFS_ENOENT = 2,        /* a component does not exist */
    VFS_EIO = 5,           /* an embedder's callback failed without saying why */
    VFS_ENXIO = 6,         /* no such device, or an offset past the end */
    VFS_E2BIG = 7,         /* an extended attribute's value is too long */
    VFS_EBADF = 9,         /* the file is not open for this */
    VFS_EAGAIN = 11,       /* openat2: the resolution could not be made safe */
    VFS_ENOMEM = 12,       /* the embedder's allocator returned NULL */
    VFS_EACCES = 13,       /* permission denied */
    VFS_EFAULT = 14,       /* the copy callback copied nothing */
    VFS_EBUSY = 16,        /* a mount point, or still referenced */
    VFS_EEXIST = 17,       /* the name exists already */
    VFS_EXDEV = 18,        /* the two names are on different mounts */
    VFS_ENODEV = 19,       /* the object has no pages to map */
    VFS_ENOTDIR = 20,      /* a component is not a directory */
    VFS_EISDIR = 21,       /* is a directory */
    VFS_EINVAL = 22,       /* an argument has no meaning */
    VFS_ETXTBSY = 26,      /* the file is being executed, or written */
    VFS_EFBIG = 27,        /* past VFS_FILE_SIZE_MAX */
    VFS_ENOSPC = 28,       /* a quota of the file system is used up */
    VFS_ESPIPE = 29,       /* a FIFO or device has no offset */
    VFS_EROFS = 30,        /* the mount is read-only */
    VFS_EMLINK = 31,       /* too many links */
    VFS_ERANGE = 34,       /* the caller's buffer is too small */
    VFS_ENAMETOOLONG = 36, /* a component or a path is too long */
    VFS_ENOSYS = 38,       /* the embedder gave no callback for this */
    VFS_ENOTEMPTY = 39,    /* the directory has entries */
    VFS_ELOOP = 40,        /* too many symbolic links, or one where none is allowed */
    VFS_ENODATA = 61,      /* no such extended attribute */
    VFS_EOVERFLOW = 75,    /* a value does not fit */
    VFS_EOPNOTSUPP = 95,   /* this object does not support it */
    VFS_ESTALE = 116,      /* a foreign object has gone */
};

#endif
