/* Extended attributes of files. */
#include <umvfs/attr.h>

#include "file/unnamed.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "mm/usercopy.h"
#include "syscall/calls.h"
#include "syscall/files.h"

#define XATTR_SIZE_MAX 65536u

/* Static, since no call sleeps between filling and using them. */
static char name_buffer[UMVFS_XATTR_NAME_MAX + 1];
static char value_buffer[UMVFS_XATTR_VALUE_MAX];

/* An object as a call names it: a path, or with UMVFS_AT_EMPTY_PATH a descriptor. */
struct object {
    user_t path;
    int fd;
    unsigned flags;
};

#define BY_PATH(path) ((struct object){path, -1, 0})
#define BY_LINK(path) ((struct object){path, -1, UMVFS_AT_SYMLINK_NOFOLLOW})
#define BY_FD(fd)     ((struct object){user_ptr(0), fd, UMVFS_AT_EMPTY_PATH})

/* Looks at the object after the other arguments, as Linux does. Linux's pipes without a name have no attributes but
 * those of users, which belong to files and directories. */
static int find(struct path_call *call, const struct object *object, bool is_user_name)
{
    if (!(object->flags & UMVFS_AT_EMPTY_PATH))
        return path_call(call, AT_FDCWD, object->path, 0);
    struct file *file;
    int error = file_call(call, object->fd);
    if (!error)
        error = file_of(object->fd, &file);
    if (error || is_user_name || !unnamed_has(file->vfs.inode))
        return error;
    return UMVFS_S_ISREG(umvfs_inode_mode(file->vfs.inode)) ? 0 : -EOPNOTSUPP;
}

/* An empty name and a name that is too long are -ERANGE. */
static int name_from_user(user_t user)
{
    long n = copy_string_from_user(name_buffer, user, sizeof(name_buffer));
    if (n == -ENAMETOOLONG)
        return -ERANGE;
    return n < 0 ? (int)n : name_buffer[0] == '\0' ? -ERANGE : 0;
}

static bool is_user_name(void)
{
    return memcmp(name_buffer, "user.", 5) == 0;
}

static long set(struct object object, user_t name, user_t value, size_t size, int flags)
{
    struct path_call call;
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
    error = find(&call, &object, is_user_name());
    return error ? error
                 : umvfs_setxattr(&call.view.task, call.at, call.path, name_buffer, value_buffer,
                                  size, (unsigned)flags, object.flags);
}

static long get(struct object object, user_t name, user_t value, size_t size)
{
    struct path_call call;
    size_t room = size < sizeof(value_buffer) ? size : sizeof(value_buffer);
    int error = name_from_user(name);
    if (!error)
        error = find(&call, &object, is_user_name());
    if (error)
        return error;
    int n = umvfs_getxattr(&call.view.task, call.at, call.path, name_buffer, value_buffer, room,
                           object.flags);
    if (n > 0 && size > 0 && copy_to_user(value, value_buffer, (size_t)n) != 0)
        return -EFAULT;
    return n;
}

static long list_names(struct object object, user_t list, size_t size)
{
    struct path_call call;
    int error = find(&call, &object, true);
    if (error)
        return error;
    size_t room = size < UMVFS_XATTR_LIST_MAX ? size : UMVFS_XATTR_LIST_MAX;
    char *names = room > 0 ? slab_alloc(room) : NULL;
    if (room > 0 && !names)
        return -ENOMEM;
    int n = umvfs_listxattr(&call.view.task, call.at, call.path, names, room, object.flags);
    if (n > 0 && size > 0 && copy_to_user(list, names, (size_t)n) != 0)
        n = -EFAULT;
    slab_free(names);
    return n;
}

static long remove(struct object object, user_t name)
{
    struct path_call call;
    int error = name_from_user(name);
    if (!error)
        error = find(&call, &object, is_user_name());
    return error
               ? error
               : umvfs_removexattr(&call.view.task, call.at, call.path, name_buffer, object.flags);
}

long sys_setxattr(user_t path, user_t name, user_t value, size_t size, int flags)
{
    return set(BY_PATH(path), name, value, size, flags);
}

long sys_lsetxattr(user_t path, user_t name, user_t value, size_t size, int flags)
{
    return set(BY_LINK(path), name, value, size, flags);
}

long sys_fsetxattr(int fd, user_t name, user_t value, size_t size, int flags)
{
    return set(BY_FD(fd), name, value, size, flags);
}

long sys_getxattr(user_t path, user_t name, user_t value, size_t size)
{
    return get(BY_PATH(path), name, value, size);
}

long sys_lgetxattr(user_t path, user_t name, user_t value, size_t size)
{
    return get(BY_LINK(path), name, value, size);
}

long sys_fgetxattr(int fd, user_t name, user_t value, size_t size)
{
    return get(BY_FD(fd), name, value, size);
}

long sys_listxattr(user_t path, user_t list, size_t size)
{
    return list_names(BY_PATH(path), list, size);
}

long sys_llistxattr(user_t path, user_t list, size_t size)
{
    return list_names(BY_LINK(path), list, size);
}

long sys_flistxattr(int fd, user_t list, size_t size)
{
    return list_names(BY_FD(fd), list, size);
}

long sys_removexattr(user_t path, user_t name)
{
    return remove(BY_PATH(path), name);
}

long sys_lremovexattr(user_t path, user_t name)
{
    return remove(BY_LINK(path), name);
}

long sys_fremovexattr(int fd, user_t name)
{
    return remove(BY_FD(fd), name);
}
