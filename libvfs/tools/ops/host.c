/* The backend of the host: operations by its system calls. */
#include "backend.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>
#include <limits.h>
#include <stdio.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <dirent.h>
#include <linux/openat2.h>

struct host {
    struct backend backend;
    int root; /* open on the root directory */
    int fd[OP_SLOTS];
    struct op_caller caller; /* whom the process impersonates now */
};

/* One operation: returns what the system call does, with errno set for -1. */
typedef int64_t host_operation(struct host *host, const struct op *op, struct op_result *result);

/* The system calls by operation; NULL where there is none. */
static host_operation *const host_operations[OP_COUNT];

static host_operation host_open, host_openat2, host_close, host_read, host_pread, host_write,
    host_pwrite, host_lseek, host_ftruncate, host_fallocate, host_fstat, host_fchmod, host_fchown,
    host_futimens, host_flink, host_list;
static host_operation host_setxattr, host_getxattr, host_listxattr, host_removexattr;

/* The descriptor that a path starts from: AT_FDCWD, a slot's, or -1 for an empty slot. */
static int host_base(const struct host *host, struct op_path path);

/* Appends the names of the open directory `fd` from its position on, without . and .., each with
 * its NUL. Returns 0, or -1 with errno. */
static int host_names(int fd, struct bytes *names);

/* Empties the directory `fd` and everything below. Returns 0, or -1 with errno. */
static int host_empty(int fd);

static bool is_same_caller(const struct op_caller *a, const struct op_caller *b)
{
    return a->uid == b->uid && a->gid == b->gid && a->group_count == b->group_count &&
           memcmp(a->group, b->group, a->group_count * sizeof a->group[0]) == 0;
}

/* Takes on the ids of `caller`. The superuser's ids come first: only they allow setgroups. Raw
 * system calls, because the C library would tell all threads. */
static void impersonate(struct host *host, const struct op_caller *caller)
{
    if (is_same_caller(&host->caller, caller))
        return;
    syscall(SYS_setgroups, caller->group_count, caller->group);
    setfsgid(caller->gid);
    setfsuid(caller->uid);
    host->caller = *caller;
}

static void host_run(struct backend *backend, const struct op *op, struct op_result *result)
{
    struct host *host = (struct host *)backend;
    host_operation *operation = host_operations[op->code];
    if (!operation) {
        result->code = OP_NOT_RUN;
        return;
    }
    impersonate(host, &op->caller);
    errno = 0;
    result->code = operation(host, op, result);
    if (result->code < 0)
        result->code = errno ? -errno : OP_NOT_RUN;
}

/* The coarse clock is the one that the kernel stamps inodes with, or behind it. */
static struct op_time host_clock(struct backend *backend)
{
    (void)backend;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME_COARSE, &now);
    return (struct op_time){now.tv_sec, now.tv_nsec};
}

/* The root directory as a new file system has it. */
static int reset_root(int root)
{
    char names[65536];
    if (fchown(root, 0, 0) || fchmod(root, 0755))
        return -1;
    ssize_t length = flistxattr(root, names, sizeof names);
    for (ssize_t at = 0; at < length; at += (ssize_t)strlen(names + at) + 1)
        if (strncmp(names + at, "user.", 5) == 0)
            fremovexattr(root, names + at);
    return 0;
}

static int host_clear(struct backend *backend)
{
    struct host *host = (struct host *)backend;
    impersonate(host, &(struct op_caller){0});
    for (size_t i = 0; i < OP_SLOTS; i++) {
        if (host->fd[i] >= 0)
            close(host->fd[i]);
        host->fd[i] = -1;
    }
    umask(022);
    return host_empty(host->root) || reset_root(host->root) ? -errno : 0;
}

static void host_destroy(struct backend *backend)
{
    struct host *host = (struct host *)backend;
    impersonate(host, &(struct op_caller){0});
    for (size_t i = 0; i < OP_SLOTS; i++)
        if (host->fd[i] >= 0)
            close(host->fd[i]);
    close(host->root);
    free(host);
}

static const struct backend_operations operations = {
    .name = "host",
    .run = host_run,
    .clock = host_clock,
    .clear = host_clear,
    .destroy = host_destroy,
};

int host_create(struct backend **backend, const char *directory)
{
    if (chdir(directory) || chroot(".") || chdir("/"))
        return -errno;
    int root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct host *host = root < 0 ? NULL : calloc(1, sizeof *host);
    if (!host)
        return root < 0 ? -errno : -ENOMEM;
    host->backend.operations = &operations;
    host->root = root;
    for (size_t i = 0; i < OP_SLOTS; i++)
        host->fd[i] = -1;
    syscall(SYS_setgroups, (size_t)0, NULL);
    umask(022);
    *backend = &host->backend;
    return 0;
}

/* The operations of the host backend that take paths. */

static int host_base(const struct host *host, struct op_path path)
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

static int64_t host_fstat(struct host *host, const struct op *op, struct op_result *result)
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

static host_operation *const host_operations[OP_COUNT] = {
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

/* The operations of the host backend that take open files, and extended attributes. */

enum {
    ATTRIBUTE_MAX = 65536, /* bytes of an attribute's value or of a list of names in Linux */
    DIRECTORY_BLOCK = 8192,
    OPENAT2_TRIES = 10000,
};

static void close_slot(struct host *host, int slot)
{
    if (host->fd[slot] >= 0)
        close(host->fd[slot]);
    host->fd[slot] = -1;
}

/* Puts what was opened into a slot; a failed open leaves what is there. */
static int64_t fill_slot(struct host *host, int slot, int fd)
{
    if (fd < 0)
        return -1;
    close_slot(host, slot);
    host->fd[slot] = fd;
    return 0;
}

static int64_t host_open(struct host *host, const struct op *op, struct op_result *result)
{
    (void)result;
    int fd = openat(host_base(host, op->path), op->path.text, op->flags, op->mode);
    return fill_slot(host, op->slot, fd);
}

/* A restricted walk over ".." answers EAGAIN if anything on the machine was renamed or mounted
 * meanwhile, and asks for a retry (openat2(2)). */
static int64_t host_openat2(struct host *host, const struct op *op, struct op_result *result)
{
    (void)result;
    struct open_how how = {.flags = (uint32_t)op->flags, .mode = op->mode, .resolve = op->resolve};
    int base = host_base(host, op->path);
    long fd;
    unsigned tries = 0;
    do
        fd = syscall(SYS_openat2, base, op->path.text, &how, sizeof how);
    while (fd < 0 && errno == EAGAIN && ++tries < OPENAT2_TRIES);
    return fill_slot(host, op->slot, (int)fd);
}

static int64_t host_close(struct host *host, const struct op *op, struct op_result *result)
{
    (void)result;
    int fd = host->fd[op->slot];
    host->fd[op->slot] = -1;
    return close(fd);
}

static int64_t read_some(int fd, const struct op *op, bool positioned, struct bytes *data)
{
    size_t size = op->length < 0 || op->length > OP_IO_MAX ? OP_IO_MAX : (size_t)op->length;
    bytes_reserve(data, size);
    ssize_t got = positioned ? pread(fd, data->data, size, op->offset) : read(fd, data->data, size);
    if (got > 0)
        data->length = (size_t)got;
    return got;
}

static int64_t host_read(struct host *host, const struct op *op, struct op_result *result)
{
    return read_some(host->fd[op->slot], op, false, &result->data);
}

static int64_t host_pread(struct host *host, const struct op *op, struct op_result *result)
{
    return read_some(host->fd[op->slot], op, true, &result->data);
}

static int64_t host_write(struct host *host, const struct op *op, struct op_result *result)
{
    (void)result;
    return write(host->fd[op->slot], op->data, op->data_length);
}

static int64_t host_pwrite(struct host *host, const struct op *op, struct op_result *result)
{
    (void)result;
    return pwrite(host->fd[op->slot], op->data, op->data_length, op->offset);
}

static int64_t host_lseek(struct host *host, const struct op *op, struct op_result *result)
{
    (void)result;
    return lseek(host->fd[op->slot], op->offset, op->flags);
}

static int64_t host_ftruncate(struct host *host, const struct op *op, struct op_result *result)
{
    (void)result;
    return ftruncate(host->fd[op->slot], op->length);
}

static int64_t host_fallocate(struct host *host, const struct op *op, struct op_result *result)
{
    (void)result;
    return fallocate(host->fd[op->slot], op->flags, op->offset, op->length);
}

static int64_t host_fchmod(struct host *host, const struct op *op, struct op_result *result)
{
    (void)result;
    return fchmod(host->fd[op->slot], op->mode);
}

static int64_t host_fchown(struct host *host, const struct op *op, struct op_result *result)
{
    (void)result;
    return fchown(host->fd[op->slot], op->uid, op->gid);
}

static int64_t host_futimens(struct host *host, const struct op *op, struct op_result *result)
{
    (void)result;
    struct timespec times[2];
    for (size_t i = 0; i < 2; i++)
        times[i] = (struct timespec){op->time[i].seconds, op->time[i].nanoseconds};
    return futimens(host->fd[op->slot], times);
}

static int64_t host_flink(struct host *host, const struct op *op, struct op_result *result)
{
    (void)result;
    return linkat(host->fd[op->slot], "", host_base(host, op->path2), op->path2.text,
                  AT_EMPTY_PATH);
}

static int host_names(int fd, struct bytes *names)
{
    _Alignas(struct dirent64) char block[DIRECTORY_BLOCK];
    ssize_t got;
    while ((got = getdents64(fd, block, sizeof block)) > 0) {
        for (ssize_t at = 0; at < got;) {
            const struct dirent64 *entry = (const struct dirent64 *)(block + at);
            if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
                bytes_append(names, entry->d_name, strlen(entry->d_name) + 1);
            at += entry->d_reclen;
        }
    }
    return got < 0 ? -1 : 0;
}

static int64_t host_list(struct host *host, const struct op *op, struct op_result *result)
{
    int64_t code = host_names(host->fd[op->slot], &result->data);
    names_sort(&result->data);
    return code;
}

static int remove_entry(int fd, const char *name)
{
    if (unlinkat(fd, name, 0) == 0)
        return 0;
    if (errno != EISDIR && errno != EPERM)
        return -1;
    int child = openat(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (child < 0)
        return -1;
    int result = host_empty(child);
    close(child);
    return result ? result : unlinkat(fd, name, AT_REMOVEDIR);
}

static int host_empty(int fd)
{
    struct bytes names = {0};
    int result = lseek(fd, 0, SEEK_SET) < 0 ? -1 : host_names(fd, &names);
    for (size_t at = 0; at < names.length && !result; at += strlen(names.data + at) + 1)
        result = remove_entry(fd, names.data + at);
    bytes_free(&names);
    return result;
}

/* The attribute calls know no directory to start from. */
static bool is_relative(const struct op *op)
{
    errno = 0;
    return op->path.slot != OP_SLOT_CWD;
}

static int64_t host_setxattr(struct host *host, const struct op *op, struct op_result *result)
{
    (void)result;
    if (op->code == OP_FSETXATTR)
        return fsetxattr(host->fd[op->slot], op->name, op->data, op->data_length, op->flags);
    if (is_relative(op))
        return -1;
    if (op->code == OP_LSETXATTR)
        return lsetxattr(op->path.text, op->name, op->data, op->data_length, op->flags);
    return setxattr(op->path.text, op->name, op->data, op->data_length, op->flags);
}

/* The size to offer: as asked, or enough for anything. */
static size_t attribute_room(const struct op *op, struct bytes *data)
{
    size_t size = op->length < 0 || op->length > ATTRIBUTE_MAX ? ATTRIBUTE_MAX : (size_t)op->length;
    bytes_reserve(data, ATTRIBUTE_MAX);
    return size;
}

static int64_t host_getxattr(struct host *host, const struct op *op, struct op_result *result)
{
    size_t size = attribute_room(op, &result->data);
    char *value = result->data.data;
    ssize_t got;
    if (op->code == OP_FGETXATTR)
        got = fgetxattr(host->fd[op->slot], op->name, value, size);
    else if (is_relative(op))
        return -1;
    else if (op->code == OP_LGETXATTR)
        got = lgetxattr(op->path.text, op->name, value, size);
    else
        got = getxattr(op->path.text, op->name, value, size);
    if (got > 0 && size)
        result->data.length = (size_t)got;
    return got;
}

static int64_t host_listxattr(struct host *host, const struct op *op, struct op_result *result)
{
    size_t size = attribute_room(op, &result->data);
    char *names = result->data.data;
    ssize_t got;
    if (op->code == OP_FLISTXATTR)
        got = flistxattr(host->fd[op->slot], names, size);
    else if (is_relative(op))
        return -1;
    else if (op->code == OP_LLISTXATTR)
        got = llistxattr(op->path.text, names, size);
    else
        got = listxattr(op->path.text, names, size);
    if (got > 0 && size)
        result->data.length = (size_t)got;
    names_sort(&result->data);
    return got;
}

static int64_t host_removexattr(struct host *host, const struct op *op, struct op_result *result)
{
    (void)result;
    if (op->code == OP_FREMOVEXATTR)
        return fremovexattr(host->fd[op->slot], op->name);
    if (is_relative(op))
        return -1;
    return op->code == OP_LREMOVEXATTR ? lremovexattr(op->path.text, op->name)
                                       : removexattr(op->path.text, op->name);
}
