/* What the calls take, so that their bodies are reached: see values.c for the letters. */
#include "fuzz.h"

#include <sys/syscall.h>

struct grammar {
    unsigned number;
    const char *kinds;
};

static const struct grammar table[] = {
    {SYS_read, "fpl"}, {SYS_write, "fpl"}, {SYS_open, "sii"}, {SYS_close, "f"}, {SYS_stat, "sp"},
    {SYS_fstat, "fp"}, {SYS_lstat, "sp"}, {SYS_poll, "pii"}, {SYS_lseek, "foi"},
    {SYS_mmap, "almifo"}, {SYS_mprotect, "alm"}, {SYS_munmap, "al"}, {SYS_brk, "a"},
    {SYS_rt_sigaction, "gppi"}, {SYS_rt_sigprocmask, "ippi"}, {SYS_ioctl, "fip"},
    {SYS_pread64, "fplo"}, {SYS_pwrite64, "fplo"}, {SYS_readv, "fpi"}, {SYS_writev, "fpi"},
    {SYS_access, "si"}, {SYS_pipe, "p"}, {SYS_select, "ipppp"}, {SYS_sched_yield, ""},
    {SYS_mremap, "allia"}, {SYS_msync, "ali"}, {SYS_mincore, "alp"}, {SYS_madvise, "ali"},
    {SYS_dup, "f"}, {SYS_dup2, "ff"}, {SYS_pause, ""}, {SYS_nanosleep, "pp"},
    {SYS_getitimer, "ip"}, {SYS_alarm, "i"}, {SYS_setitimer, "ipp"}, {SYS_getpid, ""},
    {SYS_sendfile, "ffpl"}, {SYS_socket, "iii"}, {SYS_clone, "ipppp"}, {SYS_fork, ""},
    {SYS_vfork, ""}, {SYS_execve, "spp"}, {SYS_exit, "i"}, {SYS_wait4, "dpip"},
    {SYS_kill, "dg"}, {SYS_uname, "p"}, {SYS_fcntl, "fii"}, {SYS_flock, "fi"},
    {SYS_fsync, "f"}, {SYS_fdatasync, "f"}, {SYS_truncate, "so"}, {SYS_ftruncate, "fo"},
    {SYS_getdents, "fpl"}, {SYS_getcwd, "pl"}, {SYS_chdir, "s"}, {SYS_fchdir, "f"},
    {SYS_rename, "ss"}, {SYS_mkdir, "si"}, {SYS_rmdir, "s"}, {SYS_creat, "si"},
    {SYS_link, "ss"}, {SYS_unlink, "s"}, {SYS_symlink, "ss"}, {SYS_readlink, "spl"},
    {SYS_chmod, "si"}, {SYS_fchmod, "fi"}, {SYS_chown, "suu"}, {SYS_fchown, "fuu"},
    {SYS_lchown, "suu"}, {SYS_umask, "i"}, {SYS_gettimeofday, "pp"}, {SYS_getrlimit, "ip"},
    {SYS_getrusage, "ip"}, {SYS_sysinfo, "p"}, {SYS_times, "p"}, {SYS_ptrace, "idpp"},
    {SYS_getuid, ""}, {SYS_setuid, "u"}, {SYS_setgid, "u"}, {SYS_setpgid, "dd"},
    {SYS_getppid, ""}, {SYS_setsid, ""}, {SYS_setreuid, "uu"}, {SYS_setregid, "uu"},
    {SYS_getgroups, "ip"}, {SYS_setgroups, "ip"}, {SYS_setresuid, "uuu"},
    {SYS_getresuid, "ppp"}, {SYS_setresgid, "uuu"}, {SYS_getresgid, "ppp"}, {SYS_getpgid, "d"},
    {SYS_setfsuid, "u"}, {SYS_setfsgid, "u"}, {SYS_getsid, "d"}, {SYS_rt_sigpending, "pi"},
    {SYS_rt_sigtimedwait, "pppi"}, {SYS_rt_sigqueueinfo, "dgp"}, {SYS_rt_sigsuspend, "pi"},
    {SYS_sigaltstack, "pp"}, {SYS_utime, "sp"}, {SYS_mknod, "sii"}, {SYS_personality, "i"},
    {SYS_statfs, "sp"}, {SYS_fstatfs, "fp"}, {SYS_getpriority, "id"}, {SYS_setpriority, "idi"},
    {SYS_prctl, "ipppp"}, {SYS_arch_prctl, "ip"}, {SYS_setrlimit, "ip"}, {SYS_chroot, "s"},
    {SYS_sync, ""}, {SYS_mount, "sssip"}, {SYS_umount2, "si"}, {SYS_gettid, ""},
    {SYS_tkill, "dg"}, {SYS_time, "p"}, {SYS_futex, "piippi"}, {SYS_getdents64, "fpl"},
    {SYS_set_tid_address, "p"}, {SYS_fadvise64, "fooi"}, {SYS_clock_gettime, "ip"},
    {SYS_clock_getres, "ip"}, {SYS_clock_nanosleep, "iipp"}, {SYS_tgkill, "ddg"},
    {SYS_utimes, "sp"}, {SYS_waitid, "idpip"}, {SYS_openat, "fsii"}, {SYS_mkdirat, "fsi"},
    {SYS_mknodat, "fsii"}, {SYS_fchownat, "fsuui"}, {SYS_futimesat, "fsp"},
    {SYS_newfstatat, "fspi"}, {SYS_unlinkat, "fsi"}, {SYS_renameat, "fsfs"},
    {SYS_linkat, "fsfsi"}, {SYS_symlinkat, "sfs"}, {SYS_readlinkat, "fspl"},
    {SYS_fchmodat, "fsi"}, {SYS_faccessat, "fsi"}, {SYS_pselect6, "ippppp"},
    {SYS_ppoll, "pippi"}, {SYS_set_robust_list, "pl"}, {SYS_splice, "fpfpli"},
    {SYS_tee, "ffli"}, {SYS_utimensat, "fspi"}, {SYS_eventfd2, "ii"}, {SYS_fallocate, "fioo"},
    {SYS_dup3, "ffi"}, {SYS_pipe2, "pi"}, {SYS_preadv, "fpioi"}, {SYS_pwritev, "fpioi"},
    {SYS_prlimit64, "dipp"}, {SYS_sendmmsg, "fpii"}, {SYS_getcpu, "ppp"}, {SYS_renameat2, "fsfsi"},
    {SYS_getrandom, "pli"}, {SYS_memfd_create, "si"}, {SYS_execveat, "fsppi"},
    {SYS_copy_file_range, "fpfpli"}, {SYS_preadv2, "fpioii"}, {SYS_statx, "fsiip"},
    {SYS_rseq, "piii"}, {SYS_close_range, "iii"}, {SYS_openat2, "fspl"}, {SYS_faccessat2, "fsii"},
    {SYS_capget, "pp"}, {SYS_capset, "pp"}, {SYS_getxattr, "sspl"}, {SYS_setxattr, "sspli"},
    {SYS_listxattr, "spl"}, {SYS_removexattr, "ss"}, {SYS_unshare, "i"},
    {SYS_sched_getaffinity, "dlp"}, {SYS_sched_setaffinity, "dlp"}, {SYS_rt_sigreturn, ""},
};

const char *kinds_of(unsigned number)
{
    for (unsigned i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (table[i].number == number) {
            return table[i].kinds;
        }
    }
    return NULL;
}

unsigned known_number(struct random *random)
{
    return table[random_below(random, sizeof table / sizeof table[0])].number;
}
