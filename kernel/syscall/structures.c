#include "syscall/structures.h"

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
