/* execve(2) and execveat(2). */
#include <umvfs/path.h>

#include "exec/image.h"
#include "lib/errno.h"
#include "lib/format.h"
#include "lib/string.h"
#include "lib/variable.h"
#include "mm/slab.h"
#include "proc/proc.h"
#include "syscall/calls.h"
#include "syscall/files.h"
#include "task/rights.h"
#include "task/sched.h"

static int read_args(struct exec_args *args, user_t argv, user_t envp)
{
    int error = exec_args_add_user(args, argv.value, &args->argc);
    if (!error && args->argc == 0) { /* as Linux: a program always has an argv[0] */
        error = exec_args_add(args, "");
        args->argc = 1;
    }
    return error ? error : exec_args_add_user(args, envp.value, &args->envc);
}

/* A copy of the path: others may run before it is used for the last time. */
static int keep_path(user_t user, unsigned flags, char **out)
{
    const char *path;
    int error = path_from_user(PATH_FIRST, user, &path);
    if (!error && !path[0] && !(flags & UMVFS_AT_EMPTY_PATH))
        error = -ENOENT;
    if (!error && (flags & ~(UMVFS_AT_EMPTY_PATH | UMVFS_AT_SYMLINK_NOFOLLOW)))
        error = -EINVAL;
    if (error)
        return error;
    size_t size = strlen(path) + 1;
    *out = slab_alloc(size);
    if (!*out)
        return -ENOMEM;
    memcpy(*out, path, size);
    return 0;
}

/* Between two scheduling points of a load a process with which this one shares its directories may change them. */
static int load_held(const struct umvfs_path *at, const char *name, unsigned flags,
                     const struct exec_credentials *rights, struct exec_args *args,
                     struct new_image *image)
{
    const struct credentials *cred = &rights->cred;
    UNINITIALIZED struct vfs_view view; /* vfs_view_of() */
    args->uid = cred->user.real;
    args->euid = cred->user.effective;
    args->gid = cred->group.real;
    args->egid = cred->group.effective;
    args->secure = rights->is_secure;
    args->is_fixed = current_process->personality & ADDR_NO_RANDOMIZE;
    vfs_view_of(current_process, false, &view);
    struct umvfs_path root = umvfs_path_get(&view.task.root), cwd = umvfs_path_get(&view.task.cwd);
    int error = exec_load(&view.task, at, name, flags, args, image);
    umvfs_path_put(&root);
    umvfs_path_put(&cwd);
    return error;
}

/* Finds the directory from which the path starts, or the file that an empty one means, and makes the path by which the
 * new program finds its own file. */
static int find_start(int dirfd, const char *name, struct exec_args *args, char **shown,
                      const struct umvfs_path **at)
{
    if (name[0] == '/' || dirfd == AT_FDCWD)
        return 0;
    int error = directory_of(dirfd, at);
    if (error)
        return error;
    size_t size = sizeof("/dev/fd/-2147483648/") + strlen(name);
    *shown = slab_alloc(size);
    if (!*shown)
        return -ENOMEM;
    format(*shown, size, "/dev/fd/%d%s%s", dirfd, name[0] ? "/" : "", name);
    args->shown = *shown;
    args->is_out_of_reach = current_process->files->close_on_exec[dirfd];
    return 0;
}

static long exec_at(int dirfd, user_t path, user_t argv, user_t envp, unsigned flags)
{
    struct new_image image;
    struct exec_credentials rights;
    const struct umvfs_path *at = NULL;
    char *name = NULL, *shown = NULL;
    if (!process_may_exec())
        return -EAGAIN;
    struct exec_args *args = exec_args_create();
    if (args) {
        args->point = sched_point;
        exec_args_limit_stack(args, current_process->limits[RLIMIT_STACK].soft);
    }
    int error = args ? read_args(args, argv, envp) : -ENOMEM;
    if (!error)
        error = keep_path(path, flags, &name);
    if (!error)
        error = find_start(dirfd, name, args, &shown, &at);
    if (!error)
        error = exec_args_count_path(args, shown ? shown : name);
    if (!error) {
        credentials_for_exec(&rights);
        error = load_held(at, name, flags, &rights, args, &image);
    }
    exec_args_free(args);
    slab_free(name);
    slab_free(shown);
    if (error)
        return error;
    error = exec_commit(&image, &rights);
    if (error)
        new_image_free(&image);
    return error;
}

long sys_execve(user_t path, user_t argv, user_t envp)
{
    return exec_at(AT_FDCWD, path, argv, envp, 0);
}

long sys_execveat(int dirfd, user_t path, user_t argv, user_t envp, unsigned flags)
{
    return exec_at(dirfd, path, argv, envp, flags);
}
