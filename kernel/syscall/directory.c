/* The current directory and the root of a process. */
#include <umvfs/path.h>
#include <umvfs/tree.h>

#include "lib/errno.h"
#include "mm/usercopy.h"
#include "syscall/calls.h"
#include "syscall/paths.h"

long sys_umask(int mask)
{
    uint32_t old = current_process->fs->umask;
    current_process->fs->umask = (uint32_t)mask & 0777;
    return old;
}

long sys_getcwd(user_t buf, size_t size)
{
    static char name[UMVFS_PATH_MAX];
    const struct fs_context *fs = current_process->fs;
    int n = umvfs_path_name(&fs->cwd, &fs->root, name, sizeof(name));
    if (n < 0)
        return n;
    if (size < (size_t)n + 1)
        return -ERANGE;
    if (!umvfs_path_linked(&fs->cwd))
        return -ENOENT;
    return copy_to_user(buf, name, (size_t)n + 1) == 0 ? n + 1 : -EFAULT;
}

static void change_directory(const struct umvfs_path *to)
{
    struct umvfs_path old = current_process->fs->cwd;
    current_process->fs->cwd = *to;
    umvfs_path_put(&old);
}

long sys_chdir(user_t path)
{
    struct path_call call;
    struct umvfs_path place;
    int error = path_call(&call, AT_FDCWD, path);
    if (!error)
        error = umvfs_lookup_dir(&call.view.task, NULL, call.path, 0, &place);
    if (!error)
        change_directory(&place);
    return error;
}

long sys_fchdir(int fd)
{
    struct file *file;
    struct vfs_view view;
    struct umvfs_path place;
    int error = any_file_of(fd, &file);
    if (error)
        return error;
    vfs_view_of(current_process, false, &view);
    error = umvfs_lookup_dir(&view.task, &file->vfs.path, "", UMVFS_AT_EMPTY_PATH, &place);
    if (!error)
        change_directory(&place);
    return error;
}

long sys_chroot(user_t path)
{
    struct path_call call;
    struct umvfs_path place;
    int error = path_call(&call, AT_FDCWD, path);
    if (!error)
        error = umvfs_lookup_dir(&call.view.task, call.at, call.path, 0, &place);
    if (error)
        return error;
    if (!capable(CAP_SYS_CHROOT)) {
        umvfs_path_put(&place);
        return -EPERM;
    }
    umvfs_path_put(&current_process->fs->root);
    current_process->fs->root = place;
    return 0;
}
