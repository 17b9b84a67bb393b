#include "file/view.h"

#include "file/root.h"
#include "task/process.h"

/* libvfs's names of the capabilities that it knows. */
static uint32_t vfs_caps(uint64_t caps)
{
    static const struct {
        uint32_t vfs;
        unsigned cap;
    } map[] = {
        {UMVFS_CAP_CHOWN, CAP_CHOWN},
        {UMVFS_CAP_DAC_OVERRIDE, CAP_DAC_OVERRIDE},
        {UMVFS_CAP_DAC_READ_SEARCH, CAP_DAC_READ_SEARCH},
        {UMVFS_CAP_FOWNER, CAP_FOWNER},
        {UMVFS_CAP_FSETID, CAP_FSETID},
        {UMVFS_CAP_MKNOD, CAP_MKNOD},
        {UMVFS_CAP_SYS_ADMIN, CAP_SYS_ADMIN},
        {UMVFS_CAP_SETFCAP, CAP_SETFCAP},
    };
    uint32_t result = 0;
    if (caps == 0 || caps == CAP_ALL)
        return caps ? UMVFS_CAP_ALL : 0;
    for (unsigned i = 0; i < sizeof(map) / sizeof(map[0]); i++)
        if (caps & CAP_BIT(map[i].cap))
            result |= map[i].vfs;
    return result;
}

/* access(2) asks for what the real user may do. */
static uint64_t caps_of_real_user(const struct credentials *c)
{
    if (c->secure_bits & SECURE_NO_SETUID_FIXUP)
        return c->caps.effective;
    return c->user.real == 0 ? c->caps.permitted : 0;
}

void vfs_view_of(const struct process *process, bool real, struct vfs_view *out)
{
    const struct credentials *c = &process->cred;
    uint32_t uid = real ? c->user.real : c->user.fs;
    out->cred = (struct umvfs_cred){
        .uid = uid,
        .gid = real ? c->group.real : c->group.fs,
        .caps = vfs_caps(real ? caps_of_real_user(c) : c->caps.effective),
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
