/* Error numbers of libvfs: the values of Linux on x86-64, so that a kernel passes them through.
 * Functions return them negated (-UMVFS_ENOENT). Nothing here depends on the host's <errno.h>. */
#ifndef UMVFS_ERRNO_H
#define UMVFS_ERRNO_H

enum umvfs_errno {
    UMVFS_EPERM = 1,         /* not the owner, or a privilege is missing */
    UMVFS_ENOENT = 2,        /* a component does not exist */
    UMVFS_EIO = 5,           /* an embedder's callback failed without saying why */
    UMVFS_ENXIO = 6,         /* no such device, or an offset past the end */
    UMVFS_E2BIG = 7,         /* an extended attribute's value is too long */
    UMVFS_EBADF = 9,         /* the file is not open for this */
    UMVFS_EAGAIN = 11,       /* openat2: the resolution could not be made safe; a lock is held */
    UMVFS_ENOMEM = 12,       /* the embedder's allocator returned NULL */
    UMVFS_EACCES = 13,       /* permission denied */
    UMVFS_EFAULT = 14,       /* the copy callback copied nothing */
    UMVFS_EBUSY = 16,        /* a mount point, or still referenced */
    UMVFS_EEXIST = 17,       /* the name exists already */
    UMVFS_EXDEV = 18,        /* the two names are on different mounts */
    UMVFS_ENODEV = 19,       /* the object has no pages to map */
    UMVFS_ENOTDIR = 20,      /* a component is not a directory */
    UMVFS_EISDIR = 21,       /* is a directory */
    UMVFS_EINVAL = 22,       /* an argument has no meaning */
    UMVFS_ETXTBSY = 26,      /* the file is being executed, or written */
    UMVFS_EFBIG = 27,        /* past UMVFS_FILE_SIZE_MAX */
    UMVFS_ENOSPC = 28,       /* a quota of the file system is used up */
    UMVFS_ESPIPE = 29,       /* a FIFO or device has no offset */
    UMVFS_EROFS = 30,        /* the mount is read-only */
    UMVFS_EMLINK = 31,       /* too many links */
    UMVFS_ERANGE = 34,       /* the caller's buffer is too small */
    UMVFS_EDEADLK = 35,      /* a lock would be waited for without end */
    UMVFS_ENAMETOOLONG = 36, /* a component or a path is too long */
    UMVFS_ENOLCK = 37,       /* no memory for a lock */
    UMVFS_ENOSYS = 38,       /* the embedder gave no callback for this */
    UMVFS_ENOTEMPTY = 39,    /* the directory has entries */
    UMVFS_ELOOP = 40,        /* too many symbolic links, or one where none is allowed */
    UMVFS_ENODATA = 61,      /* no such extended attribute */
    UMVFS_EOVERFLOW = 75,    /* a value does not fit */
    UMVFS_EOPNOTSUPP = 95,   /* this object does not support it */
    UMVFS_ESTALE = 116,      /* a foreign object has gone */
};

#endif
