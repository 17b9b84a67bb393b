#include "host/files.h"

#include <vfs/attr.h>

#include "host/fail.h"
#include "mm/aspace.h"
#include "mm/frame.h"
#include "mm/slab.h"

static struct vfs *vfs;
static struct vfs_task task;
static const struct vfs_cred cred = {.caps = VFS_CAP_ALL};

static void *object_alloc(void *ctx, size_t size)
{
    (void)ctx;
    return slab_alloc(size);
}

static void object_free(void *ctx, void *object, size_t size)
{
    (void)ctx, (void)size;
    slab_free(object);
}

static void *page_alloc(void *ctx)
{
    struct frame *frame = frame_alloc(FRAME_FILE);
    (void)ctx;
    return frame ? frame_ptr(frame) : NULL;
}

static void page_get(void *ctx, void *page)
{
    (void)ctx;
    frame_get(frame_of_ptr(page));
}

static void page_put(void *ctx, void *page)
{
    (void)ctx;
    frame_put(frame_of_ptr(page));
}

static void pages_gone(void *ctx, struct vfs_inode *inode, uint64_t first, uint64_t last)
{
    (void)ctx;
    aspace_file_pages_gone(inode, first, last);
}

static void hole_filled(void *ctx, struct vfs_inode *inode, uint64_t index)
{
    (void)ctx;
    aspace_file_hole_filled(inode, index);
}

static void inode_gone(void *ctx, struct vfs_inode *inode, void *cookie)
{
    (void)ctx;
    vfs_inode_set_cookie(inode, NULL);
    aspace_file_gone(cookie);
}

void files_start(uint64_t max_pages)
{
    struct vfs_config config = {
        .alloc = object_alloc,
        .free = object_free,
        .page_alloc = page_alloc,
        .page_get = page_get,
        .page_put = page_put,
        .unmap = pages_gone,
        .hole_filled = hole_filled,
        .inode_free = inode_gone,
        .seed = {1, 2},
        .root_limits = {.max_pages = max_pages},
    };
    int error = vfs_new(&config, &vfs);
    if (error)
        host_fail("vfs_new: %d", error);
    task = (struct vfs_task){.vfs = vfs, .cred = &cred};
    vfs_root(vfs, &task.root);
    task.cwd = task.root;
}

void files_stop(void)
{
    vfs_path_put(&task.root);
    int error = vfs_destroy(vfs);
    if (error)
        host_fail("vfs_destroy: %d: somebody holds a file", error);
}

const struct vfs_task *files_task(void)
{
    return &task;
}

struct vfs_file files_open(const char *path, uint32_t flags)
{
    struct vfs_file file;
    int error = vfs_open(&task, NULL, path, flags, 0755, 0, &file);
    if (error)
        host_fail("open %s: %d", path, error);
    return file;
}

void files_write(const char *path, uint32_t mode, const void *data, size_t size)
{
    struct vfs_file file = files_open(path, VFS_O_WRONLY | VFS_O_CREAT | VFS_O_TRUNC);
    int64_t n = size > 0 ? vfs_write(&file, data, size) : 0;
    vfs_close(&file);
    if (n != (int64_t)size || vfs_chmod(&task, NULL, path, mode, 0) != 0)
        host_fail("write %s: %lld", path, (long long)n);
}

struct vfs_statfs files_usage(void)
{
    struct vfs_statfs usage;
    int error = vfs_statfs(&task.root, &usage);
    if (error)
        host_fail("statfs: %d", error);
    return usage;
}

bool files_writable(const char *path)
{
    struct vfs_file file;
    if (vfs_open(&task, NULL, path, VFS_O_RDWR, 0, 0, &file) != 0)
        return false;
    vfs_close(&file);
    return true;
}
