#include "inode.h"

#include <umvfs/attr.h>

#include "create.h"
#include "memory.h"
#include "name.h"
#include "perm.h"
#include "tell.h"

#define XATTR_SIZE_MAX 65536u /* Linux: larger values are E2BIG on every file system */

struct umvfs_xattr {
    struct umvfs_xattr *next;
    uint32_t hash; /* of the name: most others differ in it, and need no comparison */
    uint16_t name_len;
    uint16_t value_len;
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

/* With the caller's seed, so that nobody can choose names that meet. */
static uint32_t hash_of(const struct umvfs_sb *sb, const char *name, size_t len)
{
    const uint64_t *keys = sb->vfs->name_keys.rest;
    return (uint32_t)umvfs_siphash(keys[0], keys[1], name, len);
}

static bool is_named(const struct umvfs_xattr *x, uint32_t hash, const char *name, size_t len)
{
    return x->hash == hash && x->name_len == len && memcmp(x->bytes, name, len) == 0;
}

/* The link that leads to the attribute of that name, or to NULL. */
static struct umvfs_xattr **find(const struct umvfs_sb *sb, struct umvfs_xattr **link,
                                 const char *name, size_t len)
{
    uint32_t hash = *link ? hash_of(sb, name, len) : 0;
    while (*link && !is_named(*link, hash, name, len))
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
    x->hash = hash_of(sb, name, len);
    x->name_len = (uint16_t)len;
    x->value_len = (uint16_t)size;
    memcpy(x->bytes, name, len);
    x->bytes[len] = '\0';
    if (size)
        memcpy(x->bytes + len + 1u, value, size);
    *out = x;
    return 0;
}

enum space { SPACE_OTHER, SPACE_USER, SPACE_TRUSTED, SPACE_SECURITY, SPACE_SYSTEM };

static const struct {
    char prefix[10];
    unsigned len;
} spaces[] = {[SPACE_USER] = {"user.", 5},
              [SPACE_TRUSTED] = {"trusted.", 8},
              [SPACE_SECURITY] = {"security.", 9},
              [SPACE_SYSTEM] = {"system.", 7}};

static enum space space_of(const char *name, size_t len)
{
    unsigned i = SPACE_SYSTEM;
    while (i > SPACE_OTHER &&
           (len < spaces[i].len || memcmp(name, spaces[i].prefix, spaces[i].len) != 0))
        i--;
    return (enum space)i;
}

static const char capability[] = "security.capability";

static bool is_capability(const char *name, size_t len)
{
    return len == sizeof(capability) - 1u && memcmp(name, capability, len) == 0;
}

static bool may_set(const struct umvfs_cred *cred, const char *name, size_t len)
{
    switch (space_of(name, len)) {
    case SPACE_USER:
        return true;
    case SPACE_TRUSTED:
        return umvfs_capable(cred, UMVFS_CAP_SYS_ADMIN);
    case SPACE_SECURITY:
        return umvfs_capable(cred,
                             is_capability(name, len) ? UMVFS_CAP_SETFCAP : UMVFS_CAP_SYS_ADMIN);
    default:
        return false;
    }
}

/* ACLs are of the owner, who is whoever the archive says. */
bool umvfs_xattr_is_kept(const struct umvfs_cred *cred, const char *name, size_t len)
{
    if (umvfs_acl_type(name, len) != ACL_NONE)
        return true;
    return may_set(cred, name, len) && len > spaces[space_of(name, len)].len;
}

static bool is_shown(const struct umvfs_cred *cred, const char *name, size_t len)
{
    return space_of(name, len) != SPACE_TRUSTED || umvfs_capable(cred, UMVFS_CAP_SYS_ADMIN);
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
    uint32_t hash = hash_of(sb, name, len);
    size_t total = len + 1u;
    bool is_there = false;
    for (x = *list; x; x = x->next) {
        total += x->name_len + 1u;
        is_there = is_there || is_named(x, hash, name, len);
    }
    for (size_t i = 0; i < len; i++) {
        if (!name[i])
            return -UMVFS_EINVAL;
    }
    enum space space = space_of(name, len);
    bool is_wrong = space == SPACE_SYSTEM
                        ? umvfs_acl_type(name, len) == ACL_NONE || !umvfs_acl_is_valid(value, size)
                        : space == SPACE_OTHER || len == spaces[space].len;
    if (is_wrong || len > UMVFS_XATTR_NAME_MAX || total > UMVFS_XATTR_LIST_MAX)
        return -UMVFS_EINVAL;
    if (is_there)
        return -UMVFS_EEXIST;
    int err = new_xattr(sb, name, len, value, size, &x);
    if (err)
        return err;
    x->next = *list;
    *list = x;
    return 0;
}

const struct umvfs_xattr *umvfs_xattr_read(const struct umvfs_xattr *x, const char **name,
                                           size_t *name_len, const char **value, size_t *value_len)
{
    *name = x->bytes;
    *name_len = x->name_len;
    *value = value_of(x);
    *value_len = x->value_len;
    return x->next;
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

/* trusted.* and security.*: the capabilities decide, not the permissions of the object. */
static int check_privileged(const struct umvfs_cred *cred, uint32_t mask, const char *name,
                            size_t len)
{
    bool writes = mask & UMVFS_MAY_WRITE;
    if (writes && !may_set(cred, name, len))
        return -UMVFS_EPERM;
    return is_shown(cred, name, len) ? 0 : -UMVFS_ENODATA;
}

/* Whether the attribute of that name may be accessed, with the errors in Linux's order. */
static int check_named(const struct umvfs_inode *inode, const struct umvfs_cred *cred,
                       uint32_t mask, const char *name, size_t len)
{
    enum space space = space_of(name, len);
    int err = -UMVFS_EOPNOTSUPP;
    if (umvfs_acl_type(name, len) != ACL_NONE)
        return mask & UMVFS_MAY_READ && (umvfs_is_foreign(inode) || umvfs_is_link(inode)) ? err : 0;
    if (space == SPACE_USER)
        err = check_access(inode, cred, mask);
    else if (umvfs_is_foreign(inode) || space == SPACE_SYSTEM)
        return err;
    else if (space == SPACE_OTHER)
        return (err = umvfs_permission(inode, cred, mask)) ? err : -UMVFS_EOPNOTSUPP;
    else
        err = check_privileged(cred, mask, name, len);
    return err || len > spaces[space].len ? err : -UMVFS_EINVAL;
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

/* struct vfs_cap_data of Linux: a version, of which the lowest bit is a flag, and two or three pairs
 * of words. */
static bool is_capability_value(const void *value, size_t size)
{
    uint32_t version;
    if (size < sizeof(version))
        return false;
    memcpy(&version, value, sizeof(version));
    version = umvfs_little32(version) & ~UINT32_C(1);
    return (size == 20 && version == 0x02000000u) || (size == 24 && version == 0x03000000u);
}

void *umvfs_xattr_value(const struct umvfs_inode *inode, const char *name, size_t len, size_t *size)
{
    struct umvfs_xattr *x = inode->xattrs;
    x = *find(inode->sb, &x, name, len);
    *size = x ? x->value_len : 0;
    return x ? x->bytes + x->name_len + 1u : NULL;
}

bool umvfs_xattr_drop(struct umvfs_inode *inode, const char *name, size_t len)
{
    struct umvfs_xattr **link = find(inode->sb, &inode->xattrs, name, len);
    struct umvfs_xattr *x = *link;
    if (!x)
        return false;
    *link = x->next;
    free_one(inode->sb, x);
    return true;
}

void umvfs_xattr_drop_capability(struct umvfs_inode *inode)
{
    umvfs_xattr_drop(inode, capability, sizeof(capability) - 1u);
}

int umvfs_xattr_store(struct umvfs_inode *inode, const char *name, size_t len, const void *value,
                      size_t size, unsigned xflags)
{
    struct umvfs_xattr **link = find(inode->sb, &inode->xattrs, name, len);
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
    bool is_wrong = is_capability(name, len) && !is_capability_value(value, size);
    err = walk_to_name(&w, task, at, path, flags, UMVFS_MAY_WRITE, name, len);
    if (is_wrong && err == -UMVFS_EPERM)
        return -UMVFS_EINVAL; /* looked at first */
    if (err)
        return err;
    struct umvfs_inode *inode = w.dentry->inode;
    enum acl_type acl = umvfs_acl_type(name, len);
    if (acl != ACL_NONE)
        err = umvfs_acl_set(inode, task->cred, acl, value, size);
    else
        err = is_wrong ? -UMVFS_EINVAL : umvfs_xattr_store(inode, name, len, value, size, xflags);
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
    size_t have;
    const void *bytes = umvfs_xattr_value(w.dentry->inode, name, len, &have);
    int result = !bytes ? -UMVFS_ENODATA : (int)have;
    if (bytes && size > 0 && size < have)
        result = -UMVFS_ERANGE;
    if (result > 0 && size > 0)
        memcpy(value, bytes, have);
    umvfs_walk_end(&w);
    return result;
}

/* The names that are shown, to `list` unless it is NULL; returns their bytes. */
static size_t copy_names(const struct umvfs_inode *inode, const struct umvfs_cred *cred, char *list)
{
    size_t total = 0;
    for (const struct umvfs_xattr *x = inode->xattrs; x; x = x->next) {
        if (!is_shown(cred, x->bytes, x->name_len))
            continue;
        if (list)
            memcpy(list + total, x->bytes, x->name_len + 1u);
        total += x->name_len + 1u;
    }
    return total;
}

int umvfs_listxattr(const struct umvfs_task *task, const struct umvfs_path *at, const char *path,
                    char *list, size_t size, unsigned flags)
{
    struct umvfs_walk w;
    int err = walk_to(&w, task, at, path, flags);
    if (err)
        return err;
    size_t total = copy_names(w.dentry->inode, task->cred, NULL);
    bool fits = size >= total;
    if (fits && size > 0)
        (void)copy_names(w.dentry->inode, task->cred, list);
    umvfs_walk_end(&w);
    return fits || size == 0 ? (int)total : -UMVFS_ERANGE;
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
    enum acl_type acl = umvfs_acl_type(name, len);
    if (acl != ACL_NONE)
        err = umvfs_acl_set(inode, task->cred, acl, NULL, 0);
    else if (umvfs_xattr_drop(inode, name, len))
        umvfs_touch_ctime(inode);
    else
        err = -UMVFS_ENODATA;
    if (!err)
        umvfs_tell_place(w.dentry, UMVFS_IN_ATTRIB);
    umvfs_walk_end(&w);
    return err;
}
