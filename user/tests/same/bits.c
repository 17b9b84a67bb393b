/*
 * Every bit of every flag argument, alone: boot/same.py runs this program on Linux and on umbra and
 * compares the lines. A call is made in a fresh tmpfs, with arguments that are right but for the
 * one that is tried: each single bit of 64, and the small numbers. A line is
 *
 *     EPISODE.CALL s0 name(VALUE) = RESULT
 *
 * where an episode is a call, and RESULT is what the kernel returned, an error as a negative number.
 */
#include "namespaces.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PLACE        "/tmp/bits"
#define MAPPED       0x10000000ul
#define EXIT_SKIPPED 77
#define SMALL        37 /* the numbers that are tried, besides single bits */
#define PAGE         4096

static int file, folder, ends[2];
static char buffer[65536];

struct how {
    uint64_t flags, mode, resolve;
};

/* As the kernel returned it. */
static long raw(long result)
{
    return result == -1 ? -errno : result;
}

#define CALL(name, ...) raw(syscall(SYS_##name, __VA_ARGS__))

/* The result of a call that maps a page, which is taken away again. */
static long unmapped(long result)
{
    return result > 0 ? (munmap((void *)result, PAGE), 0) : result;
}

static char *anonymous(void)
{
    return mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static long with_pages(long result, void *pages)
{
    munmap(pages, 2 * PAGE);
    return result > 0 ? 0 : result;
}

static long mprotect_of(uint64_t value)
{
    char *pages = anonymous();

    return with_pages(CALL(mprotect, pages, PAGE, value), pages);
}

static long mremap_of(uint64_t value)
{
    char *pages = anonymous();

    munmap(pages + PAGE, PAGE);
    long result = with_pages(CALL(mremap, pages, PAGE, PAGE, value, 0), pages);

    munmap(NULL, PAGE); /* where MREMAP_FIXED may have moved it */
    return result;
}

static long madvise_of(uint64_t value)
{
    char *pages = anonymous();

    return with_pages(CALL(madvise, pages, PAGE, value), pages);
}

static long mlock2_of(uint64_t value)
{
    char *pages = anonymous();

    return with_pages(CALL(mlock2, pages, PAGE, value), pages);
}

static long msync_of(uint64_t value)
{
    char *pages = anonymous();

    return with_pages(CALL(msync, pages, PAGE, value), pages);
}

static long mlockall_of(uint64_t value)
{
    long result = CALL(mlockall, value);

    munlockall();
    return result;
}

static long openat2_of(uint64_t flags, uint64_t mode, uint64_t resolve)
{
    struct how how = {flags, mode, resolve};

    return CALL(openat2, folder, flags & O_CREAT ? "g" : "f", &how, sizeof how);
}

/* Sets and reads back. */
static long setfl_of(int fd, uint64_t value)
{
    long result = CALL(fcntl, fd, F_SETFL, value);

    return result < 0 ? result : CALL(fcntl, fd, F_GETFL, 0);
}

static long setfd_of(uint64_t value)
{
    long result = CALL(fcntl, file, F_SETFD, value);

    return result < 0 ? result : CALL(fcntl, file, F_GETFD, 0);
}

static long sigaction_of(uint64_t value)
{
    struct {
        void (*handler)(int);
        unsigned long flags;
        void (*restorer)(void);
        unsigned long mask;
    } action = {SIG_IGN, value | 0x04000000u, NULL, 0};
    long result = CALL(rt_sigaction, SIGUSR1, &action, NULL, 8);

    if (result == 0) {
        result = CALL(rt_sigaction, SIGUSR1, NULL, &action, 8);
    }
    return result < 0 ? result : (long)action.flags;
}

static long mask_of(uint64_t value)
{
    uint64_t none = 0, old = 0;

    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &value, NULL, 8);
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, &old, 8);
    return old == value;
}

static long umask_of(uint64_t value)
{
    syscall(SYS_umask, value);
    return syscall(SYS_umask, 022);
}

static long poll_of(int fd, uint64_t value)
{
    struct pollfd entry = {fd, (short)value, 0};
    long result = CALL(poll, &entry, 1, 0);

    return result < 0 ? result : entry.revents;
}

static long vector_of(long number, int fd, long offset, uint64_t value)
{
    struct iovec part = {buffer, 4};

    return raw(syscall(number, fd, &part, 1, offset, offset, value));
}

static long mount_of(const char *type, uint64_t value, bool mounted)
{
    if (mounted) {
        mount("none", "m", "tmpfs", 0, "");
    }
    return CALL(mount, mounted ? "none" : "e", "m", type, value, "");
}

static long umount_of(uint64_t value)
{
    mount("none", "m", "tmpfs", 0, "");
    return CALL(umount2, "m", value);
}

/* A child that ends at once; its pid tells nothing. It has a stack of its own: no CLONE_VM. */
static long clone_of(uint64_t value)
{
    long pid = CALL(clone, (value & ~(0xfful | CLONE_VM)) | SIGCHLD, 0, buffer, buffer, 0);

    if (pid == 0) {
        _exit(0);
    }
    return pid < 0 ? pid : raw(waitpid((pid_t)pid, NULL, __WALL)) > 0;
}

static long unshare_of(uint64_t value)
{
    int status = 0;

    if (fork() == 0) {
        _exit((int)-CALL(unshare, value));
    }
    wait(&status);
    return -WEXITSTATUS(status);
}

static long sleep_of(uint64_t value)
{
    struct timespec moment = {0, 1};

    return CALL(clock_nanosleep, CLOCK_MONOTONIC, value, &moment, NULL);
}

static long splice_of(uint64_t value)
{
    (void)!write(ends[1], "abcd", 4);
    return CALL(splice, ends[0], NULL, file, NULL, 4, value);
}

static long personality_of(uint64_t value)
{
    long result = CALL(personality, value);
    long now = CALL(personality, 0);

    return result < 0 ? result : now;
}

/* The name of a case, and what is done with the value v. */
#define CASES(X)                                                                                   \
    X("openat", CALL(openat, AT_FDCWD, "f", v, 0600))                                              \
    X("openat rw", CALL(openat, AT_FDCWD, "f", v | O_RDWR, 0600))                                  \
    X("openat folder", CALL(openat, AT_FDCWD, "e", v, 0600))                                       \
    X("openat link", CALL(openat, AT_FDCWD, "l", v, 0600))                                         \
    X("openat new", CALL(openat, AT_FDCWD, "new", v | O_CREAT | O_WRONLY, 0600))                   \
    X("openat mode", CALL(openat, AT_FDCWD, "new", O_CREAT | O_WRONLY, v))                         \
    X("openat2 flags", openat2_of(v, 0, 0))                                                        \
    X("openat2 mode", openat2_of(O_CREAT | O_RDWR, v, 0))                                          \
    X("openat2 resolve", openat2_of(0, 0, v))                                                      \
    X("mkdirat", CALL(mkdirat, folder, "x", v))                                                    \
    X("mknodat", CALL(mknodat, folder, "x", v, 0))                                                 \
    X("fchmodat", CALL(fchmodat, folder, "f", v))                                                  \
    X("fchmodat2", raw(syscall(452, folder, "f", 0600, v)))                                        \
    X("fchownat", CALL(fchownat, folder, "f", 0, 0, v))                                            \
    X("linkat", CALL(linkat, folder, "f", folder, "g", v))                                         \
    X("unlinkat", CALL(unlinkat, folder, "f", v))                                                  \
    X("renameat2", CALL(renameat2, folder, "f", folder, "l", v))                                   \
    X("renameat2 new", CALL(renameat2, folder, "f", folder, "n", v))                               \
    X("faccessat", CALL(faccessat, folder, "f", v))                                                \
    X("faccessat2", CALL(faccessat2, folder, "f", R_OK, v))                                        \
    X("access", CALL(access, "f", v))                                                              \
    X("newfstatat", CALL(newfstatat, folder, "f", buffer, v))                                      \
    X("statx flags", CALL(statx, folder, "f", v, 0x7ff, buffer))                                   \
    X("statx mask", CALL(statx, folder, "f", 0, v, buffer))                                        \
    X("utimensat", CALL(utimensat, folder, "f", NULL, v))                                          \
    X("setxattr", CALL(setxattr, "f", "trusted.a", "b", 1, v))                                     \
    X("fallocate", CALL(fallocate, file, v, 0, PAGE))                                              \
    X("fallocate keep", CALL(fallocate, file, v | 1, 0, PAGE))                                     \
    X("mmap prot", unmapped(CALL(mmap, 0, PAGE, v, MAP_PRIVATE, file, 0)))                         \
    X("mmap file", unmapped(CALL(mmap, MAPPED, PAGE, PROT_READ, v | MAP_PRIVATE, file, 0)))        \
    X("mmap none",                                                                                 \
      unmapped(CALL(mmap, MAPPED, PAGE, PROT_READ, v | MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)))       \
    X("mmap shared", unmapped(CALL(mmap, MAPPED, PAGE, PROT_READ, v | MAP_SHARED, file, 0)))       \
    X("mmap validate", unmapped(CALL(mmap, MAPPED, PAGE, PROT_READ, v | 3, file, 0)))              \
    X("mprotect", mprotect_of(v))                                                                  \
    X("mremap", mremap_of(v))                                                                      \
    X("msync", msync_of(v))                                                                        \
    X("madvise", madvise_of(v))                                                                    \
    X("mlock2", mlock2_of(v))                                                                      \
    X("mlockall", mlockall_of(v))                                                                  \
    X("pipe2", CALL(pipe2, buffer, v))                                                             \
    X("dup3", CALL(dup3, file, 40, v))                                                             \
    X("close_range", CALL(close_range, 50, 60, v))                                                 \
    X("fcntl", CALL(fcntl, file, v, 0))                                                            \
    X("F_SETFL", setfl_of(file, v))                                                                \
    X("F_SETFL pipe", setfl_of(ends[0], v))                                                        \
    X("F_SETFD", setfd_of(v))                                                                      \
    X("flock", CALL(flock, file, v))                                                               \
    X("lseek", CALL(lseek, file, 0, v))                                                            \
    X("fadvise64", CALL(fadvise64, file, 0, 4, v))                                                 \
    X("sync_file_range", CALL(sync_file_range, file, 0, 4, v))                                     \
    X("copy_file_range", CALL(copy_file_range, file, NULL, file, NULL, 0, v))                      \
    X("preadv2", vector_of(SYS_preadv2, file, 0, v))                                               \
    X("pwritev2", vector_of(SYS_pwritev2, file, 0, v))                                             \
    X("pwritev2 pipe", vector_of(SYS_pwritev2, ends[1], -1, v))                                    \
    X("splice", splice_of(v))                                                                      \
    X("wait4", CALL(wait4, -1, NULL, v, NULL))                                                     \
    X("waitid", CALL(waitid, P_ALL, 0, buffer, v, NULL))                                           \
    X("rt_sigaction", sigaction_of(v))                                                             \
    X("rt_sigprocmask", CALL(rt_sigprocmask, v, buffer, NULL, 8))                                  \
    X("signal mask", mask_of(v))                                                                   \
    X("tgkill", CALL(tgkill, getpid(), getpid(), v < 65 ? 0 : v))                                  \
    X("umask", umask_of(v))                                                                        \
    X("poll file", poll_of(file, v))                                                               \
    X("poll pipe", poll_of(ends[0], v))                                                            \
    X("poll pipe end", poll_of(ends[1], v))                                                        \
    X("getrandom", CALL(getrandom, buffer, 8, v))                                                  \
    X("mount", mount_of("tmpfs", v, false))                                                        \
    X("mount bind", mount_of("none", v | MS_BIND, false))                                          \
    X("mount remount", mount_of("none", v | MS_REMOUNT, true))                                     \
    X("mount remount bind", mount_of("none", v | MS_REMOUNT | MS_BIND, true))                      \
    X("umount2", umount_of(v))                                                                     \
    X("clone", clone_of(v))                                                                        \
    X("unshare", unshare_of(v))                                                                    \
    X("clock_nanosleep", sleep_of(v))                                                              \
    X("clock_gettime", CALL(clock_gettime, v, buffer))                                             \
    X("getitimer", CALL(getitimer, v, buffer))                                                     \
    X("getrusage", CALL(getrusage, v, buffer))                                                     \
    X("memfd_create", CALL(memfd_create, "x", v))                                                  \
    X("eventfd2", CALL(eventfd2, 0, v))                                                            \
    X("epoll_create1", CALL(epoll_create1, v))                                                     \
    X("inotify_init1", CALL(inotify_init1, v))                                                     \
    X("timerfd_create", CALL(timerfd_create, CLOCK_MONOTONIC, v))                                  \
    X("personality", personality_of(v))                                                            \
    X("process_vm_readv", CALL(process_vm_readv, getpid(), NULL, 0, NULL, 0, v))

#define COUNT_CASE(name, expression) +1
#define NAME_CASE(name, expression)  name,
#define MAKE_CASE(name, expression)                                                                \
    if (which == at++) {                                                                           \
        return expression;                                                                         \
    }

enum { CASE_COUNT = 0 CASES(COUNT_CASE) };

static const char *const names[] = {CASES(NAME_CASE)};

static long make(unsigned which, uint64_t v)
{
    unsigned at = 0;

    CASES(MAKE_CASE)
    return -ENOSYS;
}

/* An empty tmpfs with a file, a link to it and two folders, no pending signals, few descriptors. */
static void begin(void)
{
    const struct timespec now = {0, 0};
    sigset_t all;

    (void)!chdir("/");
    while (umount2(PLACE "/m", MNT_DETACH) == 0) {
    }
    umount2(PLACE, MNT_DETACH);
    for (int fd = 3; fd < 64; fd++) {
        close(fd);
    }
    mkdir(PLACE, 0755);
    mount("none", PLACE, "tmpfs", 0, "mode=755,size=1m");
    (void)!chdir(PLACE);
    mkdir("m", 0755);
    mkdir("e", 0755);
    (void)!symlink("f", "l");
    file = open("f", O_CREAT | O_RDWR, 0644);
    (void)!write(file, "hello", 5);
    lseek(file, 0, SEEK_SET);
    folder = open(".", O_RDONLY | O_DIRECTORY);
    (void)!pipe(ends);
    memset(buffer, 0, sizeof buffer);
    sigfillset(&all);
    while (sigtimedwait(&all, NULL, &now) > 0) {
    }
}

/* A number that any process may ask for and that ends none of them. */
static uint64_t value_at(unsigned i)
{
    return i < 64 ? 1ull << i : i - 64;
}

int main(int argc, char **argv)
{
    bool separated = separate();

    if (!separated && getpid() != 1 && access("/proc/umbra-frames", F_OK) != 0) {
        fprintf(stderr, "bits: there are no namespaces for this user\n");
        return EXIT_SKIPPED;
    }
    for (unsigned which = 0; which < CASE_COUNT; which++) {
        for (unsigned i = 0; i < 64 + SMALL; i++) {
            begin();
            long result = make(which, value_at(i));
            printf("%u.%u s0 %s(%#llx) = %ld\n", which, i, names[which],
                   (unsigned long long)value_at(i), result);
        }
    }
    printf("same: seed %s, calls: end\n", argc > 1 ? argv[1] : "");
    (void)!chdir("/");
    umount2(PLACE "/m", MNT_DETACH);
    umount2(PLACE, MNT_DETACH);
    rmdir(PLACE);
    return 0;
}
