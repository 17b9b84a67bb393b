/* close_range(2) and unshare(2). */
#include "file/files.h"
#include "lib/errno.h"
#include "syscall/calls.h"
#include "task/process.h"

#define CLONE_FS            0x200u
#define CLONE_FILES         0x400u
#define CLONE_SYSVSEM       0x40000u
#define CLONE_ALONE         0x10900u /* VM, SIGHAND, THREAD: refused to who shares them */
#define CLOSE_RANGE_UNSHARE 2u
#define CLOSE_RANGE_CLOEXEC 4u

static int unshare_files(void)
{
    struct files *shared = current_process->files;
    if (!files_are_shared(shared))
        return 0;
    struct files *own = files_copy(shared);
    if (!own)
        return -ENOMEM;
    current_process->files = own;
    files_put(shared);
    return 0;
}

long sys_close_range(unsigned first, unsigned last, unsigned flags)
{
    if ((flags & ~(CLOSE_RANGE_UNSHARE | CLOSE_RANGE_CLOEXEC)) || first > last)
        return -EINVAL;
    int error = flags & CLOSE_RANGE_UNSHARE ? unshare_files() : 0;
    struct files *files = current_process->files;
    for (unsigned fd = first; !error && fd <= last && fd < files->used; fd++) {
        if (!files->file[fd])
            continue;
        if (flags & CLOSE_RANGE_CLOEXEC)
            files->close_on_exec[fd] = true;
        else
            files_close(files, fd);
    }
    return error;
}

static int unshare_fs(void)
{
    struct fs_context *shared = current_process->fs;
    if (shared->refs.count == 1)
        return 0;
    struct fs_context *own = fs_context_copy(shared);
    if (!own)
        return -ENOMEM;
    current_process->fs = own;
    fs_context_put(shared);
    return 0;
}

static bool shares_memory_or_actions(void)
{
    return current_process->aspace->refs.count > 1 ||
           sighand_refs(current_process->sighand)->count > 1;
}

/* CLONE_SYSVSEM has no effect: there are no System V semaphores. */
long sys_unshare(uint64_t flags)
{
    if (flags & ~(uint64_t)(CLONE_FS | CLONE_FILES | CLONE_SYSVSEM | CLONE_ALONE))
        return -EINVAL;
    if ((flags & CLONE_ALONE) && shares_memory_or_actions())
        return -EINVAL;
    int error = flags & CLONE_FILES ? unshare_files() : 0;
    return error || !(flags & CLONE_FS) ? error : unshare_fs();
}
