/* execve(2). */
#include "exec/image.h"
#include "lib/errno.h"
#include "lib/uninitialized.h"
#include "proc/proc.h"
#include "syscall/calls.h"
#include "syscall/paths.h"

static int read_args(struct exec_args *args, user_t argv, user_t envp)
{
    int error = exec_args_add_user(args, argv.value, &args->argc);
    if (!error && args->argc == 0) { /* as Linux: a program always has an argv[0] */
        error = exec_args_add(args, "");
        args->argc = 1;
    }
    return error ? error : exec_args_add_user(args, envp.value, &args->envc);
}

static long exec_at(int dirfd, user_t path, user_t argv, user_t envp, unsigned flags)
{
    UNINITIALIZED struct vfs_view view; /* vfs_view_of() */
    struct new_image image;
    const struct vfs_path *at = NULL;
    const char *name;
    if (!process_may_exec())
        return -EAGAIN;
    struct exec_args *args = exec_args_create();
    int error = args ? read_args(args, argv, envp) : -ENOMEM;
    if (!error)
        error = path_from_user(PATH_FIRST, path, &name);
    if (!error && name[0] != '/')
        error = directory_of(dirfd, &at);
    if (!error) {
        const struct credentials *cred = &current_process->cred;
        args->uid = cred->user.real;
        args->euid = cred->user.effective;
        args->gid = cred->group.real;
        args->egid = cred->group.effective;
        vfs_view_of(current_process, false, &view);
        error = exec_load(&view.task, at, name, flags, args, &image);
    }
    exec_args_free(args);
    if (error)
        return error;
    error = exec_commit(&image);
    if (error)
        new_image_free(&image);
    return error;
}

long sys_execve(user_t path, user_t argv, user_t envp)
{
    return exec_at(AT_FDCWD, path, argv, envp, 0);
}
