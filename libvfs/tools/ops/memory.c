/* The backend of libvfs: operations on an instance, in process. */
#include "backend.h"
#include "embed.h"

#include <umvfs/attr.h>
#include <umvfs/file.h>
#include <umvfs/tree.h>
#include <errno.h>
#include <stdlib.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <string.h>

struct memory {
    struct backend backend;
    struct embed embed;
    struct embed_options options;
    struct umvfs_path root;
    uint32_t umask;
    bool is_open[OP_SLOTS];
    struct umvfs_file file[OP_SLOTS];
    /* Of the operation that is being carried out: */
    struct umvfs_cred cred;
    struct umvfs_task task;
};

/* One operation: returns a negative errno or the operation's value. */
typedef int64_t memory_operation(struct memory *memory, const struct op *op,
                                 struct op_result *result);

static memory_operation *const memory_operations[OP_COUNT];

static memory_operation memory_open, memory_close, memory_read, memory_pread, memory_write,
    memory_pwrite, memory_lseek, memory_ftruncate, memory_fallocate, memory_list, memory_ls;
static memory_operation memory_setxattr, memory_getxattr, memory_listxattr, memory_removexattr;

/* What an operation works on: a path from a directory, or the open file of a slot. */
struct target {
    const struct umvfs_path *at;
    const char *path;
    unsigned flags; /* UMVFS_AT_* */
};

/* Fills *target for op->path, without following a last link if `nofollow`. -EBADF: empty slot. */
static int memory_target(const struct memory *memory, struct op_path path, bool nofollow,
                         struct target *target);

/* Fills *target for an open slot. -EBADF: empty slot, or opened with O_PATH unless `allow_path`. */
static int memory_slot(const struct memory *memory, int slot, bool allow_path,
                       struct target *target);

/* The file of a slot for reading, writing and the like; NULL for an empty slot. */
static struct umvfs_file *memory_file(struct memory *memory, int slot);

/* Closes a slot if it is open. */
static void memory_close_slot(struct memory *memory, int slot);

static int memory_target(const struct memory *memory, struct op_path path, bool nofollow,
                         struct target *target)
{
    *target = (struct target){NULL, path.text, nofollow ? UMVFS_AT_SYMLINK_NOFOLLOW : 0};
    if (path.slot == OP_SLOT_CWD)
        return 0;
    if (memory->is_open[path.slot])
        target->at = &memory->file[path.slot].path;
    else if (path.text[0] != '/')
        return path.text[0] ? -EBADF : -ENOENT;
    return 0;
}

static int memory_slot(const struct memory *memory, int slot, bool allow_path,
                       struct target *target)
{
    if (!memory->is_open[slot])
        return -EBADF;
    if (!allow_path && (memory->file[slot].flags & UMVFS_O_PATH))
        return -EBADF;
    *target = (struct target){&memory->file[slot].path, "", UMVFS_AT_EMPTY_PATH};
    return 0;
}

static struct umvfs_file *memory_file(struct memory *memory, int slot)
{
    return memory->is_open[slot] ? &memory->file[slot] : NULL;
}

static void memory_close_slot(struct memory *memory, int slot)
{
    if (memory->is_open[slot])
        umvfs_close(&memory->file[slot]);
    memory->is_open[slot] = false;
}

static void memory_run(struct backend *backend, const struct op *op, struct op_result *result)
{
    struct memory *memory = (struct memory *)backend;
    memory_operation *operation = memory_operations[op->code];
    if (!operation) {
        result->code = OP_NOT_RUN;
        return;
    }
    memory->cred = (struct umvfs_cred){
        .uid = op->caller.uid,
        .gid = op->caller.gid,
        .caps = op->caller.uid == 0 ? UMVFS_CAP_ALL : 0,
        .group_count = (uint32_t)op->caller.group_count,
        .groups = op->caller.group,
    };
    memory->task = (struct umvfs_task){
        .vfs = memory->embed.vfs,
        .cred = &memory->cred,
        .root = memory->root,
        .cwd = memory->root,
        .umask = memory->umask,
    };
    result->code = operation(memory, op, result);
}

static struct op_time memory_clock(struct backend *backend)
{
    (void)backend;
    int64_t now = embed_now();
    return (struct op_time){now / 1000000000, now % 1000000000};
}

static int start(struct memory *memory)
{
    int error = embed_new(&memory->embed, &memory->options);
    if (error)
        return error;
    umvfs_root(memory->embed.vfs, &memory->root);
    memory->umask = 022;
    return 0;
}

static int stop(struct memory *memory)
{
    for (int slot = 0; slot < OP_SLOTS; slot++)
        memory_close_slot(memory, slot);
    umvfs_path_put(&memory->root);
    return embed_destroy(&memory->embed);
}

static int memory_clear(struct backend *backend)
{
    struct memory *memory = (struct memory *)backend;
    int error = stop(memory);
    return error ? error : start(memory);
}

static void memory_destroy(struct backend *backend)
{
    struct memory *memory = (struct memory *)backend;
    stop(memory);
    free(memory);
}

static const struct backend_operations operations = {
    .name = "libvfs",
    .run = memory_run,
    .clock = memory_clock,
    .clear = memory_clear,
    .destroy = memory_destroy,
};

int memory_create(struct backend **backend, const struct embed_options *options)
{
    struct memory *memory = calloc(1, sizeof *memory);
    if (!memory)
        return -ENOMEM;
    memory->backend.operations = &operations;
    memory->options = *options;
    int error = start(memory);
    if (error) {
        free(memory);
        return error;
    }
    *backend = &memory->backend;
    return 0;
}

struct umvfs *memory_instance(struct backend *backend)
{
    return ((struct memory *)backend)->embed.vfs;
}

/* The operations of the libvfs backend on names and attributes. */

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

static memory_operation *const memory_operations[OP_COUNT] = {
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

/* The operations of the libvfs backend on open files, and extended attributes. */

enum { ATTRIBUTE_MAX = 65536 }; /* bytes of a value or of a list of names in Linux */

/* What openat2(2) refuses before it looks at a path: a mode for nothing, and flags that O_PATH
 * would ignore. */
static int check_openat2(const struct op *op)
{
    const uint32_t creating = UMVFS_O_CREAT | (UMVFS_O_TMPFILE & ~UMVFS_O_DIRECTORY);
    const uint32_t with_path =
        UMVFS_O_PATH | UMVFS_O_DIRECTORY | UMVFS_O_NOFOLLOW | UMVFS_O_CLOEXEC;
    uint32_t flags = (uint32_t)op->flags;
    if ((op->mode & ~07777u) || (op->mode && !(flags & creating)))
        return -EINVAL;
    return (flags & UMVFS_O_PATH) && (flags & ~with_path) ? -EINVAL : 0;
}

static int64_t memory_open(struct memory *memory, const struct op *op, struct op_result *result)
{
    (void)result;
    struct target target;
    struct umvfs_file file;
    int error = op->code == OP_OPENAT2 ? check_openat2(op) : 0;
    if (!error)
        error = memory_target(memory, op->path, false, &target);
    if (!error)
        error = umvfs_open(&memory->task, target.at, target.path, (uint32_t)op->flags,
                           op->mode & 07777, (unsigned)op->resolve, &file);
    if (error)
        return error; /* the slot keeps what it had */
    memory_close_slot(memory, op->slot);
    memory->file[op->slot] = file;
    memory->is_open[op->slot] = true;
    return 0;
}

static int64_t memory_close(struct memory *memory, const struct op *op, struct op_result *result)
{
    (void)result;
    if (!memory->is_open[op->slot])
        return -EBADF;
    memory_close_slot(memory, op->slot);
    return 0;
}

static int64_t read_some(struct memory *memory, const struct op *op, uint64_t *offset,
                         struct bytes *data)
{
    struct umvfs_file *file = memory_file(memory, op->slot);
    if (!file)
        return -EBADF;
    size_t size = op->length < 0 || op->length > OP_IO_MAX ? OP_IO_MAX : (size_t)op->length;
    bytes_reserve(data, size);
    int64_t got =
        umvfs_read_to(file, data->data, size, offset ? offset : &file->offset, &embed_copy);
    if (got > 0)
        data->length = (size_t)got;
    return got;
}

static int64_t memory_read(struct memory *memory, const struct op *op, struct op_result *result)
{
    return read_some(memory, op, NULL, &result->data);
}

static int64_t memory_pread(struct memory *memory, const struct op *op, struct op_result *result)
{
    uint64_t offset = (uint64_t)op->offset;
    return op->offset < 0 ? -EINVAL : read_some(memory, op, &offset, &result->data);
}

static int64_t write_some(struct memory *memory, const struct op *op, uint64_t *offset)
{
    struct umvfs_file *file = memory_file(memory, op->slot);
    if (!file)
        return -EBADF;
    return umvfs_write_from(file, &memory->cred, op->data, op->data_length,
                            offset ? offset : &file->offset, &embed_copy);
}

static int64_t memory_write(struct memory *memory, const struct op *op, struct op_result *result)
{
    (void)result;
    return write_some(memory, op, NULL);
}

static int64_t memory_pwrite(struct memory *memory, const struct op *op, struct op_result *result)
{
    (void)result;
    uint64_t offset = (uint64_t)op->offset;
    return op->offset < 0 ? -EINVAL : write_some(memory, op, &offset);
}

static int64_t memory_lseek(struct memory *memory, const struct op *op, struct op_result *result)
{
    (void)result;
    struct umvfs_file *file = memory_file(memory, op->slot);
    return file ? umvfs_seek(file, op->offset, op->flags) : -EBADF;
}

static int64_t memory_ftruncate(struct memory *memory, const struct op *op,
                                struct op_result *result)
{
    (void)result;
    struct umvfs_file *file = memory_file(memory, op->slot);
    if (op->length < 0)
        return -EINVAL;
    return file ? umvfs_file_truncate_as(file, &memory->cred, (uint64_t)op->length) : -EBADF;
}

static int64_t memory_fallocate(struct memory *memory, const struct op *op,
                                struct op_result *result)
{
    (void)result;
    struct umvfs_file *file = memory_file(memory, op->slot);
    if (!file || (file->flags & UMVFS_O_PATH))
        return -EBADF;
    if (op->offset < 0 || op->length <= 0)
        return -EINVAL;
    return umvfs_fallocate_as(file, &memory->cred, (uint32_t)op->flags, (uint64_t)op->offset,
                              (uint64_t)op->length);
}

static int take_name(void *context, const char *name, size_t length, uint64_t inode, unsigned type,
                     uint64_t next)
{
    (void)inode;
    (void)type;
    (void)next;
    struct bytes *names = context;
    bool is_dots =
        (length == 1 && name[0] == '.') || (length == 2 && name[0] == '.' && name[1] == '.');
    if (is_dots)
        return 0;
    bytes_append(names, name, length);
    bytes_push(names, '\0');
    return 0;
}

static int64_t memory_list(struct memory *memory, const struct op *op, struct op_result *result)
{
    struct umvfs_file *file = memory_file(memory, op->slot);
    if (!file)
        return -EBADF;
    int error = umvfs_readdir(file, take_name, &result->data);
    names_sort(&result->data);
    return error;
}

static int64_t memory_ls(struct memory *memory, const struct op *op, struct op_result *result)
{
    struct target target;
    struct umvfs_file directory;
    int error = memory_target(memory, op->path, false, &target);
    if (!error)
        error = umvfs_open(&memory->task, target.at, target.path,
                           UMVFS_O_RDONLY | UMVFS_O_DIRECTORY, 0, 0, &directory);
    if (error)
        return error;
    error = umvfs_readdir(&directory, take_name, &result->data);
    umvfs_close(&directory);
    names_sort(&result->data);
    return error;
}

/* The object of an attribute call. Linux's calls know no directory to start from, and judge the
 * length of the name before the descriptor. */
static int attribute_target(const struct memory *memory, const struct op *op, bool nofollow,
                            struct target *target)
{
    bool is_slot = op_table[op->code].arguments[0] == 's';
    size_t length = op->name ? strlen(op->name) : 1;
    if (is_slot && (length == 0 || length > UMVFS_XATTR_NAME_MAX))
        return -ERANGE;
    if (is_slot)
        return memory_slot(memory, op->slot, false, target);
    if (op->path.slot != OP_SLOT_CWD)
        return OP_NOT_RUN;
    return memory_target(memory, op->path, nofollow, target);
}

static int64_t memory_setxattr(struct memory *memory, const struct op *op, struct op_result *result)
{
    (void)result;
    struct target target;
    int error = attribute_target(memory, op, op->code == OP_LSETXATTR, &target);
    return error ? error
                 : umvfs_setxattr(&memory->task, target.at, target.path, op->name, op->data,
                                  op->data_length, (unsigned)op->flags, target.flags);
}

static size_t attribute_room(const struct op *op, struct bytes *data)
{
    bytes_reserve(data, ATTRIBUTE_MAX);
    return op->length < 0 || op->length > ATTRIBUTE_MAX ? ATTRIBUTE_MAX : (size_t)op->length;
}

static int64_t memory_getxattr(struct memory *memory, const struct op *op, struct op_result *result)
{
    struct target target;
    int error = attribute_target(memory, op, op->code == OP_LGETXATTR, &target);
    if (error)
        return error;
    size_t size = attribute_room(op, &result->data);
    int got = umvfs_getxattr(&memory->task, target.at, target.path, op->name, result->data.data,
                             size, target.flags);
    if (got > 0 && size)
        result->data.length = (size_t)got;
    return got;
}

static int64_t memory_listxattr(struct memory *memory, const struct op *op,
                                struct op_result *result)
{
    struct target target;
    int error = attribute_target(memory, op, op->code == OP_LLISTXATTR, &target);
    if (error)
        return error;
    size_t size = attribute_room(op, &result->data);
    int got = umvfs_listxattr(&memory->task, target.at, target.path, result->data.data, size,
                              target.flags);
    if (got > 0 && size)
        result->data.length = (size_t)got;
    names_sort(&result->data);
    return got;
}

static int64_t memory_removexattr(struct memory *memory, const struct op *op,
                                  struct op_result *result)
{
    (void)result;
    struct target target;
    int error = attribute_target(memory, op, op->code == OP_LREMOVEXATTR, &target);
    return error ? error
                 : umvfs_removexattr(&memory->task, target.at, target.path, op->name, target.flags);
}
