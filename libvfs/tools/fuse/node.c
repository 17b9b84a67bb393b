/* Nodes and callers, and requests on attributes: stat, setattr, access, extended attributes, statfs. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "fuse.h"

/* All nodes but the root, to let them go at the end. */
struct tracked {
    struct node node; /* first: a node's address is its tracked's */
    struct tracked *next, **link;
};

static struct tracked *all_nodes;

static void fill_call(struct call *call, struct server *server, uint32_t uid, uint32_t gid,
                      uint32_t umask)
{
    uint32_t caps = 0;
    if (uid == 0)
        caps = UMVFS_CAP_ALL;
    else if (server->checks == CHECKS_KERNEL)
        caps = UMVFS_CAP_ALL & ~UMVFS_CAP_FSETID; /* writes by others still take set-user-id */
    call->server = server;
    call->cred = (struct umvfs_cred){.uid = uid, .gid = gid, .caps = caps, .groups = call->groups};
    call->task = (struct umvfs_task){
        .vfs = server->embed.vfs,
        .cred = &call->cred,
        .root = server->root.place,
        .cwd = server->root.place,
        .umask = umask,
    };
}

void call_begin(struct call *call, fuse_req_t req)
{
    const struct fuse_ctx *context = fuse_req_ctx(req);
    fill_call(call, fuse_req_userdata(req), context->uid, context->gid, context->umask);
    if (context->uid == 0)
        return; /* no check asks for the groups of the superuser */
    int count = fuse_req_getgroups(req, FUSE_GROUPS_MAX, call->groups);
    if (count > FUSE_GROUPS_MAX)
        count = FUSE_GROUPS_MAX;
    call->cred.group_count = count > 0 ? (uint32_t)count : 0;
}

/* Reads the line "Groups:" of /proc/PID/status. */
static uint32_t read_groups(uint32_t pid, uint32_t groups[FUSE_GROUPS_MAX])
{
    char line[4096];
    snprintf(line, sizeof line, "/proc/%u/status", pid);
    FILE *status = fopen(line, "re");
    uint32_t count = 0;
    while (status && fgets(line, sizeof line, status)) {
        if (strncmp(line, "Groups:", 7) != 0)
            continue;
        char *at = line + 7, *end;
        for (; count < FUSE_GROUPS_MAX; at = end) {
            groups[count] = (uint32_t)strtoul(at, &end, 10);
            if (end == at)
                break;
            count++;
        }
        break;
    }
    if (status)
        fclose(status);
    return count;
}

void call_begin_raw(struct call *call, struct server *server, uint32_t uid, uint32_t gid,
                    uint32_t pid, uint32_t umask)
{
    fill_call(call, server, uid, gid, umask);
    if (uid)
        call->cred.group_count = read_groups(pid, call->groups);
}

struct node *node_of(struct server *server, fuse_ino_t ino)
{
    return ino == FUSE_ROOT_ID ? &server->root : (struct node *)ino;
}

static struct node *node_new(struct umvfs_inode *inode, struct umvfs_path *place)
{
    struct tracked *tracked = calloc(1, sizeof *tracked);
    if (!tracked)
        return NULL;
    tracked->node.place = *place;
    *place = (struct umvfs_path){0};
    tracked->next = all_nodes;
    tracked->link = &all_nodes;
    if (all_nodes)
        all_nodes->link = &tracked->next;
    all_nodes = tracked;
    umvfs_inode_set_cookie(inode, &tracked->node);
    return &tracked->node;
}

static void node_free(struct node *node)
{
    struct tracked *tracked = (struct tracked *)node;
    *tracked->link = tracked->next;
    if (tracked->next)
        tracked->next->link = tracked->link;
    umvfs_inode_set_cookie(umvfs_path_inode(&node->place), NULL);
    umvfs_path_put(&node->place);
    free(tracked);
}

int node_open(const struct call *call, const struct node *node, uint32_t flags,
              struct umvfs_file *file)
{
    return umvfs_open(&call->task, &node->place, "", flags | UMVFS_O_EMPTY_PATH, 0, 0, file);
}

void fill_stat(const struct umvfs_stat *from, struct stat *to)
{
    const struct umvfs_time times[3] = {from->atime, from->mtime, from->ctime};
    struct timespec *targets[3] = {&to->st_atim, &to->st_mtim, &to->st_ctim};
    *to = (struct stat){
        .st_ino = from->ino,
        .st_mode = from->mode,
        .st_nlink = from->nlink,
        .st_uid = from->uid,
        .st_gid = from->gid,
        .st_rdev = from->rdev,
        .st_size = (off_t)from->size,
        .st_blocks = (blkcnt_t)from->blocks,
        .st_blksize = UMVFS_PAGE_SIZE,
    };
    for (size_t i = 0; i < 3; i++)
        *targets[i] = (struct timespec){times[i].sec, times[i].nsec};
}

int node_enter(struct server *server, struct umvfs_path *place, struct fuse_entry_param *entry)
{
    struct umvfs_inode *inode = umvfs_path_inode(place);
    struct umvfs_stat st;
    int error = umvfs_inode_stat(inode, &st);
    struct node *node = umvfs_inode_cookie(inode);
    if (!error && !node && !(node = node_new(inode, place)))
        error = -ENOMEM;
    umvfs_path_put(place);
    if (error)
        return error;
    node->lookups++;
    /* Time-outs of 0: every use of a name comes back here. */
    *entry = (struct fuse_entry_param){.ino = (fuse_ino_t)node};
    if (node == &server->root)
        entry->ino = FUSE_ROOT_ID;
    fill_stat(&st, &entry->attr);
    return 0;
}

void node_forget(struct server *server, fuse_ino_t ino, uint64_t count)
{
    struct node *node = node_of(server, ino);
    node->lookups -= count < node->lookups ? count : node->lookups;
    if (node->lookups == 0 && ino != FUSE_ROOT_ID)
        node_free(node);
}

void node_forget_all(struct server *server)
{
    while (all_nodes)
        node_free(&all_nodes->node);
    umvfs_inode_set_cookie(umvfs_path_inode(&server->root.place), NULL);
    umvfs_path_put(&server->root.place);
}

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
