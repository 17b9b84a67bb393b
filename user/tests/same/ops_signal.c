/* Signals: actions, masks, sending, waiting, the alternate stack, the alarm. */
#include "kinds.h"
#include "worker.h"
#include "world.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>

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
