/* Attributes of objects. flags: UMVFS_AT_SYMLINK_NOFOLLOW, and UMVFS_AT_EMPTY_PATH: with path ""
 * and at = &file.path these are fstat, fchmod, fchown, futimens, fgetxattr and so on; another flag is
 * -UMVFS_EINVAL. All of them also answer the errors of umvfs_lookup, those that change something
 * -UMVFS_EROFS (the mount or its file system is read-only), and for an object of a foreign file
 * system what that answers. An error has changed nothing and written no output. */
#ifndef UMVFS_ATTR_H
#define UMVFS_ATTR_H

#include <umvfs/path.h>

UMVFS_BEGIN_DECLS

/* What stat(2) says of the object that the path leads to. No permission on the object is needed. */
int umvfs_stat(const struct umvfs_task *task, const struct umvfs_path *at, const char *path,
               unsigned flags, struct umvfs_stat *out);
/* The same for an inode at hand. Only foreign file systems fail. */
int umvfs_inode_stat(struct umvfs_inode *inode, struct umvfs_stat *out);

/* Permission bits. -UMVFS_EPERM: not the owner; -UMVFS_EOPNOTSUPP: a symbolic link. S_ISGID is
 * dropped where Linux drops it. */
int umvfs_chmod(const struct umvfs_task *task, const struct umvfs_path *at, const char *path,
                uint32_t mode, unsigned flags);

/* Owner and group; UINT32_MAX leaves one as it is. -UMVFS_EPERM. */
int umvfs_chown(const struct umvfs_task *task, const struct umvfs_path *at, const char *path,
                uint32_t uid, uint32_t gid, unsigned flags);

/* utimensat(2): access and modification time, where nsec may be UMVFS_TIME_NOW or UMVFS_TIME_OMIT.
 * Every second can be kept; nanoseconds at the first and the last of them become 0, as on tmpfs.
 * -UMVFS_EINVAL (nsec), -UMVFS_EPERM, -UMVFS_EACCES. */
int umvfs_utimens(const struct umvfs_task *task, const struct umvfs_path *at, const char *path,
                  const struct umvfs_time times[2], unsigned flags);

/* Whether the task may do `mask` (UMVFS_MAY_*; 0: exists). For access(2) pass a task with the real
 * ids. -UMVFS_EACCES, -UMVFS_EROFS, -UMVFS_EINVAL. */
int umvfs_access(const struct umvfs_task *task, const struct umvfs_path *at, const char *path,
                 uint32_t mask, unsigned flags);

/* Size by path; needs write permission (-UMVFS_EACCES) and no memory. -UMVFS_EISDIR, -UMVFS_EINVAL
 * (not a regular file), -UMVFS_EFBIG, -UMVFS_ETXTBSY. The bytes that are cut off read as zero when the file grows again. */
int umvfs_truncate(const struct umvfs_task *task, const struct umvfs_path *at, const char *path,
                   uint64_t size);

/* Quotas of the file system that a place is on, how much of them is used, and the flags of the place's
 * mount. Only foreign file systems fail. */
int umvfs_statfs(const struct umvfs_path *path, struct umvfs_statfs *out);

/* Other quotas for the file system that `path` is on. -UMVFS_EINVAL: it holds more than that
 * already, or is a foreign one. */
int umvfs_set_limits(const struct umvfs_path *path, const struct umvfs_limits *limits);

/* Extended attributes. get and list return the length; with size 0 they copy nothing. A list is of
 * names with a NUL after each. xflags: 0, UMVFS_XATTR_CREATE (-UMVFS_EEXIST: there is one) or
 * UMVFS_XATTR_REPLACE (-UMVFS_ENODATA: there is none). The prefix of the name decides who may use an
 * attribute, as on Linux's tmpfs:
 *
 *   user.*      regular files and directories, by their permissions (other objects: -UMVFS_EPERM, and
 *               none to read); of a sticky directory its owner writes them
 *   trusted.*   UMVFS_CAP_SYS_ADMIN; to others there are none, and they are not listed
 *   security.*  all may read; UMVFS_CAP_SYS_ADMIN writes, but UMVFS_CAP_SETFCAP security.capability,
 *               whose value is to be one of Linux (-UMVFS_EINVAL). Whatever changes the contents or
 *               the owner of a file takes that away.
 *   system.posix_acl_access, system.posix_acl_default
 *               POSIX ACLs (acl(5)), which decide; see below
 *   others      -UMVFS_EOPNOTSUPP
 *
 * The library keeps the bytes of the first three and decides nothing by them. -UMVFS_ENODATA, -UMVFS_ERANGE (buffer or
 * name length), -UMVFS_EEXIST, -UMVFS_EINVAL (nothing after the prefix), -UMVFS_EPERM, -UMVFS_EACCES,
 * -UMVFS_E2BIG (above 65536), -UMVFS_ENOSPC (above UMVFS_XATTR_VALUE_MAX, of which no byte is read, or no room).
 *
 * ACLs have the form of Linux's <linux/posix_acl_xattr.h>, at most 383 entries. The owner and
 * UMVFS_CAP_FOWNER set and remove them (-UMVFS_EPERM), everybody reads them; xflags count for nothing. A value
 * without entries removes one, which need not be there. An access ACL makes owner, group and other bits of
 * the mode those of its owner, mask and other entries, chmod does the reverse, and one that says no more than
 * a mode is not kept. A directory's default ACL is what new objects in it get, instead of the umask. -UMVFS_EINVAL
 * (no ACL), -UMVFS_EOPNOTSUPP (another version; a symbolic link), -UMVFS_EACCES (a default ACL, not of a directory). */
int umvfs_setxattr(const struct umvfs_task *task, const struct umvfs_path *at, const char *path,
                   const char *name, const void *value, size_t size, unsigned xflags,
                   unsigned flags);
int umvfs_getxattr(const struct umvfs_task *task, const struct umvfs_path *at, const char *path,
                   const char *name, void *value, size_t size, unsigned flags);
int umvfs_listxattr(const struct umvfs_task *task, const struct umvfs_path *at, const char *path,
                    char *list, size_t size, unsigned flags);
int umvfs_removexattr(const struct umvfs_task *task, const struct umvfs_path *at, const char *path,
                      const char *name, unsigned flags);

UMVFS_END_DECLS

#endif
