/* What the files of the libvfs backend share. */
#ifndef OPS_MEMORY_INTERNAL_H
#define OPS_MEMORY_INTERNAL_H

#include <umvfs/attr.h>
#include <umvfs/file.h>
#include <umvfs/tree.h>

#include "memory.h"

struct memory {
    struct backend backend;
    struct embed embed;
    struct embed_options options;
    struct umvfs_path root;
    uint32_t umask;
    bool is_open[OP_SLOTS];
    struct umvfs_file file[OP_SLOTS];
    /* Of the operation that is being carried out: */
    struct umvfs_cred cred;
    struct umvfs_task task;
};

/* One operation: returns a negative errno or the operation's value. */
typedef int64_t memory_operation(struct memory *memory, const struct op *op,
                                 struct op_result *result);

extern memory_operation *const memory_operations[OP_COUNT];

memory_operation memory_open, memory_close, memory_read, memory_pread, memory_write, memory_pwrite,
    memory_lseek, memory_ftruncate, memory_fallocate, memory_list, memory_ls;
memory_operation memory_setxattr, memory_getxattr, memory_listxattr, memory_removexattr;

/* What an operation works on: a path from a directory, or the open file of a slot. */
struct target {
    const struct umvfs_path *at;
    const char *path;
    unsigned flags; /* UMVFS_AT_* */
};

/* Fills *target for op->path, without following a last link if `nofollow`. -EBADF: empty slot. */
int memory_target(const struct memory *memory, struct op_path path, bool nofollow,
                  struct target *target);

/* Fills *target for an open slot. -EBADF: empty slot, or opened with O_PATH unless `allow_path`. */
int memory_slot(const struct memory *memory, int slot, bool allow_path, struct target *target);

/* The file of a slot for reading, writing and the like; NULL for an empty slot. */
struct umvfs_file *memory_file(struct memory *memory, int slot);

/* Closes a slot if it is open. */
void memory_close_slot(struct memory *memory, int slot);

#endif
