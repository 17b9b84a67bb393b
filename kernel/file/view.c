#include "file/view.h"

#include "file/root.h"
#include "task/process.h"

void vfs_view_of(const struct process *process, bool real, struct vfs_view *out)
{
    const struct credentials *c = &process->cred;
    uint32_t uid = real ? c->user.real : c->user.fs;
    out->cred = (struct umvfs_cred){
        .uid = uid,
        .gid = real ? c->group.real : c->group.fs,
        .caps = uid == 0 ? UMVFS_CAP_ALL : 0,
        .group_count = c->nr_groups,
        .groups = c->groups,
    };
    out->task = (struct umvfs_task){
        .vfs = root_vfs,
        .cred = &out->cred,
        .root = process->fs->root,
        .cwd = process->fs->cwd,
        .umask = process->fs->umask,
    };
}
