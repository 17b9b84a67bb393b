/* Nodes, callers and attributes. */
#include "fuse.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

/* All nodes but the root, to let them go at the end. */
struct tracked {
    struct node node; /* first: a node's address is its tracked's */
    struct tracked *next, **link;
};

static struct tracked *all_nodes;

static void fill_call(struct call *call, struct server *server, uint32_t uid, uint32_t gid)
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
    };
}

void call_begin(struct call *call, fuse_req_t req)
{
    const struct fuse_ctx *context = fuse_req_ctx(req);
    fill_call(call, fuse_req_userdata(req), context->uid, context->gid);
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
                    uint32_t pid)
{
    fill_call(call, server, uid, gid);
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
