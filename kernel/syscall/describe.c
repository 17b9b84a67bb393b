#include "syscall/describe.h"

#include <stddef.h>

#include "lib/errno.h"
#include "syscall/calls.h"

#define AS_NUMBER              .meaning = MEANS_NUMBER
#define AS_COUNT               .meaning = MEANS_COUNT
#define AS_SIZE                .meaning = MEANS_SIZE
#define AS_OFFSET              .meaning = MEANS_OFFSET
#define AS_ADDRESS             .meaning = MEANS_ADDRESS
#define AS_HEX                 .meaning = MEANS_HEX
#define AS_UNION               .meaning = MEANS_UNION
#define AS_POINTER             .meaning = MEANS_POINTER
#define AS_MODE                .meaning = MEANS_MODE
#define AS_SIGNAL              .meaning = MEANS_SIGNAL
#define AS_PID                 .meaning = MEANS_PID
#define AS_UID                 .meaning = MEANS_UID
#define AS_GID                 .meaning = MEANS_GID
#define AS_CLOCK               .meaning = MEANS_CLOCK
#define AS_DEVICE              .meaning = MEANS_DEVICE
#define AS_FD                  .meaning = MEANS_FD
#define AS_DIRFD               .meaning = MEANS_DIRFD
#define AS_PATH                .meaning = MEANS_PATH
#define AS_STRING              .meaning = MEANS_STRING
#define AS_STRINGS             .meaning = MEANS_STRINGS
#define AS_ENVIRONMENT         .meaning = MEANS_ENVIRONMENT
#define AS_OUT_STRING          .meaning = MEANS_OUT_STRING
#define AS_FLAGS(set)          .meaning = MEANS_FLAGS, .names = &names_##set
#define AS_NAMED(set)          .meaning = MEANS_NAMED, .names = &names_##set
#define AS_BYTES_IN(size)      .meaning = MEANS_BYTES_IN, .count = #size
#define AS_BYTES_OUT(size)     .meaning = MEANS_BYTES_OUT, .count = #size
#define AS_IN(s)               .meaning = MEANS_IN, .structure = &structure_##s
#define AS_OUT(s)              .meaning = MEANS_OUT, .structure = &structure_##s
#define AS_INOUT(s)            .meaning = MEANS_INOUT, .structure = &structure_##s
#define AS_IN_ARRAY(s, length) .meaning = MEANS_IN, .structure = &structure_##s, .count = #length
#define AS_INOUT_ARRAY(s, length)                                                                  \
    .meaning = MEANS_INOUT, .structure = &structure_##s, .count = #length

#define IS_SIGNED(type) _Generic((type){0}, int: true, int64_t: true, default: false)

#define DESCRIBE_OF(type, argument, how)                                                           \
    {.name = #argument, .size = sizeof(type), .is_signed = IS_SIGNED(type), AS_##how}
#define DESCRIBE(register, argument) DESCRIBE_OF argument
#define DESCRIBE_NONE                {0}

#define CALL(number, call, state, arguments, ...)                                                  \
    static const struct argument arguments_of_##call[] = {                                         \
        LIST_ARGUMENTS(arguments, DESCRIBE, __VA_ARGS__)};
#include "syscall/calls.def"

/* mmap, brk, mremap */
#define RETURNS_ADDRESS(number) ((number) == 9 || (number) == 12 || (number) == 25)

static const struct call_info calls[SYSCALLS_MAX] = {
#define CALL(number, call, state, arguments, ...)                                                  \
    [number] = {.name = #call,                                                                     \
                .count = arguments,                                                                \
                .argument = arguments_of_##call,                                                   \
                .returns_address = RETURNS_ADDRESS(number)},
#define MISSING(number, call) [number] = {.name = #call},
#define SILENT(number, call)  [number] = {.name = #call, .silent = true},
#include "syscall/calls.def"
};

const struct call_info *call_info(uint64_t number)
{
    return &calls[number];
}

#define SIGNED(name, offset, size, meaning)   {name, offset, size, true, MEANS_##meaning, NULL}
#define UNSIGNED(name, offset, size, meaning) {name, offset, size, false, MEANS_##meaning, NULL}
#define FLAG_WORD(name, offset, size, set)    {name, offset, size, false, MEANS_FLAGS, &names_##set}
#define STRUCTURE(name, size)                                                                      \
    const struct structure structure_##name = {                                                    \
        #name, size, sizeof(name##_fields) / sizeof(name##_fields[0]), name##_fields}
#define OPAQUE(name, size) const struct structure structure_##name = {#name, size, 0, NULL}

/* A field without a name is printed as its value alone. */
static const struct field int_fields[] = {SIGNED(NULL, 0, 4, NUMBER)};
STRUCTURE(int, 4);

static const struct field u32_fields[] = {UNSIGNED(NULL, 0, 4, NUMBER)};
STRUCTURE(u32, 4);

static const struct field gid_fields[] = {UNSIGNED(NULL, 0, 4, GID)};
STRUCTURE(gid, 4);

static const struct field loff_t_fields[] = {SIGNED(NULL, 0, 8, OFFSET)};
STRUCTURE(loff_t, 8);

static const struct field time_t_fields[] = {SIGNED(NULL, 0, 8, NUMBER)};
STRUCTURE(time_t, 8);

static const struct field sigset_fields[] = {UNSIGNED(NULL, 0, 8, SIGNALS)};
STRUCTURE(sigset, 8);

static const struct field fd_pair_fields[] = {SIGNED(NULL, 0, 4, FD), SIGNED(NULL, 4, 4, FD)};
STRUCTURE(fd_pair, 8);

static const struct field timespec_fields[] = {SIGNED("tv_sec", 0, 8, NUMBER),
                                               SIGNED("tv_nsec", 8, 8, NUMBER)};
STRUCTURE(timespec, 16);

static const struct field timeval_fields[] = {SIGNED("tv_sec", 0, 8, NUMBER),
                                              SIGNED("tv_usec", 8, 8, NUMBER)};
STRUCTURE(timeval, 16);

static const struct field timespec_pair_fields[] = {
    SIGNED("atime.tv_sec", 0, 8, NUMBER), SIGNED("tv_nsec", 8, 8, NUMBER),
    SIGNED("mtime.tv_sec", 16, 8, NUMBER), SIGNED("tv_nsec", 24, 8, NUMBER)};
STRUCTURE(timespec_pair, 32);

static const struct field timeval_pair_fields[] = {
    SIGNED("atime.tv_sec", 0, 8, NUMBER), SIGNED("tv_usec", 8, 8, NUMBER),
    SIGNED("mtime.tv_sec", 16, 8, NUMBER), SIGNED("tv_usec", 24, 8, NUMBER)};
STRUCTURE(timeval_pair, 32);

static const struct field itimerval_fields[] = {
    SIGNED("it_interval.tv_sec", 0, 8, NUMBER), SIGNED("tv_usec", 8, 8, NUMBER),
    SIGNED("it_value.tv_sec", 16, 8, NUMBER), SIGNED("tv_usec", 24, 8, NUMBER)};
STRUCTURE(itimerval, 32);

static const struct field iovec_fields[] = {UNSIGNED("iov_base", 0, 8, ADDRESS),
                                            UNSIGNED("iov_len", 8, 8, SIZE)};
STRUCTURE(iovec, 16);

/* The same, with the data that it points to. */
static const struct field filled_iovec_fields[] = {UNSIGNED("iov_base", 0, 8, BYTES_IN),
                                                   UNSIGNED("iov_len", 8, 8, SIZE)};
STRUCTURE(filled_iovec, 16);

static const struct field pollfd_fields[] = {
    SIGNED("fd", 0, 4, FD), FLAG_WORD("events", 4, 2, poll), FLAG_WORD("revents", 6, 2, poll)};
STRUCTURE(pollfd, 8);

static const struct field rlimit_fields[] = {UNSIGNED("rlim_cur", 0, 8, NUMBER),
                                             UNSIGNED("rlim_max", 8, 8, NUMBER)};
STRUCTURE(rlimit, 16);

static const struct field sigaction_fields[] = {
    UNSIGNED("sa_handler", 0, 8, ADDRESS), UNSIGNED("sa_mask", 24, 8, SIGNALS),
    FLAG_WORD("sa_flags", 8, 8, sigaction), UNSIGNED("sa_restorer", 16, 8, ADDRESS)};
STRUCTURE(sigaction, 32);

static const struct field sigset_argument_fields[] = {UNSIGNED("ss", 0, 8, POINTER),
                                                      UNSIGNED("ss_len", 8, 8, SIZE)};
STRUCTURE(sigset_argument, 16);

static const struct field stack_t_fields[] = {UNSIGNED("ss_sp", 0, 8, ADDRESS),
                                              FLAG_WORD("ss_flags", 8, 4, sigstack),
                                              UNSIGNED("ss_size", 16, 8, SIZE)};
STRUCTURE(stack_t, 24);

static const struct field stat_fields[] = {UNSIGNED("st_mode", 24, 4, MODE),
                                           SIGNED("st_size", 48, 8, OFFSET)};
STRUCTURE(stat, 144);

OPAQUE(bytes, 0);
OPAQUE(dirents, 0);
OPAQUE(gids, 0);
OPAQUE(fd_set, 128);
OPAQUE(rusage, 144);
OPAQUE(siginfo, 128);
OPAQUE(statfs, 120);
OPAQUE(statx, 256);
OPAQUE(sysinfo, 112);
OPAQUE(timezone, 8);
OPAQUE(utimbuf, 16);
OPAQUE(tms, 32);
OPAQUE(utsname, 390);

#define BIT(value, name)        {value, value, #name}
#define PART(mask, value, name) {mask, value, #name}
#define VALUE(value, name)      {UINT64_MAX, value, #name}
#define LOW32(value, name)      {UINT32_MAX, value, #name}
#define SET(set, table)                                                                            \
    const struct name_set names_##set = {table, sizeof(table) / sizeof(table[0])}

const char *name_of(const struct name_set *set, uint64_t value)
{
    for (unsigned i = 0; i < set->count; i++)
        if ((value & set->name[i].mask) == set->name[i].value)
            return set->name[i].text;
    return NULL;
}

static const struct name access_names[] = {VALUE(0, F_OK), BIT(4, R_OK), BIT(2, W_OK),
                                           BIT(1, X_OK)};
SET(access, access_names);

static const struct name at_names[] = {
    BIT(0x100, AT_SYMLINK_NOFOLLOW), BIT(0x200, AT_REMOVEDIR),   BIT(0x400, AT_SYMLINK_FOLLOW),
    BIT(0x800, AT_NO_AUTOMOUNT),     BIT(0x1000, AT_EMPTY_PATH),
};
SET(at, at_names);
SET(unlinkat, at_names);

static const struct name faccessat_names[] = {BIT(0x100, AT_SYMLINK_NOFOLLOW),
                                              BIT(0x200, AT_EACCESS), BIT(0x1000, AT_EMPTY_PATH)};
SET(faccessat, faccessat_names);

static const struct name clone_names[] = {
    BIT(0x100, CLONE_VM),
    BIT(0x200, CLONE_FS),
    BIT(0x400, CLONE_FILES),
    BIT(0x800, CLONE_SIGHAND),
    BIT(0x1000, CLONE_PIDFD),
    BIT(0x2000, CLONE_PTRACE),
    BIT(0x4000, CLONE_VFORK),
    BIT(0x8000, CLONE_PARENT),
    BIT(0x10000, CLONE_THREAD),
    BIT(0x20000, CLONE_NEWNS),
    BIT(0x40000, CLONE_SYSVSEM),
    BIT(0x80000, CLONE_SETTLS),
    BIT(0x100000, CLONE_PARENT_SETTID),
    BIT(0x200000, CLONE_CHILD_CLEARTID),
    BIT(0x400000, CLONE_DETACHED),
    BIT(0x800000, CLONE_UNTRACED),
    BIT(0x1000000, CLONE_CHILD_SETTID),
    BIT(0x2000000, CLONE_NEWCGROUP),
    BIT(0x4000000, CLONE_NEWUTS),
    BIT(0x8000000, CLONE_NEWIPC),
    BIT(0x10000000, CLONE_NEWUSER),
    BIT(0x20000000, CLONE_NEWPID),
    BIT(0x40000000, CLONE_NEWNET),
    BIT(0x80000000, CLONE_IO),
    PART(0xff, 17, SIGCHLD),
};
SET(clone, clone_names);

static const struct name close_range_names[] = {BIT(2, CLOSE_RANGE_UNSHARE),
                                                BIT(4, CLOSE_RANGE_CLOEXEC)};
SET(close_range, close_range_names);

static const struct name fallocate_names[] = {
    BIT(1, FALLOC_FL_KEEP_SIZE), BIT(2, FALLOC_FL_PUNCH_HOLE), BIT(8, FALLOC_FL_COLLAPSE_RANGE),
    BIT(0x10, FALLOC_FL_ZERO_RANGE), BIT(0x20, FALLOC_FL_INSERT_RANGE)};
SET(fallocate, fallocate_names);

static const struct name inotify_names[] = {
    BIT(1, IN_ACCESS),
    BIT(2, IN_MODIFY),
    BIT(4, IN_ATTRIB),
    BIT(8, IN_CLOSE_WRITE),
    BIT(0x10, IN_CLOSE_NOWRITE),
    BIT(0x20, IN_OPEN),
    BIT(0x40, IN_MOVED_FROM),
    BIT(0x80, IN_MOVED_TO),
    BIT(0x100, IN_CREATE),
    BIT(0x200, IN_DELETE),
    BIT(0x400, IN_DELETE_SELF),
    BIT(0x800, IN_MOVE_SELF),
    BIT(0x1000000, IN_ONLYDIR),
    BIT(0x2000000, IN_DONT_FOLLOW),
    BIT(0x4000000, IN_EXCL_UNLINK),
    BIT(0x10000000, IN_MASK_CREATE),
    BIT(0x20000000, IN_MASK_ADD),
    BIT(0x40000000, IN_ISDIR),
    BIT(0x80000000, IN_ONESHOT),
};
SET(inotify, inotify_names);

static const struct name map_names[] = {
    PART(0xf, 1, MAP_SHARED),           PART(0xf, 2, MAP_PRIVATE),
    PART(0xf, 3, MAP_SHARED_VALIDATE),  BIT(0x10, MAP_FIXED),
    BIT(0x20, MAP_ANONYMOUS),           BIT(0x40, MAP_32BIT),
    BIT(0x100, MAP_GROWSDOWN),          BIT(0x800, MAP_DENYWRITE),
    BIT(0x1000, MAP_EXECUTABLE),        BIT(0x2000, MAP_LOCKED),
    BIT(0x4000, MAP_NORESERVE),         BIT(0x8000, MAP_POPULATE),
    BIT(0x10000, MAP_NONBLOCK),         BIT(0x20000, MAP_STACK),
    BIT(0x40000, MAP_HUGETLB),          BIT(0x80000, MAP_SYNC),
    BIT(0x100000, MAP_FIXED_NOREPLACE),
};
SET(map, map_names);

static const struct name memfd_names[] = {BIT(1, MFD_CLOEXEC), BIT(2, MFD_ALLOW_SEALING),
                                          BIT(4, MFD_HUGETLB)};
SET(memfd, memfd_names);

static const struct name mlock_names[] = {BIT(1, MLOCK_ONFAULT)};
SET(mlock, mlock_names);

static const struct name mlockall_names[] = {BIT(1, MCL_CURRENT), BIT(2, MCL_FUTURE),
                                             BIT(4, MCL_ONFAULT)};
SET(mlockall, mlockall_names);

static const struct name mount_names[] = {
    BIT(1, MS_RDONLY),           BIT(2, MS_NOSUID),          BIT(4, MS_NODEV),
    BIT(8, MS_NOEXEC),           BIT(0x10, MS_SYNCHRONOUS),  BIT(0x20, MS_REMOUNT),
    BIT(0x40, MS_MANDLOCK),      BIT(0x80, MS_DIRSYNC),      BIT(0x100, MS_NOSYMFOLLOW),
    BIT(0x400, MS_NOATIME),      BIT(0x800, MS_NODIRATIME),  BIT(0x1000, MS_BIND),
    BIT(0x2000, MS_MOVE),        BIT(0x4000, MS_REC),        BIT(0x8000, MS_SILENT),
    BIT(0x20000, MS_UNBINDABLE), BIT(0x40000, MS_PRIVATE),   BIT(0x80000, MS_SLAVE),
    BIT(0x100000, MS_SHARED),    BIT(0x200000, MS_RELATIME), BIT(0x1000000, MS_STRICTATIME),
    BIT(0x2000000, MS_LAZYTIME),
};
SET(mount, mount_names);

static const struct name mremap_names[] = {BIT(1, MREMAP_MAYMOVE), BIT(2, MREMAP_FIXED),
                                           BIT(4, MREMAP_DONTUNMAP)};
SET(mremap, mremap_names);

static const struct name msync_names[] = {BIT(1, MS_ASYNC), BIT(2, MS_INVALIDATE), BIT(4, MS_SYNC)};
SET(msync, msync_names);

static const struct name open_names[] = {
    PART(3, 0, O_RDONLY),      PART(3, 1, O_WRONLY),      PART(3, 2, O_RDWR),
    PART(3, 3, O_ACCMODE),     BIT(0100, O_CREAT),        BIT(0200, O_EXCL),
    BIT(0400, O_NOCTTY),       BIT(01000, O_TRUNC),       BIT(02000, O_APPEND),
    BIT(04000, O_NONBLOCK),    BIT(04010000, O_SYNC),     BIT(010000, O_DSYNC),
    BIT(020000, O_ASYNC),      BIT(040000, O_DIRECT),     BIT(0100000, O_LARGEFILE),
    BIT(020200000, O_TMPFILE), BIT(0200000, O_DIRECTORY), BIT(0400000, O_NOFOLLOW),
    BIT(01000000, O_NOATIME),  BIT(02000000, O_CLOEXEC),  BIT(010000000, O_PATH),
};
SET(open, open_names);

static const struct name poll_names[] = {
    BIT(1, POLLIN),         BIT(2, POLLPRI),        BIT(4, POLLOUT),       BIT(8, POLLERR),
    BIT(0x10, POLLHUP),     BIT(0x20, POLLNVAL),    BIT(0x40, POLLRDNORM), BIT(0x80, POLLRDBAND),
    BIT(0x100, POLLWRNORM), BIT(0x200, POLLWRBAND), BIT(0x2000, POLLRDHUP)};
SET(poll, poll_names);

static const struct name prot_names[] = {
    VALUE(0, PROT_NONE),         BIT(1, PROT_READ), BIT(2, PROT_WRITE),
    BIT(4, PROT_EXEC),           BIT(8, PROT_SEM),  BIT(0x1000000, PROT_GROWSDOWN),
    BIT(0x2000000, PROT_GROWSUP)};
SET(prot, prot_names);

static const struct name random_names[] = {BIT(1, GRND_NONBLOCK), BIT(2, GRND_RANDOM),
                                           BIT(4, GRND_INSECURE)};
SET(random, random_names);

static const struct name rename_names[] = {BIT(1, RENAME_NOREPLACE), BIT(2, RENAME_EXCHANGE),
                                           BIT(4, RENAME_WHITEOUT)};
SET(rename, rename_names);

static const struct name rwf_names[] = {BIT(1, RWF_HIPRI), BIT(2, RWF_DSYNC), BIT(4, RWF_SYNC),
                                        BIT(8, RWF_NOWAIT), BIT(0x10, RWF_APPEND)};
SET(rwf, rwf_names);

static const struct name sigaction_names[] = {
    BIT(1, SA_NOCLDSTOP),         BIT(2, SA_NOCLDWAIT),         BIT(4, SA_SIGINFO),
    BIT(0x04000000, SA_RESTORER), BIT(0x08000000, SA_ONSTACK),  BIT(0x10000000, SA_RESTART),
    BIT(0x40000000, SA_NODEFER),  BIT(0x80000000, SA_RESETHAND)};
SET(sigaction, sigaction_names);

static const struct name sigstack_names[] = {VALUE(1, SS_ONSTACK), VALUE(2, SS_DISABLE),
                                             BIT(0x80000000, SS_AUTODISARM)};
SET(sigstack, sigstack_names);

static const struct name timer_names[] = {BIT(1, TIMER_ABSTIME)};
SET(timer, timer_names);

static const struct name umount_names[] = {BIT(1, MNT_FORCE), BIT(2, MNT_DETACH),
                                           BIT(4, MNT_EXPIRE), BIT(8, UMOUNT_NOFOLLOW)};
SET(umount, umount_names);

static const struct name wait_names[] = {BIT(1, WNOHANG),         BIT(2, WUNTRACED),
                                         BIT(4, WEXITED),         BIT(8, WCONTINUED),
                                         BIT(0x1000000, WNOWAIT), BIT(0x20000000, __WNOTHREAD),
                                         BIT(0x40000000, __WALL), BIT(0x80000000, __WCLONE)};
SET(wait, wait_names);

static const struct name xattr_names[] = {BIT(1, XATTR_CREATE), BIT(2, XATTR_REPLACE)};
SET(xattr, xattr_names);

static const struct name advice_names[] = {
    VALUE(0, MADV_NORMAL),           VALUE(1, MADV_RANDOM),         VALUE(2, MADV_SEQUENTIAL),
    VALUE(3, MADV_WILLNEED),         VALUE(4, MADV_DONTNEED),       VALUE(8, MADV_FREE),
    VALUE(9, MADV_REMOVE),           VALUE(10, MADV_DONTFORK),      VALUE(11, MADV_DOFORK),
    VALUE(12, MADV_MERGEABLE),       VALUE(13, MADV_UNMERGEABLE),   VALUE(14, MADV_HUGEPAGE),
    VALUE(15, MADV_NOHUGEPAGE),      VALUE(16, MADV_DONTDUMP),      VALUE(17, MADV_DODUMP),
    VALUE(18, MADV_WIPEONFORK),      VALUE(19, MADV_KEEPONFORK),    VALUE(20, MADV_COLD),
    VALUE(21, MADV_PAGEOUT),         VALUE(22, MADV_POPULATE_READ), VALUE(23, MADV_POPULATE_WRITE),
    VALUE(24, MADV_DONTNEED_LOCKED),
};
SET(advice, advice_names);

static const struct name arch_prctl_names[] = {
    VALUE(0x1001, ARCH_SET_GS), VALUE(0x1002, ARCH_SET_FS),    VALUE(0x1003, ARCH_GET_FS),
    VALUE(0x1004, ARCH_GET_GS), VALUE(0x1011, ARCH_GET_CPUID), VALUE(0x1012, ARCH_SET_CPUID)};
SET(arch_prctl, arch_prctl_names);

static const struct name clock_names[] = {VALUE(0, CLOCK_REALTIME),
                                          VALUE(1, CLOCK_MONOTONIC),
                                          VALUE(2, CLOCK_PROCESS_CPUTIME_ID),
                                          VALUE(3, CLOCK_THREAD_CPUTIME_ID),
                                          VALUE(4, CLOCK_MONOTONIC_RAW),
                                          VALUE(5, CLOCK_REALTIME_COARSE),
                                          VALUE(6, CLOCK_MONOTONIC_COARSE),
                                          VALUE(7, CLOCK_BOOTTIME),
                                          VALUE(8, CLOCK_REALTIME_ALARM),
                                          VALUE(9, CLOCK_BOOTTIME_ALARM),
                                          VALUE(11, CLOCK_TAI)};
SET(clock, clock_names);

static const struct name fcntl_names[] = {VALUE(0, F_DUPFD),
                                          VALUE(1, F_GETFD),
                                          VALUE(2, F_SETFD),
                                          VALUE(3, F_GETFL),
                                          VALUE(4, F_SETFL),
                                          VALUE(5, F_GETLK),
                                          VALUE(6, F_SETLK),
                                          VALUE(7, F_SETLKW),
                                          VALUE(8, F_SETOWN),
                                          VALUE(9, F_GETOWN),
                                          VALUE(10, F_SETSIG),
                                          VALUE(11, F_GETSIG),
                                          VALUE(36, F_OFD_GETLK),
                                          VALUE(37, F_OFD_SETLK),
                                          VALUE(38, F_OFD_SETLKW),
                                          VALUE(1024, F_SETLEASE),
                                          VALUE(1025, F_GETLEASE),
                                          VALUE(1026, F_NOTIFY),
                                          VALUE(1030, F_DUPFD_CLOEXEC),
                                          VALUE(1031, F_SETPIPE_SZ),
                                          VALUE(1032, F_GETPIPE_SZ),
                                          VALUE(1033, F_ADD_SEALS),
                                          VALUE(1034, F_GET_SEALS)};
SET(fcntl, fcntl_names);

static const struct name futex_names[] = {
    VALUE(0, FUTEX_WAIT),
    VALUE(1, FUTEX_WAKE),
    VALUE(3, FUTEX_REQUEUE),
    VALUE(4, FUTEX_CMP_REQUEUE),
    VALUE(5, FUTEX_WAKE_OP),
    VALUE(6, FUTEX_LOCK_PI),
    VALUE(7, FUTEX_UNLOCK_PI),
    VALUE(9, FUTEX_WAIT_BITSET),
    VALUE(10, FUTEX_WAKE_BITSET),
    VALUE(128, FUTEX_WAIT_PRIVATE),
    VALUE(129, FUTEX_WAKE_PRIVATE),
    VALUE(131, FUTEX_REQUEUE_PRIVATE),
    VALUE(132, FUTEX_CMP_REQUEUE_PRIVATE),
    VALUE(133, FUTEX_WAKE_OP_PRIVATE),
    VALUE(137, FUTEX_WAIT_BITSET_PRIVATE),
    VALUE(138, FUTEX_WAKE_BITSET_PRIVATE),
    VALUE(393, FUTEX_WAIT_BITSET_PRIVATE | FUTEX_CLOCK_REALTIME),
};
SET(futex, futex_names);

static const struct name ioctl_names[] = {
    VALUE(0x5401, TCGETS),     VALUE(0x5402, TCSETS),    VALUE(0x5403, TCSETSW),
    VALUE(0x5404, TCSETSF),    VALUE(0x540b, TCFLSH),    VALUE(0x540e, TIOCSCTTY),
    VALUE(0x540f, TIOCGPGRP),  VALUE(0x5410, TIOCSPGRP), VALUE(0x5413, TIOCGWINSZ),
    VALUE(0x5414, TIOCSWINSZ), VALUE(0x541b, FIONREAD),  VALUE(0x5421, FIONBIO),
    VALUE(0x5422, TIOCNOTTY),  VALUE(0x5429, TIOCGSID),  VALUE(0x5450, FIONCLEX),
    VALUE(0x5451, FIOCLEX),    VALUE(0x5452, FIOASYNC)};
SET(ioctl, ioctl_names);

static const struct name itimer_names[] = {VALUE(0, ITIMER_REAL), VALUE(1, ITIMER_VIRTUAL),
                                           VALUE(2, ITIMER_PROF)};
SET(itimer, itimer_names);

static const struct name prctl_names[] = {
    VALUE(1, PR_SET_PDEATHSIG),
    VALUE(2, PR_GET_PDEATHSIG),
    VALUE(3, PR_GET_DUMPABLE),
    VALUE(4, PR_SET_DUMPABLE),
    VALUE(7, PR_GET_KEEPCAPS),
    VALUE(8, PR_SET_KEEPCAPS),
    VALUE(15, PR_SET_NAME),
    VALUE(16, PR_GET_NAME),
    VALUE(21, PR_GET_SECCOMP),
    VALUE(22, PR_SET_SECCOMP),
    VALUE(23, PR_CAPBSET_READ),
    VALUE(24, PR_CAPBSET_DROP),
    VALUE(27, PR_GET_SECUREBITS),
    VALUE(28, PR_SET_SECUREBITS),
    VALUE(29, PR_SET_TIMERSLACK),
    VALUE(30, PR_GET_TIMERSLACK),
    VALUE(35, PR_SET_MM),
    VALUE(36, PR_SET_CHILD_SUBREAPER),
    VALUE(37, PR_GET_CHILD_SUBREAPER),
    VALUE(38, PR_SET_NO_NEW_PRIVS),
    VALUE(39, PR_GET_NO_NEW_PRIVS),
    VALUE(47, PR_CAP_AMBIENT),
    VALUE(0x53564d41, PR_SET_VMA),
};
SET(prctl, prctl_names);

static const struct name reboot_names[] = {
    LOW32(0x01234567, LINUX_REBOOT_CMD_RESTART),   LOW32(0xcdef0123, LINUX_REBOOT_CMD_HALT),
    LOW32(0x4321fedc, LINUX_REBOOT_CMD_POWER_OFF), LOW32(0xa1b2c3d4, LINUX_REBOOT_CMD_RESTART2),
    LOW32(0x89abcdef, LINUX_REBOOT_CMD_CAD_ON),    LOW32(0, LINUX_REBOOT_CMD_CAD_OFF)};
SET(reboot, reboot_names);

static const struct name rlimit_names[] = {
    VALUE(0, RLIMIT_CPU),       VALUE(1, RLIMIT_FSIZE),  VALUE(2, RLIMIT_DATA),
    VALUE(3, RLIMIT_STACK),     VALUE(4, RLIMIT_CORE),   VALUE(5, RLIMIT_RSS),
    VALUE(6, RLIMIT_NPROC),     VALUE(7, RLIMIT_NOFILE), VALUE(8, RLIMIT_MEMLOCK),
    VALUE(9, RLIMIT_AS),        VALUE(10, RLIMIT_LOCKS), VALUE(11, RLIMIT_SIGPENDING),
    VALUE(12, RLIMIT_MSGQUEUE), VALUE(13, RLIMIT_NICE),  VALUE(14, RLIMIT_RTPRIO),
    VALUE(15, RLIMIT_RTTIME)};
SET(rlimit, rlimit_names);

static const struct name signal_names[] = {
    VALUE(1, SIGHUP),   VALUE(2, SIGINT),     VALUE(3, SIGQUIT),  VALUE(4, SIGILL),
    VALUE(5, SIGTRAP),  VALUE(6, SIGABRT),    VALUE(7, SIGBUS),   VALUE(8, SIGFPE),
    VALUE(9, SIGKILL),  VALUE(10, SIGUSR1),   VALUE(11, SIGSEGV), VALUE(12, SIGUSR2),
    VALUE(13, SIGPIPE), VALUE(14, SIGALRM),   VALUE(15, SIGTERM), VALUE(16, SIGSTKFLT),
    VALUE(17, SIGCHLD), VALUE(18, SIGCONT),   VALUE(19, SIGSTOP), VALUE(20, SIGTSTP),
    VALUE(21, SIGTTIN), VALUE(22, SIGTTOU),   VALUE(23, SIGURG),  VALUE(24, SIGXCPU),
    VALUE(25, SIGXFSZ), VALUE(26, SIGVTALRM), VALUE(27, SIGPROF), VALUE(28, SIGWINCH),
    VALUE(29, SIGIO),   VALUE(30, SIGPWR),    VALUE(31, SIGSYS)};
SET(signal, signal_names);

static const struct name sigprocmask_names[] = {VALUE(0, SIG_BLOCK), VALUE(1, SIG_UNBLOCK),
                                                VALUE(2, SIG_SETMASK)};
SET(sigprocmask, sigprocmask_names);

static const struct name whence_names[] = {VALUE(0, SEEK_SET), VALUE(1, SEEK_CUR),
                                           VALUE(2, SEEK_END), VALUE(3, SEEK_DATA),
                                           VALUE(4, SEEK_HOLE)};
SET(whence, whence_names);

/* Of errors, which are positive here. */
#define ERROR(name) {UINT64_MAX, name, #name}
static const struct name error_names[] = {
    ERROR(EPERM),     ERROR(ENOENT),      ERROR(ESRCH),         ERROR(EINTR),
    ERROR(EIO),       ERROR(ENXIO),       ERROR(E2BIG),         ERROR(ENOEXEC),
    ERROR(EBADF),     ERROR(ECHILD),      ERROR(EAGAIN),        ERROR(ENOMEM),
    ERROR(EACCES),    ERROR(EFAULT),      ERROR(EBUSY),         ERROR(EEXIST),
    ERROR(EXDEV),     ERROR(ENODEV),      ERROR(ENOTDIR),       ERROR(EISDIR),
    ERROR(EINVAL),    ERROR(ENFILE),      ERROR(EMFILE),        ERROR(ENOTTY),
    ERROR(ETXTBSY),   ERROR(EFBIG),       ERROR(ENOSPC),        ERROR(ESPIPE),
    ERROR(EROFS),     ERROR(EMLINK),      ERROR(EPIPE),         ERROR(EDOM),
    ERROR(ERANGE),    ERROR(EDEADLK),     ERROR(ENAMETOOLONG),  ERROR(ENOSYS),
    ERROR(ENOTEMPTY), ERROR(ELOOP),       ERROR(ENODATA),       ERROR(EOVERFLOW),
    ERROR(ELIBBAD),   ERROR(ENOTSOCK),    ERROR(EOPNOTSUPP),    ERROR(EAFNOSUPPORT),
    ERROR(ETIMEDOUT), ERROR(ERESTARTSYS), ERROR(ERESTARTNOHAND)};
SET(error, error_names);
