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

static int read_path(enum path_slot slot, int fd, user_t user, unsigned flags, const char **path,
                     const struct umvfs_path **at)
{
    int error = path_from_user(slot, user, path);
    *at = NULL;
    if (error || (*path)[0] == '/')
        return error;
    return (*path)[0] || (flags & UMVFS_AT_EMPTY_PATH) ? directory_of(fd, at) : -ENOENT;
}

int path_call(struct path_call *call, int fd, user_t path, unsigned flags)
{
    vfs_view_of(current_process, false, &call->view);
    return read_path(PATH_FIRST, fd, path, flags, &call->path, &call->at);
}

int two_paths(struct two_paths *call, int old_fd, user_t old_path, unsigned flags, int new_fd,
              user_t new_path)
{
    int error = path_call(&call->old, old_fd, old_path, flags);
    call->old_is_good = !error;
    return error ? error
                 : read_path(PATH_SECOND, new_fd, new_path, 0, &call->new_path, &call->new_at);
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
