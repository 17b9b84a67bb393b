#include "file/files.h"

#include "file/devices.h"
#include "file/proc.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "mm/usercopy.h"
#include "task/task.h"

#define FIRST_CAPACITY 32

struct files *files_create(void)
{
    struct files *files = slab_alloc_zeroed(sizeof(*files));
    if (files)
        files->refs = 1;
    return files;
}

/* Makes room for descriptors below `capacity`. */
static int grow(struct files *files, unsigned capacity)
{
    unsigned size = files->capacity ? files->capacity : FIRST_CAPACITY;
    if (capacity <= files->capacity)
        return 0;
    while (size < capacity)
        size *= 2;
    struct file **file = slab_alloc_zeroed(size * sizeof(*file));
    uint8_t *close_on_exec = slab_alloc_zeroed(size);
    if (!file || !close_on_exec) {
        slab_free(file);
        slab_free(close_on_exec);
        return -ENOMEM;
    }
    memcpy(file, files->file, files->capacity * sizeof(*file));
    memcpy(close_on_exec, files->close_on_exec, files->capacity);
    slab_free(files->file);
    slab_free(files->close_on_exec);
    files->file = file;
    files->close_on_exec = close_on_exec;
    files->capacity = size;
    return 0;
}

struct files *files_copy(const struct files *from)
{
    struct files *files = files_create();
    if (!files || grow(files, from->capacity) != 0) {
        slab_free(files);
        return NULL;
    }
    for (unsigned fd = 0; fd < from->capacity; fd++) {
        if (!from->file[fd])
            continue;
        file_get(from->file[fd]);
        files->file[fd] = from->file[fd];
        files->close_on_exec[fd] = from->close_on_exec[fd];
    }
    return files;
}

void files_put(struct files *files)
{
    if (!files || --files->refs > 0)
        return;
    for (unsigned fd = 0; fd < files->capacity; fd++)
        if (files->file[fd])
            file_put(files->file[fd]);
    slab_free(files->file);
    slab_free(files->close_on_exec);
    slab_free(files);
}

void files_exec(struct files *files)
{
    for (unsigned fd = 0; fd < files->capacity; fd++)
        if (files->file[fd] && files->close_on_exec[fd])
            files_close(files, (int)fd);
}

struct file *files_get(const struct files *files, int fd)
{
    return fd >= 0 && (unsigned)fd < files->capacity ? files->file[fd] : NULL;
}

int files_install(struct files *files, struct file *file, int from, uint64_t limit,
                  bool close_on_exec)
{
    unsigned fd = (unsigned)from;
    while (fd < files->capacity && files->file[fd])
        fd++;
    if (fd >= limit)
        return -EMFILE;
    if (grow(files, fd + 1) != 0)
        return -ENOMEM;
    files->file[fd] = file;
    files->close_on_exec[fd] = close_on_exec;
    return (int)fd;
}

int files_close(struct files *files, int fd)
{
    struct file *file = files_get(files, fd);
    if (!file)
        return -EBADF;
    files->file[fd] = NULL;
    file_put(file);
    return 0;
}

int files_replace(struct files *files, int fd, struct file *file, uint64_t limit,
                  bool close_on_exec)
{
    if (fd < 0 || (uint64_t)fd >= limit)
        return -EBADF;
    if (grow(files, (unsigned)fd + 1) != 0)
        return -ENOMEM;
    struct file *old = files->file[fd];
    files->file[fd] = file;
    files->close_on_exec[fd] = close_on_exec;
    if (old)
        file_put(old);
    return 0;
}

struct file *file_create(void)
{
    struct file *file = slab_alloc_zeroed(sizeof(*file));
    if (file)
        file->refs = 1;
    return file;
}

void file_get(struct file *file)
{
    file->refs++;
}

void file_put(struct file *file)
{
    if (--file->refs > 0)
        return;
    if (file->ops && file->ops->close)
        file->ops->close(file);
    if (file->vfs.inode)
        vfs_close(&file->vfs);
    slab_free(file);
}

int file_open(const struct vfs_task *task, const struct vfs_path *at, const char *path,
              uint32_t flags, uint32_t mode, struct file **out)
{
    struct file *file = file_create();
    if (!file)
        return -ENOMEM;
    proc_followed_pipe = NULL;
    int error = vfs_open(task, at, path, flags, mode, 0, &file->vfs);
    if (error) {
        slab_free(file);
        if (error != -ENXIO || !proc_followed_pipe)
            return error;
        file_get(proc_followed_pipe);
        *out = proc_followed_pipe;
        return 0;
    }
    if (!(flags & VFS_O_PATH))
        error = device_open(file);
    if (error) {
        file_put(file);
        return error;
    }
    *out = file;
    return 0;
}

static size_t copy_out(void *ctx, void *to, const void *from, size_t size)
{
    (void)ctx;
    return copy_to_user_some(user_ptr((virt_t)to), from, size);
}

static size_t copy_in(void *ctx, void *to, const void *from, size_t size)
{
    (void)ctx;
    return copy_from_user_some(to, user_ptr((virt_t)from), size);
}

int64_t file_read(struct file *file, virt_t buf, size_t size)
{
    static const struct vfs_copy copy = {copy_out, NULL};
    if ((file->vfs.flags & VFS_O_ACCMODE) == VFS_O_WRONLY || (file->vfs.flags & VFS_O_PATH))
        return -EBADF;
    if (file->ops)
        return file->ops->read ? file->ops->read(file, buf, size) : -EINVAL;
    return vfs_read_to(&file->vfs, (void *)buf, size, &file->vfs.offset, &copy);
}

int64_t file_write(struct file *file, virt_t buf, size_t size)
{
    static const struct vfs_copy copy = {copy_in, NULL};
    if ((file->vfs.flags & VFS_O_ACCMODE) == VFS_O_RDONLY || (file->vfs.flags & VFS_O_PATH))
        return -EBADF;
    if (file->ops)
        return file->ops->write ? file->ops->write(file, buf, size) : -EINVAL;
    struct vfs_task_view view;
    task_vfs_view(current_task, false, &view);
    return vfs_write_from(&file->vfs, &view.cred, (const void *)buf, size, &file->vfs.offset,
                          &copy);
}
