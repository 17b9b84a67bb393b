/* A child of the fuzzer: makes hostile calls until its budget is used up or it dies of them. */
#include "fuzz.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#define ARENA_CALLS  48 /* after so many calls the arena is made again */
#define GRANDCHILD   40 /* calls of a process that a child forks */
#define MAX_DEPTH    3
#define TIMER_PERIOD 10000 /* microseconds: ends sleeps */

static long raw_call(const struct hostile_call *call)
{
    long result = (long)call->number;
    register uint64_t r10 __asm__("r10") = call->arguments[3];
    register uint64_t r8 __asm__("r8") = call->arguments[4];
    register uint64_t r9 __asm__("r9") = call->arguments[5];

    __asm__ volatile("syscall"
                     : "+a"(result)
                     : "D"(call->arguments[0]), "S"(call->arguments[1]), "d"(call->arguments[2]),
                       "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}

static void on_timer(int number)
{
    (void)number;
}

static void start_timer(void)
{
    struct sigaction action = {.sa_handler = on_timer};
    struct itimerval period = {{0, TIMER_PERIOD}, {0, TIMER_PERIOD}};
    sigset_t none;

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &period, NULL);
}

void child_focus(struct child *child)
{
    for (unsigned i = 0; i < FOCUS; i++) {
        child->focus[i] = known_number(&child->random);
    }
    child->focus_fd = random_below(&child->random, 12);
}

/* The same object twice: an argument becomes what an earlier one of its kind is. */
static void repeat_an_argument(struct hostile_call *call, const char *kinds)
{
    for (unsigned i = 1; kinds[i] != '\0'; i++) {
        for (unsigned j = 0; j < i; j++) {
            if (kinds[j] == kinds[i]) {
                call->arguments[i] = call->arguments[j];
                return;
            }
        }
    }
}

void call_draw(struct child *child, struct hostile_call *call)
{
    static const char all[] = "fpslidgamoqu";
    struct random *random = &child->random;

    unsigned dice = random_below(random, 10);
    call->number = dice == 0  ? random_below(random, NUMBERS)
                   : dice < 4 ? known_number(random)
                              : child->focus[random_below(random, FOCUS)];
    const char *kinds = random_once_in(random, 6) ? NULL : kinds_of(call->number), *known = kinds;
    for (unsigned i = 0; i < ARGUMENTS; i++) {
        char kind = all[random_below(random, sizeof all - 1)];
        if (kinds != NULL && *kinds != '\0') {
            kind = *kinds++;
        }
        call->arguments[i] = value_of(child, kind);
        if (random_once_in(random, 16)) {
            call->arguments[i] = (uint32_t)call->arguments[i] | random_next(random) << 32;
        }
    }
    if (known != NULL && random_once_in(random, 8)) {
        repeat_an_argument(call, known);
    }
}

static bool makes_process(unsigned number)
{
    return number == SYS_fork || number == SYS_vfork || number == SYS_clone || number == SYS_clone3;
}

/* Runs in the new process of a fork: it makes a different, shorter sequence of calls. */
static _Noreturn void become_grandchild(struct child *child)
{
    struct child own = *child;

    own.depth++;
    random_next(&own.random);
    own.random.state ^= (uint64_t)own.depth << 40;
    start_timer();
    child_run(&own, GRANDCHILD);
}

/* Most calls of exec get arguments that let this program continue as a child. */
static void prepare_exec(struct child *child, struct hostile_call *call)
{
    static char seed[24], depth[12], place[12];
    static char *argv[] = {"fuzz", "child", seed, depth, place, NULL, NULL};
    static char *envp[] = {NULL};

    unsigned first = call->number == SYS_execveat ? 2 : 1;
    if ((call->number != SYS_execve && call->number != SYS_execveat) ||
        random_once_in(&child->random, 3)) {
        return;
    }
    snprintf(seed, sizeof seed, "%llu", (unsigned long long)random_next(&child->random));
    snprintf(depth, sizeof depth, "%u", child->depth + 1);
    snprintf(place, sizeof place, "%u", child->place);
    argv[5] = (char *)(uintptr_t)left_out;
    call->arguments[first] = (uint64_t)argv;
    call->arguments[first + 1] = (uint64_t)envp;
}

_Noreturn void child_run(struct child *child, unsigned budget)
{
    static unsigned rounds;

    for (unsigned i = 0; i < budget; i++) {
        struct hostile_call call;
        if (i % ARENA_CALLS == 0) {
            arena_make(&child->random);
        }
        call_draw(child, &call);
        prepare_exec(child, &call);
        PROGRESS->calls[child->place]++;
        if (is_dangerous(child, &call) ||
            (makes_process(call.number) && child->depth >= MAX_DEPTH) ||
            ((call.number == SYS_exit || call.number == SYS_exit_group) && i < budget / 2)) {
            continue;
        }
        pid_t self = getpid();
        long result = raw_call(&call);
        if (makes_process(call.number) && result >= 0) {
            if (getpid() != self) {
                become_grandchild(child);
            }
            child->children[rounds++ % 4] = (pid_t)result;
        }
    }
    _exit(0);
}

_Noreturn void child_again(char **argv)
{
    struct child child = {.random = random_start(strtoull(argv[2], NULL, 10), 0, 0)};

    child.depth = (unsigned)atoi(argv[3]);
    child.place = (unsigned)atoi(argv[4]) % CHILDREN;
    left_out = argv[5];
    child.root = geteuid() == 0 || getuid() == 0;
    child.linux_host = access("/proc/umbra-frames", F_OK) != 0;
    mmap(PROGRESS, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    child_focus(&child);
    start_timer();
    child_run(&child, child.depth > MAX_DEPTH ? 0 : GRANDCHILD);
}

/*
 * The calls that a child must not make. A child with user id 0 could switch the machine off, end
 * process 1, or take away resources of the supervisor, and none of these is a fault of the kernel.
 * Other users make these calls, because the kernel must refuse them. On a Linux host no child has
 * user id 0, and calls with an effect outside the namespaces are left out too.
 */

static const unsigned for_nobody_on_linux[] = {
    SYS_shmget,
    SYS_semget,
    SYS_msgget,
    SYS_add_key,
    SYS_keyctl,
    SYS_request_key,
    SYS_bpf,
    SYS_perf_event_open,
    SYS_io_uring_setup,
    SYS_userfaultfd,
    SYS_inotify_add_watch,
    SYS_vhangup,
    SYS_fanotify_init,
    SYS_ptrace,
    SYS_sync,
    SYS_syncfs,
    SYS_swapon,
    SYS_swapoff,
};

static const unsigned for_root[] = {
    SYS_reboot,
    SYS_mount,
    SYS_umount2,
    SYS_chroot,
    SYS_pivot_root,
    SYS_swapon,
    SYS_swapoff,
    SYS_init_module,
    SYS_finit_module,
    SYS_delete_module,
    SYS_kexec_load,
    SYS_iopl,
    SYS_ioperm,
    SYS_settimeofday,
    SYS_clock_settime,
    SYS_adjtimex,
    SYS_clock_adjtime,
    SYS_sethostname,
    SYS_setdomainname,
    SYS_syslog,
    SYS_acct,
    SYS_vhangup,
    SYS_move_mount,
    SYS_fsmount,
    SYS_open_tree,
    SYS_setns,
    SYS_unshare,
    SYS_ptrace,
    SYS_process_vm_writev,
    SYS_mknod,
    SYS_mknodat,
    SYS_setrlimit,
};

static bool is_among(unsigned number, const unsigned *list, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        if (list[i] == number) {
            return true;
        }
    }
    return false;
}

static bool is_own(const struct child *child, int pid)
{
    for (unsigned i = 0; i < sizeof child->children / sizeof child->children[0]; i++) {
        if (pid == child->children[i] && pid > 1) {
            return true;
        }
    }
    return pid == 0 || pid == getpid();
}

/* True if the call affects a process that is not the caller or one of its children. */
static bool reaches_others(const struct child *child, const struct hostile_call *call)
{
    switch (call->number) {
    case SYS_kill:
    case SYS_tkill:
    case SYS_prlimit64:
    case SYS_rt_sigqueueinfo:
        return !is_own(child, (int)call->arguments[0]);
    case SYS_setpriority:
        return !is_own(child, (int)call->arguments[1]);
    case SYS_tgkill:
    case SYS_rt_tgsigqueueinfo:
        return !is_own(child, (int)call->arguments[0]) || !is_own(child, (int)call->arguments[1]);
    default:
        return false;
    }
}

/* "A,B,...": call numbers that --without leaves out, so that a known fault does not hide others. */
const char *left_out = "";

static bool is_left_out(unsigned number)
{
    for (const char *at = left_out; *at != '\0';) {
        char *end;
        if (strtoul(at, &end, 10) == number) {
            return true;
        }
        at = *end == ',' ? end + 1 : "";
    }
    return false;
}

bool is_dangerous(const struct child *child, const struct hostile_call *call)
{
    unsigned number = call->number;

    if (is_left_out(number)) {
        return true;
    }
    if (child->linux_host && is_among(number, for_nobody_on_linux,
                                      sizeof for_nobody_on_linux / sizeof for_nobody_on_linux[0])) {
        return true;
    }
    return child->root && (is_among(number, for_root, sizeof for_root / sizeof for_root[0]) ||
                           reaches_others(child, call));
}
