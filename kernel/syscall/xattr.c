/* Extended attributes of files. */
#include <umvfs/attr.h>

#include "lib/errno.h"
#include "mm/slab.h"
#include "mm/usercopy.h"
#include "syscall/calls.h"
#include "syscall/files.h"

#define XATTR_SIZE_MAX 65536u

/* Static, since no call sleeps between filling and using them. */
static char name_buffer[UMVFS_XATTR_NAME_MAX + 1];
static char value_buffer[UMVFS_XATTR_VALUE_MAX];

/* An object, and the flags for the lookup of its path. */
struct target {
    struct path_call call;
    unsigned flags;
};

/* Errors of the path come before errors of the attribute. */
static int target_of_path(struct target *target, user_t path, unsigned flags)
{
    struct umvfs_stat stat;
    target->flags = flags;
    int error = path_call(&target->call, AT_FDCWD, path);
    return error ? error
                 : umvfs_stat(&target->call.view.task, target->call.at, target->call.path, flags,
                              &stat);
}

static int target_of_file(struct target *target, int fd)
{
    target->flags = UMVFS_AT_EMPTY_PATH;
    return file_call(&target->call, fd);
}

/* An empty name and a name that is too long are -ERANGE. */
static int name_from_user(user_t user)
{
    long n = copy_string_from_user(name_buffer, user, sizeof(name_buffer));
    if (n == -ENAMETOOLONG)
        return -ERANGE;
    return n < 0 ? (int)n : name_buffer[0] == '\0' ? -ERANGE : 0;
}

static long set(const struct target *target, user_t name, user_t value, size_t size, int flags)
{
    if (flags & ~(int)(UMVFS_XATTR_CREATE | UMVFS_XATTR_REPLACE))
        return -EINVAL;
    int error = name_from_user(name);
    if (error)
        return error;
    if (size > XATTR_SIZE_MAX)
        return -E2BIG;
    size_t kept = size < sizeof(value_buffer) ? size : sizeof(value_buffer);
    if (!user_range_is_valid(value, size) || copy_from_user(value_buffer, value, kept) != 0)
        return -EFAULT;
    return umvfs_setxattr(&target->call.view.task, target->call.at, target->call.path, name_buffer,
                          value_buffer, size, (unsigned)flags, target->flags);
}

static long get(const struct target *target, user_t name, user_t value, size_t size)
{
    int error = name_from_user(name);
    if (error)
        return error;
    size_t room = size < sizeof(value_buffer) ? size : sizeof(value_buffer);
    int n = umvfs_getxattr(&target->call.view.task, target->call.at, target->call.path, name_buffer,
                           value_buffer, room, target->flags);
    if (n > 0 && size > 0 && copy_to_user(value, value_buffer, (size_t)n) != 0)
        return -EFAULT;
    return n;
}

static long list_names(const struct target *target, user_t list, size_t size)
{
    size_t room = size < UMVFS_XATTR_LIST_MAX ? size : UMVFS_XATTR_LIST_MAX;
    char *names = room > 0 ? slab_alloc(room) : NULL;
    if (room > 0 && !names)
        return -ENOMEM;
    int n = umvfs_listxattr(&target->call.view.task, target->call.at, target->call.path, names,
                            room, target->flags);
    if (n > 0 && size > 0 && copy_to_user(list, names, (size_t)n) != 0)
        n = -EFAULT;
    slab_free(names);
    return n;
}

static long remove(const struct target *target, user_t name)
{
    int error = name_from_user(name);
    return error ? error
                 : umvfs_removexattr(&target->call.view.task, target->call.at, target->call.path,
                                     name_buffer, target->flags);
}

long sys_setxattr(user_t path, user_t name, user_t value, size_t size, int flags)
{
    struct target target;
    int error = target_of_path(&target, path, 0);
    return error ? error : set(&target, name, value, size, flags);
}

long sys_lsetxattr(user_t path, user_t name, user_t value, size_t size, int flags)
{
    struct target target;
    int error = target_of_path(&target, path, UMVFS_AT_SYMLINK_NOFOLLOW);
    return error ? error : set(&target, name, value, size, flags);
}

long sys_fsetxattr(int fd, user_t name, user_t value, size_t size, int flags)
{
    struct target target;
    int error = target_of_file(&target, fd);
    return error ? error : set(&target, name, value, size, flags);
}

long sys_getxattr(user_t path, user_t name, user_t value, size_t size)
{
    struct target target;
    int error = target_of_path(&target, path, 0);
    return error ? error : get(&target, name, value, size);
}

long sys_lgetxattr(user_t path, user_t name, user_t value, size_t size)
{
    struct target target;
    int error = target_of_path(&target, path, UMVFS_AT_SYMLINK_NOFOLLOW);
    return error ? error : get(&target, name, value, size);
}

long sys_fgetxattr(int fd, user_t name, user_t value, size_t size)
{
    struct target target;
    int error = target_of_file(&target, fd);
    return error ? error : get(&target, name, value, size);
}

long sys_listxattr(user_t path, user_t list, size_t size)
{
    struct target target;
    int error = target_of_path(&target, path, 0);
    return error ? error : list_names(&target, list, size);
}

long sys_llistxattr(user_t path, user_t list, size_t size)
{
    struct target target;
    int error = target_of_path(&target, path, UMVFS_AT_SYMLINK_NOFOLLOW);
    return error ? error : list_names(&target, list, size);
}

long sys_flistxattr(int fd, user_t list, size_t size)
{
    struct target target;
    int error = target_of_file(&target, fd);
    return error ? error : list_names(&target, list, size);
}

long sys_removexattr(user_t path, user_t name)
{
    struct target target;
    int error = target_of_path(&target, path, 0);
    return error ? error : remove(&target, name);
}

long sys_lremovexattr(user_t path, user_t name)
{
    struct target target;
    int error = target_of_path(&target, path, UMVFS_AT_SYMLINK_NOFOLLOW);
    return error ? error : remove(&target, name);
}

long sys_fremovexattr(int fd, user_t name)
{
    struct target target;
    int error = target_of_file(&target, fd);
    return error ? error : remove(&target, name);
}
