#include "memory.h"

#include <errno.h>
#include <stdlib.h>

#include "memory_internal.h"

int memory_target(const struct memory *memory, struct op_path path, bool nofollow,
                  struct target *target)
{
    *target = (struct target){NULL, path.text, nofollow ? UMVFS_AT_SYMLINK_NOFOLLOW : 0};
    if (path.slot == OP_SLOT_CWD)
        return 0;
    if (memory->is_open[path.slot])
        target->at = &memory->file[path.slot].path;
    else if (path.text[0] != '/')
        return path.text[0] ? -EBADF : -ENOENT;
    return 0;
}

int memory_slot(const struct memory *memory, int slot, bool allow_path, struct target *target)
{
    if (!memory->is_open[slot])
        return -EBADF;
    if (!allow_path && (memory->file[slot].flags & UMVFS_O_PATH))
        return -EBADF;
    *target = (struct target){&memory->file[slot].path, "", UMVFS_AT_EMPTY_PATH};
    return 0;
}

struct umvfs_file *memory_file(struct memory *memory, int slot)
{
    return memory->is_open[slot] ? &memory->file[slot] : NULL;
}

void memory_close_slot(struct memory *memory, int slot)
{
    if (memory->is_open[slot])
        umvfs_close(&memory->file[slot]);
    memory->is_open[slot] = false;
}

static void memory_run(struct backend *backend, const struct op *op, struct op_result *result)
{
    struct memory *memory = (struct memory *)backend;
    memory_operation *operation = memory_operations[op->code];
    if (!operation) {
        result->code = OP_NOT_RUN;
        return;
    }
    memory->cred = (struct umvfs_cred){
        .uid = op->caller.uid,
        .gid = op->caller.gid,
        .caps = op->caller.uid == 0 ? UMVFS_CAP_ALL : 0,
        .group_count = (uint32_t)op->caller.group_count,
        .groups = op->caller.group,
    };
    memory->task = (struct umvfs_task){
        .vfs = memory->embed.vfs,
        .cred = &memory->cred,
        .root = memory->root,
        .cwd = memory->root,
        .umask = memory->umask,
    };
    result->code = operation(memory, op, result);
}

static struct op_time memory_clock(struct backend *backend)
{
    (void)backend;
    int64_t now = embed_now();
    return (struct op_time){now / 1000000000, now % 1000000000};
}

static int start(struct memory *memory)
{
    int error = embed_new(&memory->embed, &memory->options);
    if (error)
        return error;
    umvfs_root(memory->embed.vfs, &memory->root);
    memory->umask = 022;
    return 0;
}

static int stop(struct memory *memory)
{
    for (int slot = 0; slot < OP_SLOTS; slot++)
        memory_close_slot(memory, slot);
    umvfs_path_put(&memory->root);
    return embed_destroy(&memory->embed);
}

static int memory_clear(struct backend *backend)
{
    struct memory *memory = (struct memory *)backend;
    int error = stop(memory);
    return error ? error : start(memory);
}

static void memory_destroy(struct backend *backend)
{
    struct memory *memory = (struct memory *)backend;
    stop(memory);
    free(memory);
}

static const struct backend_operations operations = {
    .name = "libvfs",
    .run = memory_run,
    .clock = memory_clock,
    .clear = memory_clear,
    .destroy = memory_destroy,
};

int memory_create(struct backend **backend, const struct embed_options *options)
{
    struct memory *memory = calloc(1, sizeof *memory);
    if (!memory)
        return -ENOMEM;
    memory->backend.operations = &operations;
    memory->options = *options;
    int error = start(memory);
    if (error) {
        free(memory);
        return error;
    }
    *backend = &memory->backend;
    return 0;
}

struct umvfs *memory_instance(struct backend *backend)
{
    return ((struct memory *)backend)->embed.vfs;
}
