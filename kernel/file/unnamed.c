#include "file/unnamed.h"

#include <umvfs/mount.h>
#include <umvfs/path.h>
#include <umvfs/tree.h>

#include "dev/print.h"
#include "file/root.h"
#include "lib/check.h"
#include "lib/string.h"
#include "task/process.h"

#define MOUNT_POINT "/.unnamed" /* only during boot */
#define NAME_SIZE   24

static struct umvfs_path top;
static uint64_t device, last_number;

/* All rights, and the current process's user as the owner of new objects. */
struct access {
    struct umvfs_cred cred;
    struct umvfs_task task;
};

static struct umvfs_task *access_as_kernel(struct access *access)
{
    const struct process *process = current_process;
    access->cred = (struct umvfs_cred){
        .uid = process ? process->cred.user.fs : 0,
        .gid = process ? process->cred.group.fs : 0,
        .caps = UMVFS_CAP_ALL,
    };
    access->task = (struct umvfs_task){
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
    static const struct umvfs_limits no_limits;
    struct access access;
    umvfs_root(root_vfs, &top);
    struct umvfs_path root = top;
    struct umvfs_task *task = access_as_kernel(&access);
    int error = umvfs_mkdir(task, NULL, MOUNT_POINT, 0700);
    if (!error)
        error = umvfs_mount_memory(task, NULL, MOUNT_POINT, &no_limits, 0700, 0);
    if (!error)
        error = umvfs_lookup(task, NULL, MOUNT_POINT, 0, 0, &top);
    if (!error)
        error = umvfs_umount(task, NULL, MOUNT_POINT, UMVFS_MNT_DETACH);
    if (!error)
        error = umvfs_rmdir(task, NULL, MOUNT_POINT);
    if (error)
        panic("no file system for objects without a name: error %d", -error);
    umvfs_path_put(&root);
    device = umvfs_inode_device(umvfs_path_inode(&top));
    last_number = 0;
}

bool unnamed_has(const struct umvfs_inode *inode)
{
    return umvfs_inode_device(inode) == device;
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
    int error = umvfs_mknod(access_as_kernel(&access), NULL, name, mode, rdev);
    if (!error)
        *number = ++last_number;
    return error;
}

int unnamed_open(uint64_t number, uint32_t flags, struct umvfs_file *out)
{
    struct access access;
    char name[NAME_SIZE];
    name_of(number, name);
    return umvfs_open(access_as_kernel(&access), NULL, name, flags, 0, 0, out);
}

void unnamed_remove(uint64_t number)
{
    struct access access;
    char name[NAME_SIZE];
    name_of(number, name);
    int error = umvfs_unlink(access_as_kernel(&access), NULL, name);
    CHECK(error == 0, "unnamed object %lu: error %d", number, -error);
}

int unnamed_memory(uint64_t size, struct umvfs_file *out)
{
    struct access access;
    int error = umvfs_open(access_as_kernel(&access), NULL, "/", UMVFS_O_TMPFILE | UMVFS_O_RDWR,
                           0600, 0, out);
    if (error)
        return error;
    error = umvfs_file_truncate(out, size);
    if (error)
        umvfs_close(out);
    return error;
}

#define MEMFD "memfd:"

/* The name is in use only until the file is removed, which is before anybody else can run. */
int unnamed_named_memory(const char *name, uint32_t flags, struct umvfs_file *out)
{
    struct access access;
    char whole[sizeof(MEMFD) + UNNAMED_NAME_MAX];
    size_t length = format(whole, sizeof(whole), MEMFD "%s", name);
    for (size_t i = 0; i < length; i++)
        if (whole[i] == '/') /* it cannot be in the name of a file */
            whole[i] = '!';
    const struct umvfs_task *task = access_as_kernel(&access);
    int error = umvfs_open(task, NULL, whole, flags | UMVFS_O_CREAT | UMVFS_O_EXCL, 0777, 0, out);
    if (error)
        return error;
    error = umvfs_unlink(task, NULL, whole);
    CHECK(error == 0, "memory %s: error %d", whole, -error);
    return 0;
}

int unnamed_memory_name(const struct umvfs_path *place, char *name, size_t size)
{
    int length = umvfs_path_name(place, &top, name, size);
    if (length > 0 && strncmp(name, "/" MEMFD, sizeof(MEMFD)) == 0)
        return length;
    return (int)format(name, size, "/dev/zero (deleted)");
}

void unnamed_stop(void)
{
    umvfs_path_put(&top);
}
