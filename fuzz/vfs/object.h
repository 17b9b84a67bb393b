/* Operations on single objects for fuzz_vfs_ops, and what the model says of them: attributes of both
 * kinds, times, sizes by path, offsets, execution, mounts that come and go. */
#ifndef FUZZ_VFS_OBJECT_H
#define FUZZ_VFS_OBJECT_H

#include <umvfs/file.h>

#include "host.h"
#include "model.h"

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
