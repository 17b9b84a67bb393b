/* The character devices and FIFOs of the VFS, by their numbers (Linux's devices.txt). */
#ifndef UMBRA_FILE_DEVICES_H
#define UMBRA_FILE_DEVICES_H

#include <stdbool.h>
#include <stdint.h>

struct file;

/* Sets the operations of an open file of the VFS if it is a device or FIFO. May sleep, as
 * fifo_open(). Returns 0, -ENXIO if there is no such device, or an error of fifo_open(). */
int device_open(struct file *file);

/* Creates a description of the console without /dev/console. Returns NULL if memory is short. */
struct file *console_file(void);

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
