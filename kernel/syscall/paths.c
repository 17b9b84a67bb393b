#include "syscall/files.h"

#include "mm/usercopy.h"

static char path_buffers[2][UMVFS_PATH_MAX];

int path_from_user(enum path_slot slot, user_t user, const char **out)
{
    long n = copy_string_from_user(path_buffers[slot], user, UMVFS_PATH_MAX);
    *out = path_buffers[slot];
    return n < 0 ? (int)n : 0;
}

int directory_of(int fd, const struct umvfs_path **out)
{
    struct file *file;
    *out = NULL;
    if (fd == AT_FDCWD)
        return 0;
    int error = any_file_of(fd, &file);
    if (error)
        return error;
    *out = &file->vfs.path;
    return 0;
}

int path_call(struct path_call *call, int fd, user_t path)
{
    vfs_view_of(current_process, false, &call->view);
    int error = path_from_user(PATH_FIRST, path, &call->path);
    call->at = NULL;
    if (!error && call->path[0] != '/')
        error = directory_of(fd, &call->at);
    return error;
}

int two_paths(struct two_paths *call, int old_fd, user_t old_path, int new_fd, user_t new_path)
{
    int error = path_call(&call->old, old_fd, old_path);
    call->old_is_good = !error;
    if (!error)
        error = path_from_user(PATH_SECOND, new_path, &call->new_path);
    call->new_at = NULL;
    if (!error && call->new_path[0] != '/')
        error = directory_of(new_fd, &call->new_at);
    return error;
}

int file_call(struct path_call *call, int fd)
{
    struct file *file;
    int error = file_of(fd, &file);
    if (error)
        return error;
    vfs_view_of(current_process, false, &call->view);
    call->at = &file->vfs.path;
    call->path = "";
    return 0;
}
