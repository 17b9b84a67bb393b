/* statfs(2), and the calls that sync a file system. */
#include <umvfs/attr.h>
#include <umvfs/tree.h>

#include "file/unnamed.h"
#include "lib/errno.h"
#include "mm/frame.h"
#include "mm/usercopy.h"
#include "syscall/calls.h"
#include "syscall/paths.h"

#define TMPFS_MAGIC  0x01021994
#define PROC_MAGIC   0x9fa0
#define PIPEFS_MAGIC 0x50495045

/* struct statfs of x86-64 */
struct linux_statfs {
    int64_t type, block_size;
    uint64_t blocks, blocks_free, blocks_available, files, files_free;
    int32_t id[2];
    int64_t name_max, fragment_size, flags, spare[4];
};
_Static_assert(sizeof(struct linux_statfs) == 120, "struct statfs");

static int64_t magic_of(const struct umvfs_inode *inode)
{
    if (umvfs_inode_ops(inode)) /* the only file system that is not libvfs's own */
        return PROC_MAGIC;
    bool is_pipe = unnamed_has(inode) && UMVFS_S_ISFIFO(umvfs_inode_mode(inode));
    return is_pipe ? PIPEFS_MAGIC : TMPFS_MAGIC;
}

static int put_statfs(const struct umvfs_path *place, user_t user)
{
    struct umvfs_statfs stat = {0}, *from = &stat;
    int error = umvfs_statfs(place, &stat);
    if (error)
        return error;
    uint64_t left = from->pages ? from->pages - from->pages_used : frame_count(FRAME_FREE);
    struct linux_statfs to = {
        .type = magic_of(umvfs_path_inode(place)),
        .block_size = PAGE_SIZE,
        .blocks = from->pages ? from->pages : frame_total(),
        .blocks_free = left,
        .blocks_available = left,
        .files = from->inodes,
        .files_free = from->inodes ? from->inodes - from->inodes_used : 0,
        .name_max = UMVFS_NAME_MAX,
        .fragment_size = PAGE_SIZE,
        .flags = from->mount_flags,
    };
    return copy_to_user(user, &to, sizeof(to));
}

long sys_statfs(user_t path, user_t buf)
{
    struct path_call call;
    struct umvfs_path place;
    int error = path_call(&call, AT_FDCWD, path);
    if (!error)
        error = umvfs_lookup(&call.view.task, call.at, call.path, 0, 0, &place);
    if (error)
        return error;
    error = put_statfs(&place, buf);
    umvfs_path_put(&place);
    return error;
}

long sys_fstatfs(int fd, user_t buf)
{
    struct file *file;
    int error = any_file_of(fd, &file);
    return error ? error : put_statfs(&file->vfs.path, buf);
}

/* No effect, since all files are in memory. */
static long sync_file(int fd)
{
    struct file *file;
    int error = file_of(fd, &file);
    return error ? error : file->ops ? -EINVAL : 0;
}

long sys_fsync(int fd)
{
    return sync_file(fd);
}

long sys_fdatasync(int fd)
{
    return sync_file(fd);
}

long sys_sync(void)
{
    return 0;
}
