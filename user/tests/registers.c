/*
 * Registers over calls and traps: flags, general registers, x87 and SSE.
 */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

/*
 * Registers and flags over a system call. Flags that a program sets must not affect the kernel and
 * must be the same afterwards; every register but rax, rcx and r11 is kept; rcx and r11 hold the
 * values that SYSCALL stores there (the return address and the flags).
 */

#define FLAG_CF   0x1u
#define FLAG_TF   0x100u
#define FLAG_IF   0x200u
#define FLAG_DF   0x400u
#define FLAG_OF   0x800u
#define FLAG_IOPL 0x3000u
#define FLAG_NT   0x4000u
#define FLAG_AC   0x40000u
#define FLAG_ID   0x200000u
#define ALWAYS    (0x2u | FLAG_IF)

#define KEPT 11 /* rdi rsi rdx r8 r9 r10 rbp r12 r13 r14 r15 */

/* 24 ms at 100 million instructions a second: some timer ticks. */
#define SPIN_TURNS 600000

struct crossing {
    uint64_t number;       /* in: rax */
    uint64_t before[KEPT]; /* in: the other registers */
    uint64_t flags;        /* in: rflags */
    uint64_t rsp;          /* in: 0 to keep the stack, else the value of rsp during the call */
    uint64_t result;       /* out: rax */
    uint64_t after[KEPT];  /* out */
    uint64_t rcx, r11;     /* out */
    uint64_t flags_after;  /* out */
    uint64_t rsp_after;    /* out */
    uint64_t own_rsp;
};

_Static_assert(offsetof(struct crossing, flags) == 96, "used by cross");
_Static_assert(offsetof(struct crossing, result) == 112, "used by cross");
_Static_assert(offsetof(struct crossing, rcx) == 208, "used by cross");
_Static_assert(offsetof(struct crossing, own_rsp) == 240, "used by cross");

/* Makes the system call with the registers and flags in *crossing, and stores the results there. */
void cross(struct crossing *crossing);
extern char cross_return[];

__asm__(".text\n"
        ".globl cross, cross_return\n"
        "cross:\n"
        "    push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15\n"
        "    mov %rdi, %rbx\n"
        "    mov %rsp, 240(%rbx)\n"
        "    mov 8(%rbx), %rdi;   mov 16(%rbx), %rsi;  mov 24(%rbx), %rdx\n"
        "    mov 32(%rbx), %r8;   mov 40(%rbx), %r9;   mov 48(%rbx), %r10\n"
        "    mov 56(%rbx), %rbp;  mov 64(%rbx), %r12;  mov 72(%rbx), %r13\n"
        "    mov 80(%rbx), %r14;  mov 88(%rbx), %r15\n"
        "    cmpq $0, 104(%rbx)\n"
        "    mov (%rbx), %rax\n"
        "    pushq 96(%rbx)\n"
        "    je 1f\n"
        "    popfq\n"
        "    mov 104(%rbx), %rsp\n"
        "    jmp 2f\n"
        "1:  popfq\n"
        "2:  syscall\n"
        "cross_return:\n"
        "    mov %rsp, 232(%rbx)\n"
        "    mov 240(%rbx), %rsp\n"
        "    mov %rax, 112(%rbx)\n"
        "    mov %rdi, 120(%rbx);  mov %rsi, 128(%rbx);  mov %rdx, 136(%rbx)\n"
        "    mov %r8, 144(%rbx);   mov %r9, 152(%rbx);   mov %r10, 160(%rbx)\n"
        "    mov %rbp, 168(%rbx);  mov %r12, 176(%rbx);  mov %r13, 184(%rbx)\n"
        "    mov %r14, 192(%rbx);  mov %r15, 200(%rbx)\n"
        "    mov %rcx, 208(%rbx);  mov %r11, 216(%rbx)\n"
        "    pushfq\n"
        "    popq 224(%rbx)\n"
        "    pushq $0x202\n"
        "    popfq\n"
        "    pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx\n"
        "    ret\n");

/* Runs for so many turns with these flags, long enough to be interrupted. Returns the flags. */
uint64_t spin_with_flags(uint64_t flags, uint64_t turns);

__asm__(".globl spin_with_flags\n"
        "spin_with_flags:\n"
        "    push %rdi\n"
        "    popfq\n"
        "1:  lea -1(%rsi), %rsi\n"
        "    mov %rsi, %rcx\n"
        "    jrcxz 2f\n"
        "    jmp 1b\n"
        "2:  pushfq\n"
        "    pop %rax\n"
        "    pushq $0x202\n"
        "    popfq\n"
        "    ret\n");

static struct crossing prepared(long number, uint64_t flags)
{
    struct crossing crossing;

    memset(&crossing, 0, sizeof crossing);
    crossing.number = (uint64_t)number;
    crossing.flags = ALWAYS | flags;
    for (size_t i = 0; i < KEPT; i++) {
        crossing.before[i] = 0x5afe000000000000u + i * 0x010101010101u;
    }
    return crossing;
}

static void test_registers(long number, const char *name)
{
    struct crossing crossing = prepared(number, 0);

    cross(&crossing);
    is(memcmp(crossing.before, crossing.after, sizeof crossing.before), 0,
       "%s keeps every register but rax, rcx, r11", name);
    is((long)crossing.rcx, (long)(uintptr_t)cross_return, "%s: rcx is the return address", name);
    is((long)crossing.r11, ALWAYS, "%s: r11 is rflags", name);
    is((long)crossing.rsp_after, (long)crossing.own_rsp, "%s keeps rsp", name);
}

/* uname fills a structure: if DF reached the kernel, it would be filled backwards. */
static void test_flag(uint64_t flags, const char *name)
{
    struct utsname expected;
    struct utsname got;
    struct crossing crossing = prepared(SYS_uname, flags);

    uname(&expected);
    memset(&got, 0, sizeof got);
    crossing.before[0] = (uintptr_t)&got;
    cross(&crossing);
    is((long)crossing.result, 0, "with %s, uname succeeds", name);
    is(memcmp(&expected, &got, sizeof got), 0, "with %s, uname's answer is right", name);
    is((long)crossing.flags_after, (long)(ALWAYS | flags), "with %s, the flags are kept", name);
    is((long)crossing.r11, (long)(ALWAYS | flags), "with %s, r11 has the flags", name);
    crossing = prepared(SYS_uname, flags);
    crossing.before[0] = 0xffff800000100000u;
    cross(&crossing);
    is((long)crossing.result, -EFAULT, "with %s, a kernel address is EFAULT", name);
    crossing = prepared(SYS_execve, flags);
    crossing.before[0] = 8;
    cross(&crossing);
    is((long)crossing.result, -EFAULT, "with %s, execve of a bad path is EFAULT", name);
    is((long)crossing.flags_after, (long)(ALWAYS | flags), "with %s, they are kept then", name);
}

static void test_interrupts(uint64_t flags, const char *name)
{
    uint64_t after = spin_with_flags(ALWAYS | flags, SPIN_TURNS);

    is((long)after, (long)(ALWAYS | flags), "%s survives interrupts", name);
}

/*
 * Sleeps with these flags while another program spins. The other program was interrupted, so the
 * kernel resumes it by IRET, which faults if NT is set in the kernel.
 */
static void test_switch(uint64_t flags, const char *name)
{
    static const struct timespec short_time = {0, 20000000};
    struct crossing crossing = prepared(SYS_nanosleep, flags);
    pid_t pid = start("child", "spin", NULL, NULL);

    crossing.before[0] = (uintptr_t)&short_time;
    crossing.before[1] = 0;
    for (int i = 0; i < 3; i++) {
        cross(&crossing);
    }
    is((long)crossing.result, 0, "with %s, nanosleep while another program runs", name);
    is((long)crossing.flags_after, (long)(ALWAYS | flags), "with %s, they are kept then", name);
    kill(pid, SIGKILL);
    is(wait_for(pid), KILLED(SIGKILL), "with %s, the other program has run", name);
}

static void test_privileged_flags(void)
{
    is((long)spin_with_flags(2, 1), ALWAYS, "popf cannot clear IF");
    is((long)spin_with_flags(ALWAYS | FLAG_IOPL, 1), ALWAYS, "popf cannot raise IOPL");
}

/* The kernel must not use the program's stack pointer, whatever its value. */
static void test_stack_pointer(void)
{
    static const uint64_t values[] = {8, 0x200000000000u, 0x0000800000000000u, 0xffff800000100000u,
                                      0xffffffffffffffffu};

    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        struct crossing crossing = prepared(SYS_getpid, 0);
        crossing.rsp = values[i];
        cross(&crossing);
        is((long)crossing.result, getpid(), "getpid with rsp 0x%lx", (unsigned long)values[i]);
        is((long)crossing.rsp_after, (long)values[i], "rsp 0x%lx is kept",
           (unsigned long)values[i]);
    }
}

/* The segment bases keep their values over calls and while other processes run. */
static void test_segment_base(void)
{
    static uint64_t words[2] = {0x1122334455667788u, 0};
    uint64_t got = 0;

    is(syscall(SYS_arch_prctl, 0x1001 /* ARCH_SET_GS */, words), 0, "arch_prctl(ARCH_SET_GS)");
    is(run("child", "sleep", "5", NULL), EXITED(0), "another program runs meanwhile");
    spin_with_flags(ALWAYS, SPIN_TURNS);
    __asm__ volatile("mov %%gs:0, %0" : "=r"(got));
    is((long)got, (long)words[0], "gs-relative reads go where it says");
    is(syscall(SYS_arch_prctl, 0x1004 /* ARCH_GET_GS */, &words[1]), 0, "ARCH_GET_GS");
    is((long)words[1], (long)(uintptr_t)words, "gives the same base");
    is(syscall(SYS_arch_prctl, 0x1001, 0), 0, "and back to 0");
}

static void test_flags(void)
{
    static const struct {
        uint64_t bits;
        const char *name;
    } flags[] = {{FLAG_DF, "DF"},
                 {FLAG_AC, "AC"},
                 {FLAG_NT, "NT"},
                 {FLAG_ID, "ID"},
                 {FLAG_CF | FLAG_OF, "CF and OF"},
                 {FLAG_DF | FLAG_AC | FLAG_NT, "DF, AC and NT"}};

    test_registers(SYS_getpid, "getpid");
    test_registers(999999, "an unknown call");
    test_registers(SYS_close, "a failing close");
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
        test_flag(flags[i].bits, flags[i].name);
        test_interrupts(flags[i].bits, flags[i].name);
        test_switch(flags[i].bits, flags[i].name);
    }
    test_privileged_flags();
    test_stack_pointer();
    test_segment_base();
    is(WITHOUT_CORE(run("fault", "single-step", NULL, NULL)), KILLED(5),
       "TF set by popf ends a program by SIGTRAP");
    is(WITHOUT_CORE(run("child", "trap-call", NULL, NULL)), KILLED(5),
       "TF set on a system call ends the program by SIGTRAP, outside the kernel");
    is(getpid() > 0, 1, "and the kernel goes on");
}

/*
 * The x87 and SSE state, control words included, survives system calls, interrupts, a sleep, a
 * vfork and other processes that use the same registers.
 */

/* The memory layout of FXSAVE, SDM volume 1, "Operation of FXSAVE". Pointers to the last x87
 * operation are left out, since processors differ in when they keep them. */
struct fx {
    uint16_t control, status;
    uint8_t tags, reserved;
    uint16_t opcode;
    uint64_t instruction, operand;
    uint32_t mxcsr, mxcsr_mask;
    uint8_t st[8][16];
    uint8_t xmm[16][16];
    uint8_t rest[96];
} __attribute__((aligned(16)));

_Static_assert(sizeof(struct fx) == 512, "the size of FXSAVE's area");

/* Loads *in, makes the system call, stores the state in *out. Returns the call's result. */
long fpu_call(const struct fx *in, struct fx *out, long number, long a, long b, long c);
/* Loads *in, spins for so many turns, stores the state in *out. */
void fpu_spin(const struct fx *in, struct fx *out, uint64_t turns);
/* Loads *in, makes a vfork child that changes the state and ends, stores the state in *out. */
long fpu_vfork(const struct fx *in, struct fx *out);

__asm__(".text\n"
        ".globl fpu_call, fpu_spin, fpu_vfork\n"
        "fpu_call:\n"
        "    push %rbx\n"
        "    mov %rsi, %rbx\n"
        "    fxrstor (%rdi)\n"
        "    mov %rdx, %rax\n"
        "    mov %rcx, %rdi\n"
        "    mov %r8, %rsi\n"
        "    mov %r9, %rdx\n"
        "    syscall\n"
        "    fxsave (%rbx)\n"
        "    fninit\n"
        "    pop %rbx\n"
        "    ret\n"
        "fpu_spin:\n"
        "    fxrstor (%rdi)\n"
        "1:  dec %rdx\n"
        "    jnz 1b\n"
        "    fxsave (%rsi)\n"
        "    fninit\n"
        "    ret\n"
        "fpu_vfork:\n"
        "    push %rbx\n"
        "    mov %rsi, %rbx\n"
        "    fxrstor (%rdi)\n"
        "    mov $58, %eax\n" /* SYS_vfork */
        "    syscall\n"
        "    test %rax, %rax\n"
        "    jnz 2f\n"
        "    fninit\n"
        "    pxor %xmm0, %xmm0\n"
        "    pxor %xmm15, %xmm15\n"
        "    mov $60, %eax\n" /* SYS_exit */
        "    xor %edi, %edi\n"
        "    syscall\n"
        "2:  fxsave (%rbx)\n"
        "    fninit\n"
        "    pop %rbx\n"
        "    ret\n");

/* Makes a state in which every register differs, with unusual rounding and precision. */
static struct fx pattern(unsigned seed)
{
    struct fx fx;

    memset(&fx, 0, sizeof fx);
    fx.control = 0x0a7f; /* round up, 53 bits, all masked */
    fx.tags = 0xff;      /* every x87 register is in use */
    fx.mxcsr = 0x5f80;   /* round down is 0x2000, up 0x4000; all masked */
    for (unsigned i = 0; i < 8; i++) {
        memset(fx.st[i], (int)((seed + i) & 0x7f) | 1, 8);
        fx.st[i][8] = (uint8_t)(seed + i);
        fx.st[i][9] = 0x3f;
        fx.st[i][7] |= 0x80; /* a normal number */
    }
    for (unsigned i = 0; i < 16; i++) {
        memset(fx.xmm[i], (int)((seed * 31 + i * 7 + 5) & 0xff), 16);
        fx.xmm[i][15] = (uint8_t)i;
    }
    return fx;
}

static bool same(const struct fx *a, const struct fx *b)
{
    bool equal = a->control == b->control && a->tags == b->tags && a->mxcsr == b->mxcsr &&
                 memcmp(a->xmm, b->xmm, sizeof a->xmm) == 0;

    for (unsigned i = 0; i < 8; i++) {
        equal = equal && memcmp(a->st[i], b->st[i], 10) == 0;
    }
    return equal;
}

static void test_calls(void)
{
    static char buffer[5000];
    struct timespec short_time = {0, 3000000};
    struct utsname name;
    int file = open(beside("fixtures/data.bin"), O_RDONLY);
    const struct {
        const char *name;
        long number, a, b, c, expected;
    } calls[] = {
        {"getpid", SYS_getpid, 0, 0, 0, getpid()},
        {"uname", SYS_uname, (long)&name, 0, 0, 0},
        {"read of 5000 bytes", SYS_read, file, (long)buffer, 5000, 5000},
        {"an unknown call", 999999, 0, 0, 0, -38},
        {"a bad pointer", SYS_uname, 8, 0, 0, -14},
        {"nanosleep", SYS_nanosleep, (long)&short_time, 0, 0, 0},
    };

    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        struct fx in = pattern((unsigned)i + 1);
        struct fx out;
        memset(&out, 0, sizeof out);
        is(fpu_call(&in, &out, calls[i].number, calls[i].a, calls[i].b, calls[i].c),
           calls[i].expected, "%s with every register in use", calls[i].name);
        ok(same(&in, &out), "%s keeps the x87 and SSE state", calls[i].name);
    }
    close(file);
}

static bool spin_rounds(unsigned seed, unsigned rounds)
{
    struct fx in = pattern(seed);
    struct fx out;

    for (unsigned round = 0; round < rounds; round++) {
        memset(&out, 0, sizeof out);
        fpu_spin(&in, &out, 200000);
        if (!same(&in, &out)) {
            return false;
        }
    }
    return true;
}

static void test_processes(void)
{
    pid_t first = start("registers", "spin", "77", NULL);
    pid_t second = start("registers", "spin", "99", NULL);
    bool kept = spin_rounds(55, 30);

    ok(kept, "the state is kept among processes that use the same registers");
    is(wait_for(first), EXITED(0), "by the first of them too");
    is(wait_for(second), EXITED(0), "and by the second");
}

static void test_vfork(void)
{
    struct fx in = pattern(3);
    struct fx out;

    memset(&out, 0, sizeof out);
    pid_t pid = (pid_t)fpu_vfork(&in, &out);
    ok(pid > 0, "vfork");
    ok(same(&in, &out), "a vfork child's use of the registers does not reach its parent");
    is(wait_for(pid), EXITED(0), "the child ended");
}

static void test_fpu(void)
{
    test_calls();
    ok(spin_rounds(9, 10), "interrupts keep the x87 and SSE state");
    test_processes();
    test_vfork();
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "spin") == 0) {
        return spin_rounds((unsigned)atoi(argv[2]), 30) ? 0 : 1;
    }
    tap_begin(argc, argv);
    test_flags();
    test_fpu();
    return tap_end();
}
