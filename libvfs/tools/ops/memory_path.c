/* The operations of the libvfs backend on names and attributes. */
#include "memory_internal.h"

#include <errno.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

enum { SECOND = 1000000000 }; /* nanoseconds */

/* The object of an operation on a path (path arguments) or on a slot (the f... operations). */
static int object_of(const struct memory *memory, const struct op *op, bool nofollow,
                     struct target *target)
{
    if (op_table[op->code].arguments[0] == 's')
        return memory_slot(memory, op->slot, op->code == OP_FSTAT, target);
    return memory_target(memory, op->path, nofollow, target);
}

static int64_t memory_access(struct memory *memory, const struct op *op, struct op_result *result)
{
    (void)result;
    struct target target;
    if (op->flags & ~(int)(UMVFS_MAY_READ | UMVFS_MAY_WRITE | UMVFS_MAY_EXEC))
        return -EINVAL;
    int error = memory_target(memory, op->path, false, &target);
    if (error)
        return error;
    return umvfs_access(&memory->task, target.at, target.path, (uint32_t)op->flags, target.flags);
}

static int64_t memory_chmod(struct memory *memory, const struct op *op, struct op_result *result)
{
    (void)result;
    struct target target;
    int error = object_of(memory, op, false, &target);
    return error
               ? error
               : umvfs_chmod(&memory->task, target.at, target.path, op->mode & 07777, target.flags);
}

static int64_t memory_chown(struct memory *memory, const struct op *op, struct op_result *result)
{
    (void)result;
    struct target target;
    int error = object_of(memory, op, op->code == OP_LCHOWN, &target);
    return error
               ? error
               : umvfs_chown(&memory->task, target.at, target.path, op->uid, op->gid, target.flags);
}

static int64_t memory_link(struct memory *memory, const struct op *op, struct op_result *result)
{
    (void)result;
    struct target from, to;
    int error = op->code == OP_FLINK ? memory_slot(memory, op->slot, true, &from)
                                     : memory_target(memory, op->path, false, &from);
    if (!error)
        error = memory_target(memory, op->path2, false, &to);
    if (error)
        return error;
    unsigned flags = op->code == OP_LINKF ? UMVFS_AT_SYMLINK_FOLLOW : from.flags;
    return umvfs_link(&memory->task, from.at, from.path, to.at, to.path, flags);
}

static int64_t memory_mkdir(struct memory *memory, const struct op *op, struct op_result *result)
{
    (void)result;
    struct target target;
    int error = memory_target(memory, op->path, false, &target);
    return error ? error : umvfs_mkdir(&memory->task, target.at, target.path, op->mode);
}

static int64_t memory_mknod(struct memory *memory, const struct op *op, struct op_result *result)
{
    (void)result;
    struct target target;
    int error = memory_target(memory, op->path, false, &target);
    return error ? error
                 : umvfs_mknod(&memory->task, target.at, target.path, op->mode,
                               makedev(op->major, op->minor));
}

static int64_t memory_readlink(struct memory *memory, const struct op *op, struct op_result *result)
{
    char text[PATH_MAX];
    struct target target;
    int error = memory_target(memory, op->path, false, &target);
    if (error)
        return error;
    size_t size = op->length < 0 || op->length > PATH_MAX ? PATH_MAX : (size_t)op->length;
    int got = umvfs_readlink(&memory->task, target.at, target.path, 0, text, size);
    if (got > 0)
        bytes_append(&result->data, text, (size_t)got);
    return got;
}

static int64_t memory_rename(struct memory *memory, const struct op *op, struct op_result *result)
{
    (void)result;
    struct target from, to;
    int error = memory_target(memory, op->path, false, &from);
    if (!error)
        error = memory_target(memory, op->path2, false, &to);
    return error ? error
                 : umvfs_rename(&memory->task, from.at, from.path, to.at, to.path,
                                (unsigned)op->flags);
}

static int64_t memory_unlink(struct memory *memory, const struct op *op, struct op_result *result)
{
    (void)result;
    struct target target;
    int error = memory_target(memory, op->path, false, &target);
    if (error)
        return error;
    return op->code == OP_RMDIR ? umvfs_rmdir(&memory->task, target.at, target.path)
                                : umvfs_unlink(&memory->task, target.at, target.path);
}

static int64_t memory_symlink(struct memory *memory, const struct op *op, struct op_result *result)
{
    (void)result;
    struct target target;
    int error = memory_target(memory, op->path2, false, &target);
    return error ? error : umvfs_symlink(&memory->task, op->data, target.at, target.path);
}

static struct op_time split_time(struct umvfs_time time)
{
    return (struct op_time){time.sec, time.nsec};
}

static int64_t memory_stat(struct memory *memory, const struct op *op, struct op_result *result)
{
    struct target target;
    struct umvfs_stat st;
    int error = object_of(memory, op, op->code == OP_LSTAT, &target);
    if (!error)
        error = umvfs_stat(&memory->task, target.at, target.path, target.flags, &st);
    if (error)
        return error;
    result->stat = (struct op_stat){
        .mode = st.mode,
        .uid = st.uid,
        .gid = st.gid,
        .major = major(st.rdev),
        .minor = minor(st.rdev),
        .inode = st.ino,
        .links = st.nlink,
        .size = st.size,
        .blocks = st.blocks,
        .time = {split_time(st.atime), split_time(st.mtime), split_time(st.ctime)},
    };
    return 0;
}

static int64_t memory_statfs(struct memory *memory, const struct op *op, struct op_result *result)
{
    (void)result;
    struct target target;
    struct umvfs_path place;
    struct umvfs_statfs st;
    int error = memory_target(memory, op->path, false, &target);
    if (!error)
        error = umvfs_lookup(&memory->task, target.at, target.path, 0, 0, &place);
    if (error)
        return error;
    error = umvfs_statfs(&place, &st);
    umvfs_path_put(&place);
    return error ? error : (int64_t)st.name_max;
}

static int64_t memory_truncate(struct memory *memory, const struct op *op, struct op_result *result)
{
    (void)result;
    struct target target;
    if (op->path.slot != OP_SLOT_CWD)
        return OP_NOT_RUN; /* as on the host: there is no truncateat */
    if (op->length < 0)
        return -EINVAL;
    int error = memory_target(memory, op->path, false, &target);
    return error ? error
                 : umvfs_truncate(&memory->task, target.at, target.path, (uint64_t)op->length);
}

static int64_t memory_umask(struct memory *memory, const struct op *op, struct op_result *result)
{
    (void)result;
    uint32_t old = memory->umask;
    memory->umask = op->mode & 0777;
    return old;
}

/* -EINVAL as utimensat(2). */
static int take_time(struct op_time time, struct umvfs_time *taken)
{
    bool special = time.nanoseconds == UTIME_NOW || time.nanoseconds == UTIME_OMIT;
    if (!special && (time.nanoseconds < 0 || time.nanoseconds >= SECOND))
        return -EINVAL;
    *taken = (struct umvfs_time){time.seconds, (uint32_t)time.nanoseconds};
    return 0;
}

/* Whether the object can be reached at all: 0 or a negative errno. */
static int lookup_only(const struct memory *memory, const struct target *target)
{
    struct umvfs_path place;
    int error = umvfs_lookup(&memory->task, target->at, target->path, target->flags, 0, &place);
    if (!error)
        umvfs_path_put(&place);
    return error;
}

/* Times out of range are refused once the object has been found, as in Linux. */
static int64_t memory_utimens(struct memory *memory, const struct op *op, struct op_result *result)
{
    (void)result;
    struct target target;
    struct umvfs_time time[2] = {{0}};
    int invalid = take_time(op->time[0], &time[0]);
    if (!invalid)
        invalid = take_time(op->time[1], &time[1]);
    if (!invalid && time[0].nsec == UMVFS_TIME_OMIT && time[1].nsec == UMVFS_TIME_OMIT)
        return 0;
    int error = object_of(memory, op, op->code == OP_LUTIMENS, &target);
    if (!error && invalid)
        error = lookup_only(memory, &target);
    if (error || invalid)
        return error ? error : invalid;
    return umvfs_utimens(&memory->task, target.at, target.path, time, target.flags);
}

memory_operation *const memory_operations[OP_COUNT] = {
    [OP_ACCESS] = memory_access,
    [OP_CHMOD] = memory_chmod,
    [OP_CHOWN] = memory_chown,
    [OP_CLOSE] = memory_close,
    [OP_FALLOCATE] = memory_fallocate,
    [OP_FCHMOD] = memory_chmod,
    [OP_FCHOWN] = memory_chown,
    [OP_FGETXATTR] = memory_getxattr,
    [OP_FLINK] = memory_link,
    [OP_FLISTXATTR] = memory_listxattr,
    [OP_FREMOVEXATTR] = memory_removexattr,
    [OP_FSETXATTR] = memory_setxattr,
    [OP_FSTAT] = memory_stat,
    [OP_FTRUNCATE] = memory_ftruncate,
    [OP_FUTIMENS] = memory_utimens,
    [OP_GETXATTR] = memory_getxattr,
    [OP_LCHOWN] = memory_chown,
    [OP_LGETXATTR] = memory_getxattr,
    [OP_LINK] = memory_link,
    [OP_LINKF] = memory_link,
    [OP_LIST] = memory_list,
    [OP_LISTXATTR] = memory_listxattr,
    [OP_LLISTXATTR] = memory_listxattr,
    [OP_LREMOVEXATTR] = memory_removexattr,
    [OP_LS] = memory_ls,
    [OP_LSEEK] = memory_lseek,
    [OP_LSETXATTR] = memory_setxattr,
    [OP_LSTAT] = memory_stat,
    [OP_LUTIMENS] = memory_utimens,
    [OP_MKDIR] = memory_mkdir,
    [OP_MKNOD] = memory_mknod,
    [OP_OPEN] = memory_open,
    [OP_OPENAT2] = memory_open,
    [OP_PREAD] = memory_pread,
    [OP_PWRITE] = memory_pwrite,
    [OP_READ] = memory_read,
    [OP_READLINK] = memory_readlink,
    [OP_REMOVEXATTR] = memory_removexattr,
    [OP_RENAME] = memory_rename,
    [OP_RMDIR] = memory_unlink,
    [OP_SETXATTR] = memory_setxattr,
    [OP_STAT] = memory_stat,
    [OP_STATFS] = memory_statfs,
    [OP_SYMLINK] = memory_symlink,
    [OP_TRUNCATE] = memory_truncate,
    [OP_UMASK] = memory_umask,
    [OP_UNLINK] = memory_unlink,
    [OP_UTIMENS] = memory_utimens,
    [OP_WRITE] = memory_write,
};
