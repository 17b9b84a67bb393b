/* Requests on names: look up, make, remove, rename, link. */
#include "fuse.h"

#include <errno.h>

/* Answers a request that makes or finds a name: the entry, or the error. */
static void reply_entry(fuse_req_t req, const struct call *call, const struct node *parent,
                        const char *name, int error)
{
    struct fuse_entry_param entry;
    struct umvfs_path place;
    if (!error)
        error =
            umvfs_lookup(&call->task, &parent->place, name, UMVFS_AT_SYMLINK_NOFOLLOW, 0, &place);
    if (!error)
        error = node_enter(call->server, &place, &entry);
    if (error)
        fuse_reply_err(req, -error);
    else
        fuse_reply_entry(req, &entry);
}

static void on_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
    struct call call;
    call_begin(&call, req);
    reply_entry(req, &call, node_of(call.server, parent), name, 0);
}

static void on_forget(fuse_req_t req, fuse_ino_t ino, uint64_t count)
{
    node_forget(fuse_req_userdata(req), ino, count);
    fuse_reply_none(req);
}

static void on_forget_multi(fuse_req_t req, size_t count, struct fuse_forget_data *forgets)
{
    for (size_t i = 0; i < count; i++)
        node_forget(fuse_req_userdata(req), forgets[i].ino, forgets[i].nlookup);
    fuse_reply_none(req);
}

static void on_mknod(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, dev_t rdev)
{
    struct call call;
    call_begin(&call, req);
    const struct node *node = node_of(call.server, parent);
    int error = umvfs_mknod(&call.task, &node->place, name, mode, rdev);
    reply_entry(req, &call, node, name, error);
}

static void on_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode)
{
    struct call call;
    call_begin(&call, req);
    const struct node *node = node_of(call.server, parent);
    int error = umvfs_mkdir(&call.task, &node->place, name, mode);
    reply_entry(req, &call, node, name, error);
}

static void on_symlink(fuse_req_t req, const char *target, fuse_ino_t parent, const char *name)
{
    struct call call;
    call_begin(&call, req);
    const struct node *node = node_of(call.server, parent);
    int error = umvfs_symlink(&call.task, target, &node->place, name);
    reply_entry(req, &call, node, name, error);
}

static void on_link(fuse_req_t req, fuse_ino_t ino, fuse_ino_t parent, const char *name)
{
    struct call call;
    call_begin(&call, req);
    const struct node *node = node_of(call.server, parent);
    int error = umvfs_link(&call.task, &node_of(call.server, ino)->place, "", &node->place, name,
                           UMVFS_AT_EMPTY_PATH);
    reply_entry(req, &call, node, name, error);
}

static void on_unlink(fuse_req_t req, fuse_ino_t parent, const char *name)
{
    struct call call;
    call_begin(&call, req);
    fuse_reply_err(req, -umvfs_unlink(&call.task, &node_of(call.server, parent)->place, name));
}

static void on_rmdir(fuse_req_t req, fuse_ino_t parent, const char *name)
{
    struct call call;
    call_begin(&call, req);
    fuse_reply_err(req, -umvfs_rmdir(&call.task, &node_of(call.server, parent)->place, name));
}

static void on_rename(fuse_req_t req, fuse_ino_t parent, const char *name, fuse_ino_t new_parent,
                      const char *new_name, unsigned flags)
{
    struct call call;
    call_begin(&call, req);
    int error = umvfs_rename(&call.task, &node_of(call.server, parent)->place, name,
                             &node_of(call.server, new_parent)->place, new_name, flags);
    fuse_reply_err(req, -error);
}

static void on_readlink(fuse_req_t req, fuse_ino_t ino)
{
    char target[UMVFS_PATH_MAX + 1];
    struct call call;
    call_begin(&call, req);
    int length = umvfs_readlink(&call.task, &node_of(call.server, ino)->place, "",
                                UMVFS_AT_EMPTY_PATH, target, UMVFS_PATH_MAX);
    if (length < 0) {
        fuse_reply_err(req, -length);
        return;
    }
    target[length] = '\0';
    fuse_reply_readlink(req, target);
}

void fuse_names_operations(struct fuse_lowlevel_ops *ops)
{
    ops->lookup = on_lookup;
    ops->forget = on_forget;
    ops->forget_multi = on_forget_multi;
    ops->mknod = on_mknod;
    ops->mkdir = on_mkdir;
    ops->symlink = on_symlink;
    ops->link = on_link;
    ops->unlink = on_unlink;
    ops->rmdir = on_rmdir;
    ops->rename = on_rename;
    ops->readlink = on_readlink;
}
