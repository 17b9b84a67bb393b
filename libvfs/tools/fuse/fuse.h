/*
 * vfs-fuse: an instance of libvfs as a FUSE 3 file system. What its files share.
 *
 * The low-level interface of libfuse names inodes and directory entries as the kernel's own VFS
 * does, so each request becomes one call of libvfs on the place that the kernel means. A number
 * that the kernel uses for an inode is the address of a node here.
 */
#ifndef UMVFS_FUSE_H
#define UMVFS_FUSE_H

#define FUSE_USE_VERSION 314
#include <fuse_lowlevel.h>

#include <umvfs/attr.h>
#include <umvfs/file.h>
#include <umvfs/tree.h>

#include "ops/embed.h"

enum { FUSE_GROUPS_MAX = 64 }; /* supplementary groups of a caller that count */

/* Who judges permissions. */
enum fuse_checks {
    CHECKS_LIBVFS, /* libvfs, by the ids of the calling process */
    CHECKS_KERNEL, /* the kernel (default_permissions); libvfs is asked as a privileged user */
    CHECKS_BOTH,   /* both */
};

/* An inode that the kernel knows. */
struct node {
    struct umvfs_path place; /* counted */
    uint64_t lookups;        /* how often the kernel was told of it, less what it forgot */
};

/* The mounted file system. One a process. */
struct server {
    struct embed embed;
    enum fuse_checks checks;
    bool cached; /* the kernel's page cache is used, so that files can be mapped */
    struct node root;
    uint64_t files; /* that are open */
};

/* A request's caller and the task for libvfs. Must not be copied: the task points into it. */
struct call {
    struct server *server;
    struct umvfs_cred cred;
    struct umvfs_task task;
    uint32_t groups[FUSE_GROUPS_MAX];
};

/* Prepares *call for a request. */
void call_begin(struct call *call, fuse_req_t req);

/* The same for a caller named by its ids and process (for requests that libfuse does not know).
 * Supplementary groups are read from /proc. */
void call_begin_raw(struct call *call, struct server *server, uint32_t uid, uint32_t gid,
                    uint32_t pid, uint32_t umask);

/* The node for the kernel's number of an inode. */
struct node *node_of(struct server *server, fuse_ino_t ino);

/* Fills *entry for a place and counts one more lookup of its node. Takes over the reference of
 * *place, whether it succeeds or not. Returns 0 or a negative errno. */
int node_enter(struct server *server, struct umvfs_path *place, struct fuse_entry_param *entry);

/* The kernel forgets `count` lookups of a node. */
void node_forget(struct server *server, fuse_ino_t ino, uint64_t count);

/* Lets all nodes go at the end of the session, whatever the kernel still knew. */
void node_forget_all(struct server *server);

/* Opens the object of a node with `flags` of open(2). Returns 0 or a negative errno. */
int node_open(const struct call *call, const struct node *node, uint32_t flags,
              struct umvfs_file *file);

/* Translates attributes for the kernel. */
void fill_stat(const struct umvfs_stat *from, struct stat *to);

/* Answers a FUSE_TMPFILE request, which this version of libfuse does not know. Returns false, and
 * does nothing, if the request in `buffer` is another. */
bool tmpfile_process(struct fuse_session *session, struct server *server,
                     const struct fuse_buf *buffer);

/* The requests, by file. */
void fuse_names_operations(struct fuse_lowlevel_ops *ops);
void fuse_attribute_operations(struct fuse_lowlevel_ops *ops);
void fuse_file_operations(struct fuse_lowlevel_ops *ops);

#endif
