/* Names of flags and of values, from the manual pages. */
#ifndef UMBRA_SYSCALL_NAMES_H
#define UMBRA_SYSCALL_NAMES_H

#include <stdint.h>

/* The name of all values whose bits in `mask` are `value`. */
struct name {
    uint64_t mask, value;
    const char *text;
};

struct name_set {
    const struct name *name;
    unsigned count;
};

/* Sets for FLAGS(...): a value has several names. */
extern const struct name_set names_access, names_at, names_clone, names_faccessat, names_fallocate,
    names_inotify, names_map, names_memfd, names_mlock, names_mlockall, names_mount, names_mremap,
    names_msync, names_open, names_poll, names_prot, names_random, names_rename, names_rwf,
    names_close_range, names_xattr, names_sigaction, names_timer, names_umount, names_unlinkat,
    names_wait;

/* Sets for NAMED(...): a value has one name at most. */
extern const struct name_set names_advice, names_arch_prctl, names_clock, names_error, names_fcntl,
    names_futex, names_ioctl, names_itimer, names_prctl, names_reboot, names_rlimit, names_signal,
    names_sigprocmask, names_sigstack, names_whence;

/* The name of one value; NULL: none. */
const char *name_of(const struct name_set *set, uint64_t value);

#endif
