/* What character devices and FIFOs of the VFS mean, by their numbers (Linux's devices.txt). */
#ifndef UMBRA_FILE_DEVICES_H
#define UMBRA_FILE_DEVICES_H

#include <stdbool.h>
#include <stdint.h>

struct file;

/* Gives an open file of the VFS its operations, if it is a device or FIFO. May sleep, as fifo_open().
 * -ENXIO: there is no such device; errors of fifo_open(). */
int device_open(struct file *file);

/* A description of the console that needs no /dev/console; NULL: no memory. */
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
