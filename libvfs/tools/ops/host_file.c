/* The operations of the host backend that take open files, and extended attributes. */
#include "host_internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <linux/openat2.h>

enum {
    ATTRIBUTE_MAX = 65536, /* bytes of an attribute's value or of a list of names in Linux */
    DIRECTORY_BLOCK = 8192,
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

int64_t host_open(struct host *host, const struct op *op, struct op_result *result)
{
    (void)result;
    int fd = openat(host_base(host, op->path), op->path.text, op->flags, op->mode);
    return fill_slot(host, op->slot, fd);
}

int64_t host_openat2(struct host *host, const struct op *op, struct op_result *result)
{
    (void)result;
    struct open_how how = {.flags = (uint32_t)op->flags, .mode = op->mode, .resolve = op->resolve};
    long fd = -1;
    errno = EAGAIN;
    /* EAGAIN: somebody renamed or mounted something, anywhere, while ".." was walked; openat2(2).
     */
    for (int tries = 0; tries < 1000 && fd < 0 && errno == EAGAIN; tries++)
        fd = syscall(SYS_openat2, host_base(host, op->path), op->path.text, &how, sizeof how);
    return fill_slot(host, op->slot, (int)fd);
}

int64_t host_close(struct host *host, const struct op *op, struct op_result *result)
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

int64_t host_read(struct host *host, const struct op *op, struct op_result *result)
{
    return read_some(host->fd[op->slot], op, false, &result->data);
}

int64_t host_pread(struct host *host, const struct op *op, struct op_result *result)
{
    return read_some(host->fd[op->slot], op, true, &result->data);
}

int64_t host_write(struct host *host, const struct op *op, struct op_result *result)
{
    (void)result;
    return write(host->fd[op->slot], op->data, op->data_length);
}

int64_t host_pwrite(struct host *host, const struct op *op, struct op_result *result)
{
    (void)result;
    return pwrite(host->fd[op->slot], op->data, op->data_length, op->offset);
}

int64_t host_lseek(struct host *host, const struct op *op, struct op_result *result)
{
    (void)result;
    return lseek(host->fd[op->slot], op->offset, op->flags);
}

int64_t host_ftruncate(struct host *host, const struct op *op, struct op_result *result)
{
    (void)result;
    return ftruncate(host->fd[op->slot], op->length);
}

int64_t host_fallocate(struct host *host, const struct op *op, struct op_result *result)
{
    (void)result;
    return fallocate(host->fd[op->slot], op->flags, op->offset, op->length);
}

int64_t host_fchmod(struct host *host, const struct op *op, struct op_result *result)
{
    (void)result;
    return fchmod(host->fd[op->slot], op->mode);
}

int64_t host_fchown(struct host *host, const struct op *op, struct op_result *result)
{
    (void)result;
    return fchown(host->fd[op->slot], op->uid, op->gid);
}

int64_t host_futimens(struct host *host, const struct op *op, struct op_result *result)
{
    (void)result;
    struct timespec times[2];
    for (size_t i = 0; i < 2; i++)
        times[i] = (struct timespec){op->time[i].seconds, op->time[i].nanoseconds};
    return futimens(host->fd[op->slot], times);
}

int64_t host_flink(struct host *host, const struct op *op, struct op_result *result)
{
    (void)result;
    return linkat(host->fd[op->slot], "", host_base(host, op->path2), op->path2.text,
                  AT_EMPTY_PATH);
}

int host_names(int fd, struct bytes *names)
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

int64_t host_list(struct host *host, const struct op *op, struct op_result *result)
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

int host_empty(int fd)
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

int64_t host_setxattr(struct host *host, const struct op *op, struct op_result *result)
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

int64_t host_getxattr(struct host *host, const struct op *op, struct op_result *result)
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

int64_t host_listxattr(struct host *host, const struct op *op, struct op_result *result)
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

int64_t host_removexattr(struct host *host, const struct op *op, struct op_result *result)
{
    (void)result;
    if (op->code == OP_FREMOVEXATTR)
        return fremovexattr(host->fd[op->slot], op->name);
    if (is_relative(op))
        return -1;
    return op->code == OP_LREMOVEXATTR ? lremovexattr(op->path.text, op->name)
                                       : removexattr(op->path.text, op->name);
}
