/* Pipes and FIFOs. */
#ifndef UMBRA_FILE_PIPE_H
#define UMBRA_FILE_PIPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PIPE_CAPACITY_MAX (1u << 20) /* bytes, that any user may ask for, as on Linux */

struct file;

/* Creates a pipe without a name: two descriptions with one reference each. Returns 0 or -ENOMEM. */
int pipe_create(struct file **read_end, struct file **write_end);

/* Connects an open FIFO of the VFS to its pipe, which the first open creates. Waits for the other
 * side as open(2) specifies, unless it is a pipe without a name (opened again through
 * /proc/PID/fd). -EINVAL (access mode 3), -ENOMEM, -ENXIO (writing without a reader and O_NONBLOCK), -ERESTARTSYS. */
int fifo_open(struct file *file);

/* True if the file is an end of a pipe. */
bool pipe_is(const struct file *file);

/* The bytes that a pipe holds in whole pages, 64 KiB at first. pipe_set_capacity() makes it the power
 * of two of pages that holds `size`; what is in the pipe stays. Both return it, or -EBADF: no end of a
 * pipe; the second also -EINVAL: more than 2^31, -EPERM: more than 1 MiB without CAP_SYS_RESOURCE,
 * -EBUSY: less than is in the pipe, -ENOMEM. See fcntl(2), F_SETPIPE_SZ. */
int64_t pipe_capacity(const struct file *file);
int64_t pipe_set_capacity(struct file *file, uint32_t size);

/* Waits until a page can be written to a pipe, whatever is in its last page. -EPIPE (with SIGPIPE),
 * -EAGAIN, -ERESTARTSYS. */
int pipe_wait_for_room(const struct file *file);

/* Puts up to a page of the kernel's bytes into a page of their own, as sendfile(2) does. Never
 * waits: returns `size`, 0 if the pipe is full or has no reader, or -ENOMEM. */
int64_t pipe_put_page(struct file *file, const void *bytes, size_t size);

/* The inode of a FIFO is about to be freed. */
void fifo_gone(void *cookie);

#if __STDC_HOSTED__
/* For checks of the hosted kernel: what the pipe counts that a file leads to; false: the file is none. */
struct pipe_counts {
    const void *pipe;
    unsigned readers, writers, pages;
};
bool pipe_counts_of(const struct file *file, struct pipe_counts *out);
#endif

#endif
