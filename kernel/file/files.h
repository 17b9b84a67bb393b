/* Open files, and the tables of descriptors that refer to them. */
#ifndef UMBRA_FILE_FILES_H
#define UMBRA_FILE_FILES_H

#include <stdbool.h>
#include <stdint.h>

#include <umvfs/file.h>

#include "file/user_iter.h"
#include "task/process.h"

struct file;
struct wait_queue;

/* The operations of a file that the kernel implements: a device or a pipe. A regular file or
 * directory of the VFS has none. */
struct file_ops {
    /* Return the bytes moved, or an error; NULL: -EINVAL. May sleep: the caller holds a
     * reference. */
    int64_t (*read)(struct file *file, struct user_iter *to);
    int64_t (*write)(struct file *file, struct user_iter *from);
    int (*ioctl)(struct file *file, unsigned request, uint64_t argument); /* NULL: -ENOTTY */
    unsigned (*poll)(struct file *file); /* POLL* that hold now; NULL: readable and writable */
    struct wait_queue *(*poll_queue)(struct file *file); /* NULL: nothing ever changes */
    void (*close)(struct file *file);                    /* the last reference is gone */
    bool has_offsets;  /* pread(2) is read(2), and lseek(2) returns 0, as for /dev/null */
    bool ignores_seek; /* lseek(2) returns 0, and pread(2) is -ESPIPE */
    bool maps_zeros;   /* /dev/zero: a mapping is anonymous memory */
};

/* An open file description: shared by dup and fork. */
struct file {
    struct ref refs;
    bool lets_execute;          /* may write, which does not keep anybody from executing the file */
    const struct file_ops *ops; /* NULL: a regular file or directory */
    void *private_data;         /* of ops */
    struct umvfs_file vfs;      /* its inode is never NULL once the file is open */
};

/* The flags that stay after open, as fcntl(F_GETFL) shows them. */
static inline unsigned file_flags(const struct file *file)
{
    return file->vfs.flags & ~(UMVFS_O_CREAT | UMVFS_O_EXCL | UMVFS_O_TRUNC | UMVFS_O_CLOEXEC);
}

#define FILES_MAX 1024 /* the hard limit of RLIMIT_NOFILE */

#define O_NOCTTY   0400u
#define O_NONBLOCK 04000u

#define FILES_FIRST 32 /* descriptors that every table has room for */

struct files {
    struct ref refs;
    unsigned capacity;      /* of the arrays */
    unsigned used;          /* from this descriptor on all are free */
    unsigned lowest;        /* no descriptor below this one is free */
    struct file **file;     /* `first`, or an object of its own */
    uint8_t *close_on_exec; /* likewise; or DESCRIPTOR_RESERVED, where there is no file */
    struct file *first[FILES_FIRST];
    uint8_t first_close_on_exec[FILES_FIRST];
};
#define DESCRIPTOR_RESERVED 2

struct files *files_create(void);
struct files *files_copy(const struct files *from);

static inline void files_get(struct files *files)
{
    ref_get(&files->refs);
}
void files_put(struct files *files); /* NULL is allowed */

/* True if another process uses the table too. */
static inline bool files_are_shared(const struct files *files)
{
    return files->refs.count > 1;
}

/* Closes the descriptors that are marked close-on-exec. */
void files_exec(struct files *files);

/* Returns the file of a descriptor with a new reference, or NULL. files_peek() takes no reference:
 * its result is valid until the next sleep. */
struct file *files_find(const struct files *files, unsigned fd);

static inline struct file *files_peek(const struct files *files, unsigned fd)
{
    return fd < files->capacity ? files->file[fd] : NULL;
}

/* Returns the file of a descriptor of the current process for one system call, or NULL. If another
 * process can close the descriptor meanwhile, the thread keeps a reference until the call returns.
 * A call may use THREAD_HELD_MAX files. files_release() drops the references. */
static inline struct file *files_use(unsigned fd);
static inline void files_release(void);

/* Puts the file at the lowest free descriptor in [from, limit), and returns the descriptor. The
 * table takes over the reference. On -EMFILE or -ENOMEM the reference stays the caller's. */
int files_install(struct files *files, struct file *file, unsigned from, uint64_t limit,
                  bool close_on_exec);

/* For an open that may sleep: reserves the lowest free descriptor below `limit`, or returns -EMFILE
 * or -ENOMEM. Until files_fill() it has no file, and no other call gets it. files_fill() takes over
 * the reference on the file; files_unreserve() frees the descriptor. */
int files_reserve(struct files *files, uint64_t limit);
void files_fill(struct files *files, unsigned fd, struct file *file, bool close_on_exec);
void files_unreserve(struct files *files, unsigned fd);
bool files_is_reserved(const struct files *files, unsigned fd);

/* Closes a descriptor. -EBADF. */
int files_close(struct files *files, unsigned fd);

/* Replaces the file of `fd`; takes over the reference on file. -ENOMEM, -EBADF (beyond limit),
 * -EBUSY (reserved by an open that is not finished). */
int files_replace(struct files *files, unsigned fd, struct file *file, uint64_t limit,
                  bool close_on_exec);

/*
 * Creates a description with one reference and without operations. Returns NULL if memory is short.
 */
struct file *file_create(void);

static inline void file_get(struct file *file)
{
    ref_get(&file->refs);
}
static inline void file_put(struct file *file);

/* Closes and frees a description that nobody holds any more: of file_put(). */
void file_free(struct file *file);

/* Opens a path for a process and sets the operations of a device or FIFO. May sleep (a FIFO).
 * resolve: UMVFS_RESOLVE_*. On success *out has one reference. Errors as umvfs_open() and
 * device_open(). */
int file_open(const struct umvfs_task *task, const struct umvfs_path *at, const char *path,
              uint32_t flags, uint32_t mode, unsigned resolve, struct file **out);

/* Whether the file was opened for reading or for writing. */
/* With access mode 3 a file was opened for neither, although the rights to both were asked for (open(2)). */
static inline bool file_may_read(const struct file *file)
{
    return !(file->vfs.flags & 1);
}

static inline bool file_may_write(const struct file *file)
{
    return (file->vfs.flags + 1) & 2;
}

/* Read and write at the file's own offset, or at *offset (pread(2)), and advance it. Long transfers
 * have scheduling points; a signal that ends the process stops them. The caller holds a reference
 * on the file, which was not opened with O_PATH. Return the bytes moved, or -EBADF, -EFAULT,
 * -EFBIG, -EINTR and so on. */
int64_t file_read(struct file *file, struct user_iter *to);
int64_t file_write(struct file *file, struct user_iter *from);
int64_t file_read_buffer(struct file *file, user_t to, size_t size);
int64_t file_write_buffer(struct file *file, user_t from, size_t size);

/* Writes bytes of the kernel's to a regular file at *offset, which moves on, on behalf of the current process. Returns
 * as umvfs_write_from(). */
int64_t file_write_bytes(struct file *file, const void *bytes, size_t size, uint64_t *offset);
int64_t file_pread(struct file *file, struct user_iter *to, uint64_t *offset);
int64_t file_pwrite(struct file *file, struct user_iter *from, uint64_t *offset);

/* lseek(2) */
int64_t file_seek(struct file *file, int64_t offset, int whence);

/* Whether reads and writes shall tell of themselves (file/events.h): they then go the longer way. */
void files_tell_events(bool on);

/* The current events of poll(2). */
unsigned file_poll(struct file *file);

/* Checks a write at `offset` against RLIMIT_FSIZE. Returns 0 and reduces *size to the allowed part,
 * or sends SIGXFSZ and returns -EFBIG. */
int file_check_size_limit(uint64_t offset, size_t *size);

static inline void file_put(struct file *file)
{
    if (ref_put(&file->refs))
        file_free(file);
}

static inline struct file *files_use(unsigned fd)
{
    const struct files *files = current_process->files;
    struct file *file = files_peek(files, fd);
    if (!file || !files_are_shared(files))
        return file;
    struct thread *thread = current_thread;
    CHECK(thread->nr_held < THREAD_HELD_MAX, "a call holds %u files", thread->nr_held);
    file_get(file);
    thread->held[thread->nr_held++] = file;
    thread->work |= WORK_HELD;
    return file;
}

static inline void files_release(void)
{
    struct thread *thread = current_thread;
    thread->work &= ~WORK_HELD;
    while (thread->nr_held > 0)
        file_put(thread->held[--thread->nr_held]);
}

#endif
