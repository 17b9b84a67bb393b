/* Requests on attributes: stat, setattr, access, extended attributes, statfs. */
#include "fuse.h"

#include <errno.h>
#include <stdlib.h>

static void reply_attributes(fuse_req_t req, const struct node *node)
{
    struct umvfs_stat st;
    struct stat out;
    int error = umvfs_inode_stat(umvfs_path_inode(&node->place), &st);
    if (error) {
        fuse_reply_err(req, -error);
        return;
    }
    fill_stat(&st, &out);
    fuse_reply_attr(req, &out, 0.0);
}

static void on_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *info)
{
    (void)info;
    reply_attributes(req, node_of(fuse_req_userdata(req), ino));
}

/* By the open file where the request comes from one: its permission was judged at open. */
static int set_size(const struct call *call, const struct node *node, off_t size,
                    const struct fuse_file_info *info)
{
    struct umvfs_file file;
    if (size < 0)
        return -EINVAL;
    if (info)
        return umvfs_file_truncate_as((struct umvfs_file *)info->fh, &call->cred, (uint64_t)size);
    int error = node_open(call, node, UMVFS_O_WRONLY, &file);
    if (error)
        return error;
    error = umvfs_file_truncate_as(&file, &call->cred, (uint64_t)size);
    umvfs_close(&file);
    return error;
}

static struct umvfs_time time_to_set(int to_set, int explicit_bit, int now_bit,
                                     struct timespec time)
{
    if (to_set & now_bit)
        return (struct umvfs_time){0, UMVFS_TIME_NOW};
    if (to_set & explicit_bit)
        return (struct umvfs_time){time.tv_sec, (uint32_t)time.tv_nsec};
    return (struct umvfs_time){0, UMVFS_TIME_OMIT};
}

static int set_times(const struct call *call, const struct node *node, const struct stat *attr,
                     int to_set)
{
    const struct umvfs_time times[2] = {
        time_to_set(to_set, FUSE_SET_ATTR_ATIME, FUSE_SET_ATTR_ATIME_NOW, attr->st_atim),
        time_to_set(to_set, FUSE_SET_ATTR_MTIME, FUSE_SET_ATTR_MTIME_NOW, attr->st_mtim),
    };
    if (times[0].nsec == UMVFS_TIME_OMIT && times[1].nsec == UMVFS_TIME_OMIT)
        return 0;
    return umvfs_utimens(&call->task, &node->place, "", times, UMVFS_AT_EMPTY_PATH);
}

/* The kernel sends what one system call sets: a size comes with times of now, which the change of
 * size has set already; and nothing at all for a chown that leaves both ids. */
static int set_attributes(const struct call *call, const struct node *node, const struct stat *attr,
                          int to_set, const struct fuse_file_info *info)
{
    const int owner = FUSE_SET_ATTR_UID | FUSE_SET_ATTR_GID;
    int error = 0;
    if (to_set & FUSE_SET_ATTR_SIZE)
        return set_size(call, node, attr->st_size, info);
    if ((to_set & owner) || !(to_set & ~FUSE_SET_ATTR_CTIME))
        error = umvfs_chown(
            &call->task, &node->place, "", to_set & FUSE_SET_ATTR_UID ? attr->st_uid : UINT32_MAX,
            to_set & FUSE_SET_ATTR_GID ? attr->st_gid : UINT32_MAX, UMVFS_AT_EMPTY_PATH);
    if (!error && (to_set & FUSE_SET_ATTR_MODE))
        error = umvfs_chmod(&call->task, &node->place, "", attr->st_mode & UMVFS_S_IALL,
                            UMVFS_AT_EMPTY_PATH);
    if (!error)
        error = set_times(call, node, attr, to_set);
    return error;
}

static void on_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *attr, int to_set,
                       struct fuse_file_info *info)
{
    struct call call;
    call_begin(&call, req);
    const struct node *node = node_of(call.server, ino);
    int error = set_attributes(&call, node, attr, to_set, info);
    if (error)
        fuse_reply_err(req, -error);
    else
        reply_attributes(req, node);
}

static void on_access(fuse_req_t req, fuse_ino_t ino, int mask)
{
    struct call call;
    call_begin(&call, req);
    int error = umvfs_access(&call.task, &node_of(call.server, ino)->place, "", (uint32_t)mask,
                             UMVFS_AT_EMPTY_PATH);
    fuse_reply_err(req, -error);
}

static void on_statfs(fuse_req_t req, fuse_ino_t ino)
{
    struct server *server = fuse_req_userdata(req);
    struct umvfs_statfs st;
    int error = umvfs_statfs(&node_of(server, ino)->place, &st);
    if (error) {
        fuse_reply_err(req, -error);
        return;
    }
    struct statvfs out = {
        .f_bsize = UMVFS_PAGE_SIZE,
        .f_frsize = UMVFS_PAGE_SIZE,
        .f_blocks = st.pages,
        .f_bfree = st.pages ? st.pages - st.pages_used : 0,
        .f_files = st.inodes,
        .f_ffree = st.inodes ? st.inodes - st.inodes_used : 0,
        .f_namemax = st.name_max,
    };
    out.f_bavail = out.f_bfree;
    out.f_favail = out.f_ffree;
    fuse_reply_statfs(req, &out);
}

static void on_setxattr(fuse_req_t req, fuse_ino_t ino, const char *name, const char *value,
                        size_t size, int flags)
{
    struct call call;
    call_begin(&call, req);
    int error = umvfs_setxattr(&call.task, &node_of(call.server, ino)->place, "", name, value, size,
                               (unsigned)flags, UMVFS_AT_EMPTY_PATH);
    fuse_reply_err(req, -error);
}

/* Answers with a size, or with bytes that were put into `buffer`. */
static void reply_bytes(fuse_req_t req, int length, size_t size, const char *buffer)
{
    if (length < 0)
        fuse_reply_err(req, -length);
    else if (size == 0)
        fuse_reply_xattr(req, (size_t)length);
    else
        fuse_reply_buf(req, buffer, (size_t)length);
}

static void on_getxattr(fuse_req_t req, fuse_ino_t ino, const char *name, size_t size)
{
    struct call call;
    call_begin(&call, req);
    char *value = size ? malloc(size) : NULL;
    int length = -ENOMEM;
    if (value || size == 0)
        length = umvfs_getxattr(&call.task, &node_of(call.server, ino)->place, "", name, value,
                                size, UMVFS_AT_EMPTY_PATH);
    reply_bytes(req, length, size, value);
    free(value);
}

static void on_listxattr(fuse_req_t req, fuse_ino_t ino, size_t size)
{
    struct call call;
    call_begin(&call, req);
    char *names = size ? malloc(size) : NULL;
    int length = -ENOMEM;
    if (names || size == 0)
        length = umvfs_listxattr(&call.task, &node_of(call.server, ino)->place, "", names, size,
                                 UMVFS_AT_EMPTY_PATH);
    reply_bytes(req, length, size, names);
    free(names);
}

static void on_removexattr(fuse_req_t req, fuse_ino_t ino, const char *name)
{
    struct call call;
    call_begin(&call, req);
    int error = umvfs_removexattr(&call.task, &node_of(call.server, ino)->place, "", name,
                                  UMVFS_AT_EMPTY_PATH);
    fuse_reply_err(req, -error);
}

void fuse_attribute_operations(struct fuse_lowlevel_ops *ops)
{
    ops->getattr = on_getattr;
    ops->setattr = on_setattr;
    ops->access = on_access;
    ops->statfs = on_statfs;
    ops->setxattr = on_setxattr;
    ops->getxattr = on_getxattr;
    ops->listxattr = on_listxattr;
    ops->removexattr = on_removexattr;
}
