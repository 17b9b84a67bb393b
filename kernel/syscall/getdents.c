/* The contents of directories. */
#include <umvfs/file.h>

#include "file/events.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/usercopy.h"
#include "syscall/calls.h"
#include "syscall/held.h"
#include "task/sched.h"

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
