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
    say(")");
    long got = RAW(SYS_wait4, widen(&call->random, (uint64_t)pid), &status,
                   widen(&call->random, (uint64_t)options), 0);
    if (got <= 0) {
        say_result(got);
        return;
    }
    say(" = ");
    say_pid(got);
    say_status(status);
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
    {"execve", 8, 0, {{0, 0}}, op_exec, 0, OP_SETTLES},
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
    say(")");
    long got = RAW(SYS_prlimit64, widen(&call->random, (uint64_t)pid),
                   widen(&call->random, (uint64_t)resource), sets ? &new : 0, &old);
    say_result(got);
    if (got == 0) {
        say(" {%ld, %ld}", (long)old.rlim_cur, (long)old.rlim_max);
    }
}

static void op_groups(struct call *call)
{
    unsigned groups[4] = {7, 7, 7, 7};
    unsigned count = random_below(&call->random, 4);
    bool sets = random_once_in(&call->random, 3);

    say("%s(%u)", sets ? "setgroups" : "getgroups", count);
    for (unsigned i = 0; sets && i < count; i++) {
        groups[i] = 1000 + random_below(&call->random, 4);
    }
    long got = RAW(sets ? SYS_setgroups : SYS_getgroups, widen(&call->random, count), groups);
    say_result(got);
    for (long i = 0; !sets && count > 0 && i < got && i < 4; i++) {
        say(" %u", groups[i]);
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
    say(", %ld)", size);
    long got =
        RAW(SYS_rt_sigaction, widen(&call->random, (uint64_t)number), sets ? &new : 0, &old, size);
    say_result(got);
    if (got == 0) {
        say(" ");
        say_action(&old);
    }
}

static void op_timedwait(struct call *call)
{
    uint64_t set = pick_set(&call->random);
    unsigned dice = random_below(&call->random, 8);
    struct timespec timeout = {0, dice == 0 ? 1000000 : dice == 1 ? -1 : 0};
    siginfo_t info;

    memset(&info, 0, sizeof info);
    say("rt_sigtimedwait(%#lx, %s)", (unsigned long)set,
        dice == 2   ? "null"
        : dice == 0 ? "1 ms"
        : dice == 1 ? "-1 ns"
                    : "0");
    world->slots[own_slot].timed = dice == 0;
    long got = RAW(SYS_rt_sigtimedwait, &set, &info, dice == 2 ? 0 : &timeout, 8);
    world->slots[own_slot].timed = false;
    say_result(got);
    if (got > 0) {
        say(" {");
        say_info(&info);
        say("}");
    }
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
    say(")");
    long got = RAW(SYS_sigaltstack, sets ? &new : 0, &old);
    say_result(got);
    if (got == 0) {
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
    {"sigaltstack", 6, 0, {{0, 0}}, op_altstack, 0, 0},
    {"alarm", 3, 0, {{0, 0}}, op_alarm, 0, 0},
    {0, 0, 0, {{0, 0}}, 0, 0, 0},
};
