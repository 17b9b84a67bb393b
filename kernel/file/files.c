#include "file/files.h"

#include <umvfs/vfs.h>

#include "file/devices.h"
#include "file/events.h"
#include "file/locks.h"
#include "file/root.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "lib/variable.h"
#include "mm/slab.h"
#include "mm/usercopy.h"
#include "task/process.h"

#define CHUNK_SIZE (1u << 20) /* bytes of a file that move between two scheduling points */

struct file *file_create(void)
{
    struct file *file = slab_alloc_zeroed(sizeof(*file));
    if (file)
        file->refs = REF_ONE;
    return file;
}

static size_t direct_max = CHUNK_SIZE; /* what may be moved without telling of it; 0: nothing */

void files_tell_events(bool on)
{
    direct_max = on ? 0 : CHUNK_SIZE;
}

__attribute__((always_inline)) static inline void release(struct file *file)
{
    if (file->ops && file->ops->close)
        file->ops->close(file);
    if (file->lets_execute)
        umvfs_writer_get(file->vfs.inode);
    umvfs_close(&file->vfs);
    slab_free(file);
}

/* Ends the locks that the open file holds, and tells of its end. */
__attribute__((noinline)) static void tell_close(const struct file *file)
{
    if (!file->vfs.inode)
        return;
    events_tell(file, file_may_write(file) ? UMVFS_IN_CLOSE_WRITE : UMVFS_IN_CLOSE_NOWRITE);
    locks_file_freed(file);
}

void file_free(struct file *file)
{
    if (file_locks.count | events_watches)
        tell_close(file);
    release(file);
}

int file_open(const struct umvfs_task *task, const struct umvfs_path *at, const char *path,
              uint32_t flags, uint32_t mode, unsigned resolve, struct file **out)
{
    struct file *file = file_create();
    if (!file)
        return -ENOMEM;
    int error = umvfs_open(task, at, path, flags, mode, resolve, &file->vfs);
    if (error) {
        slab_free(file);
        return error;
    }
    if (!(flags & UMVFS_O_PATH))
        error = device_open(file);
    if (error) {
        release(file);
        return error;
    }
    events_tell(file, UMVFS_IN_OPEN);
    file->vfs.flags &= ~(uint32_t)O_NOCTTY; /* tells about the call, not about the file */
    *out = file;
    return 0;
}

static size_t copy_out(void *ctx, void *to, const void *from, size_t size)
{
    (void)ctx;
    return copy_to_user_some(user_ptr((uint64_t)to), from, size);
}

static size_t copy_in(void *ctx, void *to, const void *from, size_t size)
{
    (void)ctx;
    return copy_from_user_some(to, user_ptr((uint64_t)from), size);
}

static inline int64_t read_some(struct file *file, user_t base, size_t size, uint64_t *offset)
{
    static const struct umvfs_copy copy = {copy_out, NULL};
    current_thread->vfs_copy = VFS_COPY_WHOLE;
    return umvfs_read_to(&file->vfs, (void *)base.value, size, offset, &copy);
}

static inline int64_t write_some(struct file *file, user_t base, size_t size, uint64_t *offset)
{
    static const struct umvfs_copy copy = {copy_in, NULL};
    UNINITIALIZED struct vfs_view view; /* vfs_view_of() */
    uint64_t start = file->vfs.flags & UMVFS_O_APPEND ? umvfs_inode_size(file->vfs.inode) : *offset;
    current_thread->vfs_copy = VFS_COPY_WHOLE;
    int error = file_check_size_limit(start, &size);
    if (error)
        return error;
    vfs_view_of(current_process, false, &view);
    return umvfs_write_from(&file->vfs, &view.cred, (const void *)base.value, size, offset, &copy);
}

static inline int64_t move_some(struct file *file, user_t base, size_t size, uint64_t *offset,
                                bool is_read)
{
    return is_read ? read_some(file, base, size, offset) : write_some(file, base, size, offset);
}

/* Goes on with a piece of which `n` bytes were moved, or whose result is the error `n`, as long as the page of a mapped
 * file that is missing can be made. The copy ended there, since the page fault would have entered libvfs in the middle,
 * perhaps in the same file. `offset` is NULL for the file's own, so that callers need not keep it. */
__attribute__((noinline)) static int64_t make_missing(struct file *file, user_t base, size_t size,
                                                      uint64_t *offset, int64_t n, bool is_read)
{
    size_t done = 0;
    uint64_t last = 0;
    if (!offset)
        offset = &file->vfs.offset;
    for (;;) {
        uint64_t missing = current_thread->vfs_copy;
        done += n > 0 ? (size_t)n : 0;
        if (missing == VFS_COPY_WHOLE || missing == last ||
            process_fault(virt(missing), is_read ? ACCESS_WRITE : ACCESS_READ) != 0)
            return done > 0 ? (int64_t)done : n;
        last = missing;
        n = move_some(file, user_add(base, done), size - done, offset, is_read);
    }
}

/* Reads or writes one piece of user memory, at most a chunk. */
static inline int64_t move_piece(struct file *file, user_t base, size_t size, uint64_t *offset,
                                 bool is_read)
{
    int64_t n = move_some(file, base, size, offset, is_read);
    if (__builtin_expect(current_thread->vfs_copy != VFS_COPY_WHOLE, 0))
        n = make_missing(file, base, size, offset == &file->vfs.offset ? NULL : offset, n, is_read);
    current_thread->vfs_copy = 0;
    return n;
}

static inline int64_t read_piece(struct file *file, user_t base, size_t size, uint64_t *offset)
{
    return move_piece(file, base, size, offset, true);
}

static inline int64_t write_piece(struct file *file, user_t base, size_t size, uint64_t *offset)
{
    return move_piece(file, base, size, offset, false);
}

static size_t copy_bytes(void *ctx, void *to, const void *from, size_t size)
{
    (void)ctx;
    memcpy(to, from, size);
    return size;
}

int64_t file_write_bytes(struct file *file, const void *bytes, size_t size, uint64_t *offset)
{
    static const struct umvfs_copy copy = {copy_bytes, NULL};
    UNINITIALIZED struct vfs_view view; /* vfs_view_of() */
    vfs_view_of(current_process, false, &view);
    return umvfs_write_from(&file->vfs, &view.cred, bytes, size, offset, &copy);
}

typedef int64_t piece_fn(struct file *file, user_t base, size_t size, uint64_t *offset);

/* Of reads and writes that go the longer way: tells of what was moved, and of a set-user-id bit that
 * a write has taken. */
static void tell_moved(const struct file *file, bool is_read, uint32_t mode_before, int64_t moved)
{
    if (umvfs_inode_mode(file->vfs.inode) != mode_before)
        events_tell(file, UMVFS_IN_ATTRIB);
    events_tell_moved(file, is_read ? UMVFS_IN_ACCESS : UMVFS_IN_MODIFY, moved);
}

/* Moves all of the user memory, piece by piece. */
__attribute__((noinline)) static int64_t transfer_pieces(struct file *file, struct user_iter *iter,
                                                         uint64_t *offset, piece_fn *piece)
{
    int64_t total = 0;
    uint32_t mode = umvfs_inode_mode(file->vfs.inode);
    user_t base = {0};
    do {
        size_t size = user_iter_current(iter, &base);
        size_t wanted = size < CHUNK_SIZE ? size : CHUNK_SIZE;
        int64_t n = piece(file, base, wanted, offset);
        if (n < 0) {
            total = total ? total : n;
            break;
        }
        total += n;
        user_iter_advance(iter, (size_t)n);
        if ((size_t)n < wanted || iter->left == 0)
            break;
    } while (sched_point() == 0);
    tell_moved(file, piece == read_piece, mode, total);
    return total;
}

/* Calls `piece` directly in the usual case, one small piece. */
static inline int64_t transfer(struct file *file, struct user_iter *iter, uint64_t *offset,
                               piece_fn *piece)
{
    if (iter->range->size - iter->done >= iter->left && iter->left <= direct_max)
        return piece(file, user_add(iter->range->base, iter->done), iter->left, offset);
    return transfer_pieces(file, iter, offset, piece);
}

/* Of a file without operations. */
__attribute__((noinline)) static int64_t read_regular(struct file *file, struct user_iter *to)
{
    return transfer(file, to, &file->vfs.offset, read_piece);
}

__attribute__((noinline)) static int64_t write_regular(struct file *file, struct user_iter *from)
{
    return transfer(file, from, &file->vfs.offset, write_piece);
}

int64_t file_read(struct file *file, struct user_iter *to)
{
    if (!file_may_read(file))
        return -EBADF;
    if (!file->ops)
        return read_regular(file, to);
    int64_t n = file->ops->read ? file->ops->read(file, to) : -EINVAL;
    events_tell_moved(file, UMVFS_IN_ACCESS, n);
    return n;
}

int64_t file_write(struct file *file, struct user_iter *from)
{
    if (!file_may_write(file))
        return -EBADF;
    if (!file->ops)
        return write_regular(file, from);
    int64_t n = file->ops->write ? file->ops->write(file, from) : -EINVAL;
    events_tell_moved(file, UMVFS_IN_MODIFY, n);
    return n;
}

typedef int64_t transfer_fn(struct file *file, struct user_iter *iter);

/* Of a file with operations. */
__attribute__((noinline)) static int64_t tell_transfer(struct file *file, struct user_iter *iter,
                                                       transfer_fn *transfer_iter)
{
    int64_t n = transfer_iter(file, iter);
    bool is_read = transfer_iter == file->ops->read;
    events_tell_moved(file, is_read ? UMVFS_IN_ACCESS : UMVFS_IN_MODIFY, n);
    return n;
}

/* Makes an iterator of the buffer, for files with operations and for long transfers. */
__attribute__((noinline)) static int64_t transfer_buffer(struct file *file, user_t base,
                                                         size_t size, transfer_fn *transfer_iter)
{
    struct user_range range = {base, size};
    struct user_iter iter = {&range, 0, size, NULL};
    if (events_watches && file->ops)
        return tell_transfer(file, &iter, transfer_iter);
    return transfer_iter(file, &iter);
}

int64_t file_read_buffer(struct file *file, user_t to, size_t size)
{
    if (!file_may_read(file))
        return -EBADF;
    if (file->ops)
        return file->ops->read ? transfer_buffer(file, to, size, file->ops->read) : -EINVAL;
    if (size > direct_max)
        return transfer_buffer(file, to, size, read_regular);
    return read_piece(file, to, size, &file->vfs.offset);
}

int64_t file_write_buffer(struct file *file, user_t from, size_t size)
{
    if (!file_may_write(file))
        return -EBADF;
    if (file->ops)
        return file->ops->write ? transfer_buffer(file, from, size, file->ops->write) : -EINVAL;
    if (size > direct_max)
        return transfer_buffer(file, from, size, write_regular);
    return write_piece(file, from, size, &file->vfs.offset);
}

/* Whether a transfer at an offset goes past the largest offset that there is. */
static bool is_past_end(const struct user_iter *iter, uint64_t offset)
{
    return iter->left > (uint64_t)INT64_MAX - offset;
}

int64_t file_pread(struct file *file, struct user_iter *to, uint64_t *offset)
{
    if (file->ops && !file->ops->has_offsets)
        return -ESPIPE;
    if (!file_may_read(file))
        return -EBADF;
    if (is_past_end(to, *offset))
        return -EINVAL;
    return file->ops ? file_read(file, to) : transfer(file, to, offset, read_piece);
}

int64_t file_pwrite(struct file *file, struct user_iter *from, uint64_t *offset)
{
    if (file->ops && !file->ops->has_offsets)
        return -ESPIPE;
    if (!file_may_write(file))
        return -EBADF;
    if (is_past_end(from, *offset))
        return -EINVAL;
    return file->ops ? file_write(file, from) : transfer(file, from, offset, write_piece);
}

int64_t file_seek(struct file *file, int64_t offset, int whence)
{
    if (file->ops)
        return file->ops->has_offsets || file->ops->ignores_seek ? 0 : -ESPIPE;
    return umvfs_seek(&file->vfs, offset, whence);
}

unsigned file_poll(struct file *file)
{
    if (file->vfs.flags & UMVFS_O_PATH)
        return POLLNVAL;
    if (file->ops && file->ops->poll)
        return file->ops->poll(file);
    return POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM;
}

int file_check_size_limit(uint64_t offset, size_t *size)
{
    uint64_t limit = current_process->limits[RLIMIT_FSIZE].soft;
    if (limit == RLIM_INFINITY || *size == 0)
        return 0;
    if (offset >= limit) {
        signal_send_self(SIGXFSZ);
        return -EFBIG;
    }
    if (*size > limit - offset)
        *size = (size_t)(limit - offset);
    return 0;
}
