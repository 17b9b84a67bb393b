/* Attributes of files and the contents of directories, in Linux's structures. */
#include <vfs/attr.h>

#include "dev/timer.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/usercopy.h"
#include "syscall/syscall.h"

#define AT_NO_AUTOMOUNT 0x800u

/* struct stat of x86-64 */
struct linux_stat {
    uint64_t dev, ino, nlink;
    uint32_t mode, uid, gid, pad;
    uint64_t rdev;
    int64_t size, block_size, blocks;
    struct timespec atime, mtime, ctime;
    int64_t unused[3];
};
_Static_assert(sizeof(struct linux_stat) == 144, "struct stat");

static struct timespec timespec_of(int64_t ns)
{
    int64_t second = (int64_t)NS_PER_SECOND;
    int64_t seconds = ns / second, rest = ns % second;
    if (rest < 0) {
        rest += second;
        seconds--;
    }
    return (struct timespec){seconds, rest};
}

static int put_stat(const struct vfs_stat *from, uint64_t user)
{
    struct linux_stat to = {
        .dev = from->dev,
        .ino = from->ino,
        .nlink = from->nlink,
        .mode = from->mode,
        .uid = from->uid,
        .gid = from->gid,
        .rdev = from->rdev,
        .size = (int64_t)from->size,
        .block_size = (int64_t)PAGE_SIZE,
        .blocks = (int64_t)from->blocks,
        .atime = timespec_of(from->atime),
        .mtime = timespec_of(from->mtime),
        .ctime = timespec_of(from->ctime),
    };
    return copy_to_user(user_ptr(user), &to, sizeof(to));
}

static long stat_at(int fd, uint64_t path, uint64_t buf, unsigned flags)
{
    struct vfs_view view;
    struct vfs_stat stat;
    const struct vfs_path *at = NULL;
    const char *name;
    if (flags & ~(VFS_AT_SYMLINK_NOFOLLOW | VFS_AT_EMPTY_PATH | AT_NO_AUTOMOUNT))
        return -EINVAL;
    int error = path_from_user(PATH_FIRST, path, &name);
    if (error)
        return error;
    if (name[0] == '\0' && (flags & VFS_AT_EMPTY_PATH) && fd != AT_FDCWD)
        return sys_fstat((uint64_t)fd, buf, 0, 0, 0, 0);
    if (name[0] != '/')
        error = directory_of(fd, &at);
    if (error)
        return error;
    vfs_view_of(current_process, false, &view);
    error = vfs_stat(&view.task, at, name, flags & ~AT_NO_AUTOMOUNT, &stat);
    return error ? error : put_stat(&stat, buf);
}

SYSCALL(stat)
{
    return stat_at(AT_FDCWD, a, b, 0);
}

SYSCALL(lstat)
{
    return stat_at(AT_FDCWD, a, b, VFS_AT_SYMLINK_NOFOLLOW);
}

SYSCALL(newfstatat)
{
    return stat_at((int)a, b, c, (unsigned)d);
}

SYSCALL(fstat)
{
    struct file *file;
    struct vfs_stat stat;
    int error = any_file_of((int)a, &file);
    if (!error)
        error = vfs_inode_stat(file->vfs.inode, &stat);
    return error ? error : put_stat(&stat, b);
}

/* getdents64(2): records packed into the caller's buffer. */
struct dirent {
    uint64_t ino;
    int64_t offset;
    uint16_t size;
    uint8_t type;
    char name[VFS_NAME_MAX + 1];
    char padding[5]; /* up to the longest record, which is a multiple of 8 bytes */
} __attribute__((packed));
_Static_assert(sizeof(struct dirent) % 8 == 0, "a record is copied from here");

struct emit_state {
    uint64_t user;
    size_t room, used;
    int error;
};

static int emit(void *ctx, const char *name, size_t length, uint64_t ino, unsigned type,
                uint64_t next)
{
    struct emit_state *state = ctx;
    struct dirent entry = {.ino = ino, .offset = (int64_t)next, .type = (uint8_t)type};
    size_t size = (offsetof(struct dirent, name) + length + 1 + 7) & ~(size_t)7;
    if (size > state->room - state->used) {
        state->error = state->used == 0 ? -EINVAL : 0;
        return 1;
    }
    entry.size = (uint16_t)size;
    memcpy(entry.name, name, length);
    state->error = copy_to_user(user_ptr(state->user + state->used), &entry, size);
    if (state->error)
        return 1;
    state->used += size;
    return 0;
}

SYSCALL(getdents64)
{
    struct file *file;
    struct emit_state state = {.user = b, .room = (uint32_t)c};
    int error = file_of((int)a, &file);
    if (error)
        return error;
    error = vfs_readdir(&file->vfs, emit, &state);
    if (error)
        return error;
    return state.used > 0 ? (long)state.used : state.error;
}
