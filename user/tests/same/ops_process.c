/* Processes: children, ends, waiting, programs, groups and sessions. */
#include "kinds.h"
#include "worker.h"
#include "world.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

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
