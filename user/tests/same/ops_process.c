/* Calls about processes, user ids and signals. */
#include "call.h"
#include "world.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Processes: children, ends, waiting, programs, groups and sessions. */

static const struct name clone_flags[] = {
    {"0", 0},
    {"CLONE_FILES", CLONE_FILES},
    {"CLONE_FS", CLONE_FS},
    {"CLONE_FILES|CLONE_FS", CLONE_FILES | CLONE_FS},
    {"CLONE_SIGHAND", CLONE_SIGHAND},
    {NULL, 0},
};
static const struct name exit_signals[] = {
    {"SIGCHLD", SIGCHLD}, {"SIGCHLD", SIGCHLD},
    {"SIGCHLD", SIGCHLD}, {"0", 0},
    {"SIGUSR1", SIGUSR1}, {NULL, 0},
};
static const struct name wait_options[] = {
    {"WNOHANG", WNOHANG},       {"WNOHANG", WNOHANG},
    {"WNOHANG", WNOHANG},       {"WUNTRACED", WUNTRACED},
    {"WCONTINUED", WCONTINUED}, {"__WALL", __WALL},
    {"__WCLONE", __WCLONE},     {"__WNOTHREAD", __WNOTHREAD},
    {"0x100", 0x100},           {NULL, 0},
};

/* Finds a slot for a child. Returns -1, and prints so, if there is none. */
static int new_slot(void)
{
    if (world->born == SLOTS) {
        say(" is not made: no slot");
        return -1;
    }
    world->slots[world->born].parent = own_slot;
    world->slots[world->born].state = SLOT_NEW;
    return world->born++;
}

static void forked(int slot, long pid)
{
    if (pid < 0) {
        world->born--;
        say_result(pid);
        return;
    }
    world->slots[slot].pid = (pid_t)pid;
    say(" = ");
    say_pid(pid);
}

static void op_fork(struct call *call)
{
    say("fork()");
    int slot = new_slot();
    if (slot < 0) {
        return;
    }
    long pid = RAW(SYS_fork);
    if (pid == 0) {
        worker_child(slot);
    }
    forked(slot, pid);
    (void)call;
}

static void op_clone(struct call *call)
{
    long flags = pick_one(&call->random, clone_flags);
    long number = pick_one(&call->random, exit_signals);

    say("clone(");
    say_flags(clone_flags, flags);
    say(", ");
    say_one(exit_signals, number);
    say(")");
    int slot = new_slot();
    if (slot < 0) {
        return;
    }
    long pid = RAW(SYS_clone, flags | number);
    if (pid == 0) {
        worker_child(slot);
    }
    forked(slot, pid);
}

/* vfork. The child ends at once; then its parent goes on. */
static void op_vfork(struct call *call)
{
    int code = (int)random_below(&call->random, 300);
    bool by_signal = random_once_in(&call->random, 4);

    say("vfork(%s %d)", by_signal ? "SIGKILL" : "exit", by_signal ? 9 : code);
    int slot = new_slot();
    if (slot < 0) {
        return;
    }
    uint64_t all = ~(uint64_t)0, mask = 0;
    RAW(SYS_rt_sigprocmask, SIG_SETMASK, &all, &mask,
        8); /* the parent may hear of it at any time */
    world->slots[own_slot].timed = true;
    pid_t pid = vfork();
    if (pid == 0) {
        if (by_signal) {
            RAW(SYS_kill, RAW(SYS_getpid), SIGKILL);
        }
        _exit(code);
    }
    world->slots[own_slot].timed = false;
    forked(slot, pid < 0 ? -errno : pid);
    RAW(SYS_rt_sigprocmask, SIG_SETMASK, &mask, 0, 8);
}

static void op_exit(struct call *call)
{
    int code = (int)random_below(&call->random, 300);
    bool group = random_once_in(&call->random, 2);

    say("%s(%d)", group ? "exit_group" : "exit", code);
    RAW(group ? SYS_exit_group : SYS_exit, widen(&call->random, (uint64_t)code));
}

static void say_status(int status)
{
    if (WIFEXITED(status)) {
        say(" exit %d", WEXITSTATUS(status));
    } else if (WIFSIGNALED(status)) {
        say(" signal %d%s", WTERMSIG(status), WCOREDUMP(status) ? " core" : "");
    } else {
        say(" status %#x", status);
    }
}

static void op_wait(struct call *call)
{
    long pid = random_once_in(&call->random, 2) ? -1 : pick_pid(&call->random);
    long options =
        random_once_in(&call->random, 2) ? WNOHANG : pick_flags(&call->random, wait_options);
    int status = 0x5a5a5a5a;
    struct rusage usage;

    if (random_once_in(&call->random, 30)) {
        pid = INT_MIN;
    }
    say("wait4(");
    if (pid < -1 && pid > -INT_MAX) {
        say("-");
        say_pid(-pid);
    } else {
        say_pid(pid);
    }
    say(", ");
    say_flags(wait_options, options);
    uint64_t at = pick_pointer(&call->random, &status);
    uint64_t usage_at =
        pick_pointer(&call->random, random_once_in(&call->random, 2) ? &usage : NULL);
    say(")");
    long got = RAW(SYS_wait4, widen(&call->random, (uint64_t)pid), at,
                   widen(&call->random, (uint64_t)options), usage_at);
    if (got <= 0) {
        say_result(got);
        return;
    }
    say(" = ");
    say_pid(got);
    if (at == (uint64_t)&status) {
        say_status(status);
    }
}

/* Even without such a child waitid stores zeros. */
static void op_waitid(struct call *call)
{
    static const struct name types[] = {
        {"ALL", P_ALL},   {"ALL", P_ALL}, {"PID", P_PID}, {"PID", P_PID},
        {"PGID", P_PGID}, {"7", 7},       {NULL, 0},
    };
    static const struct name options[] = {
        {"WEXITED", WEXITED},
        {"WEXITED", WEXITED},
        {"WNOHANG", WNOHANG},
        {"WNOHANG", WNOHANG},
        {"WNOWAIT", WNOWAIT},
        {"WSTOPPED", WSTOPPED},
        {"__WALL", __WALL},
        {"WCONTINUED", WCONTINUED},
        {"__WCLONE", __WCLONE},
        {"0x100", 0x100},
        {NULL, 0},
    };
    long type = pick_one(&call->random, types), pid = pick_pid(&call->random);
    long option = pick_flags(&call->random, options);
    siginfo_t info;
    struct rusage usage;

    option |= random_once_in(&call->random, 4) ? 0 : WEXITED | WNOHANG;
    memset(&info, 0x5a, sizeof info);
    say("waitid(");
    say_one(types, type);
    say(", ");
    call->values[0] = (uint64_t)pid;
    kind_pid.show(call, 0, NULL);
    say(", ");
    say_flags(options, option);
    uint64_t at = pick_pointer(&call->random, random_once_in(&call->random, 8) ? NULL : &info);
    uint64_t usage_at =
        pick_pointer(&call->random, random_once_in(&call->random, 2) ? NULL : &usage);
    say(")");
    say_result(RAW(SYS_waitid, widen(&call->random, (uint64_t)type),
                   widen(&call->random, (uint64_t)pid), at, widen(&call->random, (uint64_t)option),
                   usage_at));
    if (at == (uint64_t)&info) {
        say(" {%d %d %d ", info.si_signo, info.si_errno, info.si_code);
        say_pid(info.si_pid);
        say(" %u %d}", info.si_uid, info.si_status);
    }
}

/* Executes this program itself, a script that it interprets, or the file of a random path. */
static void op_exec(struct call *call)
{
    static char slot[12];
    char *argv[] = {"same", "worker", "-", slot, NULL};
    char *envp[] = {NULL};
    unsigned dice = random_below(&call->random, 10);
    const char *random_path = pick_path(&call->random, 0);
    const char *path = dice < 5 ? "/exe" : dice < 7 ? WORK_PATH "/t" : random_path;
    uint64_t bad = pick_bad_pointer(&call->random);
    unsigned how = random_below(&call->random, 30);

    snprintf(slot, sizeof slot, "%d", own_slot);
    say("execve(");
    say_path(path);
    say("%s)", how == 0 ? ", bad argv" : how == 1 ? ", bad envp" : "");
    if (bad == 0) {
        bad = 1;
    }
    say_result(
        RAW(SYS_execve, path, how == 0 ? bad : (uint64_t)argv, how == 1 ? bad : (uint64_t)envp));
}

/* execveat: a path from a directory, or the file of a descriptor. */
static void op_exec_at(struct call *call)
{
    static const struct name flags[] = {
        {"0", 0},
        {"AT_SYMLINK_NOFOLLOW", AT_SYMLINK_NOFOLLOW},
        {"AT_EMPTY_PATH", AT_EMPTY_PATH},
        {"AT_EMPTY_PATH", AT_EMPTY_PATH},
        {"0x1", 1},
        {NULL, 0},
    };
    static char slot[12];
    char *argv[] = {"same", "worker", "-", slot, NULL};
    char *envp[] = {NULL};
    long flag = pick_one(&call->random, flags);
    unsigned dice = random_below(&call->random, 10);
    int fd = dice < 4 ? CONSTANT_FD : dice < 8 ? pick_fd(&call->random) : AT_FDCWD;
    const char *random_path = pick_path(&call->random, 0);
    const char *path = random_once_in(&call->random, 3) ? random_path : dice == 9 ? "t" : "";

    snprintf(slot, sizeof slot, "%d", own_slot);
    say("execveat(%d, ", fd);
    say_path(path);
    say(", ");
    say_one(flags, flag);
    uint64_t path_at = pick_pointer(&call->random, path);
    say(")");
    say_result(RAW(SYS_execveat, widen(&call->random, (uint64_t)fd), path_at, argv, envp,
                   widen(&call->random, (uint64_t)flag)));
}

/* Prints the group and session of another process, or of this one. */
static void op_ids(struct call *call)
{
    static const struct {
        const char *name;
        int number;
    } calls[] = {
        {"getpgid", SYS_getpgid}, {"getsid", SYS_getsid},   {"getpid", SYS_getpid},
        {"getppid", SYS_getppid}, {"getpgrp", SYS_getpgrp}, {"gettid", SYS_gettid},
    };
    unsigned which = random_below(&call->random, 6);
    long pid = pick_pid(&call->random);

    if (pid < 0) {
        pid = 0;
    }
    say("%s(", calls[which].name);
    if (which < 2) {
        say_pid(pid);
    }
    say(")");
    long got = RAW(calls[which].number, widen(&call->random, (uint64_t)pid));
    if (got <= 0) {
        say_result(got);
        return;
    }
    say(" = ");
    say_pid(got);
}

const struct op ops_process[] = {
    {"fork", 12, 0, {{0, 0}}, op_fork, 0, OP_SETTLES},
    {"clone", 6, 0, {{0, 0}}, op_clone, 0, OP_SETTLES},
    {"vfork", 2, 0, {{0, 0}}, op_vfork, 0, OP_SETTLES},
    {"exit", 3, 0, {{0, 0}}, op_exit, 0, OP_SETTLES},
    {"wait4", 16, 0, {{0, 0}}, op_wait, 0, OP_SETTLES},
    {"waitid", 10, 0, {{0, 0}}, op_waitid, 0, OP_SETTLES},
    {"execve", 8, 0, {{0, 0}}, op_exec, 0, OP_SETTLES},
    {"execveat", 6, 0, {{0, 0}}, op_exec_at, 0, OP_SETTLES},
    {"ids", 10, 0, {{0, 0}}, op_ids, 0, 0},
    {"setpgid", 6, SYS_setpgid, {PIDS, PIDS}, 0, 0, OP_SETTLES},
    {"setsid", 2, SYS_setsid, {{0, 0}}, 0, RESULT_PID, OP_SETTLES},
    {0, 0, 0, {{0, 0}}, 0, 0, 0},
};

/* Users and groups, and limits. */

#define ID      {&kind_id, 0}
#define IDS_OUT {&kind_ids_out, 0}

static const struct name resources[] = {
    {"RLIMIT_NOFILE", RLIMIT_NOFILE},
    {"RLIMIT_FSIZE", RLIMIT_FSIZE},
    {"RLIMIT_CORE", RLIMIT_CORE},
    {"RLIMIT_MEMLOCK", RLIMIT_MEMLOCK},
    {"99", 99},
    {NULL, 0},
};
static const struct name limit_values[] = {
    {"0", 0},         {"10", 10},       {"20", 20},     {"64", 64},
    {"1024", 1024},   {"5000", 5000},   {"5000", 5000}, {"70000", 70000},
    {"infinity", -1}, {"infinity", -1}, {"1000", 1000}, {NULL, 0},
};

/* RLIMIT_NOFILE stays above the descriptors that this program itself needs. */
static void op_prlimit(struct call *call)
{
    long pid = random_once_in(&call->random, 2) ? 0 : pick_pid(&call->random);
    long resource = pick_one(&call->random, resources);
    struct rlimit new = {(rlim_t)pick_one(&call->random, limit_values),
                         (rlim_t)pick_one(&call->random, limit_values)};
    struct rlimit old = {7, 7};
    bool sets = random_once_in(&call->random, 3);

    if (pid < 0) {
        pid = 0;
    }
    say("prlimit64(");
    say_pid(pid);
    say(", ");
    say_one(resources, resource);
    if (sets) {
        say(", {%ld, %ld}", (long)new.rlim_cur, (long)new.rlim_max);
    }
    uint64_t new_at = pick_pointer(&call->random, sets ? &new : NULL);
    uint64_t old_at = pick_pointer(&call->random, &old);
    say(")");
    long got = RAW(SYS_prlimit64, widen(&call->random, (uint64_t)pid),
                   widen(&call->random, (uint64_t)resource), new_at, old_at);
    say_result(got);
    if (got == 0 && old_at == (uint64_t)&old) {
        say(" {%ld, %ld}", (long)old.rlim_cur, (long)old.rlim_max);
    }
}

static void op_groups(struct call *call)
{
    static const int odd[] = {65537, -1, INT_MAX};
    unsigned groups[4] = {7, 7, 7, 7};
    int count = (int)random_below(&call->random, 4);
    bool sets = random_once_in(&call->random, 3);

    if (random_once_in(&call->random, 8)) {
        count = odd[random_below(&call->random, 3)];
    }
    say("%s(%d", sets ? "setgroups" : "getgroups", count);
    for (int i = 0; sets && i < count && i < 4; i++) {
        groups[i] =
            random_once_in(&call->random, 20) ? UINT_MAX : 1000 + random_below(&call->random, 4);
        say(" %u", groups[i]);
    }
    uint64_t at = pick_pointer(&call->random, groups);
    say(")");
    long got = RAW(sets ? SYS_setgroups : SYS_getgroups, widen(&call->random, (uint64_t)count), at);
    say_result(got);
    for (long i = 0; !sets && count > 0 && i < got && i < 4; i++) {
        say(" %u", groups[i]);
    }
}

static void op_rlimit(struct call *call)
{
    long resource = pick_one(&call->random, resources);
    struct rlimit limit = {(rlim_t)pick_one(&call->random, limit_values),
                           (rlim_t)pick_one(&call->random, limit_values)};
    bool sets = random_once_in(&call->random, 3);

    say("%s(", sets ? "setrlimit" : "getrlimit");
    say_one(resources, resource);
    if (sets) {
        say(", {%ld, %ld}", (long)limit.rlim_cur, (long)limit.rlim_max);
    }
    uint64_t at = pick_pointer(&call->random, &limit);
    say(")");
    long got =
        RAW(sets ? SYS_setrlimit : SYS_getrlimit, widen(&call->random, (uint64_t)resource), at);
    say_result(got);
    if (got == 0 && !sets) {
        say(" {%ld, %ld}", (long)limit.rlim_cur, (long)limit.rlim_max);
    }
}

const struct op ops_identity[] = {
    {"getuid", 1, SYS_getuid, {{0, 0}}, 0, 0, 0},
    {"geteuid", 1, SYS_geteuid, {{0, 0}}, 0, 0, 0},
    {"getgid", 1, SYS_getgid, {{0, 0}}, 0, 0, 0},
    {"getegid", 1, SYS_getegid, {{0, 0}}, 0, 0, 0},
    {"setuid", 1, SYS_setuid, {ID}, 0, 0, 0},
    {"setgid", 1, SYS_setgid, {ID}, 0, 0, 0},
    {"setreuid", 2, SYS_setreuid, {ID, ID}, 0, 0, 0},
    {"setregid", 2, SYS_setregid, {ID, ID}, 0, 0, 0},
    {"setresuid", 2, SYS_setresuid, {ID, ID, ID}, 0, 0, 0},
    {"setresgid", 2, SYS_setresgid, {ID, ID, ID}, 0, 0, 0},
    {"setfsuid", 2, SYS_setfsuid, {ID}, 0, 0, 0},
    {"setfsgid", 2, SYS_setfsgid, {ID}, 0, 0, 0},
    {"getresuid", 3, SYS_getresuid, {IDS_OUT, IDS_OUT, IDS_OUT}, 0, 0, 0},
    {"getresgid", 3, SYS_getresgid, {IDS_OUT, IDS_OUT, IDS_OUT}, 0, 0, 0},
    {"groups", 3, 0, {{0, 0}}, op_groups, 0, 0},
    {"prlimit64", 6, 0, {{0, 0}}, op_prlimit, 0, 0},
    {"rlimit", 4, 0, {{0, 0}}, op_rlimit, 0, 0},
    {0, 0, 0, {{0, 0}}, 0, 0, 0},
};

/* Signals: actions, masks, sending, waiting, the alternate stack, the alarm. */

#define KERNEL_RESTORER 0x04000000ul

/* The kernel's struct sigaction. */
struct action {
    uint64_t handler;
    unsigned long flags;
    uint64_t restorer;
    uint64_t mask;
};

static const struct name how_names[] = {
    {"SIG_BLOCK", SIG_BLOCK},
    {"SIG_UNBLOCK", SIG_UNBLOCK},
    {"SIG_UNBLOCK", SIG_UNBLOCK},
    {"SIG_SETMASK", SIG_SETMASK},
    {"7", 7},
    {NULL, 0},
};
static const struct name action_flags[] = {
    {"SA_RESTART", SA_RESTART},           {"SA_NODEFER", SA_NODEFER},
    {"SA_RESETHAND", (long)SA_RESETHAND}, {"SA_NOCLDWAIT", SA_NOCLDWAIT},
    {"SA_NOCLDSTOP", SA_NOCLDSTOP},       {"SA_ONSTACK", SA_ONSTACK},
    {"SA_SIGINFO", SA_SIGINFO},           {"SA_SIGINFO", SA_SIGINFO},
    {"SA_RESTART", SA_RESTART},           {NULL, 0},
};
static const struct name stack_flags[] = {
    {"0", 0}, {"0", 0}, {"SS_DISABLE", SS_DISABLE}, {"SS_ONSTACK", SS_ONSTACK}, {"8", 8}, {NULL, 0},
};
static unsigned char stack_buffer[16384] __attribute__((aligned(16)));

void signal_restorer(void);
__asm__(".text\n.globl signal_restorer\nsignal_restorer:\n\tmov $15, %eax\n\tsyscall\n");

static void say_handled(int number)
{
    char local;
    uint64_t mask = 0;
    bool on_stack = (unsigned char *)&local >= stack_buffer &&
                    (unsigned char *)&local < stack_buffer + sizeof stack_buffer;

    RAW(SYS_rt_sigprocmask, SIG_BLOCK, 0, &mask, 8);
    say(" <signal %d mask %#lx%s", number, (unsigned long)mask, on_stack ? " on its stack" : "");
}

static void say_info(const siginfo_t *info)
{
    say(" code %d", info->si_code);
    if (info->si_code <= 0 || info->si_signo == SIGCHLD) {
        say(" from ");
        say_pid(info->si_pid);
        say(" uid %u", info->si_uid);
    }
    if (info->si_code <= 0 && info->si_value.sival_ptr != NULL) {
        say(" value %#lx", (unsigned long)info->si_value.sival_ptr);
    }
    if (info->si_signo == SIGCHLD && info->si_code > 0) {
        say(" status %d", info->si_status);
    }
}

static void handle_plain(int number)
{
    say_handled(number);
    say(">");
}

static void handle_info(int number, siginfo_t *info, void *context)
{
    say_handled(number);
    say_info(info);
    say(">");
    (void)context;
}

static void say_action(const struct action *action)
{
    const char *handler = action->handler == 0                        ? "default"
                          : action->handler == 1                      ? "ignored"
                          : action->handler == (uint64_t)handle_plain ? "plain"
                          : action->handler == (uint64_t)handle_info  ? "info"
                                                                      : "another";

    say("{%s ", handler);
    say_flags(action_flags, (long)(action->flags & ~KERNEL_RESTORER));
    say(" %#lx}", (unsigned long)action->mask);
}

static void op_sigaction(struct call *call)
{
    int number = pick_signal(&call->random);
    long size = random_once_in(&call->random, 30) ? 4 : 8;
    bool sets = !random_once_in(&call->random, 4);
    unsigned dice = random_below(&call->random, 6);
    unsigned long flags = (unsigned long)pick_flags(&call->random, action_flags);
    struct action old = {0, 0, 0, 0};
    struct action new = {dice == 0              ? 0
                         : dice == 1            ? 1
                         : (flags & SA_SIGINFO) ? (uint64_t)handle_info
                                                : (uint64_t)handle_plain,
                         flags | KERNEL_RESTORER, (uint64_t)signal_restorer,
                         pick_set(&call->random)};

    say("rt_sigaction(%d, ", number);
    if (sets) {
        say_action(&new);
    } else {
        say("null");
    }
    say(", %ld", size);
    uint64_t new_at = pick_pointer(&call->random, sets ? &new : NULL);
    uint64_t old_at = pick_pointer(&call->random, &old);
    say(")");
    long got = RAW(SYS_rt_sigaction, widen(&call->random, (uint64_t)number), new_at, old_at, size);
    say_result(got);
    if (got == 0 && old_at == (uint64_t)&old) {
        say(" ");
        say_action(&old);
    }
}

static void op_timedwait(struct call *call)
{
    static const struct timespec times[] = {
        {0, 1000000}, {0, 0},  {0, 0},          {0, 0}, {0, 0},
        {0, -1},      {-1, 0}, {0, 1000000000}, {0, 0}, {INT64_MAX, 0},
    };
    uint64_t set = pick_set(&call->random);
    struct timespec timeout = times[random_below(&call->random, 10)];
    bool is_timed = !random_once_in(&call->random, 10);
    long size = random_once_in(&call->random, 30) ? 16 : 8;
    siginfo_t info;

    memset(&info, 0, sizeof info);
    say("rt_sigtimedwait(%#lx, ", (unsigned long)set);
    if (is_timed) {
        say("%ld.%ld", (long)timeout.tv_sec, timeout.tv_nsec);
    }
    uint64_t set_at = pick_pointer(&call->random, &set);
    uint64_t info_at = pick_pointer(&call->random, &info);
    uint64_t time_at = pick_pointer(&call->random, is_timed ? &timeout : NULL);
    say(", %ld)", size);
    world->slots[own_slot].timed = is_timed && timeout.tv_nsec == 1000000;
    long got = RAW(SYS_rt_sigtimedwait, set_at, info_at, time_at, size);
    world->slots[own_slot].timed = false;
    say_result(got);
    if (got > 0 && info_at == (uint64_t)&info) {
        say(" {");
        say_info(&info);
        say("}");
    }
}

/* A signal with information that the caller chooses. */
static void op_queue(struct call *call)
{
    static const int codes[] = {SI_QUEUE, SI_QUEUE, SI_QUEUE, SI_TKILL, SI_USER, SI_KERNEL,
                                1,        6,        7,        99,       -60,     -7,
                                -8,       INT_MIN,  SI_TIMER, -4,       -5};
    static unsigned char bytes[128] __attribute__((aligned(16)));
    siginfo_t *info = (siginfo_t *)bytes;
    long pid = pick_pid(&call->random);
    long thread = random_once_in(&call->random, 6) ? pick_pid(&call->random) : pid;
    int number = pick_signal(&call->random);
    bool to_thread = random_once_in(&call->random, 2);
    bool has_rest = random_once_in(&call->random, 3);

    memset(bytes, 0, sizeof bytes);
    memset(bytes + 48, 0x5a, has_rest ? sizeof bytes - 48 : 0);
    info->si_signo = 77;
    info->si_code = codes[random_below(&call->random, 17)];
    info->si_pid = random_once_in(&call->random, 2) ? world->slots[own_slot].pid : 4242;
    info->si_uid = 77;
    info->si_value.sival_ptr = (void *)(random_next(&call->random) >> 8);
    say("%s(", to_thread ? "rt_tgsigqueueinfo" : "rt_sigqueueinfo");
    call->values[0] = (uint64_t)pid;
    kind_pid.show(call, 0, NULL);
    if (to_thread) {
        call->values[0] = (uint64_t)thread;
        say(", ");
        kind_pid.show(call, 0, NULL);
    }
    say(", %d, code %d%s", number, info->si_code, has_rest ? " and more" : "");
    uint64_t at = pick_pointer(&call->random, info);
    say(")");
    uint64_t wide_pid = widen(&call->random, (uint64_t)pid);
    uint64_t wide_number = widen(&call->random, (uint64_t)number);
    say_result(to_thread ? RAW(SYS_rt_tgsigqueueinfo, wide_pid, thread, wide_number, at)
                         : RAW(SYS_rt_sigqueueinfo, wide_pid, wide_number, at));
}

static void op_altstack(struct call *call)
{
    /* Not 2,048, the least: on processors with much state a signal frame needs more. */
    static const size_t sizes[] = {16384, 16384, 8192, 1000, 2047, 0};
    stack_t new = {.ss_sp = stack_buffer,
                   .ss_flags = (int)pick_one(&call->random, stack_flags),
                   .ss_size = sizes[random_below(&call->random, 6)]};
    stack_t old = {.ss_sp = &old, .ss_flags = 77, .ss_size = 77};
    bool sets = !random_once_in(&call->random, 3);

    say("sigaltstack(");
    if (sets) {
        say("{%zu ", new.ss_size);
        say_one(stack_flags, new.ss_flags);
        say("}");
    }
    uint64_t new_at = pick_pointer(&call->random, sets ? &new : NULL);
    uint64_t old_at = pick_pointer(&call->random, &old);
    say(")");
    long got = RAW(SYS_sigaltstack, new_at, old_at);
    say_result(got);
    if (got == 0 && old_at == (uint64_t)&old) {
        say(" {%s %zu ",
            old.ss_sp == NULL           ? "null"
            : old.ss_sp == stack_buffer ? "set"
                                        : "another",
            old.ss_size);
        say_one(stack_flags, old.ss_flags);
        say("}");
    }
}

/* Sets an alarm so far in the future that it does not expire. */
static void op_alarm(struct call *call)
{
    unsigned seconds = random_once_in(&call->random, 2) ? 5000 : 0;
    struct itimerval value = {{0, 0}, {0, 0}};

    say("alarm(%u)", seconds);
    long got = RAW(SYS_alarm, widen(&call->random, seconds));
    say(" = %s", got < 0 ? error_name((int)-got) : got == 0 ? "0" : "more");
    got = RAW(SYS_getitimer, ITIMER_REAL, &value);
    say(" %s", got < 0 ? error_name((int)-got) : value.it_value.tv_sec > 0 ? "runs" : "stands");
}

static void say_dispositions(void)
{
    struct action action;

    for (int number = 1; number <= 64; number++) {
        if (number == SIGKILL || number == SIGSTOP || number == 32 || number == 33 ||
            RAW(SYS_rt_sigaction, number, 0, &action, 8) != 0 || action.handler == 0) {
            continue;
        }
        say(" %d:%s", number, action.handler == 1 ? "ignored" : "caught");
    }
}

void say_state(void)
{
    uint64_t mask = 0, pending = 0;

    RAW(SYS_rt_sigprocmask, SIG_BLOCK, 0, &mask, 8);
    RAW(SYS_rt_sigpending, &pending, 8);
    say(" {mask %#lx pending %#lx", (unsigned long)mask, (unsigned long)pending);
    say_dispositions();
    say(" fds");
    for (int fd = 0; fd < 64; fd++) {
        long flags = RAW(SYS_fcntl, fd, F_GETFD);
        if (flags >= 0) {
            say(" %d%s", fd, flags == 0 ? "" : "!");
        }
    }
    say(" group ");
    say_pid(RAW(SYS_getpgrp));
    say("}");
}

const struct op ops_signal[] = {
    {"rt_sigaction", 22, 0, {{0, 0}}, op_sigaction, 0, OP_SETTLES},
    {"rt_sigprocmask",
     18,
     SYS_rt_sigprocmask,
     {ONE(how_names), SET_IN, SET_OUT, SET_SIZE},
     0,
     0,
     OP_SETTLES},
    {"rt_sigpending", 8, SYS_rt_sigpending, {SET_OUT, SET_SIZE}, 0, 0, 0},
    {"kill", 16, SYS_kill, {PIDS, SIGNALS}, 0, 0, OP_SETTLES},
    {"tkill", 5, SYS_tkill, {PIDS, SIGNALS}, 0, 0, OP_SETTLES},
    {"tgkill", 5, SYS_tgkill, {PIDS, PIDS, SIGNALS}, 0, 0, OP_SETTLES},
    {"rt_sigsuspend", 2, SYS_rt_sigsuspend, {SET_IN, SET_SIZE}, 0, 0, OP_SETTLES},
    {"pause", 1, SYS_pause, {{0, 0}}, 0, 0, OP_SETTLES},
    {"rt_sigtimedwait", 6, 0, {{0, 0}}, op_timedwait, 0, OP_SETTLES},
    {"queue", 12, 0, {{0, 0}}, op_queue, 0, OP_SETTLES},
    {"sigaltstack", 6, 0, {{0, 0}}, op_altstack, 0, 0},
    {"alarm", 3, 0, {{0, 0}}, op_alarm, 0, 0},
    {0, 0, 0, {{0, 0}}, 0, 0, 0},
};

/* Clocks and timers. Times are compared as relations; a sleep is short, or lasts until a signal. */

static const struct name clocks[] = {
    {"REALTIME", 0},
    {"MONOTONIC", 1},
    {"PROCESS", 2},
    {"THREAD", 3},
    {"RAW", 4},
    {"REALTIME_COARSE", 5},
    {"MONOTONIC_COARSE", 6},
    {"BOOTTIME", 7},
    {"10", 10},
    {"TAI", 11},
    {"12", 12},
    {"16", 16},
    {NULL, 0},
};
static const struct timespec durations[] = {
    {0, 0},  {0, 1000000}, {0, -1},          {0, 1000000000}, {-1, 0},
    {1, -1}, {5000, 0},    {INT64_MAX, 999}, {0, INT64_MAX},  {INT64_MIN, 0},
};

/* One of the table, or that of a process: its pid, negated, above three bits. */
static long pick_clock(struct call *call)
{
    long clock = pick_one(&call->random, clocks), pid = pick_pid(&call->random);
    unsigned kind = random_below(&call->random, 8);

    if (pid < 0 || !random_once_in(&call->random, 3)) {
        say_one(clocks, clock);
        return clock;
    }
    say("%u of ", kind);
    say_pid(pid);
    return (int)(~(unsigned)pid << 3 | kind);
}

/* clock_gettime, clock_getres, and clock_settime with times that no clock can be set to. */
static void op_clock(struct call *call)
{
    static const struct timespec wrong[] = {{-1, 0}, {0, -1}, {0, 1000000000}, {INT64_MAX, 0}};
    static const char *const names[] = {"gettime", "gettime", "getres", "settime"};
    static const int numbers[] = {SYS_clock_gettime, SYS_clock_gettime, SYS_clock_getres,
                                  SYS_clock_settime};
    unsigned which = random_below(&call->random, 4);
    struct timespec time = wrong[random_below(&call->random, 4)];

    say("clock_%s(", names[which]);
    long clock = pick_clock(call);
    if (which == 3) {
        say(", {%ld, %ld}", (long)time.tv_sec, time.tv_nsec);
    }
    uint64_t at = pick_pointer(&call->random, &time);
    say(")");
    long got = RAW(numbers[which], widen(&call->random, (uint64_t)clock), at);
    say_result(got);
    if (got == 0 && at == (uint64_t)&time) {
        bool is_time = time.tv_sec >= 0 && time.tv_nsec >= 0 && time.tv_nsec < 1000000000;
        say(" %s", !is_time              ? "no time"
                   : which != 2          ? "a time"
                   : time.tv_sec > 0     ? "seconds"
                   : time.tv_nsec > 1000 ? "coarse"
                                         : "fine");
    }
}

/* Other calls that tell the time, or the time used. */
static void op_times(struct call *call)
{
    static const char *const names[] = {"time", "gettimeofday", "times", "getrusage"};
    static const int numbers[] = {SYS_time, SYS_gettimeofday, SYS_times, SYS_getrusage};
    static const long whose[] = {0, 1, -1, -2, 2, 5};
    unsigned which = random_below(&call->random, 4);
    long who = whose[random_below(&call->random, 6)];
    static long words[40];

    memset(words, 0x5a, sizeof words);
    say("%s(", names[which]);
    if (which == 3) {
        say("%ld", who);
    }
    uint64_t at = pick_pointer(&call->random, words);
    say(")");
    long got = which == 3   ? RAW(numbers[which], widen(&call->random, (uint64_t)who), at)
               : which == 1 ? RAW(numbers[which], at, pick_pointer(&call->random, NULL))
                            : RAW(numbers[which], at);
    say_result(got > 0 ? 1 : got);
    if (got >= 0 && at == (uint64_t)words) {
        unsigned count = 0;
        while (count < 40 && words[count] != 0x5a5a5a5a5a5a5a5a) {
            count++;
        }
        say(" %u words", count);
    }
}

static void op_sleep(struct call *call)
{
    static const int flags[] = {0, 0, TIMER_ABSTIME, TIMER_ABSTIME, 2, 0x100};
    struct timespec duration = durations[random_below(&call->random, 10)], rest = {7, 7};
    int flag = flags[random_below(&call->random, 6)];
    bool simple = random_once_in(&call->random, 2);
    bool has_rest = !random_once_in(&call->random, 4);
    long clock = CLOCK_MONOTONIC;

    if (simple) {
        say("nanosleep(");
    } else {
        say("clock_nanosleep(");
        clock = pick_clock(call);
        say(", %d, ", flag);
    }
    if (duration.tv_sec == 5000 && !simple && (flag & TIMER_ABSTIME) != 0) {
        duration.tv_sec = 9000000000; /* later than now by every clock */
    }
    bool by_processor = !simple && (clock == CLOCK_PROCESS_CPUTIME_ID || clock < 0);
    if (by_processor && duration.tv_sec == 0 && duration.tv_nsec == 1000000) {
        duration.tv_sec = 5000; /* how much time processes have used is not the same everywhere */
    }
    say("%ld.%ld", (long)duration.tv_sec, duration.tv_nsec);
    uint64_t at = pick_pointer(&call->random, &duration);
    uint64_t rest_at = pick_pointer(&call->random, has_rest ? &rest : NULL);
    say(")");
    world->slots[own_slot].timed = duration.tv_sec == 0 && !by_processor;
    long got = simple ? RAW(SYS_nanosleep, at, rest_at)
                      : RAW(SYS_clock_nanosleep, widen(&call->random, (uint64_t)clock),
                            widen(&call->random, (uint64_t)flag), at, rest_at);
    world->slots[own_slot].timed = false;
    say_result(got);
    say(" %s", rest.tv_sec == 7 && rest.tv_nsec == 7                  ? "none"
               : rest.tv_sec > 4000 && rest.tv_sec <= duration.tv_sec ? "nearly all"
                                                                      : "a little");
}

/* The longest time of a timer of processor time is a negative one on Linux, once it has added what is used. */
static void say_timer(const struct itimerval *timer)
{
    int64_t seconds = timer->it_value.tv_sec;

    say(" {%s every %ld.%06ld}",
        seconds > 900 || seconds < 0                   ? "runs"
        : seconds != 0 || timer->it_value.tv_usec != 0 ? "runs soon"
                                                       : "stands",
        (long)timer->it_interval.tv_sec, (long)timer->it_interval.tv_usec);
}

/* Sets or reads a timer. None of them expires; alarm(2) tells how its seconds are rounded. */
static void op_timer(struct call *call)
{
    static const struct timeval values[] = {
        {0, 0},       {0, 0},  {1000, 250000}, {1000, 750000}, {5000, 1},
        {0, 1000000}, {0, -1}, {-1, 0},        {INT64_MAX, 0}, {1000, 999999},
    };
    static const struct timeval intervals[] = {
        {0, 0}, {0, 1}, {0, 1234}, {3, 999999}, {0, 1000000}, {0, -1}, {-1, 0}, {INT64_MAX, 0},
    };
    static const int timers[] = {0, 0, 0, 1, 2, 3, -1};
    int which = timers[random_below(&call->random, 7)];
    struct itimerval new = {intervals[random_below(&call->random, 8)],
                            values[random_below(&call->random, 10)]};
    struct itimerval old = {{7, 7}, {0, 0}};
    bool sets = !random_once_in(&call->random, 4), asks = !random_once_in(&call->random, 4);

    say("%s(%d", sets ? "setitimer" : "getitimer", which);
    if (sets) {
        say(", {%ld.%ld every %ld.%ld}", (long)new.it_value.tv_sec, (long)new.it_value.tv_usec,
            (long)new.it_interval.tv_sec, (long)new.it_interval.tv_usec);
    }
    uint64_t new_at = pick_pointer(&call->random, &new);
    uint64_t old_at = pick_pointer(&call->random, asks || !sets ? &old : NULL);
    say(")");
    uint64_t wide = widen(&call->random, (uint64_t)which);
    long got = sets ? RAW(SYS_setitimer, wide, new_at, old_at) : RAW(SYS_getitimer, wide, old_at);
    say_result(got);
    if (got == 0 && old_at == (uint64_t)&old) {
        say_timer(&old);
    }
    if (got == 0 && which == 0 && random_once_in(&call->random, 3)) {
        got = RAW(SYS_alarm, 0);
        say(" alarm %ld", got > 5000 ? -1 : got);
    }
}

const struct op ops_clocks[] = {
    {"clock", 16, 0, {{0, 0}}, op_clock, 0, 0},
    {"times", 8, 0, {{0, 0}}, op_times, 0, 0},
    {"sleep", 12, 0, {{0, 0}}, op_sleep, 0, OP_SETTLES},
    {"itimer", 12, 0, {{0, 0}}, op_timer, 0, 0},
    {0, 0, 0, {{0, 0}}, 0, 0, 0},
};
