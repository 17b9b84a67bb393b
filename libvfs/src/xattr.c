#include "xattr.h"

#include <umvfs/attr.h>

#include "create.h"
#include "inode.h"
#include "memory.h"
#include "perm.h"
#include "tell.h"

#define XATTR_SIZE_MAX 65536u /* Linux: larger values are E2BIG on every file system */

struct umvfs_xattr {
    struct umvfs_xattr *next;
    uint32_t name_len;
    uint32_t value_len;
    char bytes[]; /* name with its NUL, then value */
};
_Static_assert(sizeof(struct umvfs_xattr) + UMVFS_XATTR_NAME_MAX + 1u + UMVFS_XATTR_VALUE_MAX <=
                   UMVFS_OBJECT_MAX,
               "name and value fit one object");

static size_t object_size(size_t name_len, size_t value_len)
{
    return sizeof(struct umvfs_xattr) + name_len + 1u + value_len;
}

static const char *value_of(const struct umvfs_xattr *x)
{
    return x->bytes + x->name_len + 1u;
}

static void free_one(struct umvfs_sb *sb, struct umvfs_xattr *x)
{
    umvfs_obj_free(sb, x, object_size(x->name_len, x->value_len));
}

void umvfs_xattr_free(struct umvfs_inode *inode)
{
    while (inode->xattrs) {
        struct umvfs_xattr *x = inode->xattrs;
        inode->xattrs = x->next;
        free_one(inode->sb, x);
    }
}

size_t umvfs_xattr_list_size(const struct umvfs_inode *inode)
{
    size_t size = 0;
    for (const struct umvfs_xattr *x = inode->xattrs; x; x = x->next)
        size += x->name_len + 1u;
    return size;
}

/* The link that leads to the attribute of that name, or to NULL. */
static struct umvfs_xattr **find(struct umvfs_xattr **link, const char *name, size_t len)
{
    while (*link && ((*link)->name_len != len || memcmp((*link)->bytes, name, len) != 0))
        link = &(*link)->next;
    return link;
}

static int new_xattr(struct umvfs_sb *sb, const char *name, size_t len, const void *value,
                     size_t size, struct umvfs_xattr **out)
{
    void *mem;
    int err = umvfs_obj_alloc(sb, object_size(len, size), &mem);
    if (err)
        return err;
    struct umvfs_xattr *x = mem;
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
    while (n <= UMVFS_XATTR_NAME_MAX && name[n])
        n++;
    if (n == 0 || n > UMVFS_XATTR_NAME_MAX)
        return -UMVFS_ERANGE;
    *len = n;
    return 0;
}

int umvfs_xattr_append(struct umvfs_sb *sb, struct umvfs_xattr **list, const char *name, size_t len,
                       const void *value, size_t size)
{
    struct umvfs_xattr *x;
    size_t total = len + 1u;
    for (x = *list; x; x = x->next)
        total += x->name_len + 1u;
    for (size_t i = 0; i < len; i++) {
        if (!name[i])
            return -UMVFS_EINVAL;
    }
    if (!is_user_name(name, len) || len == sizeof("user.") - 1u || len > UMVFS_XATTR_NAME_MAX ||
        total > UMVFS_XATTR_LIST_MAX)
        return -UMVFS_EINVAL;
    if (*find(list, name, len))
        return -UMVFS_EEXIST;
    int err = new_xattr(sb, name, len, value, size, &x);
    if (err)
        return err;
    x->next = *list;
    *list = x;
    return 0;
}

bool umvfs_xattr_at(const struct umvfs_inode *inode, size_t index, const char **name,
                    size_t *name_len, const char **value, size_t *value_len)
{
    const struct umvfs_xattr *x = inode->xattrs;
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
static int check_access(const struct umvfs_inode *inode, const struct umvfs_cred *cred,
                        uint32_t mask)
{
    int refusal = mask & UMVFS_MAY_WRITE ? -UMVFS_EPERM : -UMVFS_ENODATA;
    if (umvfs_is_foreign(inode))
        return -UMVFS_EOPNOTSUPP;
    if (!UMVFS_S_ISREG(inode->mode) && !umvfs_is_dir(inode))
        return refusal;
    if (umvfs_is_dir(inode) && inode->mode & UMVFS_S_ISVTX && mask & UMVFS_MAY_WRITE &&
        !umvfs_owns(inode, cred))
        return -UMVFS_EPERM;
    return umvfs_permission(inode, cred, mask);
}

/* Whether the attribute of that name may be accessed. As in Linux the object decides first, by its
 * permissions alone where the name is not in the user space. */
static int check_named(const struct umvfs_inode *inode, const struct umvfs_cred *cred,
                       uint32_t mask, const char *name, size_t len)
{
    if (is_user_name(name, len)) {
        int err = check_access(inode, cred, mask);
        return err || len > sizeof("user.") - 1u ? err : -UMVFS_EINVAL;
    }
    int err = umvfs_is_foreign(inode) ? 0 : umvfs_permission(inode, cred, mask);
    return err ? err : -UMVFS_EOPNOTSUPP;
}

static int walk_to(struct umvfs_walk *w, const struct umvfs_task *task, const struct umvfs_path *at,
                   const char *path, unsigned flags)
{
    if (flags & ~(UMVFS_AT_SYMLINK_NOFOLLOW | UMVFS_AT_EMPTY_PATH))
        return -UMVFS_EINVAL;
    return umvfs_walk(w, task, at, path, flags, 0);
}

/* Resolves the path and checks the name; ends the walk if that fails. */
static int walk_to_name(struct umvfs_walk *w, const struct umvfs_task *task,
                        const struct umvfs_path *at, const char *path, unsigned flags,
                        uint32_t mask, const char *name, size_t len)
{
    int err = walk_to(w, task, at, path, flags);
    if (err)
        return err;
    if (mask & UMVFS_MAY_WRITE)
        err = umvfs_mount_writable(w->mnt);
    if (!err)
        err = check_named(w->dentry->inode, task->cred, mask, name, len);
    if (err)
        umvfs_walk_end(w);
    return err;
}

static int set(struct umvfs_inode *inode, const char *name, size_t len, const void *value,
               size_t size, unsigned xflags)
{
    struct umvfs_xattr **link = find(&inode->xattrs, name, len);
    struct umvfs_xattr *old = *link;
    struct umvfs_xattr *x;
    if (old && xflags & UMVFS_XATTR_CREATE)
        return -UMVFS_EEXIST;
    if (!old && xflags & UMVFS_XATTR_REPLACE)
        return -UMVFS_ENODATA;
    if (size > UMVFS_XATTR_VALUE_MAX ||
        (!old && umvfs_xattr_list_size(inode) + len + 1u > UMVFS_XATTR_LIST_MAX))
        return -UMVFS_ENOSPC;
    int err = new_xattr(inode->sb, name, len, value, size, &x);
    if (err)
        return err;
    x->next = old ? old->next : NULL;
    *link = x;
    if (old)
        free_one(inode->sb, old);
    umvfs_touch_ctime(inode);
    return 0;
}

int umvfs_setxattr(const struct umvfs_task *task, const struct umvfs_path *at, const char *path,
                   const char *name, const void *value, size_t size, unsigned xflags,
                   unsigned flags)
{
    struct umvfs_walk w;
    size_t len;
    if (xflags & ~(UMVFS_XATTR_CREATE | UMVFS_XATTR_REPLACE))
        return -UMVFS_EINVAL;
    if (size > XATTR_SIZE_MAX)
        return -UMVFS_E2BIG;
    int err = check_name(name, &len);
    if (err)
        return err;
    err = walk_to_name(&w, task, at, path, flags, UMVFS_MAY_WRITE, name, len);
    if (err)
        return err;
    err = set(w.dentry->inode, name, len, value, size, xflags);
    if (!err)
        umvfs_tell_place(w.dentry, UMVFS_IN_ATTRIB);
    umvfs_walk_end(&w);
    return err;
}

int umvfs_getxattr(const struct umvfs_task *task, const struct umvfs_path *at, const char *path,
                   const char *name, void *value, size_t size, unsigned flags)
{
    struct umvfs_walk w;
    size_t len;
    int err = check_name(name, &len);
    if (err)
        return err;
    err = walk_to_name(&w, task, at, path, flags, UMVFS_MAY_READ, name, len);
    if (err)
        return err;
    const struct umvfs_xattr *x = *find(&w.dentry->inode->xattrs, name, len);
    int result = !x ? -UMVFS_ENODATA : (int)x->value_len;
    if (x && size > 0 && size < x->value_len)
        result = -UMVFS_ERANGE;
    if (result > 0 && size > 0)
        memcpy(value, value_of(x), x->value_len);
    umvfs_walk_end(&w);
    return result;
}

int umvfs_listxattr(const struct umvfs_task *task, const struct umvfs_path *at, const char *path,
                    char *list, size_t size, unsigned flags)
{
    struct umvfs_walk w;
    int err = walk_to(&w, task, at, path, flags);
    if (err)
        return err;
    const struct umvfs_inode *inode = w.dentry->inode;
    size_t total = umvfs_xattr_list_size(inode);
    if (size > 0 && size < total) {
        umvfs_walk_end(&w);
        return -UMVFS_ERANGE;
    }
    for (const struct umvfs_xattr *x = inode->xattrs; x && size > 0; x = x->next) {
        memcpy(list, x->bytes, x->name_len + 1u);
        list += x->name_len + 1u;
    }
    umvfs_walk_end(&w);
    return (int)total;
}

int umvfs_removexattr(const struct umvfs_task *task, const struct umvfs_path *at, const char *path,
                      const char *name, unsigned flags)
{
    struct umvfs_walk w;
    size_t len;
    int err = check_name(name, &len);
    if (err)
        return err;
    err = walk_to_name(&w, task, at, path, flags, UMVFS_MAY_WRITE, name, len);
    if (err)
        return err;
    struct umvfs_inode *inode = w.dentry->inode;
    struct umvfs_xattr **link = find(&inode->xattrs, name, len);
    struct umvfs_xattr *x = *link;
    if (x) {
        *link = x->next;
        free_one(inode->sb, x);
        umvfs_touch_ctime(inode);
        umvfs_tell_place(w.dentry, UMVFS_IN_ATTRIB);
    }
    umvfs_walk_end(&w);
    return x ? 0 : -UMVFS_ENODATA;
}
