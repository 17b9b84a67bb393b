/* Requests on names (look up, make, remove, rename, link), and on open files and directories. */
#include <errno.h>
#include <stdlib.h>

#include "fuse.h"

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

static struct umvfs_file *file_of(const struct fuse_file_info *info)
{
    return (struct umvfs_file *)info->fh;
}

/* Moves an open file to memory of its own and into *info. Returns 0 or -ENOMEM, then it is
 * closed. */
static int keep_file(struct server *server, struct umvfs_file *file, struct fuse_file_info *info)
{
    struct umvfs_file *kept = malloc(sizeof *kept);
    if (!kept) {
        umvfs_close(file);
        return -ENOMEM;
    }
    *kept = *file;
    info->fh = (uint64_t)kept;
    info->direct_io = !server->cached;
    info->keep_cache = 0;
    server->files++;
    return 0;
}

static void drop_file(struct server *server, struct fuse_file_info *info)
{
    umvfs_close(file_of(info));
    free(file_of(info));
    server->files--;
}

static void open_node(fuse_req_t req, fuse_ino_t ino, uint32_t flags, struct fuse_file_info *info)
{
    struct call call;
    struct umvfs_file file;
    call_begin(&call, req);
    int error = node_open(&call, node_of(call.server, ino), flags, &file);
    if (!error)
        error = keep_file(call.server, &file, info);
    if (error)
        fuse_reply_err(req, -error);
    else if (fuse_reply_open(req, info) == -ENOENT)
        drop_file(call.server, info); /* the caller was interrupted */
}

static void on_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *info)
{
    open_node(req, ino, (uint32_t)info->flags, info);
}

static void on_opendir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *info)
{
    open_node(req, ino, UMVFS_O_RDONLY | UMVFS_O_DIRECTORY, info);
}

static void on_create(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode,
                      struct fuse_file_info *info)
{
    struct call call;
    struct umvfs_file file;
    struct fuse_entry_param entry;
    call_begin(&call, req);
    uint32_t flags = (uint32_t)info->flags | UMVFS_O_CREAT | UMVFS_O_NOFOLLOW;
    int error =
        umvfs_open(&call.task, &node_of(call.server, parent)->place, name, flags, mode, 0, &file);
    if (!error)
        error = keep_file(call.server, &file, info);
    if (error) {
        fuse_reply_err(req, -error);
        return;
    }
    struct umvfs_path place = umvfs_path_get(&file.path);
    error = node_enter(call.server, &place, &entry);
    if (error)
        fuse_reply_err(req, -error);
    else if (fuse_reply_create(req, &entry, info) == 0)
        return;
    else
        node_forget(call.server, entry.ino, 1);
    drop_file(call.server, info);
}

static void on_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *info)
{
    (void)ino;
    drop_file(fuse_req_userdata(req), info);
    fuse_reply_err(req, 0);
}

static void on_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset,
                    struct fuse_file_info *info)
{
    (void)ino;
    uint64_t at = (uint64_t)offset;
    char *data = malloc(size ? size : 1);
    int64_t got = data ? umvfs_read_to(file_of(info), data, size, &at, &embed_copy) : -ENOMEM;
    if (got < 0)
        fuse_reply_err(req, (int)-got);
    else
        fuse_reply_buf(req, data, (size_t)got);
    free(data);
}

static void on_write(fuse_req_t req, fuse_ino_t ino, const char *data, size_t size, off_t offset,
                     struct fuse_file_info *info)
{
    (void)ino;
    struct call call;
    call_begin(&call, req);
    uint64_t at = (uint64_t)offset;
    int64_t put = umvfs_write_from(file_of(info), &call.cred, data, size, &at, &embed_copy);
    if (put < 0)
        fuse_reply_err(req, (int)-put);
    else
        fuse_reply_write(req, (size_t)put);
}

static void on_flush(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *info)
{
    (void)ino;
    (void)info;
    fuse_reply_err(req, 0);
}

/* Memory has nothing to be written to. */
static void on_fsync(fuse_req_t req, fuse_ino_t ino, int data_only, struct fuse_file_info *info)
{
    (void)ino;
    (void)data_only;
    (void)info;
    fuse_reply_err(req, 0);
}

static void on_fallocate(fuse_req_t req, fuse_ino_t ino, int mode, off_t offset, off_t length,
                         struct fuse_file_info *info)
{
    (void)ino;
    struct call call;
    int error = -EINVAL;
    call_begin(&call, req);
    if (offset >= 0 && length > 0)
        error = umvfs_fallocate_as(file_of(info), &call.cred, (uint32_t)mode, (uint64_t)offset,
                                   (uint64_t)length);
    fuse_reply_err(req, -error);
}

static void on_lseek(fuse_req_t req, fuse_ino_t ino, off_t offset, int whence,
                     struct fuse_file_info *info)
{
    (void)ino;
    int64_t position = umvfs_seek(file_of(info), offset, whence);
    if (position < 0)
        fuse_reply_err(req, (int)-position);
    else
        fuse_reply_lseek(req, position);
}

/* The answer to a readdir while it fills. */
struct listing {
    fuse_req_t req;
    char *data;
    size_t used, size;
};

static int add_entry(void *context, const char *name, size_t length, uint64_t ino, unsigned type,
                     uint64_t next)
{
    struct listing *listing = context;
    char terminated[UMVFS_NAME_MAX + 1];
    const struct stat st = {.st_ino = ino, .st_mode = (mode_t)type << 12};
    __builtin_memcpy(terminated, name, length);
    terminated[length] = '\0';
    size_t room = listing->size - listing->used;
    size_t need = fuse_add_direntry(listing->req, listing->data + listing->used, room, terminated,
                                    &st, (off_t)next);
    if (need > room)
        return 1;
    listing->used += need;
    return 0;
}

static void on_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset,
                       struct fuse_file_info *info)
{
    (void)ino;
    struct listing listing = {.req = req, .data = malloc(size ? size : 1), .size = size};
    int64_t result = listing.data ? umvfs_seek(file_of(info), offset, UMVFS_SEEK_SET) : -ENOMEM;
    if (result >= 0)
        result = umvfs_readdir(file_of(info), add_entry, &listing);
    if (result < 0)
        fuse_reply_err(req, (int)-result);
    else
        fuse_reply_buf(req, listing.data, listing.used);
    free(listing.data);
}

void fuse_file_operations(struct fuse_lowlevel_ops *ops)
{
    ops->open = on_open;
    ops->opendir = on_opendir;
    ops->create = on_create;
    ops->release = on_release;
    ops->releasedir = on_release;
    ops->read = on_read;
    ops->write = on_write;
    ops->flush = on_flush;
    ops->fsync = on_fsync;
    ops->fsyncdir = on_fsync;
    ops->fallocate = on_fallocate;
    ops->lseek = on_lseek;
    ops->readdir = on_readdir;
}
