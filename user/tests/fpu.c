/*
 * The x87 and SSE state, control words included, survives system calls, interrupts, a sleep, a
 * vfork and other processes that use the same registers.
 */
#include "tap.h"
#include "proc.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

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
    pid_t first = start("fpu", "spin", "77", NULL);
    pid_t second = start("fpu", "spin", "99", NULL);
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

int main(int argc, char **argv)
{
    tap_begin(argc, argv);
    if (argc == 3 && strcmp(argv[1], "spin") == 0) {
        return spin_rounds((unsigned)atoi(argv[2]), 30) ? 0 : 1;
    }
    test_calls();
    ok(spin_rounds(9, 10), "interrupts keep the x87 and SSE state");
    test_processes();
    test_vfork();
    return tap_end();
}
