#include "host/files.h"

#include <umvfs/attr.h>

#include "host/fail.h"
#include "mm/aspace.h"
#include "mm/frame.h"
#include "mm/slab.h"

static struct umvfs *vfs;
static struct umvfs_task task;
static const struct umvfs_cred cred = {.caps = UMVFS_CAP_ALL};

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

static void pages_gone(void *ctx, struct umvfs_inode *inode, uint64_t first, uint64_t last)
{
    (void)ctx;
    aspace_file_pages_gone(inode, first, last);
}

static void hole_filled(void *ctx, struct umvfs_inode *inode, uint64_t index)
{
    (void)ctx;
    aspace_file_hole_filled(inode, index);
}

static void inode_gone(void *ctx, struct umvfs_inode *inode, void *cookie)
{
    (void)ctx;
    umvfs_inode_set_cookie(inode, NULL);
    aspace_file_gone(cookie);
}

void files_start(uint64_t max_pages)
{
    struct umvfs_config config = {
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
    int error = umvfs_new(&config, &vfs);
    if (error)
        host_fail("umvfs_new: %d", error);
    task = (struct umvfs_task){.vfs = vfs, .cred = &cred};
    umvfs_root(vfs, &task.root);
    task.cwd = task.root;
}

void files_stop(void)
{
    umvfs_path_put(&task.root);
    int error = umvfs_destroy(vfs);
    if (error)
        host_fail("umvfs_destroy: %d: somebody holds a file", error);
}

const struct umvfs_task *files_task(void)
{
    return &task;
}

struct umvfs_file files_open(const char *path, uint32_t flags)
{
    struct umvfs_file file;
    int error = umvfs_open(&task, NULL, path, flags, 0755, 0, &file);
    if (error)
        host_fail("open %s: %d", path, error);
    return file;
}

void files_write(const char *path, uint32_t mode, const void *data, size_t size)
{
    struct umvfs_file file = files_open(path, UMVFS_O_WRONLY | UMVFS_O_CREAT | UMVFS_O_TRUNC);
    int64_t n = size > 0 ? umvfs_write(&file, data, size) : 0;
    umvfs_close(&file);
    if (n != (int64_t)size || umvfs_chmod(&task, NULL, path, mode, 0) != 0)
        host_fail("write %s: %lld", path, (long long)n);
}

struct umvfs_statfs files_usage(void)
{
    struct umvfs_statfs usage;
    int error = umvfs_statfs(&task.root, &usage);
    if (error)
        host_fail("statfs: %d", error);
    return usage;
}

bool files_writable(const char *path)
{
    struct umvfs_file file;
    if (umvfs_open(&task, NULL, path, UMVFS_O_RDWR, 0, 0, &file) != 0)
        return false;
    umvfs_close(&file);
    return true;
}
