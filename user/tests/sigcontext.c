/*
 * Changes that a handler makes to the context that it returns to: NT and the other flags, the
 * floating-point registers, and an impossible RIP; and the parts that return unchanged.
 */
#include "edge.h"
#include "probe.h"
#include "proc.h"
#include "tap.h"

#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#define FLAG_CF 0x1UL
#define FLAG_DF 0x400UL
#define FLAG_NT 0x4000UL
#define FLAG_AC 0x40000UL
#define FLAG_ID 0x200000UL
#define OURS    (FLAG_CF | FLAG_DF | FLAG_NT | FLAG_AC | FLAG_ID)

static volatile int got_signal, runs;
static volatile uintptr_t got_rip;
static volatile unsigned long flags_inside, flags_saved;
static unsigned long wanted_rip;
static sigjmp_buf back;

static void handle(int number, void (*handler)(int, siginfo_t *, void *), int flags)
{
    struct sigaction action;

    memset(&action, 0, sizeof action);
    action.sa_sigaction = handler;
    action.sa_flags = SA_SIGINFO | flags;
    sigaction(number, &action, NULL);
}

static void return_to(int number, siginfo_t *info, void *context)
{
    ucontext_t *user = context;

    (void)number;
    (void)info;
    runs++;
    user->uc_mcontext.gregs[REG_RIP] = (greg_t)wanted_rip;
}

static void note_and_leave(int number, siginfo_t *info, void *context)
{
    const ucontext_t *user = context;

    got_signal = number;
    (void)info;
    got_rip = (uintptr_t)user->uc_mcontext.gregs[REG_RIP];
    siglongjmp(back, 1);
}

enum { HANDLED = 1, SEGV = 2, RIP = 4 };

/* The kernel may refuse the frame or the program may fault at once: both are a SIGSEGV. */
static int go_to(void *rip)
{
    wanted_rip = (unsigned long)rip;
    handle(SIGUSR1, return_to, 0);
    handle(SIGSEGV, note_and_leave, 0);
    if (sigsetjmp(back, 1) == 0) {
        kill(getpid(), SIGUSR1);
    }
    return (runs == 1 ? HANDLED : 0) | (got_signal == SIGSEGV ? SEGV : 0) |
           (got_rip == wanted_rip ? RIP : 0);
}

static void test_bad_rip(unsigned long rip, const char *name)
{
    int status = run_child(go_to, (void *)rip, false);
    int got = WIFEXITED(status) ? WEXITSTATUS(status) : 0;

    ok((got & HANDLED) != 0, "%s: the handler ran", name);
    ok((got & SEGV) != 0, "%s: sigreturn to it is a SIGSEGV that is handled", name);
    ok((got & RIP) != 0, "%s: the saved rip is where it went", name);
    if (!WIFEXITED(status)) {
        diag("%s", status_text(status));
    }
}

static unsigned long read_flags(void)
{
    unsigned long flags = 0;

    __asm__ volatile("leaq -256(%%rsp), %%rsp; pushfq; popq %0; leaq 256(%%rsp), %%rsp"
                     : "=r"(flags)
                     :
                     : "memory");
    return flags;
}

static void look_at_flags(int number, siginfo_t *info, void *context)
{
    const ucontext_t *user = context;

    (void)number;
    (void)info;
    flags_inside = read_flags();
    flags_saved = (unsigned long)user->uc_mcontext.gregs[REG_EFL];
}

/*
 * Sets flags, sends itself a signal by a bare call, and reads the flags after it. The stack pointer
 * is moved below the red zone first.
 */
static unsigned long flags_over_signal(unsigned long set)
{
    unsigned long before = read_flags() & ~OURS, after = 0;
    long pid = getpid(), number = SYS_kill;

    __asm__ volatile("leaq -256(%%rsp), %%rsp; pushq %[set]; popfq; syscall; pushfq;"
                     " popq %[after]; pushq %[before]; popfq; leaq 256(%%rsp), %%rsp"
                     : [after] "=&r"(after), "+a"(number)
                     : [set] "r"(before | set), [before] "r"(before), "D"(pid), "S"(SIGUSR1)
                     : "rcx", "r11", "memory", "cc");
    return after & OURS;
}

static void test_flags(void)
{
    static const struct {
        const char *name;
        unsigned long flags;
    } cases[] = {{"no flags", 0},
                 {"CF", FLAG_CF},
                 {"DF", FLAG_DF},
                 {"NT", FLAG_NT},
                 {"AC", FLAG_AC},
                 {"ID", FLAG_ID},
                 {"DF and NT", FLAG_DF | FLAG_NT},
                 {"all of them", OURS}};

    handle(SIGUSR1, look_at_flags, 0);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        is((long)flags_over_signal(cases[i].flags), (long)cases[i].flags, "%s: kept over a signal",
           cases[i].name);
        is((long)(flags_saved & OURS), (long)cases[i].flags, "%s: in the context", cases[i].name);
        is((long)(flags_inside & FLAG_DF), 0, "%s: the handler starts without DF", cases[i].name);
    }
}

static volatile unsigned long give_flags;

static void change_flags(int number, siginfo_t *info, void *context)
{
    ucontext_t *user = context;

    (void)number;
    (void)info;
    user->uc_mcontext.gregs[REG_EFL] = (greg_t)give_flags;
}

/* Flags that a program may not set are unchanged. */
static void test_given_flags(void)
{
    handle(SIGUSR1, change_flags, 0);
    give_flags = 0x202 | FLAG_CF | 0x3000 | 0x20000 | 0x80000 | 0x100000; /* IOPL, VM, VIF, VIP */
    unsigned long got = flags_over_signal(0);
    is((long)got, FLAG_CF, "a context gives CF");
    give_flags = 0; /* IF off */
    flags_over_signal(0);
    ok((read_flags() & 0x200) != 0, "interrupts stay on");
    is((long)(read_flags() & 0x3000), 0, "IOPL stays 0");
}

static void spoil_vectors(int number, siginfo_t *info, void *context)
{
    (void)number;
    (void)info;
    (void)context;
    runs++;
    __asm__ volatile("pcmpeqd %%xmm0, %%xmm0; pcmpeqd %%xmm9, %%xmm9; fninit; fldpi"
                     :
                     :
                     : "xmm0", "xmm9", "memory");
}

static void test_vectors(void)
{
    unsigned long in[2] = {0x0123456789abcdef, 0xfedcba9876543210}, low[2], high[2];
    long pid = getpid(), number = SYS_kill;

    handle(SIGUSR1, spoil_vectors, 0);
    runs = 0;
    __asm__ volatile("movdqu %[in], %%xmm0; movdqu %[in], %%xmm9; syscall;"
                     " movdqu %%xmm0, %[low]; movdqu %%xmm9, %[high]"
                     : [low] "=m"(low), [high] "=m"(high), "+a"(number)
                     : [in] "m"(in), "D"(pid), "S"(SIGUSR1)
                     : "rcx", "r11", "xmm0", "xmm9", "memory");
    ok(runs == 1 && memcmp(in, low, 16) == 0 && memcmp(in, high, 16) == 0,
       "vector registers come back");
}

/* A program that damages the context on its stack gets a signal and nothing worse. */
static int returns_from_nowhere(void *stack)
{
    __asm__ volatile("movq %0, %%rsp; movq $15, %%rax; syscall; ud2" : : "r"(stack) : "memory");
    return 0;
}

static void test_bad_frames(void)
{
    static const unsigned long stacks[] = {
        0, 8, 0x7ffffffff000, 0x0000800000000000, 0xffffffff80000000, 0xfffffffffffffff8};

    for (size_t i = 0; i < sizeof stacks / sizeof stacks[0]; i++) {
        is(WITHOUT_CORE(run_child(returns_from_nowhere, (void *)stacks[i], false)), KILLED(SIGSEGV),
           "sigreturn with the stack at 0x%lx", stacks[i]);
    }
}

int main(int argc, char **argv)
{
    tap_begin(argc, argv);
    test_bad_rip(0x0000800000000000, "the first non-canonical address");
    test_bad_rip(0xffff7fffffffffff, "the last one");
    test_bad_rip(0x1234567812345678, "one in the middle");
    test_bad_rip(0xffffffff80000000, "a kernel address");
    test_bad_rip(0, "0");
    test_flags();
    test_given_flags();
    test_vectors();
    test_bad_frames();
    return tap_end();
}
