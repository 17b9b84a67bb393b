/* The operations of the host backend that take paths. */
#include "host_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

int host_base(const struct host *host, struct op_path path)
{
    return path.slot == OP_SLOT_CWD ? AT_FDCWD : host->fd[path.slot];
}

/* Calls without an *at form take a path from the working directory only. */
static bool has_no_base(struct op_path path)
{
    errno = 0;
    return path.slot != OP_SLOT_CWD;
}

static int64_t host_access(struct host *host, const struct op *op, struct op_result *result)
{
    (void)result;
    return syscall(SYS_faccessat2, host_base(host, op->path), op->path.text, op->flags, AT_EACCESS);
}

static int64_t host_chmod(struct host *host, const struct op *op, struct op_result *result)
{
    (void)result;
    return fchmodat(host_base(host, op->path), op->path.text, op->mode, 0);
}

static int64_t host_chown(struct host *host, const struct op *op, struct op_result *result)
{
    (void)result;
    int flags = op->code == OP_LCHOWN ? AT_SYMLINK_NOFOLLOW : 0;
    return fchownat(host_base(host, op->path), op->path.text, op->uid, op->gid, flags);
}

static int64_t host_link(struct host *host, const struct op *op, struct op_result *result)
{
    (void)result;
    int flags = op->code == OP_LINKF ? AT_SYMLINK_FOLLOW : 0;
    return linkat(host_base(host, op->path), op->path.text, host_base(host, op->path2),
                  op->path2.text, flags);
}

static int64_t host_ls(struct host *host, const struct op *op, struct op_result *result)
{
    int fd = openat(host_base(host, op->path), op->path.text, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    int64_t code = host_names(fd, &result->data);
    int saved = errno;
    close(fd);
    errno = saved;
    names_sort(&result->data);
    return code;
}

static void take_time(struct op_time *time, struct statx_timestamp stamp)
{
    *time = (struct op_time){stamp.tv_sec, stamp.tv_nsec};
}

static int64_t stat_at(int base, const char *path, int flags, struct op_stat *out)
{
    struct statx st;
    if (statx(base, path, flags, STATX_BASIC_STATS, &st))
        return -1;
    *out = (struct op_stat){
        .mode = st.stx_mode,
        .uid = st.stx_uid,
        .gid = st.stx_gid,
        .major = st.stx_rdev_major,
        .minor = st.stx_rdev_minor,
        .inode = st.stx_ino,
        .links = st.stx_nlink,
        .size = st.stx_size,
        .blocks = st.stx_blocks,
    };
    take_time(&out->time[0], st.stx_atime);
    take_time(&out->time[1], st.stx_mtime);
    take_time(&out->time[2], st.stx_ctime);
    return 0;
}

static int64_t host_stat(struct host *host, const struct op *op, struct op_result *result)
{
    int flags = op->code == OP_LSTAT ? AT_SYMLINK_NOFOLLOW : 0;
    return stat_at(host_base(host, op->path), op->path.text, flags, &result->stat);
}

int64_t host_fstat(struct host *host, const struct op *op, struct op_result *result)
{
    return stat_at(host->fd[op->slot], "", AT_EMPTY_PATH, &result->stat);
}

static int64_t host_mkdir(struct host *host, const struct op *op, struct op_result *result)
{
    (void)result;
    return mkdirat(host_base(host, op->path), op->path.text, op->mode);
}

static int64_t host_mknod(struct host *host, const struct op *op, struct op_result *result)
{
    (void)result;
    return mknodat(host_base(host, op->path), op->path.text, op->mode,
                   makedev(op->major, op->minor));
}

static int64_t host_readlink(struct host *host, const struct op *op, struct op_result *result)
{
    char target[PATH_MAX];
    size_t size = op->length < 0 ? sizeof target : (size_t)op->length;
    if (size > sizeof target)
        size = sizeof target;
    /* The raw call: the C library would answer a size of 0 in its own way. */
    long got = syscall(SYS_readlinkat, host_base(host, op->path), op->path.text, target, size);
    if (got >= 0)
        bytes_append(&result->data, target, (size_t)got);
    return got;
}

static int64_t host_rename(struct host *host, const struct op *op, struct op_result *result)
{
    (void)result;
    return renameat2(host_base(host, op->path), op->path.text, host_base(host, op->path2),
                     op->path2.text, (unsigned)op->flags);
}

static int64_t host_unlink(struct host *host, const struct op *op, struct op_result *result)
{
    (void)result;
    int flags = op->code == OP_RMDIR ? AT_REMOVEDIR : 0;
    return unlinkat(host_base(host, op->path), op->path.text, flags);
}

static int64_t host_statfs(struct host *host, const struct op *op, struct op_result *result)
{
    (void)host;
    (void)result;
    struct statfs st;
    if (has_no_base(op->path) || statfs(op->path.text, &st))
        return -1;
    return st.f_namelen;
}

static int64_t host_symlink(struct host *host, const struct op *op, struct op_result *result)
{
    (void)result;
    return symlinkat(op->data, host_base(host, op->path2), op->path2.text);
}

static int64_t host_truncate(struct host *host, const struct op *op, struct op_result *result)
{
    (void)host;
    (void)result;
    return has_no_base(op->path) ? -1 : truncate(op->path.text, op->length);
}

static int64_t host_umask(struct host *host, const struct op *op, struct op_result *result)
{
    (void)host;
    (void)result;
    return umask(op->mode);
}

static int64_t host_utimens(struct host *host, const struct op *op, struct op_result *result)
{
    (void)result;
    struct timespec times[2];
    for (size_t i = 0; i < 2; i++)
        times[i] = (struct timespec){op->time[i].seconds, op->time[i].nanoseconds};
    int flags = op->code == OP_LUTIMENS ? AT_SYMLINK_NOFOLLOW : 0;
    return utimensat(host_base(host, op->path), op->path.text, times, flags);
}

host_operation *const host_operations[OP_COUNT] = {
    [OP_ACCESS] = host_access,
    [OP_CHMOD] = host_chmod,
    [OP_CHOWN] = host_chown,
    [OP_CLOSE] = host_close,
    [OP_FALLOCATE] = host_fallocate,
    [OP_FCHMOD] = host_fchmod,
    [OP_FCHOWN] = host_fchown,
    [OP_FGETXATTR] = host_getxattr,
    [OP_FLINK] = host_flink,
    [OP_FLISTXATTR] = host_listxattr,
    [OP_FREMOVEXATTR] = host_removexattr,
    [OP_FSETXATTR] = host_setxattr,
    [OP_FSTAT] = host_fstat,
    [OP_FTRUNCATE] = host_ftruncate,
    [OP_FUTIMENS] = host_futimens,
    [OP_GETXATTR] = host_getxattr,
    [OP_LCHOWN] = host_chown,
    [OP_LGETXATTR] = host_getxattr,
    [OP_LINK] = host_link,
    [OP_LINKF] = host_link,
    [OP_LIST] = host_list,
    [OP_LISTXATTR] = host_listxattr,
    [OP_LLISTXATTR] = host_listxattr,
    [OP_LREMOVEXATTR] = host_removexattr,
    [OP_LS] = host_ls,
    [OP_LSEEK] = host_lseek,
    [OP_LSETXATTR] = host_setxattr,
    [OP_LSTAT] = host_stat,
    [OP_LUTIMENS] = host_utimens,
    [OP_MKDIR] = host_mkdir,
    [OP_MKNOD] = host_mknod,
    [OP_OPEN] = host_open,
    [OP_OPENAT2] = host_openat2,
    [OP_PREAD] = host_pread,
    [OP_PWRITE] = host_pwrite,
    [OP_READ] = host_read,
    [OP_READLINK] = host_readlink,
    [OP_REMOVEXATTR] = host_removexattr,
    [OP_RENAME] = host_rename,
    [OP_RMDIR] = host_unlink,
    [OP_SETXATTR] = host_setxattr,
    [OP_STAT] = host_stat,
    [OP_STATFS] = host_statfs,
    [OP_SYMLINK] = host_symlink,
    [OP_TRUNCATE] = host_truncate,
    [OP_UMASK] = host_umask,
    [OP_UNLINK] = host_unlink,
    [OP_UTIMENS] = host_utimens,
    [OP_WRITE] = host_write,
};
