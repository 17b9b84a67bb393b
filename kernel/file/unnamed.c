#include "file/unnamed.h"

#include <vfs/mount.h>
#include <vfs/tree.h>

#include "dev/print.h"
#include "file/root.h"
#include "lib/check.h"
#include "task/process.h"

#define MOUNT_POINT "/.unnamed" /* only during boot */
#define NAME_SIZE   24

static struct vfs_path top;
static uint64_t device, last_number;

/* All rights, and the current process's user as the owner of new objects. */
struct access {
    struct vfs_cred cred;
    struct vfs_task task;
};

static struct vfs_task *access_as_kernel(struct access *access)
{
    const struct process *process = current_process;
    access->cred = (struct vfs_cred){
        .uid = process ? process->cred.user.fs : 0,
        .gid = process ? process->cred.group.fs : 0,
        .caps = VFS_CAP_ALL,
    };
    access->task = (struct vfs_task){
        .vfs = root_vfs,
        .cred = &access->cred,
        .root = top,
        .cwd = top,
    };
    return &access->task;
}

/* Mounts it, keeps a reference on its root, and unmounts it from the tree of names. */
void unnamed_init(void)
{
    static const struct vfs_limits no_limits;
    struct access access;
    vfs_root(root_vfs, &top);
    struct vfs_path root = top;
    struct vfs_task *task = access_as_kernel(&access);
    int error = vfs_mkdir(task, NULL, MOUNT_POINT, 0700);
    if (!error)
        error = vfs_mount_memory(task, NULL, MOUNT_POINT, &no_limits, 0700, 0);
    if (!error)
        error = vfs_lookup(task, NULL, MOUNT_POINT, 0, 0, &top);
    if (!error)
        error = vfs_umount(task, NULL, MOUNT_POINT, VFS_MNT_DETACH);
    if (!error)
        error = vfs_rmdir(task, NULL, MOUNT_POINT);
    if (error)
        panic("no file system for objects without a name: error %d", -error);
    vfs_path_put(&root);
    device = vfs_inode_device(vfs_path_inode(&top));
    last_number = 0;
}

bool unnamed_has(const struct vfs_inode *inode)
{
    return vfs_inode_device(inode) == device;
}

static void name_of(uint64_t number, char name[NAME_SIZE])
{
    format(name, NAME_SIZE, "%lu", number);
}

int unnamed_create(uint32_t mode, uint64_t rdev, uint64_t *number)
{
    struct access access;
    char name[NAME_SIZE];
    name_of(last_number + 1, name);
    int error = vfs_mknod(access_as_kernel(&access), NULL, name, mode, rdev);
    if (!error)
        *number = ++last_number;
    return error;
}

int unnamed_open(uint64_t number, uint32_t flags, struct vfs_file *out)
{
    struct access access;
    char name[NAME_SIZE];
    name_of(number, name);
    return vfs_open(access_as_kernel(&access), NULL, name, flags, 0, 0, out);
}

void unnamed_remove(uint64_t number)
{
    struct access access;
    char name[NAME_SIZE];
    name_of(number, name);
    int error = vfs_unlink(access_as_kernel(&access), NULL, name);
    CHECK(error == 0, "unnamed object %lu: error %d", number, -error);
}

int unnamed_memory(uint64_t size, struct vfs_file *out)
{
    struct access access;
    int error =
        vfs_open(access_as_kernel(&access), NULL, "/", VFS_O_TMPFILE | VFS_O_RDWR, 0600, 0, out);
    if (error)
        return error;
    error = vfs_file_truncate(out, size);
    if (error)
        vfs_close(out);
    return error;
}

void unnamed_stop(void)
{
    vfs_path_put(&top);
}
