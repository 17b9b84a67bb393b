/* Waiting for files, as poll(2) and select(2) do. */
#ifndef UMBRA_SYSCALL_POLL_H
#define UMBRA_SYSCALL_POLL_H

#include <stddef.h>
#include <stdint.h>

#include "arch/phys.h"

struct pollfd {
    int32_t fd;
    int16_t events, revents;
};

/* Waits until an entry has something to report, or the deadline (monotonic nanoseconds) has come;
 * fills in `revents`. always: POLL* that are reported unasked. Returns the number of entries that
 * report something, -EINTR or -ENOMEM. */
long poll_until(struct pollfd *fds, unsigned count, unsigned always, uint64_t deadline);

/* For ppoll(2) and pselect(2): sets the mask of blocked signals for the time of the call. A null
 * pointer changes nothing. -EFAULT, -EINVAL (size). */
int mask_for_call(user_t mask, size_t size);

#endif
