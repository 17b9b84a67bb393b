/* The system calls: Linux's x86-64 numbers, structures and errors. */
#ifndef UMBRA_SYSCALL_SYSCALL_H
#define UMBRA_SYSCALL_SYSCALL_H

#include <stdint.h>

#include "file/files.h"
#include "file/view.h"
#include "lib/errno.h"
#include "task/process.h"

#define SYSCALLS_MAX 512

/* Every call takes six arguments as the registers have them and returns a value or a negative
 * error. */
#define SYSCALL(name)                                                                              \
    long sys_##name(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
typedef long (*syscall_fn)(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f);

#define AT_FDCWD (-100)

/* A path from user memory, in one of two buffers of the kernel's own: no system call sleeps between
 * reading its paths and using them, so one pair serves all. -EFAULT, -ENAMETOOLONG. */
enum path_slot { PATH_FIRST, PATH_SECOND };
int path_from_user(enum path_slot slot, uint64_t user, const char **out);

/* The place that relative paths of an *at call start from: NULL for the current directory. -EBADF.
 */
int directory_of(int fd, const struct vfs_path **out);

/* The current process's open file: of any kind, or not one opened with O_PATH. Valid until the call
 * returns: if another process can close it meanwhile, it is held that long. -EBADF. */
int any_file_of(int fd, struct file **out);
static inline int file_of(int fd, struct file **out)
{
    struct file *file = files_use((unsigned)fd);
    *out = file;
    return !file || (file->vfs.flags & VFS_O_PATH) ? -EBADF : 0;
}

/* The limit of descriptors of the current process. */
uint64_t descriptor_limit(void);

struct timespec {
    int64_t seconds, nanoseconds;
};

/* Reads a timespec and checks its range. -EFAULT, -EINVAL. */
int timespec_from_user(uint64_t user, struct timespec *out);

/* As nanoseconds, at most INT64_MAX. */
uint64_t timespec_ns(const struct timespec *time);

/* clang-format off */
#define FOR_EACH_SYSCALL(X) \
    X(0, read) X(1, write) X(2, open) X(3, close) X(4, stat) X(5, fstat) X(6, lstat) \
    X(7, poll) X(8, lseek) X(9, mmap) X(10, mprotect) X(11, munmap) X(12, brk) \
    X(13, rt_sigaction) X(14, rt_sigprocmask) X(15, rt_sigreturn) X(16, ioctl) \
    X(17, pread64) X(18, pwrite64) X(19, readv) X(20, writev) X(21, access) X(22, pipe) \
    X(23, select) X(24, sched_yield) X(25, mremap) X(26, msync) X(27, mincore) \
    X(28, madvise) X(32, dup) X(33, dup2) X(34, pause) X(35, nanosleep) X(36, getitimer) \
    X(37, alarm) X(38, setitimer) X(39, getpid) X(40, sendfile) X(56, clone) X(57, fork) \
    X(58, vfork) X(59, execve) X(60, exit) X(61, wait4) X(62, kill) X(63, uname) X(72, fcntl) \
    X(74, fsync) X(75, fdatasync) X(76, truncate) X(77, ftruncate) X(79, getcwd) \
    X(80, chdir) X(81, fchdir) X(82, rename) X(83, mkdir) X(84, rmdir) X(86, link) \
    X(87, unlink) X(88, symlink) X(89, readlink) X(90, chmod) X(91, fchmod) X(92, chown) \
    X(93, fchown) X(94, lchown) X(95, umask) X(96, gettimeofday) X(97, getrlimit) \
    X(99, sysinfo) X(102, getuid) X(104, getgid) X(105, setuid) X(106, setgid) X(107, geteuid) \
    X(108, getegid) X(113, setreuid) X(114, setregid) X(115, getgroups) X(116, setgroups) \
    X(117, setresuid) X(118, getresuid) X(119, setresgid) X(120, getresgid) X(122, setfsuid) \
    X(123, setfsgid) \
    X(109, setpgid) X(110, getppid) X(111, getpgrp) X(112, setsid) X(121, getpgid) \
    X(124, getsid) X(127, rt_sigpending) X(128, rt_sigtimedwait) X(130, rt_sigsuspend) \
    X(131, sigaltstack) X(133, mknod) X(137, statfs) X(138, fstatfs) X(157, prctl) \
    X(158, arch_prctl) X(160, setrlimit) X(161, chroot) X(162, sync) X(165, mount) X(166, umount2) \
    X(169, reboot) X(186, gettid) \
    X(200, tkill) X(201, time) X(202, futex) X(217, getdents64) X(218, set_tid_address) \
    X(228, clock_gettime) X(229, clock_getres) X(230, clock_nanosleep) X(231, exit_group) \
    X(234, tgkill) X(235, utimes) X(257, openat) X(258, mkdirat) X(259, mknodat) \
    X(260, fchownat) X(262, newfstatat) X(263, unlinkat) X(264, renameat) X(265, linkat) \
    X(266, symlinkat) X(267, readlinkat) X(268, fchmodat) X(269, faccessat) X(270, pselect6) \
    X(271, ppoll) X(273, set_robust_list) X(280, utimensat) X(285, fallocate) X(292, dup3) \
    X(293, pipe2) X(302, prlimit64) X(316, renameat2) X(318, getrandom) X(334, rseq) \
    X(439, faccessat2)
/* clang-format on */

#define DECLARE_SYSCALL(number, name) SYSCALL(name);
FOR_EACH_SYSCALL(DECLARE_SYSCALL)
#undef DECLARE_SYSCALL

#endif
