/* A file system as naive as possible: fixed arrays, linear searches, path resolution by rewriting
 * strings. It knows one user, who may do everything, and no mounts. Its answers are what libvfs's
 * are compared with, errno for errno. */
#ifndef FUZZ_VFS_MODEL_H
#define FUZZ_VFS_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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

#endif
