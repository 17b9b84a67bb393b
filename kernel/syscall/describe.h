/* The contents of the table of calls as data, for messages and traces. */
#ifndef UMBRA_SYSCALL_DESCRIBE_H
#define UMBRA_SYSCALL_DESCRIBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The meaning of an argument or a field; calls.def explains them. */
enum meaning {
    MEANS_NUMBER,
    MEANS_COUNT,
    MEANS_SIZE,
    MEANS_OFFSET,
    MEANS_ADDRESS,
    MEANS_HEX,
    MEANS_UNION,
    MEANS_POINTER,
    MEANS_MODE,
    MEANS_SIGNAL,
    MEANS_SIGNALS, /* of fields: a set */
    MEANS_PID,
    MEANS_UID,
    MEANS_GID,
    MEANS_CLOCK,
    MEANS_DEVICE,
    MEANS_FD,
    MEANS_DIRFD,
    MEANS_FLAGS,
    MEANS_NAMED,
    MEANS_PATH,
    MEANS_STRING,
    MEANS_STRINGS,
    MEANS_ENVIRONMENT,
    MEANS_OUT_STRING,
    MEANS_BYTES_IN,
    MEANS_BYTES_OUT,
    MEANS_IN,
    MEANS_OUT,
    MEANS_INOUT,
};

/* A field of a structure, in the order of printing. */
struct field {
    const char *name;
    uint16_t offset;
    uint8_t size;
    bool is_signed;
    enum meaning meaning;
    const struct name_set *names;
};

struct structure {
    const char *name;
    uint16_t size;
    uint16_t fields; /* 0: printed as its address */
    const struct field *field;
};

struct argument {
    const char *name;
    union {
        const struct name_set *names;      /* of FLAGS and NAMED */
        const struct structure *structure; /* of IN, OUT, INOUT */
    };
    const char *count; /* the argument with the size of bytes, or of an array; or NULL */
    uint8_t meaning;   /* enum meaning */
    uint8_t size;      /* bytes of the register that Linux takes */
    bool is_signed;
};

#define ARGUMENTS_MAX 6

struct call_info {
    const char *name; /* NULL: Linux has no call with the number */
    bool silent;      /* missing, and not reported */
    bool returns_address;
    uint8_t count;
    const struct argument *argument;
};

/* Of a number below SYSCALLS_MAX. */
const struct call_info *call_info(uint64_t number);

/* Names of flags and of values, from the manual pages. */

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

/* The printed fields of the structures that programs pass to calls. */

/* structure_NAME for each NAME in calls.def */
extern const struct structure structure_bytes, structure_dirents, structure_fd_pair,
    structure_fd_set, structure_filled_iovec, structure_gid, structure_gids, structure_int,
    structure_iovec, structure_itimerval, structure_loff_t, structure_pollfd, structure_rlimit,
    structure_rusage, structure_sigaction, structure_siginfo, structure_sigset,
    structure_sigset_argument, structure_stack_t, structure_stat, structure_statfs,
    structure_sysinfo, structure_time_t, structure_timespec, structure_timespec_pair,
    structure_timeval, structure_timeval_pair, structure_timezone, structure_utimbuf, structure_tms,
    structure_statx, structure_u32, structure_utsname;

#endif
