/*
 * rt_sigreturn with forged frames: whatever the frame says, the program goes on in ring 3 with
 * flags that it may have, or is ended. Then signals whose stack pointer or handler is in the kernel
 * half.
 */
#include "tap.h"
#include "proc.h"
#include "probe.h"

#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

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

static void handler(int number)
{
    _exit(number == SIGILL ? 0 : 97);
}

/* A fault with this stack pointer, and a handler that wants its frame there. */
static int faults_with_stack(void *rsp)
{
    signal(SIGILL, handler);
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

int main(int argc, char **argv)
{
    tap_begin(argc, argv);
    test_forgeries();
    test_places();
    test_delivery();
    ok(getpid() > 0, "and the kernel goes on");
    return tap_end();
}
