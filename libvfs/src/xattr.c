#include "xattr.h"

#include <vfs/attr.h>

#include "create.h"
#include "inode.h"
#include "memory.h"
#include "perm.h"

#define XATTR_SIZE_MAX 65536u /* Linux: larger values are E2BIG on every file system */

struct vfs_xattr {
    struct vfs_xattr *next;
    uint32_t name_len;
    uint32_t value_len;
    char bytes[]; /* name with its NUL, then value */
};
_Static_assert(sizeof(struct vfs_xattr) + VFS_XATTR_NAME_MAX + 1u + VFS_XATTR_VALUE_MAX <=
                   VFS_OBJECT_MAX,
               "name and value fit one object");

static size_t object_size(size_t name_len, size_t value_len)
{
    return sizeof(struct vfs_xattr) + name_len + 1u + value_len;
}

static const char *value_of(const struct vfs_xattr *x)
{
    return x->bytes + x->name_len + 1u;
}

static void free_one(struct vfs_sb *sb, struct vfs_xattr *x)
{
    vfs_obj_free(sb, x, object_size(x->name_len, x->value_len));
}

void vfs_xattr_free(struct vfs_inode *inode)
{
    while (inode->xattrs) {
        struct vfs_xattr *x = inode->xattrs;
        inode->xattrs = x->next;
        free_one(inode->sb, x);
    }
}

size_t vfs_xattr_list_size(const struct vfs_inode *inode)
{
    size_t size = 0;
    for (const struct vfs_xattr *x = inode->xattrs; x; x = x->next)
        size += x->name_len + 1u;
    return size;
}

/* The link that leads to the attribute of that name, or to NULL. */
static struct vfs_xattr **find(struct vfs_xattr **link, const char *name, size_t len)
{
    while (*link && ((*link)->name_len != len || memcmp((*link)->bytes, name, len) != 0))
        link = &(*link)->next;
    return link;
}

static int new_xattr(struct vfs_sb *sb, const char *name, size_t len, const void *value,
                     size_t size, struct vfs_xattr **out)
{
    void *mem;
    int err = vfs_obj_alloc(sb, object_size(len, size), &mem);
    if (err)
        return err;
    struct vfs_xattr *x = mem;
    x->next = NULL;
    x->name_len = (uint32_t)len;
    x->value_len = (uint32_t)size;
    memcpy(x->bytes, name, len);
    x->bytes[len] = '\0';
    if (size)
        memcpy(x->bytes + len + 1u, value, size);
    *out = x;
    return 0;
}

static bool is_user_name(const char *name, size_t len)
{
    static const char prefix[] = "user.";
    return len >= sizeof(prefix) - 1u && memcmp(name, prefix, sizeof(prefix) - 1u) == 0;
}

static int check_name(const char *name, size_t *len)
{
    size_t n = 0;
    while (n <= VFS_XATTR_NAME_MAX && name[n])
        n++;
    if (n == 0 || n > VFS_XATTR_NAME_MAX)
        return -VFS_ERANGE;
    *len = n;
    return 0;
}


int vfs_xattr_append(struct vfs_sb *sb, struct vfs_xattr **list, const char *name, size_t len,
                     const void *value, size_t size)
{
    struct vfs_xattr *x;
    size_t total = len + 1u;
    for (x = *list; x; x = x->next)
        total += x->name_len + 1u;
    for (size_t i = 0; i < len; i++) {
        if (!name[i])
            return -VFS_EINVAL;
    }
    if (!is_user_name(name, len) || len == sizeof("user.") - 1u || len > VFS_XATTR_NAME_MAX ||
        total > VFS_XATTR_LIST_MAX || *find(list, name, len))
        return -VFS_EINVAL;
    int err = new_xattr(sb, name, len, value, size, &x);
    if (err)
        return err;
    x->next = *list;
    *list = x;
    return 0;
}

bool vfs_xattr_at(const struct vfs_inode *inode, size_t index, const char **name, size_t *name_len,
                  const char **value, size_t *value_len)
{
    const struct vfs_xattr *x = inode->xattrs;
    while (x && index-- > 0)
        x = x->next;
    if (!x)
        return false;
    *name = x->bytes;
    *name_len = x->name_len;
    *value = value_of(x);
    *value_len = x->value_len;
    return true;
}

/* Attributes belong to files and directories; those of a sticky directory to its owner. */
static int check_access(const struct vfs_inode *inode, const struct vfs_cred *cred, uint32_t mask)
{
    int refusal = mask & VFS_MAY_WRITE ? -VFS_EPERM : -VFS_ENODATA;
    if (vfs_is_foreign(inode))
        return -VFS_EOPNOTSUPP;
    if (!VFS_S_ISREG(inode->mode) && !vfs_is_dir(inode))
        return refusal;
    if (vfs_is_dir(inode) && inode->mode & VFS_S_ISVTX && mask & VFS_MAY_WRITE &&
        !vfs_owns(inode, cred))
        return -VFS_EPERM;
    return vfs_permission(inode, cred, mask);
}

/* Whether the attribute of that name may be accessed. As in Linux the object decides first, by its
 * permissions alone where the name is not in the user space. */
static int check_named(const struct vfs_inode *inode, const struct vfs_cred *cred, uint32_t mask,
                       const char *name, size_t len)
{
    if (is_user_name(name, len)) {
        int err = check_access(inode, cred, mask);
        return err || len > sizeof("user.") - 1u ? err : -VFS_EINVAL;
    }
    int err = vfs_is_foreign(inode) ? 0 : vfs_permission(inode, cred, mask);
    return err ? err : -VFS_EOPNOTSUPP;
}

static int walk_to(struct vfs_walk *w, const struct vfs_task *task, const struct vfs_path *at,
                   const char *path, unsigned flags)
{
    if (flags & ~(VFS_AT_SYMLINK_NOFOLLOW | VFS_AT_EMPTY_PATH))
        return -VFS_EINVAL;
    return vfs_walk(w, task, at, path, flags, 0);
}

/* Resolves the path and checks the name; ends the walk if that fails. */
static int walk_to_name(struct vfs_walk *w, const struct vfs_task *task, const struct vfs_path *at,
                        const char *path, unsigned flags, uint32_t mask, const char *name,
                        size_t len)
{
    int err = walk_to(w, task, at, path, flags);
    if (err)
        return err;
    if (mask & VFS_MAY_WRITE)
        err = vfs_mount_writable(w->mnt);
    if (!err)
        err = check_named(w->dentry->inode, task->cred, mask, name, len);
    if (err)
        vfs_walk_end(w);
    return err;
}

static int set(struct vfs_inode *inode, const char *name, size_t len, const void *value,
               size_t size, unsigned xflags)
{
    struct vfs_xattr **link = find(&inode->xattrs, name, len);
    struct vfs_xattr *old = *link;
    struct vfs_xattr *x;
    if (old && xflags & VFS_XATTR_CREATE)
        return -VFS_EEXIST;
    if (!old && xflags & VFS_XATTR_REPLACE)
        return -VFS_ENODATA;
    if (size > VFS_XATTR_VALUE_MAX ||
        (!old && vfs_xattr_list_size(inode) + len + 1u > VFS_XATTR_LIST_MAX))
        return -VFS_ENOSPC;
    int err = new_xattr(inode->sb, name, len, value, size, &x);
    if (err)
        return err;
    x->next = old ? old->next : NULL;
    *link = x;
    if (old)
        free_one(inode->sb, old);
    vfs_touch_ctime(inode);
    return 0;
}

int vfs_setxattr(const struct vfs_task *task, const struct vfs_path *at, const char *path,
                 const char *name, const void *value, size_t size, unsigned xflags, unsigned flags)
{
    struct vfs_walk w;
    size_t len;
    if (xflags & ~(VFS_XATTR_CREATE | VFS_XATTR_REPLACE))
        return -VFS_EINVAL;
    if (size > XATTR_SIZE_MAX)
        return -VFS_E2BIG;
    int err = check_name(name, &len);
    if (err)
        return err;
    err = walk_to_name(&w, task, at, path, flags, VFS_MAY_WRITE, name, len);
    if (err)
        return err;
    err = set(w.dentry->inode, name, len, value, size, xflags);
    vfs_walk_end(&w);
    return err;
}

int vfs_getxattr(const struct vfs_task *task, const struct vfs_path *at, const char *path,
                 const char *name, void *value, size_t size, unsigned flags)
{
    struct vfs_walk w;
    size_t len;
    int err = check_name(name, &len);
    if (err)
        return err;
    err = walk_to_name(&w, task, at, path, flags, VFS_MAY_READ, name, len);
    if (err)
        return err;
    const struct vfs_xattr *x = *find(&w.dentry->inode->xattrs, name, len);
    int result = !x ? -VFS_ENODATA : (int)x->value_len;
    if (x && size > 0 && size < x->value_len)
        result = -VFS_ERANGE;
    if (result > 0 && size > 0)
        memcpy(value, value_of(x), x->value_len);
    vfs_walk_end(&w);
    return result;
}

int vfs_listxattr(const struct vfs_task *task, const struct vfs_path *at, const char *path,
                  char *list, size_t size, unsigned flags)
{
    struct vfs_walk w;
    int err = walk_to(&w, task, at, path, flags);
    if (err)
        return err;
    const struct vfs_inode *inode = w.dentry->inode;
    size_t total = vfs_xattr_list_size(inode);
    if (size > 0 && size < total) {
        vfs_walk_end(&w);
        return -VFS_ERANGE;
    }
    for (const struct vfs_xattr *x = inode->xattrs; x && size > 0; x = x->next) {
        memcpy(list, x->bytes, x->name_len + 1u);
        list += x->name_len + 1u;
    }
    vfs_walk_end(&w);
    return (int)total;
}

int vfs_removexattr(const struct vfs_task *task, const struct vfs_path *at, const char *path,
                    const char *name, unsigned flags)
{
    struct vfs_walk w;
    size_t len;
    int err = check_name(name, &len);
    if (err)
        return err;
    err = walk_to_name(&w, task, at, path, flags, VFS_MAY_WRITE, name, len);
    if (err)
        return err;
    struct vfs_inode *inode = w.dentry->inode;
    struct vfs_xattr **link = find(&inode->xattrs, name, len);
    struct vfs_xattr *x = *link;
    if (x) {
        *link = x->next;
        free_one(inode->sb, x);
        vfs_touch_ctime(inode);
    }
    vfs_walk_end(&w);
    return x ? 0 : -VFS_ENODATA;
}
