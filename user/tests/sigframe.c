/*
 * The frame of a handler: forged ones, and what a handler may change.
 */
#include "test.h"

#include <setjmp.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

/*
 * rt_sigreturn with forged frames: whatever the frame says, the program goes on in ring 3 with
 * flags that it may have, or is ended. Then signals whose stack pointer or handler is in the kernel
 * half.
 */

#define KERNEL_ADDRESS 0xffffffff80200000UL
#define DIRECT_MAP     0xffff800000100000UL
#define NON_CANONICAL  0x0000800000000000UL
#define KERNEL_CS      0x10
#define KERNEL_SS      0x18
#define USER_CS        0x33
#define USER_SS        0x2b

#define FLAGS_GOOD 0x202u
#define FLAG_TF    0x100u
#define FLAG_IF    0x200u
#define FLAG_IOPL  0x3000u
#define FLAG_NT    0x4000u
#define FLAG_VM    0x20000u
#define FLAG_VIF   0x80000u
#define FLAG_VIP   0x100000u

/* The part of Linux's struct ucontext that rt_sigreturn reads; the stack pointer points at it. */
struct frame {
    uint64_t flags, link;
    uint64_t stack, stack_flags, stack_size;
    uint64_t r8, r9, r10, r11, r12, r13, r14, r15, rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip;
    uint64_t rflags;
    uint16_t cs, gs, fs, ss;
    uint64_t error, trap, old_mask, cr2, fpu;
    uint64_t reserved[8];
    uint64_t mask;
};
_Static_assert(offsetof(struct frame, rip) == 168, "struct ucontext");
_Static_assert(offsetof(struct frame, mask) == 296, "struct ucontext");

/*
 * The targets of the forged frames: `arrived` ends the program with 0 if it runs in ring 3 with IF
 * and without IOPL and NT, else with 1; `arrived_bare` ends it with 0 and uses no stack.
 */
extern char arrived[], arrived_bare[];
__asm__(".text\n"
        "arrived:\n"
        "    pushfq\n"
        "    popq %rax\n"
        "    andl $0x7200, %eax\n"
        "    xorl %edi, %edi\n"
        "    cmpl $0x200, %eax\n"
        "    setne %dil\n"
        "    movl %cs, %eax\n"
        "    andl $3, %eax\n"
        "    cmpl $3, %eax\n"
        "    je 1f\n"
        "    movl $2, %edi\n"
        "1:  movl $231, %eax\n"
        "    syscall\n"
        "arrived_bare:\n"
        "    xorl %edi, %edi\n"
        "    movl $231, %eax\n"
        "    syscall\n");

static unsigned char stack[2 * 4096] __attribute__((aligned(64)));
static unsigned char fpu_area[1024] __attribute__((aligned(64)));

#define STACK_END ((uintptr_t)stack + sizeof stack - 64)

enum verdict { GOES_ON = 1, SEGV = 2, TRAP = 4 };

struct forgery {
    const char *name;
    uint64_t rip, rsp, rflags, fpu;
    uint16_t cs, ss;
    unsigned allowed; /* a set of enum verdict */
};

static void return_to(uintptr_t frame)
{
    __asm__ volatile("mov %0, %%rsp; mov $15, %%eax; syscall; hlt" : : "r"(frame) : "memory");
}

static int forge(void *argument)
{
    static struct frame frame;
    const struct forgery *forgery = argument;

    frame.rip = forgery->rip;
    frame.rsp = forgery->rsp;
    frame.rflags = forgery->rflags;
    frame.cs = forgery->cs;
    frame.ss = forgery->ss;
    frame.fpu = forgery->fpu;
    return_to((uintptr_t)&frame);
    return 98;
}

static int frame_at(void *address)
{
    return_to((uintptr_t)address);
    return 98;
}

static void judge(int status, unsigned allowed, const char *name)
{
    status = WITHOUT_CORE(status);
    bool good = ((allowed & GOES_ON) && status == EXITED(0)) ||
                ((allowed & SEGV) && status == KILLED(SIGSEGV)) ||
                ((allowed & TRAP) && status == KILLED(SIGTRAP));
    if (!ok(good, "%s", name)) {
        diag("the program ended with %s", status_text(status));
    }
}

static void test_forgeries(void)
{
    const uintptr_t here = (uintptr_t)arrived, bare = (uintptr_t)arrived_bare, sp = STACK_END;
    const uintptr_t fpu = (uintptr_t)fpu_area;
    const struct forgery forgeries[] = {
        {"a good frame", here, sp, FLAGS_GOOD, 0, USER_CS, USER_SS, GOES_ON},
        {"the kernel's CS", here, sp, FLAGS_GOOD, 0, KERNEL_CS, USER_SS, GOES_ON | SEGV},
        {"the kernel's SS", here, sp, FLAGS_GOOD, 0, USER_CS, KERNEL_SS, GOES_ON | SEGV},
        {"both", here, sp, FLAGS_GOOD, 0, KERNEL_CS, KERNEL_SS, GOES_ON | SEGV},
        {"IOPL 3", here, sp, FLAGS_GOOD | FLAG_IOPL, 0, USER_CS, USER_SS, GOES_ON},
        {"no IF", here, sp, 2, 0, USER_CS, USER_SS, GOES_ON},
        {"NT", here, sp, FLAGS_GOOD | FLAG_NT, 0, USER_CS, USER_SS, GOES_ON},
        {"VM, VIF and VIP", here, sp, FLAGS_GOOD | FLAG_VM | FLAG_VIF | FLAG_VIP, 0, USER_CS,
         USER_SS, GOES_ON},
        {"all flags but TF", here, sp, ~(uint64_t)FLAG_TF, 0, USER_CS, USER_SS, GOES_ON},
        {"TF", here, sp, FLAGS_GOOD | FLAG_TF, 0, USER_CS, USER_SS, TRAP},
        {"a non-canonical rip", NON_CANONICAL, sp, FLAGS_GOOD, 0, USER_CS, USER_SS, SEGV},
        {"the highest non-canonical rip", ~NON_CANONICAL, sp, FLAGS_GOOD, 0, USER_CS, USER_SS,
         SEGV},
        {"rip at the user end", USER_END, sp, FLAGS_GOOD, 0, USER_CS, USER_SS, SEGV},
        {"rip just below it", USER_END - 1, sp, FLAGS_GOOD, 0, USER_CS, USER_SS, SEGV},
        {"rip in the kernel", KERNEL_ADDRESS, sp, FLAGS_GOOD, 0, USER_CS, USER_SS, SEGV},
        {"rip and selectors in the kernel", KERNEL_ADDRESS, sp, FLAGS_GOOD, 0, KERNEL_CS, KERNEL_SS,
         SEGV},
        {"rsp in the kernel, not used", bare, DIRECT_MAP, FLAGS_GOOD, 0, USER_CS, USER_SS, GOES_ON},
        {"rsp in the kernel, used", here, DIRECT_MAP, FLAGS_GOOD, 0, USER_CS, USER_SS, SEGV},
        {"a non-canonical rsp, not used", bare, NON_CANONICAL + 8, FLAGS_GOOD, 0, USER_CS, USER_SS,
         GOES_ON},
        {"registers of the FPU in the kernel", here, sp, FLAGS_GOOD, DIRECT_MAP, USER_CS, USER_SS,
         SEGV},
        {"registers of the FPU nowhere", here, sp, FLAGS_GOOD, NON_CANONICAL, USER_CS, USER_SS,
         SEGV},
        {"a misaligned place for them", here, sp, FLAGS_GOOD, fpu + 1, USER_CS, USER_SS,
         GOES_ON | SEGV},
        {"every bit of MXCSR and all else", here, sp, FLAGS_GOOD, fpu, USER_CS, USER_SS,
         GOES_ON | SEGV},
    };

    memset(fpu_area, 0xff, sizeof fpu_area);
    for (size_t i = 0; i < sizeof forgeries / sizeof forgeries[0]; i++) {
        judge(in_child(forge, (void *)(uintptr_t)&forgeries[i]), forgeries[i].allowed,
              forgeries[i].name);
    }
}

static void test_places(void)
{
    unsigned char *area =
        mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    munmap(area + PAGE, PAGE);
    judge(in_child(frame_at, (void *)DIRECT_MAP), SEGV, "a frame in the direct map");
    judge(in_child(frame_at, (void *)KERNEL_ADDRESS), SEGV, "a frame in the kernel");
    judge(in_child(frame_at, (void *)NON_CANONICAL), SEGV, "a frame nowhere");
    judge(in_child(frame_at, NULL), SEGV, "a frame at 0");
    judge(in_child(frame_at, (void *)~0x7UL), SEGV, "a frame at the end of all addresses");
    judge(in_child(frame_at, (void *)USER_END), SEGV, "a frame at the user end");
    judge(in_child(frame_at, area + PAGE - 40), SEGV, "a frame that ends in a hole");
    munmap(area, PAGE);
}

static void ends_well(int number)
{
    _exit(number == SIGILL ? 0 : 97);
}

/* A fault with this stack pointer, and a handler that wants its frame there. */
static int faults_with_stack(void *rsp)
{
    signal(SIGILL, ends_well);
    __asm__ volatile("mov %0, %%rsp; ud2" : : "r"(rsp) : "memory");
    return 98;
}

static int handled_at(void *address)
{
    signal(SIGUSR1, (void (*)(int))address);
    raise(SIGUSR1);
    return 98;
}

static void test_delivery(void)
{
    judge(in_child(faults_with_stack, (void *)STACK_END), GOES_ON,
          "a handler runs on the stack of the fault");
    judge(in_child(faults_with_stack, (void *)DIRECT_MAP), SEGV,
          "no frame is written to the direct map");
    judge(in_child(faults_with_stack, (void *)(KERNEL_ADDRESS + 0x10000)), SEGV,
          "nor to the kernel");
    judge(in_child(faults_with_stack, (void *)NON_CANONICAL), SEGV, "nor nowhere");
    judge(in_child(faults_with_stack, (void *)64), SEGV, "nor around the end of all addresses");
    judge(in_child(handled_at, (void *)KERNEL_ADDRESS), SEGV, "a handler in the kernel");
    judge(in_child(handled_at, (void *)NON_CANONICAL), SEGV, "a handler nowhere");
}

static void test_sigreturn(void)
{
    test_forgeries();
    test_places();
    test_delivery();
    ok(getpid() > 0, "and the kernel goes on");
}

/*
 * Changes that a handler makes to the context that it returns to: NT and the other flags, the
 * floating-point registers, and an impossible RIP; and the parts that return unchanged.
 */

#define FLAG_CF            0x1UL
#define FLAG_DF            0x400UL
#define SIGCONTEXT_FLAG_NT 0x4000UL
#define FLAG_AC            0x40000UL
#define FLAG_ID            0x200000UL
#define OURS               (FLAG_CF | FLAG_DF | SIGCONTEXT_FLAG_NT | FLAG_AC | FLAG_ID)

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

static void return_to_of_sigcontext(int number, siginfo_t *info, void *context)
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

enum { HANDLED = 1, SIGCONTEXT_SEGV = 2, RIP = 4 };

/* The kernel may refuse the frame or the program may fault at once: both are a SIGSEGV. */
static int go_to(void *rip)
{
    wanted_rip = (unsigned long)rip;
    handle(SIGUSR1, return_to_of_sigcontext, 0);
    handle(SIGSEGV, note_and_leave, 0);
    if (sigsetjmp(back, 1) == 0) {
        kill(getpid(), SIGUSR1);
    }
    return (runs == 1 ? HANDLED : 0) | (got_signal == SIGSEGV ? SIGCONTEXT_SEGV : 0) |
           (got_rip == wanted_rip ? RIP : 0);
}

static void test_bad_rip(unsigned long rip, const char *name)
{
    int status = run_child(go_to, (void *)rip, false);
    int got = WIFEXITED(status) ? WEXITSTATUS(status) : 0;

    ok((got & HANDLED) != 0, "%s: the handler ran", name);
    ok((got & SIGCONTEXT_SEGV) != 0, "%s: sigreturn to it is a SIGSEGV that is handled", name);
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
                 {"NT", SIGCONTEXT_FLAG_NT},
                 {"AC", FLAG_AC},
                 {"ID", FLAG_ID},
                 {"DF and NT", FLAG_DF | SIGCONTEXT_FLAG_NT},
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
static int returns_from_nowhere(void *top)
{
    __asm__ volatile("movq %0, %%rsp; movq $15, %%rax; syscall; ud2" : : "r"(top) : "memory");
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

static void test_sigcontext(void)
{
    test_bad_rip(0x0000800000000000, "the first non-canonical address");
    test_bad_rip(0xffff7fffffffffff, "the last one");
    test_bad_rip(0x1234567812345678, "one in the middle");
    test_bad_rip(0xffffffff80000000, "a kernel address");
    test_bad_rip(0, "0");
    test_flags();
    test_given_flags();
    test_vectors();
    test_bad_frames();
}

int main(int argc, char **argv)
{
    tap_begin(argc, argv);
    test_sigreturn();
    test_sigcontext();
    return tap_end();
}
