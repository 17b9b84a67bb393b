/* A file system as naive as possible: fixed arrays, linear searches, path resolution by rewriting
 * strings. It knows one user, who may do everything, and no mounts. Its answers are what libvfs's
 * are compared with, errno for errno. */
#ifndef FUZZ_VFS_MODEL_H
#define FUZZ_VFS_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <umvfs/file.h>

#include "host.h"

#define MODEL_NODES   96
#define MODEL_ENTRIES 64
#define MODEL_DATA    20480u
#define MODEL_OPEN    4

struct model_entry {
    char name[256];
    int node;
};

struct model_node {
    uint32_t type; /* UMVFS_S_IF*; 0: unused */
    uint32_t nlink;
    int opens;
    int parent; /* directories */
    int count;
    struct model_entry entry[MODEL_ENTRIES];
    char target[600];
    uint64_t size;
    uint64_t written;    /* data from here on has never been written: zeros */
    unsigned char *data; /* MODEL_DATA bytes, when first written */
};

struct model {
    struct model_node node[MODEL_NODES];
    int used; /* nodes ever used */
    int cwd;
    int root;
    bool full; /* something did not fit the model's arrays: stop comparing */
};

void model_begin(struct model *model);
void model_end(struct model *model);

/* What a path leads to. */
struct model_place {
    int parent;
    int node;       /* -1: does not exist; -UMVFS_ENAMETOOLONG: cannot */
    char name[256]; /* of the last component; set unless kind is MODEL_ROOT */
    enum { MODEL_NAME, MODEL_DOT, MODEL_DOTDOT, MODEL_ROOT } kind;
    bool slash;
};

enum model_mode {
    MODEL_PARENT,   /* the last component is left as it is, and may be missing */
    MODEL_CREATE,   /* the same, but symbolic links are followed: open with O_CREAT */
    MODEL_NOFOLLOW, /* everything must exist; a last symbolic link is left alone */
    MODEL_FOLLOW,
};

int model_resolve(struct model *model, const char *path, enum model_mode mode, unsigned resolve,
                  struct model_place *out);
/* The node a path leads to: >= 0, or an error. */
int model_lookup(struct model *model, const char *path, bool follow, unsigned resolve);

int model_make(struct model *model, const char *path, uint32_t type, const char *target);
int model_link(struct model *model, const char *from, const char *to, bool follow);
int model_remove(struct model *model, const char *path, bool dir);
int model_rename(struct model *model, const char *from, const char *to, unsigned flags);
/* open(2) of an existing or (O_CREAT, O_EXCL) new file: a node, with one more open. */
int model_open(struct model *model, const char *path, uint32_t flags);
void model_close(struct model *model, int node);

/* Contents of a node; ranges within MODEL_DATA. */
void model_write(struct model *model, int node, uint64_t at, const unsigned char *bytes,
                 size_t len);
void model_zero(struct model *model, int node, uint64_t from, uint64_t to);
void model_resize(struct model *model, int node, uint64_t size);

/* Operations on single objects for fuzz_vfs_ops, and what the model says of them: attributes of both
 * kinds, times, sizes by path, offsets, execution, mounts that come and go. */

#define OBJECT_XATTRS 3 /* names that the operations use */

/* Attributes of each node that the model itself does not keep. */
struct object_state {
    struct {
        bool mode_known, owner_known;
        uint32_t mode, uid, gid;
        uint32_t size[OBJECT_XATTRS]; /* of the value, and 1; 0: there is none */
        unsigned char fill[OBJECT_XATTRS];
    } node[MODEL_NODES];
};

struct object_run {
    struct umvfs_task *task;
    struct model *model;
    struct object_state *state;
    struct host *host;
    bool quota;
    struct umvfs_file *file; /* an open one and its node, or NULL */
    int file_node;
};

/* Runs operation `which`; false: the library and the model disagree. */
bool object_op(struct object_run *run, unsigned which, const char *path, unsigned a, unsigned b);

/* A rename in the model that leaves a whiteout; `flags` are its other flags. */
int object_whiteout(struct model *m, const char *from, const char *to, unsigned flags);

/* Compares what is known of a node with what the library has. */
void object_compare(const struct object_state *state, const struct umvfs_task *task,
                    const struct umvfs_path *at, int node);

#endif
