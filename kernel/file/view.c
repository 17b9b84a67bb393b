#include "file/view.h"

#include "file/root.h"
#include "task/process.h"

void vfs_view_of(const struct process *process, bool real, struct vfs_view *out)
{
    const struct credentials *c = &process->cred;
    uint32_t uid = real ? c->user.real : c->user.fs;
    uint32_t caps = c->lacks_file_caps ? 0 : UMVFS_CAP_ALL & ~UMVFS_CAP_SYS_ADMIN;
    if (c->user.effective == 0)
        caps |= UMVFS_CAP_SYS_ADMIN;
    if (real) /* access(2) asks for what the real user may do */
        caps = uid == 0 ? UMVFS_CAP_ALL : 0;
    out->cred = (struct umvfs_cred){
        .uid = uid,
        .gid = real ? c->group.real : c->group.fs,
        .caps = caps,
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
