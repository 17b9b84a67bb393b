/*
 * Who pays: the limits and charges of each user, and the process that ends when memory runs out.
 */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * The limits of a user: processes, queued signals, room in file systems of memory; and, on umbra,
 * the charges of each user (/proc/umbra-users).
 */

#define PAYER  54321 /* user ids without other processes */
#define OTHER  54322
#define FAILED 99

static char directory[] = "/tmp/payment.XXXXXX";

static void become(uid_t uid)
{
    if (setgroups(0, NULL) != 0 || setgid(uid) != 0 || setuid(uid) != 0) {
        _exit(FAILED);
    }
}

static void limit_to(int resource, rlim_t limit)
{
    struct rlimit wanted = {limit, limit};

    if (setrlimit(resource, &wanted) != 0) {
        _exit(FAILED);
    }
}

static pid_t fork_sleeper(void)
{
    pid_t pid = fork();

    if (pid == 0) {
        alarm(60);
        pause();
        _exit(0);
    }
    return pid;
}

static int end(pid_t pid)
{
    kill(pid, SIGKILL);
    return wait_for(pid);
}

/* One bit for each expected result, so that one exit status reports all of them. */
static int fork_to_the_limit(void *unused)
{
    int good = 0;

    (void)unused;
    limit_to(RLIMIT_NPROC, 3);
    become(PAYER);
    pid_t first = fork_sleeper(), second = fork_sleeper();
    good |= first > 0 && second > 0 ? 1 : 0;
    good |= fork_sleeper() == -1 && errno == EAGAIN ? 2 : 0;
    kill(first, SIGKILL);
    sleep_ms(50);
    good |= state_of(first) == 'Z' && fork_sleeper() == -1 && errno == EAGAIN ? 4 : 0;
    wait_for(first);
    first = fork_sleeper();
    good |= first > 0 ? 8 : 0;
    end(first);
    end(second);
    return good;
}

static int fork_as_root(void *unused)
{
    (void)unused;
    limit_to(RLIMIT_NPROC, 0);
    pid_t pid = fork_sleeper();
    return pid > 0 && end(pid) == KILLED(SIGKILL) ? 0 : 1;
}

/* setuid to a user with more processes than the limit succeeds, but the next exec fails. */
static int exec_over_the_limit(void *unused)
{
    char *argv[] = {"child", "exit", "7", NULL};

    (void)unused;
    limit_to(RLIMIT_NPROC, 1);
    become(PAYER);
    execv(beside("child"), argv);
    return errno == EAGAIN ? 1 : 2;
}

static int sleep_as_payer(void *unused)
{
    (void)unused;
    become(PAYER);
    alarm(60);
    pause();
    return 0;
}

static void test_processes(void)
{
    is(run_child(fork_to_the_limit, NULL, false), EXITED(15),
       "a user may have so many processes, zombies included (bits 1 2 4 8)");
    is(run_child(fork_as_root, NULL, false), EXITED(0), "user 0 may have more");
    pid_t first = begin(sleep_as_payer, NULL), second = begin(sleep_as_payer, NULL);
    ok(falls_asleep(first) && falls_asleep(second), "two processes of the user");
    is(run_child(exec_over_the_limit, NULL, false), EXITED(1), "a third one may not exec");
    end(second);
    is(run_child(exec_over_the_limit, NULL, false), EXITED(7), "a second one may");
    end(first);
    struct rlimit limit;
    is(getrlimit(RLIMIT_NPROC, &limit), 0, "getrlimit");
    ok(on_linux() || (limit.rlim_cur > 0 && limit.rlim_cur < 32768), "there is a default");
}

static int queue(void)
{
    return syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), SIGRTMIN) == 0 ? 0 : errno;
}

static void block_signals(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN);
    sigprocmask(SIG_BLOCK, &set, NULL);
}

static int queue_three(void *unused)
{
    (void)unused;
    become(PAYER);
    block_signals();
    for (int i = 0; i < 3; i++) {
        queue();
    }
    alarm(60);
    pause();
    return 0;
}

static int queue_up_to_four(void *other)
{
    limit_to(RLIMIT_SIGPENDING, 4);
    become(other != NULL ? OTHER : PAYER);
    block_signals();
    int count = 0;
    while (count < 10 && queue() == 0) {
        count++;
    }
    return errno == EAGAIN ? count : FAILED;
}

static void test_signals(void)
{
    pid_t pid = begin(queue_three, NULL);

    ok(falls_asleep(pid), "a process with three queued signals");
    is(run_child(queue_up_to_four, NULL, false), EXITED(1), "another of the user gets one more");
    is(run_child(queue_up_to_four, directory, false), EXITED(4), "another user all of four");
    end(pid);
    is(run_child(queue_up_to_four, NULL, false), EXITED(4), "afterwards the first one, too");
}

static int try_mount(const char *options, unsigned long flags)
{
    return mount("none", directory, "tmpfs", flags, options) == 0 ? 0 : errno;
}

static unsigned long size_of_mount(void)
{
    struct statfs sizes;

    return statfs(directory, &sizes) == 0 ? sizes.f_blocks * (unsigned long)sizes.f_bsize : 1;
}

static int fill(unsigned pages)
{
    static char page[PAGE];
    char path[64];

    snprintf(path, sizeof path, "%s/file", directory);
    int fd = open(path, O_CREAT | O_WRONLY | O_APPEND, 0666);
    int error = fd < 0 ? errno : 0;
    for (unsigned i = 0; i < pages && error == 0; i++) {
        error = write(fd, page, PAGE) == PAGE ? 0 : errno;
    }
    close(fd);
    return error;
}

static void test_sizes(void)
{
    struct sysinfo info;

    sysinfo(&info);
    unsigned long half = info.totalram * info.mem_unit / 2 / PAGE * PAGE;
    is(try_mount(NULL, 0), 0, "a tmpfs without options");
    is((long)size_of_mount(), (long)half, "has half of memory");
    umount(directory);
    for (unsigned long percent = 1; percent <= 50; percent += 7) { /* 50 at last */
        unsigned long bytes = info.totalram * info.mem_unit / 100 * percent +
                              info.totalram * info.mem_unit % 100 * percent / 100;
        char options[32];

        snprintf(options, sizeof options, "size=%lu%%,mode=777", percent);
        is(try_mount(options, 0), 0, "%s", options);
        is((long)size_of_mount(), (long)((bytes + PAGE - 1) / PAGE * PAGE),
           "is rounded up to pages");
        umount(directory);
    }
    is(try_mount("size=16k", 0), 0, "size=16k");
    is(fill(4), 0, "four pages fit");
    is(fill(1), ENOSPC, "no fifth");
    is(try_mount("size=20k", MS_REMOUNT), 0, "a page more");
    is((long)size_of_mount(), 5 * PAGE, "it has that size");
    is(fill(1), 0, "now it fits");
    is(try_mount("size=8k", MS_REMOUNT), EINVAL, "not less than what is in it");
    is((long)size_of_mount(), 5 * PAGE, "that changed nothing");
    umount(directory);
    struct statfs root;
    ok(on_linux() || (statfs("/", &root) == 0 && root.f_blocks > 0), "the root has a limit, too");
}

#define NO_LIMIT 1

/* Options of a tmpfs: the size that it gets, or 0 if they are refused, and the mode and owner of its root. */
static const struct {
    const char *options;
    unsigned long size;
    mode_t mode;
    uid_t uid;
    gid_t gid;
} mount_options[] = {
    {"size=4M", 4 << 20, 01777, 0, 0},
    {"size=4m,mode=0750", 4 << 20, 0750, 0, 0},
    {"size=0x100k", 256 << 10, 01777, 0, 0},
    {"size=0100K,uid=1000", 64 << 10, 01777, 1000, 0},
    {"nr_blocks=1k,gid=5", 4 << 20, 01777, 0, 5},
    {"nr_blocks=3,nr_inodes=2K,inode64,uid=0x10,gid=010", 3 * PAGE, 01777, 16, 8},
    {",size=1G,,mode=17000,", 1 << 30, 07000, 0, 0},
    {"size=4095", PAGE, 01777, 0, 0},
    {"size=8k,size=12k", 3 * PAGE, 01777, 0, 0},
    {"size=0", NO_LIMIT, 01777, 0, 0},
    {"size=15e", 15ul << 60, 01777, 0, 0},
    {"size=16e", NO_LIMIT, 01777, 0, 0}, /* modulo 2^64 */
    {"size=18446744073709551615", NO_LIMIT, 01777, 0, 0},
    {"size=18446744073709551617", PAGE, 01777, 0, 0},
    {"size=99999999999999999999", 7766279631452241920, 01777, 0, 0},
    {"size=0x10000000000000000001k", PAGE, 01777, 0, 0},
    {"nr_blocks=9223372036854775807", -PAGE, 01777, 0, 0},
    {"nr_blocks=16e", NO_LIMIT, 01777, 0, 0},
    {"nr_inodes=16e,size=4k", PAGE, 01777, 0, 0},
    {"nr_inodes=18014398509481983,size=4k", PAGE, 01777, 0, 0},
    {"nr_blocks=9223372036854775808", 0, 0, 0, 0},
    {"nr_inodes=18014398509481984", 0, 0, 0, 0},
    {"uid=18446744073709551617", 0, 0, 0, 0},
    {"mode=7777777777777777777777", 0, 0, 0, 0},
    {"size=4MB", 0, 0, 0, 0},
    {"size=4x", 0, 0, 0, 0},
    {"size=-1", 0, 0, 0, 0},
    {"size", 0, 0, 0, 0},
    {"size=10%%", 0, 0, 0, 0},
    {"nr_blocks=10%", 0, 0, 0, 0},
    {"nr_inodes=x", 0, 0, 0, 0},
    {"mode=8", 0, 0, 0, 0},
    {"mode=", 0, 0, 0, 0},
    {"uid=4294967295", 0, 0, 0, 0},
    {"uid=4294967296", 0, 0, 0, 0},
    {"gid=root", 0, 0, 0, 0},
    {"sizes=4k", 0, 0, 0, 0},
};

static void test_mount_options(void)
{
    for (size_t i = 0; i < sizeof mount_options / sizeof mount_options[0]; i++) {
        const char *options = mount_options[i].options;
        unsigned long wanted = mount_options[i].size;
        struct stat root;

        is(try_mount(options, 0), wanted ? 0 : EINVAL, "%s", options);
        if (wanted == 0) {
            continue;
        }
        ok(size_of_mount() == (wanted == NO_LIMIT ? 0 : wanted) && stat(directory, &root) == 0 &&
               (root.st_mode & 07777) == mount_options[i].mode &&
               root.st_uid == mount_options[i].uid && root.st_gid == mount_options[i].gid,
           "size, mode and owner are those");
        umount(directory);
    }
}

struct line {
    long processes, signals, pages, bytes, total;
};

/* The line of a user in /proc/umbra-users; all 0 if there is none. */
static struct line line_of(uid_t uid)
{
    struct line found = {0, 0, 0, 0, 0}, line;
    char text[128];
    unsigned user;
    FILE *file = fopen("/proc/umbra-users", "r");

    while (file != NULL && fgets(text, sizeof text, file) != NULL) {
        if (sscanf(text, "%u %ld %ld %ld %ld %ld", &user, &line.processes, &line.signals,
                   &line.pages, &line.bytes, &line.total) == 6 &&
            user == uid) {
            found = line;
        }
    }
    if (file != NULL) {
        fclose(file);
    }
    return found;
}

static int write_ten_pages(void *unused)
{
    (void)unused;
    become(PAYER);
    return fill(10);
}

/* Takes 20 pages of memory, three in a pipe, and one more process. */
static int have_much(void *unused)
{
    static char page[PAGE];
    int fds[2];

    (void)unused;
    setpgid(0, 0);
    become(PAYER);
    if (pipe(fds) != 0 || write(fds[1], page, PAGE) != PAGE || write(fds[1], page, PAGE) != PAGE ||
        write(fds[1], page, PAGE) != PAGE) {
        return FAILED;
    }
    memset(malloc(20 * PAGE), 1, 20 * PAGE);
    fork_sleeper();
    alarm(60);
    pause();
    return 0;
}

static void test_charges(void)
{
    struct line none = line_of(PAYER);

    is(none.processes + none.pages + none.bytes, 0, "nothing is charged to a user who did nothing");
    is(try_mount("mode=777", 0), 0, "a tmpfs");
    is(run_child(write_ten_pages, NULL, false), EXITED(0), "the user writes ten pages");
    struct line line = line_of(PAYER);
    is(line.pages, 10, "and is charged for them");
    ok(line.bytes >= 100 && line.bytes < (long)PAGE, "and for the inode: %ld bytes", line.bytes);
    is(line.processes, 0, "its process has ended");
    is(fill(5), 0, "user 0 appends five");
    is(line_of(PAYER).pages, 10, "which the user does not pay");
    pid_t pid = begin(have_much, NULL);
    ok(falls_asleep(pid), "two processes of the user");
    line = line_of(PAYER);
    is(line.processes, 2, "are counted");
    is(line.pages, 13, "and the pages of their pipe");
    ok(line.total >= 13 + 20 + 8 && line.total < 13 + 20 + 40,
       "memory, stacks and tables are in the sum: %ld pages", line.total);
    kill(-pid, SIGKILL);
    wait_for(pid);
    for (int i = 0; i < 100 && line_of(PAYER).processes > 0; i++) {
        sleep_ms(20); /* process 1 waits for the other one */
    }
    umount(directory);
    line = line_of(PAYER);
    is(line.pages + line.bytes, 0, "all is given back");
}

static void test_payment(void)
{
    if (!is_root() || mkdtemp(directory) == NULL ||
        (on_linux() &&
         (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0))) {
        skip("not user 0, or no mounts of one's own here", "processes, signals, sizes");
        return;
    }
    test_processes();
    test_signals();
    test_sizes();
    test_mount_options();
    if (on_linux()) {
        skip("Linux has no such file", "/proc/umbra-users");
    } else {
        test_charges();
    }
    rmdir(directory);
}

/*
 * Memory runs out. The process that has taken most of it ends, whichever process notices; others,
 * and process 1, go on. Runs only on umbra: on Linux other programs use the memory of the machine.
 */

#define GREEDY 54321
#define MODEST 54322
#define WAIT   60000

static size_t free_pages(void)
{
    return (size_t)free_memory() / PAGE;
}

static void become_of_oom(uid_t uid)
{
    if (setgroups(0, NULL) != 0 || setgid(uid) != 0 || setuid(uid) != 0) {
        _exit(FAILED);
    }
}

static char *reserve(size_t pages)
{
    char *memory = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (memory == MAP_FAILED) {
        _exit(FAILED);
    }
    return memory;
}

/* A process that touches so many pages, and then writes a byte to the pipe. */
struct holder {
    uid_t uid;
    size_t pages;
    int told[2];
};

static int hold(void *argument)
{
    struct holder *holder = argument;

    become_of_oom(holder->uid);
    char *memory = reserve(holder->pages);
    for (size_t i = 0; i < holder->pages; i++) {
        memory[i * PAGE] = 1;
    }
    if (write(holder->told[1], "x", 1) != 1) {
        return FAILED;
    }
    alarm(120);
    pause();
    return 0;
}

static pid_t start_holder(uid_t uid, size_t pages)
{
    struct holder holder = {uid, pages, {-1, -1}};
    char byte;

    if (pipe(holder.told) != 0) {
        return -1;
    }
    pid_t pid = begin(hold, &holder);
    close(holder.told[1]);
    bool good = read(holder.told[0], &byte, 1) == 1;
    close(holder.told[0]);
    return good ? pid : -1;
}

static bool is_alive(pid_t pid)
{
    char state = state_of(pid);

    return state != 0 && state != 'Z';
}

/* The processes that are alive once only `expected` are, or a second later: one that was killed may still be
 * giving up its memory. */
static unsigned count_alive(const pid_t *pids, unsigned count, unsigned expected)
{
    unsigned alive = 0;

    for (int tries = 0; tries < 100; tries++) {
        alive = 0;
        for (unsigned i = 0; i < count; i++) {
            alive += is_alive(pids[i]);
        }
        if (alive == expected) {
            break;
        }
        usleep(10000);
    }
    return alive;
}

static void end_of_oom(pid_t pid)
{
    kill(pid, SIGKILL);
    wait_for(pid);
}

/* Takes memory until it is ended: by touching it, or by calls that fill untouched memory. */
static int take_all(void *by_calls)
{
    size_t pages = free_pages() * 2;
    char *memory = reserve(pages);
    int fd = by_calls != NULL ? open("/dev/zero", O_RDONLY) : -1;

    become_of_oom(GREEDY);
    for (size_t i = 0; i < pages; i += 64) {
        if (fd >= 0 && read(fd, memory + i * PAGE, 64 * PAGE) <= 0) {
            return errno == EFAULT ? 1 : 2;
        }
        for (size_t j = i; j < i + 64; j++) {
            memory[j * PAGE] = 1;
        }
    }
    return 3;
}

static void test_one(const char *how, void *by_calls)
{
    pid_t bystander = start_holder(MODEST, 16);
    pid_t pid = begin(take_all, by_calls);

    is(finish_or_kill(pid, WAIT), KILLED(SIGKILL), "who takes all memory by %s is ended", how);
    ok(is_alive(bystander), "another user's process is not");
    end_of_oom(bystander);
}

/* The user with the largest sum pays, although another user has the largest single process. */
static void test_sum(void)
{
    size_t all = free_pages();
    pid_t large = start_holder(MODEST, all / 4);
    pid_t small[4];

    for (int i = 0; i < 4; i++) {
        small[i] = start_holder(GREEDY, all / 7);
    }
    pid_t asks = start_holder(0, all / 4);
    ok(asks > 0, "user 0 gets a quarter of memory, of which an eighth was free");
    ok(is_alive(large), "the largest process is alive: its user has not most of it");
    is(count_alive(small, 4, 3), 3, "one of the four of the user with most of it was ended");
    for (int i = 0; i < 4; i++) {
        end_of_oom(small[i]);
    }
    end_of_oom(large);
    end_of_oom(asks);
}

static char directory_of_oom[] = "/tmp/oom.XXXXXX";

static int open_file(const char *name)
{
    char path[64];

    snprintf(path, sizeof path, "%s/%s", directory_of_oom, name);
    return open(path, O_CREAT | O_WRONLY | O_TRUNC, 0666);
}

/* Writes until nothing fits. Returns the error of the last write. */
static int fill_file(void *unused)
{
    static char part[16 * PAGE];
    int fd = open_file("large");
    size_t size = sizeof part;

    (void)unused;
    become_of_oom(GREEDY);
    if (fd < 0) {
        return FAILED;
    }
    while (size > 0) {
        if (write(fd, part, size) < 0) {
            size = size == 1 ? 0 : size > PAGE ? PAGE : 1;
        }
    }
    return errno;
}

static int touch_some(void *unused)
{
    (void)unused;
    char *memory = reserve(8);
    for (size_t i = 0; i < 8; i++) {
        memory[i * PAGE] = 1;
    }
    return 0;
}

/* No process frees these pages when it ends: user 0 goes on with the pages that are kept back. */
static void test_files(const char *options, int error)
{
    is(mount("none", directory_of_oom, "tmpfs", 0, options), 0, "a tmpfs with %s", options);
    is(run_child(fill_file, NULL, false), EXITED(error), "a user fills it");
    is(run_child(touch_some, NULL, false), EXITED(0), "user 0 starts a process that needs pages");
    is(umount(directory_of_oom), 0, "and unmounts it");
}

static int write_a_megabyte(void *unused)
{
    static char part[PAGE];
    int fd = open_file("other");

    (void)unused;
    become_of_oom(MODEST);
    for (int i = 0; i < 256; i++) {
        if (fd < 0 || write(fd, part, PAGE) != (ssize_t)PAGE) {
            return errno;
        }
    }
    return 0;
}

/* A system call finds no memory because another process has it. */
static void test_call(void)
{
    is(mount("none", directory_of_oom, "tmpfs", 0, "mode=777"), 0, "a tmpfs");
    size_t all = free_pages(), kept_back = all / 100 + 64;
    pid_t greedy = start_holder(GREEDY, all - kept_back - 200);
    ok(greedy > 0, "a user has nearly all memory");
    is(run_child(write_a_megabyte, NULL, false), EXITED(0), "another user's writes succeed");
    is(count_alive(&greedy, 1, 0), 0, "for that the first one was ended");
    end_of_oom(greedy);
    umount(directory_of_oom);
}

static void test_oom(void)
{
    if (on_linux()) {
        skip("others use the memory of this machine", "who ends when memory runs out");
        return;
    }
    size_t before = free_pages();
    test_one("touching it", NULL);
    test_one("calls", directory_of_oom);
    test_sum();
    if (ok(mkdtemp(directory_of_oom) != NULL, "a directory")) {
        test_files("size=50%", ENOSPC);
        test_files("size=200%", ENOMEM);
        test_call();
        rmdir(directory_of_oom);
    }
    size_t after = free_pages();
    ok(after + 16 >= before, "memory is free again: %zu pages, %zu before", after, before);
}

int main(int argc, char **argv)
{
    tap_begin(argc, argv);
    keep_directory();
    test_payment();
    test_oom();
    return tap_end();
}
