/* Open files and the tables of descriptors that lead to them. */
#ifndef UMBRA_FILE_FILES_H
#define UMBRA_FILE_FILES_H

#include <stdbool.h>
#include <stdint.h>

#include <vfs/file.h>

#include "arch/phys.h"

struct file;

/* What the kernel gives meaning to: devices, pipes. A file of the VFS itself has no operations. */
struct file_ops {
    /* Bytes moved, or an error; NULL: -EINVAL. `offset` NULL: the file's own. */
    int64_t (*read)(struct file *file, virt_t buf, size_t size);
    int64_t (*write)(struct file *file, virt_t buf, size_t size);
    int (*ioctl)(struct file *file, unsigned request, uint64_t argument); /* NULL: -ENOTTY */
    unsigned (*poll)(struct file *file); /* POLL* that hold now; NULL: readable and writable */
    struct wait_queue *(*poll_queue)(struct file *file); /* NULL: nothing ever changes */
    void (*close)(struct file *file);                    /* the last descriptor is gone */
};

/* An open file description: shared by dup and fork. */
struct file {
    unsigned refs;
    const struct file_ops *ops; /* NULL: a file of the VFS */
    void *private_data;         /* of ops */
    struct vfs_file vfs;        /* inode NULL: an anonymous pipe */
};

#define FILES_MAX 1024 /* the hard limit of RLIMIT_NOFILE */

struct files {
    unsigned refs;
    unsigned capacity; /* of the arrays */
    struct file **file;
    uint8_t *close_on_exec;
};

struct files *files_create(void);
struct files *files_copy(const struct files *from);
void files_put(struct files *files);

/* Closes what is marked close-on-exec. */
void files_exec(struct files *files);

/* The file behind a descriptor, without a reference; NULL: none. */
struct file *files_get(const struct files *files, int fd);

/* Puts the file, whose reference moves into the table, at the lowest free descriptor from `from` on
 * and below `limit`; returns it, -EMFILE or -ENOMEM (the reference stays the caller's). */
int files_install(struct files *files, struct file *file, int from, uint64_t limit,
                  bool close_on_exec);

/* Closes a descriptor. -EBADF. */
int files_close(struct files *files, int fd);

/* Replaces what `fd` leads to; the reference on file moves. -ENOMEM, -EBADF (beyond limit). */
int files_replace(struct files *files, int fd, struct file *file, uint64_t limit,
                  bool close_on_exec);

/* A description without operations; NULL: no memory. */
struct file *file_create(void);
void file_get(struct file *file);
void file_put(struct file *file);

/* Opens a path for a task: devices and FIFOs get their operations. */
int file_open(const struct vfs_task *task, const struct vfs_path *at, const char *path,
              uint32_t flags, uint32_t mode, struct file **out);

int64_t file_read(struct file *file, virt_t buf, size_t size);
int64_t file_write(struct file *file, virt_t buf, size_t size);

#endif
