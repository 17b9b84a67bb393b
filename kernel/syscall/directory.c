/* Directories: the current one and the root of a process, and their contents. */
#include <umvfs/file.h>
#include <umvfs/path.h>
#include <umvfs/tree.h>

#include "file/events.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/usercopy.h"
#include "syscall/calls.h"
#include "syscall/files.h"
#include "task/sched.h"

long sys_umask(int mask)
{
    uint32_t old = current_process->fs->umask;
    current_process->fs->umask = (uint32_t)mask & 0777;
    return old;
}

long sys_getcwd(user_t buf, size_t size)
{
    static char name[UMVFS_PATH_MAX];
    const struct fs_context *fs = current_process->fs;
    int n = umvfs_path_name(&fs->cwd, &fs->root, name, sizeof(name));
    if (n < 0)
        return n;
    if (size < (size_t)n + 1)
        return -ERANGE;
    if (!umvfs_path_linked(&fs->cwd))
        return -ENOENT;
    return copy_to_user(buf, name, (size_t)n + 1) == 0 ? n + 1 : -EFAULT;
}

static void change_directory(const struct umvfs_path *to)
{
    struct umvfs_path old = current_process->fs->cwd;
    current_process->fs->cwd = *to;
    umvfs_path_put(&old);
}

long sys_chdir(user_t path)
{
    struct path_call call;
    struct umvfs_path place;
    int error = path_call(&call, AT_FDCWD, path, 0);
    if (!error)
        error = umvfs_lookup_dir(&call.view.task, NULL, call.path, 0, &place);
    if (!error)
        change_directory(&place);
    return error;
}

long sys_fchdir(int fd)
{
    struct file *file;
    struct vfs_view view;
    struct umvfs_path place;
    int error = any_file_of(fd, &file);
    if (error)
        return error;
    vfs_view_of(current_process, false, &view);
    error = umvfs_lookup_dir(&view.task, &file->vfs.path, "", UMVFS_AT_EMPTY_PATH, &place);
    if (!error)
        change_directory(&place);
    return error;
}

long sys_chroot(user_t path)
{
    struct path_call call;
    struct umvfs_path place;
    int error = path_call(&call, AT_FDCWD, path, 0);
    if (!error)
        error = umvfs_lookup_dir(&call.view.task, call.at, call.path, 0, &place);
    if (error)
        return error;
    if (!capable(CAP_SYS_CHROOT)) {
        umvfs_path_put(&place);
        return -EPERM;
    }
    umvfs_path_put(&current_process->fs->root);
    current_process->fs->root = place;
    return 0;
}

/* The contents of directories. */

/* Records packed into the caller's buffer. Those of getdents(2) have the type in their last byte instead. */
struct dirent {
    uint64_t ino;
    int64_t offset;
    uint16_t size;
    uint8_t type;
    char name[UMVFS_NAME_MAX + 1];
    char padding[5]; /* up to the longest record, which is a multiple of 8 bytes */
} __attribute__((packed));
_Static_assert(sizeof(struct dirent) % 8 == 0, "a record is copied from here");

struct emit_state {
    user_t user;
    size_t room, used;
    bool is_old;   /* getdents(2) */
    unsigned left; /* entries up to the next scheduling point */
    int error;
};

#define CHUNK 4096 /* entries */

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
    if (state->left == 0)
        return 1;
    state->left--;
    entry.size = (uint16_t)size;
    if (state->is_old) {
        memcpy(&entry.type, name, length);
        ((char *)&entry)[offsetof(struct dirent, type) + length] = '\0';
        ((uint8_t *)&entry)[size - 1] = (uint8_t)type;
    } else {
        memcpy(entry.name, name, length);
    }
    state->error = copy_to_user(user_add(state->user, state->used), &entry, size);
    if (state->error)
        return 1;
    state->used += size;
    return 0;
}

static long read_entries(int fd, user_t to, unsigned count, bool is_old)
{
    struct file *file;
    struct emit_state state = {.user = to, .room = count, .is_old = is_old};
    int error = file_of(fd, &file);
    if (error)
        return error;
    do {
        state.left = CHUNK;
        error = umvfs_readdir(&file->vfs, emit, &state);
        if (error)
            return state.used > 0 ? (long)state.used : error;
    } while (state.left == 0 && state.error == 0 && sched_point() == 0);
    events_tell(file, UMVFS_IN_ACCESS);
    return state.used > 0 ? (long)state.used : state.error;
}

long sys_getdents64(int fd, user_t dirp, unsigned count)
{
    return read_entries(fd, dirp, count, false);
}

long sys_getdents(int fd, user_t dirp, unsigned count)
{
    return read_entries(fd, dirp, count, true);
}
