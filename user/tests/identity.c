/*
 * The user ids of a process (the set*id calls), and the calls of user 0: mount and chroot.
 */
#include "tap.h"
#include "proc.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define ERROR_OF(call) ((call) < 0 ? errno : 0)

#define ORDINARY 1000 /* the effective user in the end */

static char directory[] = "/tmp/identity.XXXXXX", closed[64];

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
    int fd = open(closed, O_RDONLY);
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
    is(ERROR_OF(mount("none", directory, "tmpfs", 0, NULL)), EPERM, "but no others");
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
    is(ERROR_OF(open(closed, O_RDONLY)), EACCES, "another's file stays closed");
    is(ERROR_OF(mount("none", directory, "tmpfs", 0, NULL)), EPERM, "mount");
    is(ERROR_OF(umount2(directory, 0)), EPERM, "umount");
    is(ERROR_OF(chroot(directory)), EPERM, "chroot");
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

    snprintf(a, sizeof a, "%s/a", directory);
    snprintf(b, sizeof b, "%s/b", directory);
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
    chmod(directory, 0755);
    is(open_as_user(other), EACCES, "at a read-only mount the mode comes first");
    is(mount("none", b, NULL, MS_REMOUNT | MS_RDONLY, NULL), 0, "the whole file system read-only");
    is(open_as_user(other), EROFS, "then that comes before the mode");
    is(ERROR_OF(write_page(inside)), EROFS, "everywhere");
    is(mount("none", b, NULL, MS_REMOUNT, NULL), 0, "and writable again");
    is(write_page(inside), 4096, "and so it is");
    chmod(directory, 0700);
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

static void test_chroot(void)
{
    int old_root = open("/", O_RDONLY | O_DIRECTORY), here = open(".", O_RDONLY | O_DIRECTORY);

    is(chroot(directory), 0, "chroot");
    is(chdir("/"), 0, "into it");
    is(access("/closed", F_OK), 0, "what is in it");
    is(ERROR_OF(access("/tmp", F_OK)), ENOENT, "what is not");
    is(chdir("../../.."), 0, "upwards");
    is(access("closed", F_OK), 0, "there is no way out");
    is(fchdir(old_root), 0, "but by a directory that is open");
    is(chroot("."), 0, "chroot back");
    is(access(closed, F_OK), 0, "the old root");
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

int main(int argc, char **argv)
{
    if (argc == 2) {
        return strcmp(argv[1], "ids") == 0      ? check_ids()
               : strcmp(argv[1], "signal") == 0 ? check_signal()
                                                : check_auxv();
    }
    tap_begin(argc, argv);
    if (geteuid() != 0 || mkdtemp(directory) == NULL ||
        (on_linux() &&
         (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0))) {
        skip("not user 0, or no mounts of one's own here", "identity, mounts, roots");
        return tap_end();
    }
    snprintf(closed, sizeof closed, "%s/closed", directory);
    test_mounts();
    close(open(closed, O_CREAT | O_WRONLY, 0600));
    test_chroot();
    test_file_capabilities();
    test_file_ids();
    test_exec();
    is(chown(directory, ORDINARY, 0), 0, "the directory is given away");
    test_changes(); /* drops the privileges for the tests after it */
    test_powerless();
    is(run("identity", "auxv", NULL, NULL), EXITED(0), "a program learns of its two users");
    is(unlink(closed), 0, "the directory's owner removes the file");
    is(rmdir(directory), 0, "nothing else was left");
    return tap_end();
}
