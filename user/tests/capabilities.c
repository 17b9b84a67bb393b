/*
 * capabilities(7): which call needs which one, how the sets change with the user ids, with exec and
 * with prctl, and what may not change.
 */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#define VERSION    0x20080522u
#define BIT(cap)   (1ull << (cap))
#define CHOWN      0
#define OVERRIDE   1
#define FOWNER     3
#define KILL       5
#define SETGID     6
#define SETUID     7
#define SETPCAP    8
#define CHROOT     18
#define PTRACE     19
#define ADMIN      21
#define BOOT       22
#define NICE       23
#define TIME       25
#define MKNOD      27
#define LAST       40
#define FILES_CAPS 0x1fu /* CAP_CHOWN to CAP_FSETID */

#define AMBIENT_IS_SET 1
#define AMBIENT_RAISE  2
#define AMBIENT_LOWER  3
#define AMBIENT_CLEAR  4

struct caps {
    uint64_t effective, permitted, inheritable;
};

static uint64_t all; /* what this machine's user 0 has */
static char file[64], device[80];

static struct caps get_caps(void)
{
    uint32_t header[2] = {VERSION, 0}, words[6] = {0};

    RAW(SYS_capget, header, words);
    return (struct caps){words[0] | (uint64_t)words[3] << 32, words[1] | (uint64_t)words[4] << 32,
                         words[2] | (uint64_t)words[5] << 32};
}

static long set_caps(uint64_t effective, uint64_t permitted, uint64_t inheritable)
{
    uint32_t header[2] = {VERSION, 0};
    uint32_t words[6] = {(uint32_t)effective,         (uint32_t)permitted,
                         (uint32_t)inheritable,       (uint32_t)(effective >> 32),
                         (uint32_t)(permitted >> 32), (uint32_t)(inheritable >> 32)};

    return RAW(SYS_capset, header, words);
}

static long option(int number, unsigned long a, unsigned long b, unsigned long c)
{
    return RAW(SYS_prctl, number, a, b, c, 0);
}

static long open_file(void)
{
    long fd = RAW(SYS_open, file, O_WRONLY);

    if (fd >= 0) {
        RAW(SYS_close, fd);
    }
    return fd < 0 ? fd : 0;
}

static long make_device(void)
{
    long error = RAW(SYS_mknod, device, S_IFCHR | 0600, 0x103);

    RAW(SYS_unlink, device);
    return error;
}

static long do_chroot(void)
{
    return RAW(SYS_chroot, "/");
}
static long do_hostname(void)
{
    return RAW(SYS_sethostname, "a", -1);
}
static long do_set_no_time(void)
{
    return RAW(SYS_settimeofday, NULL, NULL);
}
static long do_umount(void)
{
    return RAW(SYS_umount2, file, 0);
}
static long do_setuid(void)
{
    return RAW(SYS_setuid, 5);
}
static long do_setgid(void)
{
    return RAW(SYS_setgid, 5);
}
static long do_setgroups(void)
{
    return RAW(SYS_setgroups, 0, NULL);
}
static long do_reboot(void)
{
    return RAW(SYS_reboot, 0, 0, 0, 0);
}
static long do_priority(void)
{
    return RAW(SYS_setpriority, 0, 0, -1);
}
static long do_chown(void)
{
    return RAW(SYS_chown, file, 7, 7);
}
static long do_chmod(void)
{
    return RAW(SYS_chmod, file, 0);
}
static long do_bounding(void)
{
    return option(PR_CAPBSET_DROP, LAST, 0, 0);
}

static long do_inspect(void)
{
    char path[32], name[64];
    snprintf(path, sizeof path, "/proc/%d/exe", (int)getppid());
    long length = RAW(SYS_readlink, path, name, sizeof name);

    return length < 0 ? length : 0;
}

static const struct needed {
    const char *name;
    unsigned cap;
    long (*act)(void);
    long with, without;
} needed[] = {
    {"chroot", CHROOT, do_chroot, 0, -EPERM},
    {"sethostname", ADMIN, do_hostname, -EINVAL, -EPERM},
    {"settimeofday", TIME, do_set_no_time, 0, -EPERM},
    {"umount", ADMIN, do_umount, -EINVAL, -EPERM},
    {"setuid", SETUID, do_setuid, 0, -EPERM},
    {"setgid", SETGID, do_setgid, 0, -EPERM},
    {"setgroups", SETGID, do_setgroups, 0, -EPERM},
    {"reboot", BOOT, do_reboot, -EINVAL, -EPERM},
    {"setpriority", NICE, do_priority, 0, -EACCES},
    {"chown", CHOWN, do_chown, 0, -EPERM},
    {"chmod", FOWNER, do_chmod, 0, -EPERM},
    {"open", OVERRIDE, open_file, 0, -EACCES},
    {"mknod", MKNOD, make_device, 0, -EPERM},
    {"readlink of the parent's exe", PTRACE, do_inspect, 0, -EACCES},
    {"PR_CAPBSET_DROP", SETPCAP, do_bounding, 0, -EPERM},
};

static int without_one(void *argument)
{
    const struct needed *row = argument;

    set_caps(all & ~BIT(row->cap), all & ~BIT(row->cap), 0);
    return (int)-row->act();
}

static int with_one(void *argument)
{
    const struct needed *row = argument;

    set_caps(BIT(row->cap), all, 0);
    return (int)-row->act();
}

/* Each call has its capability: with this one alone it succeeds, with all others it does not. */
static void test_needed(void)
{
    for (unsigned i = 0; i < sizeof needed / sizeof needed[0]; i++) {
        const struct needed *row = &needed[i];
        void *argument = (void *)(uintptr_t)row;
        is(run_child(with_one, argument, false), EXITED(-row->with), "%s with capability %u alone",
           row->name, row->cap);
        is(run_child(without_one, argument, false), EXITED(-row->without), "%s with all others",
           row->name);
    }
}

/* The first of the checks that does not hold, counted from 1; 0: all of them hold. */
#define CHECK(condition)                                                                           \
    do {                                                                                           \
        checks++;                                                                                  \
        if (!(condition))                                                                          \
            return checks;                                                                         \
    } while (0)

static bool caps_are(uint64_t effective, uint64_t permitted, uint64_t inheritable)
{
    struct caps caps = get_caps();

    return caps.effective == effective && caps.permitted == permitted &&
           caps.inheritable == inheritable;
}

static int change_sets(void *unused)
{
    int checks = 0;
    const uint64_t two = BIT(KILL) | BIT(CHOWN);

    (void)unused;
    CHECK(caps_are(all, all, 0));
    CHECK(set_caps(0, all, two) == 0 && caps_are(0, all, two));
    CHECK(set_caps(all, all, 0) == 0 && caps_are(all, all, 0));
    CHECK(set_caps(BIT(KILL), two, 0) == 0 && caps_are(BIT(KILL), two, 0));
    CHECK(set_caps(BIT(KILL), two | BIT(ADMIN), 0) == -EPERM); /* permitted only shrinks */
    CHECK(set_caps(two | BIT(ADMIN), two, 0) == -EPERM);       /* effective is a part of it */
    CHECK(set_caps(0, BIT(KILL), two) == 0); /* what was permitted may be inheritable */
    CHECK(set_caps(0, 0, two) == 0);
    CHECK(set_caps(0, 0, BIT(ADMIN)) == -EPERM);
    CHECK(set_caps(0, 0, BIT(CHOWN)) == 0 && caps_are(0, 0, BIT(CHOWN)));
    CHECK(set_caps(0, 0, two) == -EPERM);
    return 0;
}

static int change_ids(void *unused)
{
    int checks = 0;

    (void)unused;
    CHECK(RAW(SYS_setresuid, -1, USER, -1) == 0 && caps_are(0, all, 0));
    CHECK(RAW(SYS_setresuid, -1, 0, -1) == 0 && caps_are(all, all, 0));
    CHECK(RAW(SYS_setfsuid, USER) == 0 && (get_caps().effective & FILES_CAPS) == 0);
    CHECK(get_caps().effective & BIT(ADMIN));
    CHECK(RAW(SYS_setfsuid, 0) == USER && caps_are(all, all, 0));
    CHECK(option(PR_SET_KEEPCAPS, 2, 0, 0) == -EINVAL);
    CHECK(option(PR_SET_KEEPCAPS, 1, 0, 0) == 0 && option(PR_GET_KEEPCAPS, 0, 0, 0) == 1);
    CHECK(RAW(SYS_setresuid, USER, USER, USER) == 0 && caps_are(0, all, 0));
    CHECK(RAW(SYS_kill, 1, 0) == -EPERM);
    CHECK(set_caps(BIT(KILL), all, 0) == 0 && RAW(SYS_kill, 1, 0) == 0);
    CHECK(set_caps(BIT(SETUID), all, 0) == 0 && RAW(SYS_setuid, 0) == 0);
    CHECK(caps_are(all, all, 0));
    CHECK(option(PR_SET_KEEPCAPS, 0, 0, 0) == 0);
    CHECK(RAW(SYS_setresuid, USER, USER, USER) == 0 && caps_are(0, 0, 0));
    return 0;
}

static int change_secure_bits(void *unused)
{
    int checks = 0;

    (void)unused;
    CHECK(option(PR_GET_SECUREBITS, 0, 0, 0) == 0);
    CHECK(option(PR_SET_SECUREBITS, 1ul << 20, 0, 0) == -EPERM);
    CHECK(option(PR_SET_SECUREBITS, 0x4, 0, 0) == 0);
    CHECK(RAW(SYS_setresuid, -1, USER, -1) == 0 && caps_are(all, all, 0)); /* nothing follows */
    CHECK(RAW(SYS_setresuid, -1, 0, -1) == 0 && caps_are(all, all, 0));
    CHECK(option(PR_SET_SECUREBITS, 0x20, 0, 0) == 0);      /* KEEP_CAPS is locked */
    CHECK(option(PR_SET_SECUREBITS, 0x30, 0, 0) == -EPERM); /* and cannot be set */
    CHECK(option(PR_SET_SECUREBITS, 0, 0, 0) == -EPERM);    /* nor unlocked */
    CHECK(option(PR_SET_KEEPCAPS, 1, 0, 0) == -EPERM);
    CHECK(option(PR_SET_SECUREBITS, 0x20 | 0x40, 0, 0) == 0); /* no ambient ones */
    CHECK(set_caps(all, all, all) == 0);
    CHECK(option(PR_CAP_AMBIENT, AMBIENT_RAISE, KILL, 0) == -EPERM);
    CHECK(set_caps(0, all, 0) == 0 && option(PR_SET_SECUREBITS, 0x20, 0, 0) == -EPERM);
    return 0;
}

static int change_bounding(void *unused)
{
    int checks = 0;

    (void)unused;
    CHECK(option(PR_CAPBSET_READ, LAST, 0, 0) == 1);
    CHECK(option(PR_CAPBSET_READ, LAST + 1, 0, 0) == -EINVAL);
    CHECK(option(PR_CAPBSET_DROP, LAST + 1, 0, 0) == -EINVAL);
    CHECK(option(PR_CAPBSET_DROP, ADMIN, 0, 0) == 0 && option(PR_CAPBSET_READ, ADMIN, 0, 0) == 0);
    CHECK(caps_are(all, all, 0));
    CHECK(set_caps(all, all, BIT(ADMIN)) == -EPERM); /* not inheritable any more */
    CHECK(set_caps(all, all, BIT(KILL)) == 0);
    return 0;
}

static int change_ambient(void *unused)
{
    int checks = 0;

    (void)unused;
    CHECK(option(PR_CAP_AMBIENT, AMBIENT_IS_SET, KILL, 0) == 0);
    CHECK(option(PR_CAP_AMBIENT, AMBIENT_RAISE, KILL, 0) == -EPERM); /* not inheritable */
    CHECK(option(PR_CAP_AMBIENT, AMBIENT_RAISE, LAST + 1, 0) == -EINVAL);
    CHECK(option(PR_CAP_AMBIENT, AMBIENT_IS_SET, KILL, 1) == -EINVAL);
    CHECK(option(PR_CAP_AMBIENT, 5, KILL, 0) == -EINVAL);
    CHECK(set_caps(all, all, BIT(KILL) | BIT(CHOWN)) == 0);
    CHECK(option(PR_CAP_AMBIENT, AMBIENT_RAISE, KILL, 0) == 0);
    CHECK(option(PR_CAP_AMBIENT, AMBIENT_RAISE, CHOWN, 0) == 0);
    CHECK(option(PR_CAP_AMBIENT, AMBIENT_IS_SET, KILL, 0) == 1);
    CHECK(option(PR_CAP_AMBIENT, AMBIENT_LOWER, CHOWN, 0) == 0);
    CHECK(option(PR_CAP_AMBIENT, AMBIENT_IS_SET, CHOWN, 0) == 0);
    CHECK(set_caps(all, all, 0) == 0);
    CHECK(option(PR_CAP_AMBIENT, AMBIENT_IS_SET, KILL, 0) == 0); /* it went with the inheritable */
    CHECK(set_caps(all, all, BIT(KILL)) == 0);
    CHECK(option(PR_CAP_AMBIENT, AMBIENT_RAISE, KILL, 0) == 0);
    CHECK(option(PR_CAP_AMBIENT, AMBIENT_CLEAR, 1, 0) == -EINVAL);
    CHECK(option(PR_CAP_AMBIENT, AMBIENT_CLEAR, 0, 0) == 0);
    CHECK(option(PR_CAP_AMBIENT, AMBIENT_IS_SET, KILL, 0) == 0);
    return 0;
}

static int other_options(void *unused)
{
    int checks = 0, value = -1;

    (void)unused;
    CHECK(option(PR_GET_NO_NEW_PRIVS, 0, 0, 0) == 0);
    CHECK(option(PR_GET_NO_NEW_PRIVS, 1, 0, 0) == -EINVAL);
    CHECK(option(PR_SET_NO_NEW_PRIVS, 0, 0, 0) == -EINVAL);
    CHECK(option(PR_SET_NO_NEW_PRIVS, 1, 1, 0) == -EINVAL);
    CHECK(option(PR_SET_NO_NEW_PRIVS, 1, 0, 0) == 0 && option(PR_GET_NO_NEW_PRIVS, 0, 0, 0) == 1);
    CHECK(option(PR_SET_TIMERSLACK, 12345, 0, 0) == 0 &&
          option(PR_GET_TIMERSLACK, 0, 0, 0) == 12345);
    CHECK(option(PR_SET_TIMERSLACK, 0, 0, 0) == 0 && option(PR_GET_TIMERSLACK, 0, 0, 0) == 50000);
    CHECK(option(PR_SET_PDEATHSIG, 65, 0, 0) == -EINVAL);
    CHECK(option(PR_SET_PDEATHSIG, SIGUSR1, 0, 0) == 0);
    CHECK(option(PR_GET_PDEATHSIG, (unsigned long)&value, 0, 0) == 0 && value == SIGUSR1);
    CHECK(option(PR_GET_PDEATHSIG, 8, 0, 0) == -EFAULT);
    CHECK(option(PR_GET_CHILD_SUBREAPER, (unsigned long)&value, 0, 0) == 0 && value == 0);
    CHECK(option(PR_SET_CHILD_SUBREAPER, 5, 0, 0) == 0);
    CHECK(option(PR_GET_CHILD_SUBREAPER, (unsigned long)&value, 0, 0) == 0 && value == 1);
    CHECK(option(PR_GET_SECCOMP, 0, 0, 0) == 0);
    return 0;
}

static int versions(void *unused)
{
    int checks = 0;
    uint32_t header[2] = {0x19980330u, 0}, words[6] = {0};

    (void)unused;
    CHECK(RAW(SYS_capget, header, words) == 0 && words[0] == (uint32_t)all && words[3] == 0);
    CHECK(RAW(SYS_capset, header, words) == 0); /* the first version drops the upper ones */
    CHECK(caps_are((uint32_t)all, (uint32_t)all, 0));
    header[1] = (uint32_t)getppid();
    CHECK(RAW(SYS_capset, header, words) == -EPERM);
    header[1] = (uint32_t)getpid();
    CHECK(RAW(SYS_capset, header, words) == 0);
    CHECK(RAW(SYS_capset, header, 8) == -EFAULT && RAW(SYS_capset, 8, words) == -EFAULT);
    return 0;
}

/* What a program finds that was executed. */
struct executed {
    uint64_t effective, permitted;
    bool secure;
    unsigned uid, gid; /* the effective ones */
};

/* Executes this program, which tells whether it has these rights. */
static int exec_finds(const struct executed *expected)
{
    char words[4][20];
    char *argv[] = {"capabilities", words[0], words[1], expected->secure ? "1" : "0",
                    words[2],       words[3], NULL};

    snprintf(words[0], sizeof words[0], "%llx", (unsigned long long)expected->effective);
    snprintf(words[1], sizeof words[1], "%llx", (unsigned long long)expected->permitted);
    snprintf(words[2], sizeof words[2], "%u", expected->uid);
    snprintf(words[3], sizeof words[3], "%u", expected->gid);
    execv(beside("capabilities"), argv);
    return 99;
}

/* The same, with the effective ids that it has now. */
static int exec_has(uint64_t effective, uint64_t permitted, bool secure)
{
    return exec_finds(&(struct executed){effective, permitted, secure, geteuid(), getegid()});
}

static int executed(char **argv)
{
    struct caps caps = get_caps();

    if (caps.effective != strtoull(argv[1], NULL, 16)) {
        return 1;
    }
    if (caps.permitted != strtoull(argv[2], NULL, 16)) {
        return 2;
    }
    if (getauxval(AT_SECURE) != strtoul(argv[3], NULL, 10)) {
        return 3;
    }
    uid_t uid[3], uid_wanted = (uid_t)strtoul(argv[4], NULL, 10);
    gid_t gid[3], gid_wanted = (gid_t)strtoul(argv[5], NULL, 10);
    getresuid(&uid[0], &uid[1], &uid[2]);
    getresgid(&gid[0], &gid[1], &gid[2]);
    if (uid[1] != uid_wanted || uid[2] != uid_wanted || getauxval(AT_EUID) != uid_wanted) {
        return 4;
    }
    return gid[1] == gid_wanted && gid[2] == gid_wanted && getauxval(AT_EGID) == gid_wanted ? 0 : 5;
}

static int exec_regains(void *unused)
{
    (void)unused;
    set_caps(0, 0, 0);
    return exec_has(all, all, false);
}

static int exec_bounded(void *unused)
{
    (void)unused;
    option(PR_CAPBSET_DROP, ADMIN, 0, 0);
    return exec_has(all & ~BIT(ADMIN), all & ~BIT(ADMIN), false);
}

static int exec_no_new(void *unused)
{
    (void)unused;
    set_caps(0, BIT(KILL), 0);
    option(PR_SET_NO_NEW_PRIVS, 1, 0, 0);
    return exec_has(BIT(KILL), BIT(KILL), false);
}

static int exec_noroot(void *unused)
{
    (void)unused;
    option(PR_SET_SECUREBITS, 1, 0, 0);
    return exec_has(0, 0, false);
}

static int exec_kept(void *unused)
{
    (void)unused;
    option(PR_SET_KEEPCAPS, 1, 0, 0);
    RAW(SYS_setresuid, USER, USER, USER);
    return exec_has(0, 0, false);
}

static int exec_ambient(void *unused)
{
    (void)unused;
    option(PR_SET_KEEPCAPS, 1, 0, 0);
    RAW(SYS_setresuid, USER, USER, USER);
    set_caps(all, all, BIT(KILL));
    option(PR_CAP_AMBIENT, AMBIENT_RAISE, KILL, 0);
    return exec_has(BIT(KILL), BIT(KILL), false);
}

static int exec_real_root(void *unused)
{
    (void)unused;
    RAW(SYS_setresuid, 0, USER, USER);
    return exec_has(0, all, true);
}

/* Ambient capabilities end with an exec that changes the group for files. */
static int exec_ambient_group(void *unused)
{
    RAW(SYS_setgroups, 0, NULL);
    RAW(SYS_setresgid, 9, 8, 8);
    RAW(SYS_setfsgid, 7);
    option(PR_SET_KEEPCAPS, 1, 0, 0);
    (void)unused;
    RAW(SYS_setresuid, USER, USER, USER);
    set_caps(all, all, BIT(KILL));
    option(PR_CAP_AMBIENT, AMBIENT_RAISE, KILL, 0);
    return exec_has(0, 0, true);
}

#define ALL (~0ull)

/*
 * An exec of a process that shares its directories, or has no_new_privs. If it would gain something, it
 * gets its real ids, unless it shares only and has CAP_SETUID.
 */
static const struct unsafe_exec {
    const char *name;
    bool shares, no_new_privs;
    uint64_t caps;         /* before */
    uid_t uid;             /* effective, of USER */
    gid_t group, fs_group; /* effective and for files, of a real group 9 */
    struct executed found;
    bool is_new; /* so since Linux 6.16 */
} unsafe_execs[] = {
    {"shares, no capability", true, false, 0, 0, 9, 9, {0, 0, true, USER, 9}, false},
    {"shares, CAP_SETUID",
     true,
     false,
     BIT(SETUID),
     0,
     9,
     9,
     {BIT(SETUID), BIT(SETUID), true, 0, 9},
     false},
    {"shares, all capabilities", true, false, ALL, 0, 9, 9, {ALL, ALL, true, 0, 9}, false},
    {"shares, no capability, another group", true, false, 0, 0, 8, 8, {0, 0, true, USER, 9}, false},
    {"no_new_privs, CAP_SETUID",
     false,
     true,
     BIT(SETUID),
     0,
     9,
     9,
     {BIT(SETUID), BIT(SETUID), true, USER, 9},
     false},
    {"no_new_privs, all capabilities", false, true, ALL, 0, 9, 9, {ALL, ALL, true, 0, 9}, true},
    {"a user who shares, another group for files",
     true,
     false,
     0,
     USER,
     8,
     7,
     {0, 0, true, USER, 9},
     false},
    {"a user who shares, another group", true, false, 0, USER, 8, 8, {0, 0, true, USER, 8}, true},
    {"a user, another group for files", false, false, 0, USER, 8, 7, {0, 0, true, USER, 8}, false},
    {"a user who shares", true, false, 0, USER, 9, 9, {0, 0, false, USER, 9}, false},
};

static int exec_unsafely(const struct unsafe_exec *row)
{
    struct executed found = row->found;

    RAW(SYS_setgroups, 0, NULL);
    RAW(SYS_setresgid, 9, row->group, row->group);
    RAW(SYS_setfsgid, row->fs_group);
    RAW(SYS_setresuid, USER, row->uid, row->uid);
    if (row->uid == 0) {
        set_caps(row->caps & all, row->caps & all, 0);
    }
    if (row->no_new_privs) {
        option(PR_SET_NO_NEW_PRIVS, 1, 0, 0);
    }
    found.effective &= all;
    found.permitted &= all;
    return exec_finds(&found);
}

static int start_unsafe(void *argument)
{
    const struct unsafe_exec *row = argument;
    long pid = RAW(SYS_clone, (row->shares ? CLONE_FS : 0) | SIGCHLD, 0, NULL, NULL, 0);

    if (pid == 0) {
        _exit(exec_unsafely(row));
    }
    int status = finish((pid_t)pid, 5000);
    return status == EXITED(0) ? 0 : status >> 8;
}

static bool is_before_6_16(void)
{
    struct utsname name;
    unsigned major = 0, minor = 0;

    uname(&name);
    sscanf(name.release, "%u.%u", &major, &minor);
    return on_linux() && major * 1000 + minor < 6016;
}

static void test_unsafe_exec(void)
{
    for (unsigned i = 0; i < sizeof unsafe_execs / sizeof unsafe_execs[0]; i++) {
        const struct unsafe_exec *row = &unsafe_execs[i];
        if (row->is_new && is_before_6_16()) {
            skip("another rule before Linux 6.16", "exec: %s", row->name);
            continue;
        }
        is(run_child(start_unsafe, (void *)(uintptr_t)row, false), EXITED(0), "exec: %s",
           row->name);
    }
}

/* PR_SET_PDEATHSIG: exits with 0 once the signal has come. */
static volatile sig_atomic_t died;

static void on_death(int number)
{
    (void)number;
    died = 1;
}

static int orphan(void *ends)
{
    const int *end = ends;
    pid_t parent = getppid();

    signal(SIGUSR1, on_death);
    option(PR_SET_PDEATHSIG, SIGUSR1, 0, 0);
    if (write(end[1], "x", 1) != 1) {
        return 1;
    }
    for (int i = 0; i < 500 && !died && getppid() == parent; i++) {
        sleep_ms(10);
    }
    sleep_ms(died ? 0 : 200); /* it comes right after the new parent */
    return died && write(end[1], "y", 1) == 1 ? 0 : 1;
}

static int parent_of_orphan(void *ends)
{
    const int *end = ends;
    char c = 0;

    begin(orphan, ends);
    return read(end[0], &c, 1) == 1 ? 0 : 1;
}

/* The parent of a child of another user, which it may not signal. */
static int stranger_of_orphan(void *ends)
{
    return parent_of_orphan(ends) == 0 && setuid(65534) == 0 ? 0 : 1;
}

static void test_death_signal(int (*parent)(void *ends), const char *expected, const char *what)
{
    int ends[2];
    char text[2] = "";

    if (!ok(pipe(ends) == 0, "a pipe")) {
        return;
    }
    is(run_child(parent, ends, false), EXITED(0), "a parent ends");
    close(ends[1]);
    ok(read(ends[0], text, 1) >= 0 && strcmp(text, expected) == 0, "%s", what);
    close(ends[0]);
}

static void test_status(void)
{
    char text[4096] = "", line[40];
    int fd = open("/proc/self/status", O_RDONLY);

    if (fd >= 0) {
        (void)!read(fd, text, sizeof text - 1);
        close(fd);
    }
    snprintf(line, sizeof line, "CapEff:\t%016llx\n", (unsigned long long)all);
    ok(strstr(text, line) != NULL, "/proc/self/status has the effective ones");
    ok(strstr(text, "CapInh:\t0000000000000000\nCapPrm:") != NULL, "and the others");
    ok(strstr(text, "NoNewPrivs:\t0\n") != NULL, "and NoNewPrivs");
}

static const struct {
    const char *name;
    int (*act)(void *unused);
} changes[] = {
    {"capset: rules of the sets", change_sets},
    {"sets follow the user ids", change_ids},
    {"securebits", change_secure_bits},
    {"the bounding set", change_bounding},
    {"the ambient set", change_ambient},
    {"other options of prctl", other_options},
    {"versions of capset", versions},
    {"exec of user 0 regains the bounding set", exec_regains},
    {"but not what was dropped from that", exec_bounded},
    {"nor more than before with no_new_privs", exec_no_new},
    {"and nothing with SECBIT_NOROOT", exec_noroot},
    {"exec of another user drops what was kept", exec_kept},
    {"but not the ambient set", exec_ambient},
    {"and not with another group for files", exec_ambient_group},
    {"exec of a real user 0: permitted, not effective", exec_real_root},
};

int main(int argc, char **argv)
{
    if (argc == 6) {
        return executed(argv);
    }
    tap_begin(argc, argv);
    keep_directory();
    if (!is_root()) {
        skip("needs user 0", "capabilities");
        return tap_end();
    }
    all = get_caps().permitted;
    snprintf(file, sizeof file, "/tmp/capabilities.%d", (int)getpid());
    snprintf(device, sizeof device, "%s.device", file);
    close(open(file, O_CREAT | O_WRONLY, 0));
    ok(chown(file, USER, USER) == 0, "a file of another user");
    for (unsigned i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        is(run_child(changes[i].act, NULL, false), EXITED(0), "%s", changes[i].name);
    }
    test_unsafe_exec();
    test_needed();
    test_status();
    test_death_signal(parent_of_orphan, "y", "its child gets the signal that it asked for");
    test_death_signal(stranger_of_orphan, "", "a child of another user gets none");
    unlink(file);
    return tap_end();
}
