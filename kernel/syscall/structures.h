/* The printed fields of the structures that programs pass to calls. */
#ifndef UMBRA_SYSCALL_STRUCTURES_H
#define UMBRA_SYSCALL_STRUCTURES_H

#include "syscall/describe.h"

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
