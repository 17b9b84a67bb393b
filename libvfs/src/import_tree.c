#include "import.h"

#include "create.h"
#include "data.h"
#include "dcache.h"
#include "inode.h"
#include "memory.h"

/* Where an entry's name leads in the detached tree. */
struct place {
    struct umvfs_dentry *parent;
    const char *leaf; /* NULL: the top directory itself */
    size_t leaf_len;
    struct umvfs_dentry *existing; /* or NULL */
};

static int no_space(struct umvfs_import *imp, int err)
{
    return umvfs_import_fail_with(imp, UMVFS_ARCHIVE_NO_SPACE, err);
}

/* Owner and mode as for an entry of the archive. */
static void set_attributes(const struct umvfs_import *imp, struct umvfs_inode *inode)
{
    const struct import_entry *e = &imp->entry;
    const struct umvfs_cred *cred = imp->task.cred;
    uint32_t bits = umvfs_is_link(inode) ? 0777u : e->mode & UMVFS_S_IALL;
    inode->mode = (uint16_t)((inode->mode & UMVFS_S_IFMT) | bits);
    inode->uid = imp->options.owner_is_task ? cred->uid : e->uid;
    inode->gid = imp->options.owner_is_task ? cred->gid : e->gid;
    umvfs_set_atime(inode, e->mtime);
    umvfs_set_mtime(inode, e->mtime);
}

/* Adds an inode under a name that is free; takes over the reference on it. */
static int add(struct umvfs_import *imp, struct umvfs_dentry *parent, const char *name, size_t len,
               struct umvfs_inode *inode, struct umvfs_dentry **out)
{
    struct umvfs_dentry *dentry;
    struct umvfs_name key = umvfs_name_of(parent, name, len);
    int err = umvfs_dir_prepare(parent->inode, &key, &dentry);
    if (err) {
        umvfs_inode_drop(inode);
        return no_space(imp, err);
    }
    if (umvfs_is_dir(inode))
        parent->inode->nlink++;
    else
        inode->nlink++;
    umvfs_dir_add(parent, dentry, inode);
    *out = dentry;
    return 0;
}

/* A directory that the archive left out. */
static int add_missing_dir(struct umvfs_import *imp, struct umvfs_dentry *parent, const char *name,
                           size_t len, struct umvfs_dentry **out)
{
    struct umvfs_inode *inode;
    int err = umvfs_inode_new(imp->sb, UMVFS_S_IFDIR | 0755u, &inode);
    if (err)
        return no_space(imp, err);
    inode->nlink = 2;
    if (imp->options.owner_is_task) {
        inode->uid = imp->task.cred->uid;
        inode->gid = imp->task.cred->gid;
    }
    return add(imp, parent, name, len, inode, out);
}

/* One directory further down. */
static int descend(struct umvfs_import *imp, struct place *at, bool make)
{
    struct umvfs_dentry *child = at->existing;
    if (!child && !make)
        return umvfs_import_fail(imp, UMVFS_ARCHIVE_BAD_LINK);
    if (!child) {
        int err = add_missing_dir(imp, at->parent, at->leaf, at->leaf_len, &child);
        if (err)
            return err;
    }
    if (umvfs_is_link(child->inode))
        return umvfs_import_fail(imp, UMVFS_ARCHIVE_THROUGH_SYMLINK);
    if (!umvfs_is_dir(child->inode))
        return umvfs_import_fail(imp, UMVFS_ARCHIVE_NOT_DIRECTORY);
    at->parent = child;
    return 0;
}

/* The next component of a name that is not empty and not "."; false: none is left. */
static bool next_component(const char **name, const char **component, size_t *len)
{
    for (;;) {
        const char *p = *name;
        while (*p == '/')
            p++;
        size_t n = 0;
        while (p[n] && p[n] != '/')
            n++;
        *name = p + n;
        *component = p;
        *len = n;
        if (n != 1 || p[0] != '.')
            return n > 0;
    }
}

/* Finds the place of a name; make: directories that are missing on the way. */
static int find_place(struct umvfs_import *imp, const char *name, bool make, struct place *out)
{
    struct place at = {.parent = imp->top};
    const char *component;
    size_t len;
    if (*name == '/' && !imp->options.allow_absolute)
        return umvfs_import_fail(imp, UMVFS_ARCHIVE_ABSOLUTE_NAME);
    while (next_component(&name, &component, &len)) {
        int err = at.leaf ? descend(imp, &at, make) : 0;
        if (err)
            return err;
        if (len == 2 && component[0] == '.' && component[1] == '.')
            return umvfs_import_fail(imp, UMVFS_ARCHIVE_PARENT_NAME);
        if (len > UMVFS_NAME_MAX)
            return umvfs_import_fail(imp, UMVFS_ARCHIVE_BAD_NAME);
        at.leaf = component;
        at.leaf_len = len;
        at.existing = umvfs_find(imp->task.vfs, at.parent, component, len);
    }
    *out = at;
    return 0;
}

static int new_inode(struct umvfs_import *imp, struct umvfs_inode **out)
{
    const struct import_entry *e = &imp->entry;
    struct umvfs_inode *inode;
    int err = umvfs_inode_new(imp->sb, e->mode, &inode);
    if (err)
        return no_space(imp, err);
    if (umvfs_is_dir(inode))
        inode->nlink = 2;
    if (UMVFS_S_ISCHR(e->mode) || UMVFS_S_ISBLK(e->mode))
        inode->rdev_or_pages = e->rdev;
    if (umvfs_is_link(inode)) {
        void *target;
        err = umvfs_obj_alloc(imp->sb, e->link_len + 1u, &target);
        if (err) {
            umvfs_inode_drop(inode);
            return no_space(imp, err);
        }
        memcpy(target, e->link, e->link_len + 1u);
        inode->u.link.target = target;
        inode->size = e->link_len;
    }
    *out = inode;
    return 0;
}

/* Makes room for an entry that is not a directory: what was there before gives way. */
static int clear_place(struct umvfs_import *imp, struct place *at)
{
    if (!at->leaf || (at->existing && umvfs_is_dir(at->existing->inode)))
        return umvfs_import_fail(imp, UMVFS_ARCHIVE_NOT_DIRECTORY);
    if (at->existing) {
        at->existing->inode->nlink--;
        umvfs_dir_remove(at->existing);
        at->existing = NULL;
    }
    return 0;
}

static int give_xattrs(struct umvfs_import *imp, struct umvfs_inode *inode)
{
    umvfs_xattr_free(inode);
    inode->xattrs = imp->entry.xattrs;
    imp->entry.xattrs = NULL;
    return umvfs_acl_adopt(inode) ? 0 : umvfs_import_fail(imp, UMVFS_ARCHIVE_BAD_PAX);
}

/* A directory: the top one, one that is there already, or a new one. */
static int make_dir(struct umvfs_import *imp, struct place *at)
{
    struct umvfs_dentry *dentry = at->leaf ? at->existing : imp->top;
    if (dentry && !umvfs_is_dir(dentry->inode))
        return umvfs_import_fail(imp, UMVFS_ARCHIVE_NOT_DIRECTORY);
    if (!dentry) {
        struct umvfs_inode *inode;
        int err = new_inode(imp, &inode);
        if (!err)
            err = add(imp, at->parent, at->leaf, at->leaf_len, inode, &dentry);
        if (err)
            return err;
    }
    if (dentry == imp->top)
        imp->top_given = true;
    set_attributes(imp, dentry->inode);
    return give_xattrs(imp, dentry->inode);
}

static int make_at(struct umvfs_import *imp, struct place *at, struct umvfs_inode **out)
{
    struct umvfs_inode *inode;
    struct umvfs_dentry *dentry;
    int err = clear_place(imp, at);
    if (!err)
        err = new_inode(imp, &inode);
    if (!err)
        err = add(imp, at->parent, at->leaf, at->leaf_len, inode, &dentry);
    if (err)
        return err;
    set_attributes(imp, inode);
    *out = inode;
    return give_xattrs(imp, inode);
}

static void set_file(struct umvfs_import *imp, struct umvfs_inode *inode)
{
    if (!UMVFS_S_ISREG(inode->mode))
        return;
    inode->refs++;
    imp->file = inode;
    imp->file_at = 0;
}

static int check_type(struct umvfs_import *imp)
{
    switch (imp->entry.mode & UMVFS_S_IFMT) {
    case UMVFS_S_IFREG:
    case UMVFS_S_IFDIR:
    case UMVFS_S_IFLNK:
    case UMVFS_S_IFIFO:
    case UMVFS_S_IFSOCK:
        return 0;
    case UMVFS_S_IFCHR:
    case UMVFS_S_IFBLK:
        return imp->options.no_devices ? umvfs_import_fail(imp, UMVFS_ARCHIVE_BAD_TYPE) : 0;
    default:
        return umvfs_import_fail(imp, UMVFS_ARCHIVE_BAD_TYPE);
    }
}

static int begin_entry(struct umvfs_import *imp, struct place *at)
{
    int err = check_type(imp);
    if (!err && imp->options.max_entries && imp->entry_number >= imp->options.max_entries)
        err = umvfs_import_fail(imp, UMVFS_ARCHIVE_TOO_LARGE);
    if (!err && imp->entry.size > UMVFS_FILE_SIZE_MAX)
        err = umvfs_import_fail(imp, UMVFS_ARCHIVE_TOO_LARGE);
    return err ? err : find_place(imp, imp->entry.name, true, at);
}

int umvfs_import_make(struct umvfs_import *imp)
{
    struct place at;
    struct umvfs_inode *inode;
    int err = begin_entry(imp, &at);
    if (err)
        return err;
    if (UMVFS_S_ISDIR(imp->entry.mode))
        return make_dir(imp, &at);
    err = make_at(imp, &at, &inode);
    if (!err)
        set_file(imp, inode);
    return err;
}

/* Another name for an inode. Replacing one of its own names by itself changes nothing. */
static int link_at(struct umvfs_import *imp, struct place *at, struct umvfs_inode *inode)
{
    struct umvfs_dentry *dentry;
    if (at->existing && at->existing->inode == inode)
        return 0;
    if (inode->nlink >= UMVFS_LINK_MAX)
        return umvfs_import_fail_with(imp, UMVFS_ARCHIVE_BAD_LINK, -UMVFS_EMLINK);
    inode->refs++;
    int err = clear_place(imp, at);
    if (err) {
        umvfs_inode_drop(inode);
        return err;
    }
    return add(imp, at->parent, at->leaf, at->leaf_len, inode, &dentry);
}

int umvfs_import_link(struct umvfs_import *imp)
{
    struct place from;
    struct place to;
    int err = find_place(imp, imp->entry.link, false, &from);
    if (err)
        return err;
    if (!from.existing || umvfs_is_dir(from.existing->inode))
        return umvfs_import_fail(imp, UMVFS_ARCHIVE_BAD_LINK);
    struct umvfs_inode *inode = from.existing->inode;
    err = begin_entry(imp, &to);
    if (!err)
        err = link_at(imp, &to, inode);
    if (!err && imp->entry.size > 0)
        set_file(imp, inode);
    return err;
}

int umvfs_import_make_numbered(struct umvfs_import *imp, const char *number, size_t len)
{
    struct place at;
    struct umvfs_inode *inode;
    struct umvfs_dentry *known = umvfs_find(imp->task.vfs, imp->links, number, len);
    int err = begin_entry(imp, &at);
    if (err)
        return err;
    if (known && (known->inode->mode ^ imp->entry.mode) & UMVFS_S_IFMT)
        return umvfs_import_fail(imp, UMVFS_ARCHIVE_BAD_LINK);
    if (known) {
        inode = known->inode;
        err = link_at(imp, &at, inode);
        if (!err && UMVFS_S_ISREG(inode->mode)) /* as Linux: the last name's count */
            set_attributes(imp, inode);
    } else {
        err = make_at(imp, &at, &inode);
        if (!err) {
            inode->refs++;
            err = add(imp, imp->links, number, len, inode, &known);
        }
    }
    if (!err && imp->entry.size > 0)
        set_file(imp, inode);
    return err;
}

int umvfs_import_write(struct umvfs_import *imp, const char *data, size_t len)
{
    for (size_t i = 0; imp->crc && i < len; i++)
        imp->sum += (unsigned char)data[i];
    while (len > 0) {
        if (imp->file_at == 0 && imp->file->size > 0 && !imp->linux_tree)
            umvfs_data_resize(imp->file, 0);
        int64_t done = umvfs_data_write(imp->file, imp->file_at, data, len, &umvfs_copy_memory);
        if (done < 0)
            return no_space(imp, (int)done);
        data += done;
        len -= (size_t)done;
        imp->file_at += (uint64_t)done;
    }
    return 0;
}

void umvfs_import_file_done(struct umvfs_import *imp)
{
    if (imp->file)
        umvfs_inode_drop(imp->file);
    imp->file = NULL;
}

void umvfs_import_forget_links(struct umvfs_import *imp)
{
    size_t all = SIZE_MAX;
    (void)umvfs_dir_empty(imp->links, &all);
}
