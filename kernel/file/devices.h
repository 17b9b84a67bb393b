/* The character devices and FIFOs of the VFS, by their numbers (Linux's devices.txt). */
#ifndef UMBRA_FILE_DEVICES_H
#define UMBRA_FILE_DEVICES_H

#include <stdbool.h>
#include <stdint.h>

#define CONSOLE_NUMBER UMVFS_MKDEV(5, 1)

struct file;
struct umvfs_path;
struct umvfs_task;

/* Sets the operations of an open file of the VFS if it is a device or FIFO. May sleep, as
 * fifo_open(). Returns 0, -ENXIO if there is no such device, or an error of fifo_open(). */
int device_open(struct file *file);

/* Makes the nodes of all devices in a directory, as the kernel does in Linux's devtmpfs: they belong to user 0.
 * Errors as umvfs_mknod(); some may have been made then. */
int devices_make(const struct umvfs_path *directory);

/* Opens the console for process 1: /dev/console, so that ttyname(3) finds it, or an inode without a path
 * if the root file system has no such device. Returns NULL if memory is short. */
struct file *console_file(const struct umvfs_task *task);

/* poll(2) */
#define POLLIN     0x0001u
#define POLLPRI    0x0002u
#define POLLOUT    0x0004u
#define POLLERR    0x0008u
#define POLLHUP    0x0010u
#define POLLNVAL   0x0020u
#define POLLRDNORM 0x0040u
#define POLLRDBAND 0x0080u
#define POLLWRNORM 0x0100u
#define POLLWRBAND 0x0200u

#endif
