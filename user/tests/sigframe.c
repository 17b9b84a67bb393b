/*
 * The frame of a handler: forged ones, and what a handler may change.
 */
#include "test.h"

#include <errno.h>
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
        {"the kernel's CS", here, sp, FLAGS_GOOD, 0, KERNEL_CS, USER_SS, SEGV},
        {"the kernel's SS", here, sp, FLAGS_GOOD, 0, USER_CS, KERNEL_SS, GOES_ON},
        {"both", here, sp, FLAGS_GOOD, 0, KERNEL_CS, KERNEL_SS, SEGV},
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

/*
 * What Linux takes from a frame before it refuses the rest, and the exception that the program then gets.
 */

#define TRAP_GP           13
#define STRICT_SS         4UL
#define XSAVE_IS_THERE    1UL
#define XSAVE_COMPONENTS  512 /* the place of XSTATE_BV */
#define MXCSR_DEFAULT     0x1f80u
#define SELECTORS(cs, ss) ((unsigned long)(cs) | (unsigned long)(ss) << 48)

static unsigned long selectors, clear_flags;
static ucontext_t after_fault;

static void change_selectors(int number, siginfo_t *info, void *context)
{
    ucontext_t *user = context;

    (void)number;
    (void)info;
    user->uc_mcontext.gregs[REG_CSGSFS] = (greg_t)selectors;
    user->uc_flags &= ~clear_flags;
}

static void keep_context(int number, siginfo_t *info, void *context)
{
    got_signal = number;
    runs = info->si_code;
    after_fault = *(ucontext_t *)context;
    siglongjmp(back, 1);
}

static long gp_of_selectors(unsigned long value, unsigned long cleared)
{
    selectors = value;
    clear_flags = cleared;
    got_signal = 0;
    handle(SIGUSR1, change_selectors, 0);
    handle(SIGSEGV, keep_context, 0);
    if (sigsetjmp(back, 1) == 0) {
        kill(getpid(), SIGUSR1);
        return -1;
    }
    ok(got_signal == SIGSEGV && runs == SI_KERNEL, "the signal is the kernel's");
    is((long)after_fault.uc_mcontext.gregs[REG_TRAPNO], TRAP_GP, "the exception is #GP");
    return (long)after_fault.uc_mcontext.gregs[REG_ERR];
}

static void test_selectors(void)
{
    is(gp_of_selectors(SELECTORS(USER_CS, USER_SS), 0), -1, "a program's selectors");
    is(gp_of_selectors(SELECTORS(USER_CS & ~3, USER_SS & ~3), 0), -1, "the kernel adds ring 3");
    is(gp_of_selectors(SELECTORS(USER_CS, 0xfb), 0), 0xf8, "an SS that does not exist");
    is(gp_of_selectors(SELECTORS(USER_CS, USER_CS), 0), USER_CS & ~3, "an SS of code");
    is(gp_of_selectors(SELECTORS(USER_CS, 0), 0), 0, "no SS");
    is(gp_of_selectors(SELECTORS(KERNEL_CS, USER_SS), 0), KERNEL_CS, "the kernel's CS");
    is(gp_of_selectors(SELECTORS(USER_SS, USER_SS), 0), USER_SS & ~3, "a CS of data");
    is(gp_of_selectors(SELECTORS(USER_CS, 0xfb), STRICT_SS), -1, "an SS that does not count");
}

enum fpu_damage { FPU_UNREADABLE, FPU_COMPONENTS, FPU_NONE };

static enum fpu_damage fpu_damage;

static void damage_fpu(int number, siginfo_t *info, void *context)
{
    ucontext_t *user = context;

    (void)number;
    (void)info;
    sigaddset(&user->uc_sigmask, SIGUSR2);
    if (fpu_damage == FPU_COMPONENTS) {
        memset((char *)user->uc_mcontext.fpregs + XSAVE_COMPONENTS, 0xff, 8);
    } else {
        user->uc_mcontext.fpregs = (fpregset_t)(fpu_damage == FPU_NONE ? 0 : DIRECT_MAP);
    }
}

static void note_extended(int number, siginfo_t *info, void *context)
{
    const ucontext_t *user = context;

    (void)number;
    (void)info;
    runs = (user->uc_flags & XSAVE_IS_THERE) != 0;
}

static void count_segv(int number)
{
    got_signal = number;
    runs++;
}

/* The program goes on after the call that sent the signal, with the registers and the mask of the frame. */
static void fpu_damaged(enum fpu_damage damage, int signals, const char *name)
{
    unsigned mxcsr = MXCSR_DEFAULT | 0x8000, after = 0;
    register long kept __asm__("r12") = 0x1234;
    long number = SYS_kill, pid = getpid();
    sigset_t mask;

    fpu_damage = damage;
    runs = 0;
    handle(SIGUSR1, damage_fpu, 0);
    signal(SIGSEGV, count_segv);
    __asm__ volatile("ldmxcsr %[in]; syscall; stmxcsr %[out]"
                     : "+a"(number), [out] "=m"(after), "+r"(kept)
                     : [in] "m"(mxcsr), "D"(pid), "S"(SIGUSR1)
                     : "rcx", "r11", "memory");
    is(runs, signals, "%s: signals", name);
    is(number, 0, "%s: the result of the call", name);
    is(kept, 0x1234, "%s: a register", name);
    is((long)after, MXCSR_DEFAULT, "%s: the FPU state is the initial one", name);
    sigprocmask(SIG_BLOCK, NULL, &mask);
    ok(sigismember(&mask, SIGUSR2), "%s: the mask is that of the frame", name);
    sigdelset(&mask, SIGUSR2);
    sigprocmask(SIG_SETMASK, &mask, NULL);
}

static void test_fpu_damage(void)
{
    fpu_damaged(FPU_UNREADABLE, 1, "an FPU state that cannot be read");
    fpu_damaged(FPU_NONE, 0, "no FPU state");
    handle(SIGUSR1, note_extended, 0);
    raise(SIGUSR1);
    if (runs) {
        fpu_damaged(FPU_COMPONENTS, 1, "components that do not exist");
    } else {
        skip("no XSAVE", "components that do not exist");
    }
}

/* The alternate stack: what a frame says of it, and what it becomes. */

#define ALT_SIZE ((size_t)64 << 10)

static char alt[3][ALT_SIZE] __attribute__((aligned(4096)));
static stack_t inside, in_frame;
static int inside_set;

static int set_alt(int index, int flags, stack_t *old)
{
    stack_t new = {.ss_sp = alt[index], .ss_size = ALT_SIZE, .ss_flags = flags};

    return syscall(SYS_sigaltstack, &new, old) == 0 ? 0 : errno;
}

static int alt_is(const stack_t *shown, int index, unsigned flags)
{
    return shown->ss_sp == alt[index] && shown->ss_size == ALT_SIZE &&
           (unsigned)shown->ss_flags == flags;
}

static void look_at_alt(int number, siginfo_t *info, void *context)
{
    ucontext_t *user = context;

    (void)info;
    syscall(SYS_sigaltstack, NULL, &inside);
    in_frame = user->uc_stack;
    inside_set = set_alt(1, 0, NULL);
    if (number == SIGUSR2) {
        user->uc_stack.ss_sp = alt[2];
    }
}

static void test_altstack(void)
{
    stack_t now;

    handle(SIGUSR1, look_at_alt, 0);
    handle(SIGUSR2, look_at_alt, 0);
    is(set_alt(0, 0, NULL), 0, "an alternate stack");
    raise(SIGUSR1);
    ok(alt_is(&in_frame, 0, 0) && alt_is(&inside, 0, 0) && inside_set == 0,
       "a handler that runs elsewhere sets another");
    syscall(SYS_sigaltstack, NULL, &now);
    ok(alt_is(&now, 0, 0), "and its return brings the old one back");
    raise(SIGUSR2);
    syscall(SYS_sigaltstack, NULL, &now);
    ok(alt_is(&now, 2, 0), "or the one that it wrote to its frame");
    handle(SIGUSR1, look_at_alt, SA_ONSTACK);
    raise(SIGUSR1);
    ok(alt_is(&in_frame, 2, 0) && alt_is(&inside, 2, SS_ONSTACK) && inside_set == EPERM,
       "a handler that runs on it cannot set another");
    is(set_alt(0, (int)SS_AUTODISARM, NULL), 0, "one with SS_AUTODISARM");
    raise(SIGUSR1);
    ok(alt_is(&in_frame, 0, SS_AUTODISARM), "is in the frame");
    ok(inside.ss_flags == SS_DISABLE && inside.ss_size == 0 && inside_set == 0,
       "is none while the handler runs");
    syscall(SYS_sigaltstack, NULL, &now);
    ok(alt_is(&now, 0, SS_AUTODISARM), "and comes back");
    now.ss_flags = SS_DISABLE;
    is(syscall(SYS_sigaltstack, &now, NULL), 0, "no alternate stack");
    raise(SIGUSR1);
    ok(in_frame.ss_flags == SS_DISABLE && in_frame.ss_size == 0, "is in the frame, too");
    now.ss_flags = SS_DISABLE;
    syscall(SYS_sigaltstack, &now, NULL);
}

/* Sends a signal while the stack pointer is near the end of the alternate stack. */
static void fill_alt(int number)
{
    long call = SYS_kill, pid = getpid();

    (void)number;
    __asm__ volatile("mov %%rsp, %%rbx; mov %[near], %%rsp; syscall; mov %%rbx, %%rsp"
                     : "+a"(call)
                     : "D"(pid), "S"(SIGUSR2), [near] "r"(alt[1] + 512)
                     : "rbx", "rcx", "r11", "memory");
    _exit(0);
}

static int nests_too_deep(void *flags)
{
    struct sigaction action = {.sa_handler = fill_alt, .sa_flags = SA_ONSTACK};

    set_alt(1, 0, NULL);
    sigaction(SIGUSR1, &action, NULL);
    action.sa_handler = ends_well;
    action.sa_flags = (int)(intptr_t)flags;
    sigaction(SIGUSR2, &action, NULL);
    raise(SIGUSR1);
    return 98;
}

static void test_altstack_overflow(void)
{
    judge(in_child(nests_too_deep, (void *)SA_ONSTACK), SEGV,
          "a frame does not leave the alternate stack");
    judge(in_child(nests_too_deep, NULL), SEGV, "whatever the flags of the handler");
}

int main(int argc, char **argv)
{
    tap_begin(argc, argv);
    test_sigreturn();
    test_sigcontext();
    test_selectors();
    test_fpu_damage();
    test_altstack();
    test_altstack_overflow();
    return tap_end();
}
