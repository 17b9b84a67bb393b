/* memfd_create(2). */
#include "file/unnamed.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "syscall/calls.h"
#include "syscall/held.h"

#define MFD_CLOEXEC 1u
#define O_LARGEFILE 0100000u

static int create(const char *name, struct file **out)
{
    struct file *file = file_create();
    if (!file)
        return -ENOMEM;
    int error = unnamed_named_memory(name, UMVFS_O_RDWR | O_LARGEFILE, &file->vfs);
    if (error)
        file_put(file);
    else
        *out = file;
    return error;
}

/* MFD_ALLOW_SEALING is refused, since there are no seals. */
long sys_memfd_create(user_t name, unsigned flags)
{
    char copy[UNNAMED_NAME_MAX + 1];
    struct file *file;
    if (flags & ~MFD_CLOEXEC)
        return -EINVAL;
    long length = copy_string_from_user(copy, name, sizeof(copy));
    if (length < 0)
        return length == -ENAMETOOLONG ? -EINVAL : length;
    int error = create(copy, &file);
    if (error)
        return error;
    int fd =
        files_install(current_process->files, file, 0, descriptor_limit(), flags & MFD_CLOEXEC);
    if (fd < 0)
        file_put(file);
    return fd;
}
