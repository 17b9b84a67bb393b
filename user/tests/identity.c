/*
 * User ids, the calls that set them, and what a user may not do.
 */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

/*
 * The user ids of a process (the set*id calls), and the calls of user 0: mount and chroot.
 */

#define ERROR_OF(call) ((call) < 0 ? errno : 0)

#define ORDINARY 1000 /* the effective user in the end */

static char base[] = "/tmp/identity.XXXXXX", closed_directory[64];

/* True if these are the real, effective and saved user ids. */
static bool users_are(uid_t real, uid_t effective, uid_t saved)
{
    uid_t r = 0, e = 0, s = 0;

    return syscall(SYS_getresuid, &r, &e, &s) == 0 && r == real && e == effective && s == saved &&
           getuid() == real && geteuid() == effective;
}

/* Makes the system calls themselves, since a C library's functions would change all threads. */
static void test_changes(void)
{
    gid_t groups[3] = {30, 10, 20}, read_back[8], many[32];

    is(syscall(SYS_setgroups, 3, groups), 0, "setgroups");
    is(syscall(SYS_getgroups, 0, NULL), 3, "getgroups counts");
    is(ERROR_OF(syscall(SYS_getgroups, 2, read_back)), EINVAL, "getgroups: no room");
    is(syscall(SYS_getgroups, 8, read_back), 3, "getgroups");
    ok(read_back[0] == 10 && read_back[1] == 20 && read_back[2] == 30, "groups are kept sorted");
    for (unsigned i = 0; i < 32; i++) {
        many[i] = i * 0x25000003u % 1000; /* some are equal */
    }
    is(syscall(SYS_setgroups, 32, many), 0, "32 groups");
    is(syscall(SYS_getgroups, 32, many), 32, "are read back");
    bool sorted = true;
    for (unsigned i = 1; i < 32; i++) {
        sorted &= many[i - 1] <= many[i];
    }
    ok(sorted, "sorted");
    is(syscall(SYS_setgroups, 3, groups), 0, "and three again");
    is(syscall(SYS_setresgid, 500, 501, 502), 0, "setresgid");
    is(getegid(), 501, "the effective group");
    is(syscall(SYS_setfsuid, 7), 0, "setfsuid answers the old one");
    is(syscall(SYS_setfsuid, -1), 7, "setfsuid of none asks");
    is(syscall(SYS_setresuid, 1000, 0, 2000), 0, "setresuid with privileges");
    ok(users_are(1000, 0, 2000), "all three differ");
    is(syscall(SYS_setfsuid, -1), 0, "the user of the file system follows the effective one");
    is(syscall(SYS_setresuid, -1, ORDINARY, -1), 0, "privileges are put away");
    is(ERROR_OF(syscall(SYS_setresuid, 3000, -1, -1)), EPERM, "no other user without them");
    ok(users_are(1000, 1000, 2000), "nothing has changed");
    is(syscall(SYS_setuid, 2000), 0, "setuid to the saved user");
    ok(users_are(1000, 2000, 2000), "only the effective one changes");
    is(ERROR_OF(syscall(SYS_setuid, 0)), EPERM, "setuid(0)");
    is(syscall(SYS_setreuid, 2000, 1000), 0, "setreuid exchanges");
    ok(users_are(2000, 1000, 1000), "and the saved user follows");
    is(ERROR_OF(syscall(SYS_setreuid, 5, -1)), EPERM, "setreuid to another");
    is(ERROR_OF(syscall(SYS_setgroups, 0, NULL)), EPERM, "setgroups without privileges");
    is(ERROR_OF(syscall(SYS_setgid, 77)), EPERM, "setgid without privileges");
    is(syscall(SYS_setgid, 502), 0, "setgid to the saved group");
}

/* Opens the file of user 0. Returns 0 or the errno value. */
static int open_closed(void)
{
    int fd = open(closed_directory, O_RDONLY);
    int error = ERROR_OF(fd);

    if (fd >= 0) {
        close(fd);
    }
    return error;
}

/* The capabilities over files change with setfsuid and with the effective user, not with `fs`. */
static void test_file_capabilities(void)
{
    syscall(SYS_setfsuid, ORDINARY);
    is(open_closed(), EACCES, "setfsuid drops the capabilities over files");
    is(syscall(SYS_setresuid, -1, 0, -1), 0, "the user of the file system is 0 again");
    syscall(SYS_setfsuid, ORDINARY);
    is(open_closed(), EACCES, "but the capabilities have not come back");
    syscall(SYS_setfsuid, 0);
    is(open_closed(), 0, "setfsuid(0) raises them");
    is(syscall(SYS_setresuid, -1, ORDINARY, -1), 0, "another effective user");
    is(open_closed(), EACCES, "has no capabilities");
    syscall(SYS_setfsuid, 0);
    is(syscall(SYS_setresuid, -1, ORDINARY, -1), 0, "setfsuid(0), and the same effective user");
    is(syscall(SYS_setfsuid, -1), ORDINARY, "is the user of the file system");
    is(open_closed(), 0, "with the capabilities over files");
    is(ERROR_OF(mount("none", base, "tmpfs", 0, NULL)), EPERM, "but no others");
    is(syscall(SYS_setresuid, -1, 0, -1), 0, "user 0 again");
}

/* setresuid and setresgid give files to the effective id again, also if they set only another one. */
static void test_file_ids(void)
{
    syscall(SYS_setfsuid, ORDINARY);
    syscall(SYS_setfsgid, 500);
    is(syscall(SYS_setresuid, -1, -1, -1), 0, "setresuid of nothing");
    is(syscall(SYS_setfsuid, -1), ORDINARY, "changes nothing");
    is(syscall(SYS_setresuid, 0, -1, 0), 0, "nor does one of what is there");
    is(syscall(SYS_setfsuid, -1), ORDINARY, "as little");
    is(syscall(SYS_setresuid, ORDINARY, -1, -1), 0, "setresuid of the real user");
    is(syscall(SYS_setfsuid, -1), 0, "the user of the file system is the effective one");
    is(syscall(SYS_setresgid, -1, -1, 500), 0, "setresgid of the saved group");
    is(syscall(SYS_setfsgid, -1), 0, "its group, too");
    is(syscall(SYS_setresuid, 0, 0, 0) | syscall(SYS_setresgid, 0, 0, 0), 0, "all are 0 again");
}

/* exec makes the effective user the saved one, and the one of the file system. */
static void test_exec(void)
{
    syscall(SYS_setresuid, 0, 0, ORDINARY);
    syscall(SYS_setfsuid, ORDINARY);
    syscall(SYS_setresgid, 0, 0, 500);
    syscall(SYS_setfsgid, 500);
    is(run("identity", "ids", NULL, NULL), EXITED(0), "exec takes over the effective ids");
    sigaction(SIGUSR2, &(struct sigaction){.sa_handler = SIG_IGN, .sa_flags = SA_NODEFER}, NULL);
    is(run("identity", "signal", NULL, NULL), EXITED(0),
       "exec clears the flags of what is ignored");
    signal(SIGUSR2, SIG_DFL);
    is(syscall(SYS_setresuid, 0, 0, 0) | syscall(SYS_setresgid, 0, 0, 0), 0, "all ids are 0");
    syscall(SYS_setfsuid, ORDINARY);
    is(syscall(SYS_setfsuid, 0), ORDINARY, "setfsuid(0) raises the capabilities again");
}

static void test_powerless(void)
{
    is(ERROR_OF(open(closed_directory, O_RDONLY)), EACCES, "another's file stays closed");
    is(ERROR_OF(mount("none", base, "tmpfs", 0, NULL)), EPERM, "mount");
    is(ERROR_OF(umount2(base, 0)), EPERM, "umount");
    is(ERROR_OF(chroot(base)), EPERM, "chroot");
    is(ERROR_OF(kill(1, 0)), EPERM, "a signal to process 1");
}

static long write_page(const char *path)
{
    static char page[4096] = "x";
    int fd = open(path, O_CREAT | O_WRONLY, 0600);
    long result = fd < 0 ? -1 : write(fd, page, sizeof page);
    int error = errno;

    if (fd >= 0) {
        close(fd);
    }
    errno = error;
    return result;
}

/* Opens for writing what is root's: the error. */
static int open_as_user(const char *path)
{
    syscall(SYS_setfsuid, ORDINARY);
    int fd = open(path, O_WRONLY);
    int error = fd < 0 ? errno : 0;

    if (fd >= 0) {
        close(fd);
    }
    syscall(SYS_setfsuid, 0);
    return error;
}

static void test_mounts(void)
{
    char a[64], b[64], inside[80], other[80];
    struct statfs sizes;
    struct stat stat_buf;

    snprintf(a, sizeof a, "%s/a", base);
    snprintf(b, sizeof b, "%s/b", base);
    snprintf(inside, sizeof inside, "%s/file", a);
    snprintf(other, sizeof other, "%s/file", b);
    mkdir(a, 0755);
    mkdir(b, 0755);
    is(mount("none", a, "tmpfs", 0, "size=8k,mode=700"), 0, "a tmpfs of two pages");
    ok(stat(a, &stat_buf) == 0 && (stat_buf.st_mode & 07777) == 0700, "its mode");
    ok(statfs(a, &sizes) == 0 && sizes.f_blocks * (uint64_t)sizes.f_bsize == 8192, "its size");
    is(write_page(inside), 4096, "a file in it");
    is(mount(a, b, NULL, MS_BIND, NULL), 0, "bind");
    is(access(other, F_OK), 0, "the file is in the other place as well");
    is(mount("none", b, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL), 0, "remount read-only");
    is(ERROR_OF(write_page(other)), EROFS, "nothing is written there");
    is(write_page(inside), 4096, "but here");
    is(ERROR_OF(rmdir(a)), EBUSY, "a place where something is mounted");
    is(ERROR_OF(access(other, W_OK)), EROFS, "nor may it be");
    chmod(a, 0755);
    chmod(base, 0755);
    is(open_as_user(other), EACCES, "at a read-only mount the mode comes first");
    is(mount("none", b, NULL, MS_REMOUNT | MS_RDONLY, NULL), 0, "the whole file system read-only");
    is(open_as_user(other), EROFS, "then that comes before the mode");
    is(ERROR_OF(write_page(inside)), EROFS, "everywhere");
    is(mount("none", b, NULL, MS_REMOUNT, NULL), 0, "and writable again");
    is(write_page(inside), 4096, "and so it is");
    chmod(base, 0700);
    is(umount2(b, MNT_FORCE), 0, "umount by force");
    is(ERROR_OF(umount2(b, 0)), EINVAL, "again");
    int fd = open(inside, O_RDONLY);
    is(ERROR_OF(umount2(a, 0)), EBUSY, "an open file keeps it");
    is(umount2(a, MNT_DETACH), 0, "unless it is only taken out of sight");
    char byte = 0;
    ok(read(fd, &byte, 1) == 1 && byte == 'x', "the open file is still there");
    close(fd);
    is(ERROR_OF(access(inside, F_OK)), ENOENT, "the place is empty again");
    is(ERROR_OF(mount("none", a, "nosuchfs", 0, NULL)), ENODEV, "an unknown file system");
    is(ERROR_OF(mount("none", a, "tmpfs", 0, "size=many")), EINVAL, "an option without sense");
    is(ERROR_OF(mount("none", "/no/where", "tmpfs", 0, NULL)), ENOENT, "no such place");
    is(ERROR_OF(mount("none", a, (const char *)8, 0, NULL)), EFAULT, "a bad pointer");
    is(ERROR_OF(umount2(a, 0x100)), EINVAL, "an unknown flag");
    rmdir(a);
    rmdir(b);
}

/* A directory that goes with its file system tells so as a directory. */
static void test_watched_mount(void)
{
    char place[64], inside[80];
    struct inotify_event event[2];
    int watching = inotify_init1(IN_NONBLOCK);

    snprintf(place, sizeof place, "%s/watched", base);
    snprintf(inside, sizeof inside, "%s/inside", place);
    mkdir(place, 0755);
    is(mount("none", place, "tmpfs", 0, NULL), 0, "a tmpfs");
    ok(mkdir(inside, 0755) == 0 && inotify_add_watch(watching, inside, IN_ALL_EVENTS) == 1,
       "a directory in it is watched");
    is(umount2(place, 0), 0, "umount");
    is(read(watching, event, sizeof event), (long)sizeof event, "the watch tells of two events");
    is(event[0].mask, IN_UNMOUNT | IN_ISDIR, "the end of the file system");
    is(event[1].mask, IN_IGNORED, "and that of the watch");
    close(watching);
    rmdir(place);
}

static int wait_to_end(void *unused)
{
    (void)unused;
    pause();
    return 0;
}

static unsigned count_mounts(void)
{
    char line[4096];
    unsigned lines = 0;
    FILE *file = fopen("/proc/self/mounts", "r");

    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        lines++;
    }
    if (file != NULL) {
        fclose(file);
    }
    return lines;
}

/* What is mounted on the files of a process goes with the process. */
static void test_mounts_of_process(const char *file)
{
    char place[64], inside[80];
    pid_t pid = begin(wait_to_end, NULL);
    unsigned before = count_mounts();

    snprintf(place, sizeof place, "/proc/%d%s", pid, file);
    snprintf(inside, sizeof inside, "%s/made", place);
    is(mount("none", place, "tmpfs", 0, NULL), 0, "a tmpfs at /proc/PID%s", file);
    is(write_page(inside), 4096, "a file in it");
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    is(ERROR_OF(access(inside, F_OK)), ENOENT, "it is gone with its process");
    is(ERROR_OF(umount2(place, 0)), ENOENT, "and so is its place");
    is((long)count_mounts(), (long)before, "it is no mount any more");
}

static void test_chroot(void)
{
    int old_root = open("/", O_RDONLY | O_DIRECTORY), here = open(".", O_RDONLY | O_DIRECTORY);

    is(chroot(base), 0, "chroot");
    is(chdir("/"), 0, "into it");
    is(access("/closed", F_OK), 0, "what is in it");
    is(ERROR_OF(access("/tmp", F_OK)), ENOENT, "what is not");
    is(chdir("../../.."), 0, "upwards");
    is(access("closed", F_OK), 0, "there is no way out");
    is(fchdir(old_root), 0, "but by a directory that is open");
    is(chroot("."), 0, "chroot back");
    is(access(closed_directory, F_OK), 0, "the old root");
    fchdir(here);
    close(here);
    close(old_root);
}

/* After exec with different user ids: returns 0 if the auxiliary vector has them and AT_SECURE. */
static int check_auxv(void)
{
    return getauxval(AT_UID) == 2000 && getauxval(AT_EUID) == ORDINARY && getauxval(AT_SECURE) == 1
               ? 0
               : 1;
}

/* After exec of an effective user 0 with other saved and fs ids: returns 0 if these are 0. */
static int check_ids(void)
{
    gid_t real = 1, effective = 1, saved = 1;

    return users_are(0, 0, 0) && getresgid(&real, &effective, &saved) == 0 && saved == 0 &&
                   syscall(SYS_setfsuid, -1) == 0 && syscall(SYS_setfsgid, -1) == 0
               ? 0
               : 1;
}

/* After exec with an ignored signal: returns 0 if it is ignored, without its old flags. */
static int check_signal(void)
{
    struct sigaction action;

    return sigaction(SIGUSR2, NULL, &action) == 0 && action.sa_handler == SIG_IGN &&
                   (action.sa_flags & SA_NODEFER) == 0
               ? 0
               : 1;
}

static void test_identity(void)
{
    if (geteuid() != 0 || mkdtemp(base) == NULL ||
        (on_linux() &&
         (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0))) {
        skip("not user 0, or no mounts of one's own here", "identity, mounts, roots");
        return;
    }
    snprintf(closed_directory, sizeof closed_directory, "%s/closed", base);
    test_mounts();
    test_watched_mount();
    test_mounts_of_process("");
    test_mounts_of_process("/task");
    close(open(closed_directory, O_CREAT | O_WRONLY, 0600));
    test_chroot();
    test_file_capabilities();
    test_file_ids();
    test_exec();
    is(chown(base, ORDINARY, 0), 0, "the directory is given away");
    test_changes(); /* drops the privileges for the tests after it */
    test_powerless();
    is(run("identity", "auxv", NULL, NULL), EXITED(0), "a program learns of its two users");
    is(unlink(closed_directory), 0, "the directory's owner removes the file");
    is(rmdir(base), 0, "nothing else was left");
}

/*
 * Permissions: the access of a user to root's processes, their /proc entries, limits, groups and
 * files; the calls that only root may make; and the access that stays allowed. Needs root.
 */

#define P(object) ((unsigned long)(uintptr_t)(object))
#define NO_GROUP  0x3ffffff0
#define WALL      0x40000000

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

static int exec_and_wait(void *program)
{
    char *argv[] = {"identity", "wait", NULL}, *envp[] = {NULL};

    RAW(SYS_execve, program, argv, envp);
    return 97;
}

static void wait_for_exec(pid_t pid)
{
    char name[64], text[64] = "";

    snprintf(name, sizeof name, "/proc/%d/cmdline", (int)pid);
    for (int i = 0; i < 1000 && strcmp(text, "identity") != 0; i++) {
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
    pid_t executed = begin(exec_and_wait, "/proc/self/exe"), leader = begin(wait_in_session, NULL);

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

/* A program that its user may execute but not read cannot be read from its process either. */
static void look_at_unreadable_program(void)
{
    static const char *const closed[] = {"maps", "environ", "exe", "cwd", "fd"};
    pid_t child = begin(exec_and_wait, "unreadable");
    long word;
    const struct iovec own = {&word, sizeof word}, its = {points, sizeof word};

    wait_for_exec(child);
    tell(RAW(SYS_open, "unreadable", O_RDONLY), -EACCES, "the program cannot be opened");
    for (size_t i = 0; i < COUNT(closed); i++) {
        tell(open_of(child, closed[i]), -EACCES, closed[i]);
    }
    tell(link_of(child, "exe"), -EACCES, "the link exe");
    tell(RAW(SYS_process_vm_readv, child, &own, 1, &its, 1, 0), -EPERM, "process_vm_readv");
    tell(RAW(SYS_kill, child, SIGKILL), 0, "but it can be ended");
    child = begin(exec_and_wait, "/proc/self/exe");
    wait_for_exec(child);
    tell(RAW(SYS_process_vm_readv, child, &own, 1, &its, 1, 0), sizeof word, "another can be read");
    kill(child, SIGKILL);
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
    int own = open("/proc/self/exe", O_RDONLY), copy = open("unreadable", O_CREAT | O_WRONLY, 0711);
    ok(sendfile(copy, own, NULL, 1 << 30) > 0 && fchmod(copy, 0711) == 0, "a program");
    close(own);
    close(copy);
}

static void remove_files(const char *directory)
{
    static const char *const files[] = {"roots", "secret", "own", "mine", "device", "unreadable"};

    for (size_t i = 0; i < COUNT(files); i++) {
        unlink(files[i]);
    }
    rmdir("closed/file");
    rmdir("closed");
    rmdir(directory);
}

static void test_rights(void)
{
    char directory[] = "/tmp/rights.XXXXXX";

    if (!is_root()) {
        skip("needs root", "a user against root");
        return;
    }
    ok(mkdtemp(directory) != NULL && chdir(directory) == 0, "an empty directory");
    make_files();
    roots_process = begin(wait_for_the_end, NULL);
    try_prepared(look_at_root, "/proc/PID of root's process, then of process 1");
    try_prepared(look_at_its_own, "/proc/PID of its own child");
    try_prepared(make_roots_calls, "calls that only root may make");
    try_prepared(try_limits, "limits");
    try_prepared(try_groups, "groups");
    try_prepared(look_at_unreadable_program, "/proc/PID of a program that is not readable");
    is(kill(roots_process, SIGKILL), 0, "root's process lives on");
    is(finish(roots_process, 5000), KILLED(SIGKILL), "until root ends it");
    remove_files(directory);
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "wait") == 0) {
        return wait_for_the_end(NULL);
    }
    if (argc == 2) {
        return strcmp(argv[1], "ids") == 0      ? check_ids()
               : strcmp(argv[1], "signal") == 0 ? check_signal()
                                                : check_auxv();
    }
    tap_begin(argc, argv);
    keep_directory();
    test_rights();
    test_identity(); /* drops the privileges */
    return tap_end();
}
