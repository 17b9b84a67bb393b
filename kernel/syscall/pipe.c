/* Pipes. */
#include "file/pipe.h"

#include "file/files.h"
#include "lib/errno.h"
#include "mm/usercopy.h"
#include "syscall/calls.h"
#include "syscall/held.h"

static long make_pipe(user_t pipefd, unsigned flags)
{
    struct file *ends[2];
    int fd[2];
    struct files *files = current_process->files;
    uint64_t limit = descriptor_limit();
    if (flags & ~(UMVFS_O_CLOEXEC | O_NONBLOCK))
        return -EINVAL;
    int error = pipe_create(&ends[0], &ends[1]);
    if (error)
        return error;
    for (unsigned i = 0; i < 2; i++) {
        ends[i]->vfs.flags |= flags & O_NONBLOCK;
        fd[i] = files_install(files, ends[i], 0, limit, flags & UMVFS_O_CLOEXEC);
        if (fd[i] < 0) {
            if (i == 1)
                files_close(files, (unsigned)fd[0]);
            else
                file_put(ends[0]);
            file_put(ends[1]);
            return fd[i];
        }
    }
    if (copy_to_user(pipefd, fd, sizeof(fd)) != 0) {
        files_close(files, (unsigned)fd[0]);
        files_close(files, (unsigned)fd[1]);
        return -EFAULT;
    }
    return 0;
}

long sys_pipe(user_t pipefd)
{
    return make_pipe(pipefd, 0);
}

long sys_pipe2(user_t pipefd, unsigned flags)
{
    return make_pipe(pipefd, flags);
}
