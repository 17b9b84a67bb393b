/*
 * Every call that takes a process id, against a zombie, a stranger's process and zombie, process 1,
 * a process that does not exist, 0 and negative numbers. Then the end of children: the process that
 * gets the signal, the signal, and ignored children, which leave nothing.
 */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOBODY 0x3fffffff /* above any pid_max */

static int end_at_once(void *unused)
{
    (void)unused;
    return setpgid(0, 0);
}

static int wait_for_the_end(void *unused)
{
    (void)unused;
    alarm(60);
    pause();
    return 0;
}

/* A child that has ended and is not waited for. */
static pid_t make_zombie(void)
{
    pid_t pid = begin(end_at_once, NULL);

    for (int i = 0; i < 1000 && state_of(pid) != 'Z'; i++) {
        sleep_ms(2);
    }
    return pid;
}

/* The target of a call, and the answer of each call. An answer of a number or an id is stored as 0;
 * 1 means that the answer depends on where the test runs. */
enum target { ZOMBIE, STRANGER, STRANGERS_ZOMBIE, FIRST, MISSING, NEGATIVE, TARGETS };

static const char *const target_names[TARGETS] = {
    "a zombie", "a stranger's process", "a stranger's zombie", "process 1", "no process", "-1"};
static pid_t targets[TARGETS];
static struct rlimit limit;

static long call_kill(pid_t pid)
{
    return pid == -1 ? -ESRCH /* -1 means every process: not made */ : RAW(SYS_kill, pid, 0);
}

static long call_kill_group(pid_t pid)
{
    return pid == -1 ? -ESRCH : RAW(SYS_kill, -pid, 0);
}

static long call_tkill(pid_t pid)
{
    return RAW(SYS_tkill, pid, 0);
}

static long call_tgkill(pid_t pid)
{
    return RAW(SYS_tgkill, pid, pid, 0);
}

static long call_prlimit_get(pid_t pid)
{
    return RAW(SYS_prlimit64, pid, RLIMIT_AS, 0, &limit);
}

static long call_prlimit_set(pid_t pid)
{
    struct rlimit wanted = {1L << 30, 1L << 30};

    return RAW(SYS_prlimit64, pid, RLIMIT_AS, &wanted, 0);
}

static long call_getpgid(pid_t pid)
{
    return RAW(SYS_getpgid, pid);
}

static long call_getsid(pid_t pid)
{
    return RAW(SYS_getsid, pid);
}

static long call_setpgid(pid_t pid)
{
    return RAW(SYS_setpgid, pid, 0);
}

static long call_getscheduler(pid_t pid)
{
    return RAW(SYS_sched_getscheduler, pid);
}

static long call_getparam(pid_t pid)
{
    int parameter = 0;

    return RAW(SYS_sched_getparam, pid, &parameter);
}

static long call_getaffinity(pid_t pid)
{
    unsigned long mask[128];

    return RAW(SYS_sched_getaffinity, pid, sizeof mask, mask);
}

static long call_getpriority(pid_t pid)
{
    return RAW(SYS_getpriority, PRIO_PROCESS, pid);
}

static long call_setpriority(pid_t pid)
{
    return RAW(SYS_setpriority, PRIO_PROCESS, pid, 19);
}

static long read_file_of(pid_t pid, const char *name)
{
    char path[64], text[64];

    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
    long fd = RAW(SYS_open, path, O_RDONLY, 0);
    long got = fd < 0 ? fd : RAW(SYS_read, fd, text, sizeof text);
    if (fd >= 0) {
        close((int)fd);
    }
    return got;
}

static long read_stat(pid_t pid)
{
    return read_file_of(pid, "stat");
}

static long read_status(pid_t pid)
{
    return read_file_of(pid, "status");
}

static long read_comm(pid_t pid)
{
    return read_file_of(pid, "comm");
}

/* Some kernels let the file of a process without memory be opened, and return no bytes. */
static long read_maps(pid_t pid)
{
    long got = read_file_of(pid, "maps");

    return got == 0 ? -ESRCH : got;
}

static long read_link_of(pid_t pid, const char *name)
{
    char path[64], text[256];

    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
    return RAW(SYS_readlink, path, text, sizeof text);
}

static long read_exe(pid_t pid)
{
    return read_link_of(pid, "exe");
}

static long read_cwd(pid_t pid)
{
    return read_link_of(pid, "cwd");
}

static long read_root(pid_t pid)
{
    return read_link_of(pid, "root");
}

static long read_descriptor(pid_t pid)
{
    return read_link_of(pid, "fd/0");
}

static long call_wait(pid_t pid)
{
    return pid == -1 ? -ESRCH : RAW(SYS_wait4, pid, 0, WNOHANG, 0);
}

/* With WNOWAIT, so that the zombie stays for the next call. */
static long call_waitid(pid_t pid)
{
    return RAW(SYS_waitid, P_PID, pid, 0, WNOHANG | WEXITED | WNOWAIT, 0);
}

struct call {
    const char *name;
    long (*make)(pid_t pid);
    long answers[TARGETS];
};

static const struct call calls[] = {
    {"kill", call_kill, {0, -EPERM, -EPERM, -EPERM, -ESRCH, -ESRCH}},
    {"tkill", call_tkill, {0, -EPERM, -EPERM, -EPERM, -ESRCH, -EINVAL}},
    {"tgkill", call_tgkill, {0, -EPERM, -EPERM, -EPERM, -ESRCH, -EINVAL}},
    {"prlimit64, to read", call_prlimit_get, {0, -EPERM, -EPERM, -EPERM, -ESRCH, -ESRCH}},
    {"prlimit64, to set", call_prlimit_set, {0, -EPERM, -EPERM, -EPERM, -ESRCH, -ESRCH}},
    {"getpgid", call_getpgid, {0, 0, 0, 0, -ESRCH, -ESRCH}},
    {"getsid", call_getsid, {0, 0, 0, 0, -ESRCH, -ESRCH}},
    {"setpgid", call_setpgid, {0, -ESRCH, -ESRCH, -ESRCH, -ESRCH, -EINVAL}},
    {"kill of a group", call_kill_group, {0, -ESRCH, -EPERM, 1, -ESRCH, -ESRCH}},
    {"sched_getscheduler", call_getscheduler, {0, 0, 0, 0, -ESRCH, -EINVAL}},
    {"sched_getparam", call_getparam, {0, 0, 0, 0, -ESRCH, -EINVAL}},
    {"sched_getaffinity", call_getaffinity, {0, 0, 0, 0, -ESRCH, -ESRCH}},
    {"getpriority", call_getpriority, {0, 0, 0, 0, -ESRCH, -ESRCH}},
    {"setpriority", call_setpriority, {0, -EPERM, -EPERM, -EPERM, -ESRCH, -ESRCH}},
    {"/proc/PID/stat", read_stat, {0, 0, 0, 0, -ENOENT, -ENOENT}},
    {"/proc/PID/status", read_status, {0, 0, 0, 0, -ENOENT, -ENOENT}},
    {"/proc/PID/comm", read_comm, {0, 0, 0, 0, -ENOENT, -ENOENT}},
    {"/proc/PID/maps", read_maps, {-ESRCH, -EACCES, -ESRCH, -EACCES, -ENOENT, -ENOENT}},
    {"/proc/PID/exe", read_exe, {-ENOENT, -EACCES, -EACCES, -EACCES, -ENOENT, -ENOENT}},
    {"/proc/PID/cwd", read_cwd, {-ENOENT, -EACCES, -EACCES, -EACCES, -ENOENT, -ENOENT}},
    {"/proc/PID/root", read_root, {-ENOENT, -EACCES, -EACCES, -EACCES, -ENOENT, -ENOENT}},
    {"/proc/PID/fd/0", read_descriptor, {-EACCES, -EACCES, -EACCES, -EACCES, -ENOENT, -ENOENT}},
    {"waitid", call_waitid, {0, -ECHILD, -ECHILD, -ECHILD, -ECHILD, -EINVAL}},
    {"wait4", call_wait, {0, -ECHILD, -ECHILD, -ECHILD, -ECHILD, -ESRCH}},
};

/* An answer in one byte, for the exit status of the child that made the call. */
#define PACK(result) ((result) >= 0 ? 0 : -(result))

static int make_call(void *argument)
{
    const struct call *call = *(const struct call *const *)argument;
    enum target target = *(const enum target *)((const char *)argument + sizeof(void *));
    pid_t pid = target == ZOMBIE ? make_zombie() : targets[target];

    return (int)PACK(call->make(pid));
}

static void test_call(const struct call *call, enum target target)
{
    struct {
        const struct call *call;
        enum target target;
    } pair = {call, target};

    if (call->answers[target] == 1) {
        return;
    }
    if (!is_root() && (target == STRANGER || target == STRANGERS_ZOMBIE)) {
        skip("needs root", "%s of %s", call->name, target_names[target]);
        return;
    }
    int status = run_child(make_call, &pair, is_root());
    if (status == EXITED(ENOSYS)) {
        skip("no such call here", "%s of %s", call->name, target_names[target]);
        return;
    }
    is(status, EXITED(PACK(call->answers[target])), "%s of %s", call->name, target_names[target]);
}

static void test_calls(void)
{
    targets[STRANGER] = begin(wait_for_the_end, NULL);
    targets[STRANGERS_ZOMBIE] = make_zombie();
    targets[FIRST] = 1;
    targets[MISSING] = NOBODY;
    targets[NEGATIVE] = -1;
    for (size_t i = 0; i < COUNT(calls); i++) {
        for (enum target target = 0; target < TARGETS; target++) {
            test_call(&calls[i], target);
        }
    }
    is(kill(targets[STRANGER], SIGKILL), 0, "the stranger's process lives on");
    is(finish(targets[STRANGER], 5000), KILLED(SIGKILL), "and can be ended");
    is(finish(targets[STRANGERS_ZOMBIE], 5000), EXITED(0), "the zombie can be waited for");
    is(RAW(SYS_kill, targets[STRANGER], 0), -ESRCH, "afterwards it is not there");
    is(state_of(targets[STRANGER]), 0, "nor in /proc");
}

static void test_odd_numbers(void)
{
    is(RAW(SYS_kill, INT_MIN, 0), -ESRCH, "kill of the smallest number");
    is(RAW(SYS_kill, -NOBODY, 0), -ESRCH, "kill of a group that does not exist");
    is(RAW(SYS_kill, getpid(), 65), -EINVAL, "kill with a signal that does not exist");
    is(RAW(SYS_kill, NOBODY, 65), -ESRCH, "and a process that does not exist");
    is(RAW(SYS_kill, getpid(), -1), -EINVAL, "kill with signal -1");
    is(RAW(SYS_tkill, 0, 0), -EINVAL, "tkill of 0");
    is(RAW(SYS_tgkill, getpid(), 0, 0), -EINVAL, "tgkill of thread 0");
    is(RAW(SYS_tgkill, 1, getpid(), 0), -ESRCH, "tgkill of a thread of another process");
    is(RAW(SYS_wait4, INT_MIN, 0, WNOHANG, 0), -ESRCH, "wait4 of the smallest number");
    is(RAW(SYS_wait4, -NOBODY, 0, WNOHANG, 0), -ECHILD, "wait4 of a group that does not exist");
    is(RAW(SYS_wait4, -1, 0, 0x100, 0), -EINVAL, "wait4 with an unknown option");
    is(RAW(SYS_setpgid, 0, -1), -EINVAL, "setpgid to group -1");
    is(RAW(SYS_prlimit64, 0, RLIMIT_AS, 0, &limit), 0, "prlimit64 of 0 is its own");
    is(RAW(SYS_getpgid, 0), getpgrp(), "getpgid of 0 is its own");
    is(RAW(SYS_getsid, 0), getsid(getpid()), "getsid of 0 is its own");
    ok(RAW(SYS_open, "/proc/0", 0, 0) == -ENOENT && RAW(SYS_open, "/proc/-1", 0, 0) == -ENOENT &&
           RAW(SYS_open, "/proc/01", 0, 0) == -ENOENT,
       "/proc/0, /proc/-1 and /proc/01 do not exist");
}

/* Files of a zombie in /proc: the result of open, and whether there is something to read. */
static const struct {
    const char *name;
    long opened;
    bool has_text;
} zombie_files[] = {
    {"stat", 0, true},      {"status", 0, true},       {"comm", 0, true},
    {"limits", 0, true},    {"cmdline", 0, false},     {"maps", 0, false},
    {"smaps", 0, false},    {"environ", -ESRCH, 0},    {"auxv", -ESRCH, 0},
    {"mounts", -EINVAL, 0}, {"mountinfo", -EINVAL, 0}, {"exe", -ENOENT, 0},
    {"cwd", -ENOENT, 0},    {"fd/0", -ENOENT, 0},      {"fdinfo/0", -ENOENT, 0},
};

/* Folders of /proc/PID: the errors of look-ups in them once the process is gone. */
static const struct folder {
    const char *name; /* %d is the process */
    long lookup;
    bool has_only_dots; /* of a zombie */
} folders[] = {
    {"/proc/%d", -ESRCH, false},          {"/proc/%d/fd", -ENOENT, true},
    {"/proc/%d/fdinfo", -ESRCH, true},    {"/proc/%d/task", -ESRCH, false},
    {"/proc/%d/task/%d", -ENOENT, false}, {"/proc/%d/task/%d/fd", -ENOENT, true},
};

static void test_files_of_zombie(int dir)
{
    for (size_t i = 0; i < COUNT(zombie_files); i++) {
        const char *name = zombie_files[i].name;
        char byte;
        long fd = RAW(SYS_openat, dir, name, O_RDONLY);
        is(fd < 0 ? fd : 0, zombie_files[i].opened, "a zombie's %s", name);
        if (fd >= 0) {
            is(RAW(SYS_read, fd, &byte, 1), zombie_files[i].has_text, "what is in its %s", name);
            close((int)fd);
        }
    }
}

/* The bytes that getdents64 gives, from the first entry on. */
static long list(int fd)
{
    char entries[2048];

    lseek(fd, 0, SEEK_SET);
    return RAW(SYS_getdents64, fd, entries, sizeof entries);
}

static void test_folders_of_ended(void)
{
    static const long dots = 48; /* bytes: two entries of 24 */
    int fds[COUNT(folders)];
    pid_t pid = make_zombie();
    char name[64];

    for (size_t i = 0; i < COUNT(folders); i++) {
        snprintf(name, sizeof name, folders[i].name, pid, pid);
        fds[i] = open(name, O_RDONLY | O_DIRECTORY);
        long size = list(fds[i]);
        ok(folders[i].has_only_dots ? size == dots : size > dots, "%s of a zombie is listed",
           folders[i].name);
    }
    test_files_of_zombie(fds[0]);
    waitpid(pid, NULL, 0);
    for (size_t i = 0; i < COUNT(folders); i++) {
        is(list(fds[i]), -ENOENT, "%s of a process that is gone is not", folders[i].name);
        is(RAW(SYS_openat, fds[i], "stat", O_RDONLY), folders[i].lookup, "nor can names be found");
        close(fds[i]);
    }
}

/* Starts a process with this id, which waits. Needs a number that is free. Returns 0 if others use the number all
 * the time, or if there are too many numbers. */
static pid_t begin_with_number(pid_t wanted)
{
    static const char setting[] = "/proc/sys/kernel/ns_last_pid";

    for (int i = 0; i < 40000; i++) {
        int fd = open(setting, O_WRONLY);
        if (fd >= 0) {
            dprintf(fd, "%d", wanted - 1);
            close(fd);
        }
        pid_t pid = vfork();
        if (pid == 0 && getpid() != wanted) {
            _exit(0);
        }
        if (pid == 0) {
            execl(beside("child"), "child", "sleep", "60000", NULL);
            _exit(1);
        }
        if (pid == wanted || pid < 0) {
            return pid < 0 ? 0 : pid;
        }
        waitpid(pid, NULL, 0);
    }
    return 0;
}

/* Nodes of /proc/PID that are held open: with O_PATH, as a path; else as an open file. And the result of reading them
 * once another process has the number: of the path by opening it again, of a link by readlink. */
static const struct held {
    const char *name;
    int flags;
    long reopened;
    long read;
} held_nodes[] = {
    {"stat", O_RDONLY, 0, -ESRCH},
    {"cmdline", O_RDONLY, 0, -ESRCH},
    {"stat", O_PATH, 0, -ESRCH},
    {"maps", O_PATH, -ESRCH, 0},
    {"environ", O_PATH, -ESRCH, 0},
    {"fdinfo/0", O_PATH, -ESRCH, 0},
    {"exe", O_PATH | O_NOFOLLOW, 0, -ENOENT},
    {"cwd", O_PATH | O_NOFOLLOW, 0, -ENOENT},
    {"root", O_PATH | O_NOFOLLOW, 0, -ENOENT},
    {"fd/0", O_PATH | O_NOFOLLOW, 0, -ENOENT},
};

static void test_held_node(const struct held *held, int fd)
{
    char path[64], byte;

    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (held->flags & O_NOFOLLOW) {
        is(RAW(SYS_readlinkat, fd, "", path, sizeof path), held->read, "the link %s is not its",
           held->name);
        return;
    }
    long again = held->flags & O_PATH ? RAW(SYS_open, path, O_RDONLY) : fd;
    is(again < 0 ? again : 0, held->reopened, "%s, %s", held->name,
       held->flags & O_PATH ? "opened again" : "still open");
    if (again >= 0) {
        is(RAW(SYS_read, again, &byte, 1), held->read, "shows nothing of it");
    }
    if (again >= 0 && again != fd) {
        close((int)again);
    }
}

/* Files of /proc that are held open over the end of their process show nothing of the next process with its number. */
static void test_next_with_the_number(void)
{
    int dirs[COUNT(folders)], fds[COUNT(held_nodes)];
    char name[64], path[32];
    pid_t first = begin(wait_for_the_end, NULL);

    snprintf(path, sizeof path, "/proc/%d", first);
    int dir = open(path, O_RDONLY | O_DIRECTORY);
    for (size_t i = 0; i < COUNT(folders); i++) {
        snprintf(name, sizeof name, folders[i].name, first, first);
        dirs[i] = open(name, O_RDONLY | O_DIRECTORY);
    }
    for (size_t i = 0; i < COUNT(held_nodes); i++) {
        fds[i] = openat(dir, held_nodes[i].name, held_nodes[i].flags);
    }
    ok(fchdir(dir) == 0, "in the folder of a process");
    kill(first, SIGKILL);
    waitpid(first, NULL, 0);
    pid_t second = begin_with_number(first);
    if (second == 0) {
        skip("the number does not come again", "the next process with the number of another");
    }
    for (size_t i = 0; second && i < COUNT(folders); i++) {
        is(list(dirs[i]), -ENOENT, "%s, open, does not list the next process with the number",
           folders[i].name);
        is(RAW(SYS_openat, dirs[i], "stat", O_RDONLY), folders[i].lookup, "nor its files");
    }
    for (size_t i = 0; second && i < COUNT(held_nodes); i++) {
        test_held_node(&held_nodes[i], fds[i]);
    }
    if (second) {
        is(RAW(SYS_open, "stat", O_RDONLY), -ESRCH, "nor does the working directory");
        is(RAW(SYS_open, "..", O_RDONLY | O_DIRECTORY), -ESRCH, "which cannot be left by name");
        is(chdir(path), 0, "but its name does");
        ok(RAW(SYS_open, "stat", O_RDONLY) >= 0, "and has its files");
        kill(second, SIGKILL);
        waitpid(second, NULL, 0);
    }
    chdir("/");
    for (size_t i = 0; i < COUNT(folders); i++) {
        close(dirs[i]);
    }
    for (size_t i = 0; i < COUNT(held_nodes); i++) {
        close(fds[i]);
    }
    close(dir);
}

int main(int argc, char **argv)
{
    tap_begin(argc, argv);
    signal(SIGCHLD, SIG_DFL);
    test_calls();
    test_odd_numbers();
    test_folders_of_ended();
    test_next_with_the_number();
    return tap_end();
}
