/* What character devices and FIFOs of the VFS mean, by their numbers (Linux's devices.txt). */
#ifndef UMBRA_FILE_DEVICES_H
#define UMBRA_FILE_DEVICES_H

#include <stdbool.h>
#include <stdint.h>

struct file;

/* Gives an open file of the VFS its operations, if it is a device or FIFO. -ENXIO: no such device. */
int device_open(struct file *file);

/* A description of the console that needs no /dev/console; NULL: no memory. */
struct file *console_file(void);

#define DEVICE_NUMBER(major, minor) ((uint64_t)(major) << 8 | (minor))

#define POLLIN   1u
#define POLLOUT  4u
#define POLLERR  8u
#define POLLHUP  16u
#define POLLNVAL 32u

#define O_NONBLOCK 04000u

#endif
