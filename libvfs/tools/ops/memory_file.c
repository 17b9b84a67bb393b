/* The operations of the libvfs backend on open files, and extended attributes. */
#include "memory_internal.h"

#include <errno.h>
#include <string.h>

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

int64_t memory_open(struct memory *memory, const struct op *op, struct op_result *result)
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

int64_t memory_close(struct memory *memory, const struct op *op, struct op_result *result)
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

int64_t memory_read(struct memory *memory, const struct op *op, struct op_result *result)
{
    return read_some(memory, op, NULL, &result->data);
}

int64_t memory_pread(struct memory *memory, const struct op *op, struct op_result *result)
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

int64_t memory_write(struct memory *memory, const struct op *op, struct op_result *result)
{
    (void)result;
    return write_some(memory, op, NULL);
}

int64_t memory_pwrite(struct memory *memory, const struct op *op, struct op_result *result)
{
    (void)result;
    uint64_t offset = (uint64_t)op->offset;
    return op->offset < 0 ? -EINVAL : write_some(memory, op, &offset);
}

int64_t memory_lseek(struct memory *memory, const struct op *op, struct op_result *result)
{
    (void)result;
    struct umvfs_file *file = memory_file(memory, op->slot);
    return file ? umvfs_seek(file, op->offset, op->flags) : -EBADF;
}

int64_t memory_ftruncate(struct memory *memory, const struct op *op, struct op_result *result)
{
    (void)result;
    struct umvfs_file *file = memory_file(memory, op->slot);
    if (op->length < 0)
        return -EINVAL;
    return file ? umvfs_file_truncate_as(file, &memory->cred, (uint64_t)op->length) : -EBADF;
}

int64_t memory_fallocate(struct memory *memory, const struct op *op, struct op_result *result)
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

int64_t memory_list(struct memory *memory, const struct op *op, struct op_result *result)
{
    struct umvfs_file *file = memory_file(memory, op->slot);
    if (!file)
        return -EBADF;
    int error = umvfs_readdir(file, take_name, &result->data);
    names_sort(&result->data);
    return error;
}

int64_t memory_ls(struct memory *memory, const struct op *op, struct op_result *result)
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

int64_t memory_setxattr(struct memory *memory, const struct op *op, struct op_result *result)
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

int64_t memory_getxattr(struct memory *memory, const struct op *op, struct op_result *result)
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

int64_t memory_listxattr(struct memory *memory, const struct op *op, struct op_result *result)
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

int64_t memory_removexattr(struct memory *memory, const struct op *op, struct op_result *result)
{
    (void)result;
    struct target target;
    int error = attribute_target(memory, op, op->code == OP_LREMOVEXATTR, &target);
    return error ? error
                 : umvfs_removexattr(&memory->task, target.at, target.path, op->name, target.flags);
}
