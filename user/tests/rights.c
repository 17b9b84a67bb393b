/*
 * Permissions: the access of a user to root's processes, their /proc entries, limits, groups and
 * files; the calls that only root may make; and the access that stays allowed. Needs root.
 */
#include "edge.h"
#include "proc.h"
#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define P(object)    ((unsigned long)(uintptr_t)(object))
#define NO_GROUP     0x3ffffff0
#define WALL         0x40000000

static pid_t roots_process;

/* One test point of a list that runs in a child as USER; the parent counts the points. */
struct point {
    const char *name;
    long result, expected;
};

static struct point points[64];
static size_t nr_points;
static int report[2];

static void tell(long result, long expected, const char *name)
{
    struct point point = {name, result, expected};

    if (write(report[1], &point, sizeof point) != sizeof point) {
        _exit(97);
    }
}

static int run_points(void *act)
{
    (*(void (*const *)(void))act)();
    return 0;
}

static void as_user(void (*act)(void))
{
    is(pipe(report), 0, "a pipe for results");
    is(run_child(run_points, &act, true), EXITED(0), "a user's attempts");
    close(report[1]);
    ssize_t size = read(report[0], points, sizeof points);
    close(report[0]);
    nr_points = size > 0 ? (size_t)size / sizeof points[0] : 0;
    for (size_t i = 0; i < nr_points; i++) {
        if (points[i].result == -ENOSYS) {
            skip("no such call here", "%s", points[i].name);
        } else {
            is(points[i].result, points[i].expected, "%s", points[i].name);
        }
    }
}

static long open_of(pid_t pid, const char *name)
{
    char path[96];

    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
    long fd = RAW(SYS_open, path, O_RDONLY);
    return fd < 0 ? fd : RAW(SYS_close, fd);
}

static long link_of(pid_t pid, const char *name)
{
    char path[96], text[256];

    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
    long got = RAW(SYS_readlink, path, text, sizeof text);
    return got > 0 ? 0 : got;
}

static void look_at_root(void)
{
    static const char *const closed[] = {"maps",  "environ", "mem",    "fd",       "fd/0", "cwd",
                                         "cwd/.", "root",    "root/.", "root/tmp", "exe",  "auxv"};
    static const char *const links[] = {"cwd", "root", "exe", "fd/0"};
    static const char *const opened[] = {"stat", "status", "cmdline", "comm"};
    const pid_t pids[] = {roots_process, 1};

    for (size_t p = 0; p < COUNT(pids); p++) {
        for (size_t i = 0; i < COUNT(closed); i++) {
            long got = open_of(pids[p], closed[i]);
            tell(got == -ENOENT ? -ENOSYS : got, -EACCES, closed[i]);
        }
        for (size_t i = 0; i < COUNT(links); i++) {
            tell(link_of(pids[p], links[i]), -EACCES, links[i]);
        }
        for (size_t i = 0; i < COUNT(opened); i++) {
            tell(open_of(pids[p], opened[i]), 0, opened[i]);
        }
    }
}

static int wait_for_the_end(void *unused)
{
    (void)unused;
    alarm(60);
    pause();
    return 0;
}

static void look_at_its_own(void)
{
    static const char *const opened[] = {"maps", "fd", "cwd", "root", "exe", "stat", "cmdline"};
    static const char *const links[] = {"cwd", "root", "exe", "fd/1"};
    pid_t child = begin(wait_for_the_end, NULL);

    for (size_t i = 0; i < COUNT(opened); i++) {
        tell(open_of(child, opened[i]), 0, opened[i]);
    }
    for (size_t i = 0; i < COUNT(links); i++) {
        tell(link_of(child, links[i]), 0, links[i]);
    }
    tell(RAW(SYS_kill, child, SIGKILL), 0, "kill of its own child");
}

struct call {
    const char *name;
    long number;
    long expected;
    unsigned long arguments[6];
};

static const struct rlimit some = {100, 100};
static const struct timespec a_time = {1, 0};
static const gid_t no_groups[1] = {0};

/* None of these calls would do harm if it were allowed. */
static const struct call roots_calls[] = {
    {"chroot", SYS_chroot, -EPERM, {P("/")}},
    {"mount", SYS_mount, -EPERM, {P("none"), P("/tmp"), P("tmpfs"), 0, 0}},
    {"umount2", SYS_umount2, -EPERM, {P("/proc"), 8 /* UMOUNT_NOFOLLOW */}},
    {"reboot", SYS_reboot, -EPERM, {0xfee1dead, 672274793, 0x12345678, 0}},
    {"sethostname", SYS_sethostname, -EPERM, {P("name"), 4}},
    {"setdomainname", SYS_setdomainname, -EPERM, {P("name"), 4}},
    {"clock_settime", SYS_clock_settime, -EPERM, {CLOCK_REALTIME, P(&a_time)}},
    {"iopl", SYS_iopl, -EPERM, {3}},
    {"ioperm", SYS_ioperm, -EPERM, {0x80, 1, 1}},
    {"setuid to root", SYS_setuid, -EPERM, {0}},
    {"setgid to root", SYS_setgid, -EPERM, {0}},
    {"setreuid", SYS_setreuid, -EPERM, {-1UL, 0}},
    {"setregid", SYS_setregid, -EPERM, {-1UL, 0}},
    {"setresuid", SYS_setresuid, -EPERM, {-1UL, -1UL, 0}},
    {"setresgid", SYS_setresgid, -EPERM, {0, -1UL, -1UL}},
    {"setuid to another user", SYS_setuid, -EPERM, {USER + 1}},
    {"setgroups", SYS_setgroups, -EPERM, {1, P(no_groups)}},
    {"mknod of a device", SYS_mknod, -EPERM, {P("device"), S_IFCHR | 0600, 0x103}},
    {"chown of its own file", SYS_chown, -EPERM, {P("own"), 0, -1UL}},
    {"chgrp of its own file", SYS_chown, -EPERM, {P("own"), -1UL, 0}},
    {"chmod of root's file", SYS_chmod, -EPERM, {P("roots"), 0666}},
    {"chown of root's file", SYS_chown, -EPERM, {P("roots"), USER, -1UL}},
    {"utimes of root's file", SYS_utimensat, -EACCES, {-100UL, P("roots"), 0, 0}},
    {"truncate of root's file", SYS_truncate, -EACCES, {P("roots"), 0}},
    {"write to root's file", SYS_open, -EACCES, {P("roots"), O_WRONLY}},
    {"read of root's secret", SYS_open, -EACCES, {P("secret"), O_RDONLY}},
    {"unlink in root's directory", SYS_unlink, -EACCES, {P("closed/file")}},
    {"mkdir in root's directory", SYS_mkdir, -EACCES, {P("closed/new"), 0700}},
    {"unlink in a sticky directory", SYS_unlink, -EPERM, {P("roots")}},
    {"rename in a sticky directory", SYS_rename, -EPERM, {P("roots"), P("mine")}},
    {"rename over root's file", SYS_rename, -EPERM, {P("own"), P("roots")}},
    {"prlimit64 of root's process", SYS_prlimit64, -EPERM, {1, RLIMIT_CORE, P(&some), 0}},
    {"prlimit64, to read root's", SYS_prlimit64, -EPERM, {1, RLIMIT_CORE, 0, P(points)}},
    {"kill of process 1", SYS_kill, -EPERM, {1, SIGTERM}},
    {"kill of process 1 with 0", SYS_kill, -EPERM, {1, 0}},
    {"tkill of process 1", SYS_tkill, -EPERM, {1, SIGTERM}},
    {"tgkill of process 1", SYS_tgkill, -EPERM, {1, 1, SIGTERM}},
    {"getpgid of process 1", SYS_getpgid, 1, {1}},
    {"setpriority of itself, less nice", SYS_setpriority, -EACCES, {PRIO_PROCESS, 0, -5UL}},
    {"setuid to itself", SYS_setuid, 0, {USER}},
    {"setresuid to itself", SYS_setresuid, 0, {USER, USER, USER}},
    {"chmod of its own file", SYS_chmod, 0, {P("own"), 0600}},
    {"chgrp to its own group", SYS_chown, 0, {P("own"), -1UL, USER}},
};

static void make_roots_calls(void)
{
    int fd = open("own", O_CREAT | O_WRONLY, 0644);

    close(fd);
    for (size_t i = 0; i < COUNT(roots_calls); i++) {
        const struct call *call = &roots_calls[i];
        long got = raw_call((unsigned long)call->number, call->arguments);
        tell(call->expected > 0 && got >= 0 ? 1 : got, call->expected, call->name);
    }
}

static void try_limits(void)
{
    struct rlimit limit = {50, 100}, higher = {50, 101}, lower = {50, 60};
    pid_t child = begin(wait_for_the_end, NULL);

    tell(RAW(SYS_setrlimit, RLIMIT_CORE, &limit), 0, "setrlimit lowers");
    tell(RAW(SYS_setrlimit, RLIMIT_CORE, &higher), -EPERM, "and does not raise the hard limit");
    tell(RAW(SYS_prlimit64, 0, RLIMIT_CORE, &higher, 0), -EPERM, "nor does prlimit64");
    higher = (struct rlimit){200, 100};
    tell(RAW(SYS_setrlimit, RLIMIT_CORE, &higher), -EINVAL, "soft above hard");
    tell(RAW(SYS_prlimit64, child, RLIMIT_CORE, &lower, 0), 0, "prlimit64 of its own child");
    higher = (struct rlimit){50, 61};
    tell(RAW(SYS_prlimit64, child, RLIMIT_CORE, &higher, 0), -EPERM, "whose limit stays lowered");
    tell(RAW(SYS_prlimit64, 0, 16, 0, &limit), -EINVAL, "there is no limit 16");
    kill(child, SIGKILL);
}

static int exec_and_wait(void *unused)
{
    char *argv[] = {"rights", "wait", NULL}, *envp[] = {NULL};

    (void)unused;
    RAW(SYS_execve, "/proc/self/exe", argv, envp);
    return 97;
}

static void wait_for_exec(pid_t pid)
{
    char name[64], text[64] = "";

    snprintf(name, sizeof name, "/proc/%d/cmdline", (int)pid);
    for (int i = 0; i < 1000 && strcmp(text, "rights") != 0; i++) {
        int fd = open(name, O_RDONLY);
        if (read(fd, text, sizeof text - 1) < 0) {
            text[0] = '\0';
        }
        close(fd);
        sleep_ms(2);
    }
}

static int wait_in_session(void *unused)
{
    (void)unused;
    setsid();
    return wait_for_the_end(NULL);
}

static void try_groups(void)
{
    pid_t child = begin(wait_for_the_end, NULL), sibling = begin(wait_for_the_end, NULL);
    pid_t executed = begin(exec_and_wait, NULL), leader = begin(wait_in_session, NULL);

    wait_for_exec(executed);
    for (int i = 0; i < 1000 && getsid(leader) != leader; i++) {
        sleep_ms(2);
    }
    tell(RAW(SYS_setpgid, child, NO_GROUP), -EPERM, "setpgid into a group that does not exist");
    tell(RAW(SYS_setpgid, child, sibling), -EPERM, "into one that nobody leads");
    tell(RAW(SYS_setpgid, child, leader), -EPERM, "into one of another session");
    tell(RAW(SYS_setpgid, child, 0), 0, "into its own");
    tell(RAW(SYS_setpgid, sibling, child), 0, "another joins it");
    tell(RAW(SYS_getpgid, sibling) == child, 1, "and is in it");
    tell(RAW(SYS_setpgid, executed, 0), -EACCES, "setpgid of a child that has executed");
    tell(RAW(SYS_setpgid, leader, 0), -EPERM, "of a child in another session");
    tell(RAW(SYS_setpgid, roots_process, 0), -ESRCH, "of a process that is not its child");
    tell(RAW(SYS_setpgid, 0, 0), 0, "of itself");
    tell(RAW(SYS_setsid), -EPERM, "setsid of the leader of a group");
    kill(child, SIGKILL);
    kill(sibling, SIGKILL);
    kill(executed, SIGKILL);
    kill(leader, SIGKILL);
}

static void try_prepared(void (*act)(void), const char *what)
{
    diag("%s", what);
    as_user(act);
}

static void make_files(void)
{
    ok(mkdir("closed", 0755) == 0 && mkdir("closed/file", 0755) == 0, "root's directory");
    int roots = open("roots", O_CREAT | O_WRONLY, 0644);
    int secret = open("secret", O_CREAT | O_WRONLY, 0600);
    ok(roots >= 0 && secret >= 0 && chmod(".", 01777) == 0, "root's files in a sticky directory");
    close(roots);
    close(secret);
}

static void remove_files(const char *directory)
{
    static const char *const files[] = {"roots", "secret", "own", "mine", "device"};

    for (size_t i = 0; i < COUNT(files); i++) {
        unlink(files[i]);
    }
    rmdir("closed/file");
    rmdir("closed");
    rmdir(directory);
}

int main(int argc, char **argv)
{
    char directory[] = "/tmp/rights.XXXXXX";

    if (argc > 1 && strcmp(argv[1], "wait") == 0) {
        return wait_for_the_end(NULL);
    }
    tap_begin(argc, argv);
    if (!is_root()) {
        skip("needs root", "a user against root");
        return tap_end();
    }
    ok(mkdtemp(directory) != NULL && chdir(directory) == 0, "an empty directory");
    make_files();
    roots_process = begin(wait_for_the_end, NULL);
    try_prepared(look_at_root, "/proc/PID of root's process, then of process 1");
    try_prepared(look_at_its_own, "/proc/PID of its own child");
    try_prepared(make_roots_calls, "calls that only root may make");
    try_prepared(try_limits, "limits");
    try_prepared(try_groups, "groups");
    is(kill(roots_process, SIGKILL), 0, "root's process lives on");
    is(finish(roots_process, 5000), KILLED(SIGKILL), "until root ends it");
    remove_files(directory);
    return tap_end();
}
