/* The commands F_GETLK, F_SETLK, F_SETLKW and F_OFD_* of fcntl(2). */
#ifndef UMBRA_SYSCALL_LOCK_H
#define UMBRA_SYSCALL_LOCK_H

#include "mm/usercopy.h"

struct file;

long fcntl_lock(struct file *file, int fd, unsigned cmd, user_t user);

#endif
