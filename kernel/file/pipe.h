/* Pipes and FIFOs. */
#ifndef UMBRA_FILE_PIPE_H
#define UMBRA_FILE_PIPE_H

#include <stdbool.h>
#include <stdint.h>

struct file;

/* A pipe without a name: two descriptions, held once each. -ENOMEM. */
int pipe_create(struct file **read_end, struct file **write_end);

/* Connects an open FIFO of the VFS to its pipe, made at the first open; waits for the other side as
 * open(2) says, unless it is a pipe without a name (opened again by way of /proc/PID/fd). -ENOMEM,
 * -ENXIO (writing without reader and O_NONBLOCK), -ERESTARTSYS. */
int fifo_open(struct file *file);

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
