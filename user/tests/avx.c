/*
 * The AVX registers: they survive calls, other processes, fork and signals; a handler and a new program
 * begin with zeros; the state in a signal frame is laid out as on Linux, may be changed there, and is
 * checked when it comes back. On a processor without AVX, or with a kernel that leaves it off, CPUID does
 * not report OSXSAVE.
 */
#include "test.h"

#include <cpuid.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#define MAGIC1       0x46505853u
#define MAGIC2       0x46505845u
#define UC_FP_XSTATE 1ul
#define AVAILABLE    464 /* of FXSAVE's area: what Linux says about the rest */
#define HEADER       512
#define HIGH_HALVES  576 /* of ymm0 to ymm15 */
#define OSXSAVE      (1u << 27)
#define AVX          (1u << 28)
#define SSE_AND_AVX  6u

struct mark {
    uint32_t magic1, frame_size;
    uint64_t features;
    uint32_t state_size;
};

/* The 16 registers of 32 bytes. */
struct ymm {
    uint8_t byte[16][32];
};

#define EACH_REGISTER(X)                                                                           \
    X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15)
#define LOAD(i)  "vmovdqu " #i "*32(%[in]), %%ymm" #i "\n\t"
#define STORE(i) "vmovdqu %%ymm" #i ", " #i "*32(%[out])\n\t"
#define CLOBBERS                                                                                   \
    "rcx", "r11", "memory", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7",        \
        "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15"

/* Loads *in, makes the call, stores *out. Returns the call's result. */
static long call_with(const struct ymm *in, struct ymm *out, long number, long a, long b)
{
    __asm__ volatile(EACH_REGISTER(LOAD) "syscall\n\t" EACH_REGISTER(STORE) "vzeroupper"
                     : "+a"(number)
                     : [in] "r"(in), [out] "r"(out), "D"(a), "S"(b), "d"(0)
                     : CLOBBERS);
    return number;
}

static void store(struct ymm *out)
{
    __asm__ volatile(EACH_REGISTER(STORE) : : [out] "r"(out) : "memory");
}

static struct ymm pattern(unsigned seed)
{
    struct ymm ymm;

    for (unsigned i = 0; i < sizeof ymm; i++) {
        ymm.byte[i / 32][i % 32] = (uint8_t)(seed * 41 + i * 7 + 3);
    }
    return ymm;
}

static bool equal(const struct ymm *a, const struct ymm *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

static bool is_zero(const struct ymm *ymm)
{
    static const struct ymm zero;

    return equal(ymm, &zero);
}

static bool has_avx(void)
{
    unsigned a, b, c, d;

    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & OSXSAVE) || !(c & AVX)) {
        return false;
    }
    __asm__ volatile("xgetbv" : "=a"(a), "=d"(d) : "c"(0));
    return (a & SSE_AND_AVX) == SSE_AND_AVX;
}

static void test_calls(void)
{
    struct ymm in = pattern(1), out = pattern(2);

    is(call_with(&in, &out, SYS_getppid, 0, 0), getppid(), "a call with all registers in use");
    ok(equal(&in, &out), "it keeps them");
}

static volatile int *turns;

static int other_registers(void *seed)
{
    struct ymm in = pattern((unsigned)(uintptr_t)seed), out;

    for (int i = 0; i < 200; i++) {
        turns[(uintptr_t)seed]++;
        call_with(&in, &out, SYS_sched_yield, 0, 0);
        if (!equal(&in, &out)) {
            return 1;
        }
    }
    return 0;
}

static void test_processes(void)
{
    pid_t first, second;

    turns = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    first = begin(other_registers, (void *)1);
    second = begin(other_registers, (void *)2);
    is(finish_or_kill(first, 10000), 0, "a process keeps its registers over 200 turns");
    is(finish_or_kill(second, 10000), 0, "another, with others in them, too");
    is(turns[1] + turns[2], 400, "both ran");
}

static void test_fork(void)
{
    struct ymm in = pattern(3), out;
    int status = NOT_RUN;
    long pid = call_with(&in, &out, SYS_fork, 0, 0);

    if (pid == 0) {
        _exit(equal(&in, &out) ? 0 : 1);
    }
    ok(equal(&in, &out), "fork keeps the parent's registers");
    waitpid((pid_t)pid, &status, 0);
    is(status, 0, "the child has the same");
}

static struct ymm in_handler, from_frame, to_frame;
static struct mark mark;
static uint32_t magic2;
static uint64_t header[3];
static unsigned long flags;
static bool aligned;

enum change {
    NOTHING,
    HIGHS,
    NO_MAGIC1,
    NO_MAGIC2,
    NO_AVX_BIT,
    MASKED,
    INVALID,
    COMPACTED,
    RESERVED
};
static volatile enum change change;

static void look(uint8_t *state)
{
    memcpy(&mark, state + AVAILABLE, sizeof mark);
    memcpy(header, state + HEADER, sizeof header);
    memcpy(&magic2, state + mark.state_size, sizeof magic2);
    for (int i = 0; i < 16; i++) {
        memcpy(from_frame.byte[i], state + 160 + 16 * i, 16);
        memcpy(from_frame.byte[i] + 16, state + HIGH_HALVES + 16 * i, 16);
    }
}

static void set(uint8_t *state, size_t offset, uint64_t value, size_t size)
{
    memcpy(state + offset, &value, size);
}

static void alter(uint8_t *state)
{
    switch (change) {
    case NOTHING:
        break;
    case HIGHS:
        for (int i = 0; i < 16; i++) {
            memcpy(state + HIGH_HALVES + 16 * i, to_frame.byte[i] + 16, 16);
        }
        break;
    case NO_MAGIC1:
        set(state, AVAILABLE, 0, 4);
        break;
    case NO_MAGIC2:
        set(state, mark.state_size, 0, 4);
        break;
    case NO_AVX_BIT:
        set(state, HEADER, header[0] & ~4ull, 8);
        break;
    case MASKED:
        set(state, AVAILABLE + offsetof(struct mark, features), 3, 8);
        break;
    case INVALID:
        set(state, HEADER, header[0] | 1ull << 62, 8);
        break;
    case COMPACTED:
        set(state, HEADER + 8, 1, 8);
        break;
    case RESERVED:
        set(state, HEADER + 16, 1, 8);
        break;
    }
}

static void handler(int number, siginfo_t *info, void *context)
{
    ucontext_t *user = context;
    uint8_t *state = (uint8_t *)user->uc_mcontext.fpregs;

    store(&in_handler);
    (void)number;
    (void)info;
    flags = user->uc_flags;
    aligned = (uintptr_t)state % 64 == 0;
    look(state);
    alter(state);
}

/* Raises a signal with *in in the registers. */
static void signal_with(const struct ymm *in, struct ymm *out, enum change what)
{
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};

    sigaction(SIGUSR1, &action, NULL);
    change = what;
    call_with(in, out, SYS_kill, getpid(), SIGUSR1);
}

static void test_frame(void)
{
    struct ymm in = pattern(4), out;

    signal_with(&in, &out, NOTHING);
    ok(equal(&in, &out), "a signal keeps the registers");
    ok(is_zero(&in_handler), "a handler begins with zeros in them");
    is((long)(flags & UC_FP_XSTATE), 1, "the frame is said to have the area of XSAVE");
    ok(aligned, "it is at a multiple of 64");
    ok(equal(&in, &from_frame), "the registers are in it");
    is((long)mark.magic1, MAGIC1, "the first mark");
    ok((mark.features & 7) == 7, "the components are named");
    ok(mark.frame_size == mark.state_size + 4 && mark.state_size >= HIGH_HALVES + 256,
       "so are the sizes");
    is((long)magic2, MAGIC2, "the second mark is behind the area");
    ok((header[0] & 4) && header[1] == 0 && header[2] == 0, "the header is of the standard form");
}

/* The high halves are zeros, the low ones are kept. */
static bool highs_are_gone(const struct ymm *in, const struct ymm *out)
{
    static const uint8_t zero[16];

    for (int i = 0; i < 16; i++) {
        if (memcmp(in->byte[i], out->byte[i], 16) != 0 ||
            memcmp(out->byte[i] + 16, zero, 16) != 0) {
            return false;
        }
    }
    return true;
}

static void test_changes(void)
{
    struct ymm in = pattern(5), out;

    to_frame = pattern(6);
    signal_with(&in, &out, HIGHS);
    bool good = true;
    for (int i = 0; i < 16; i++) {
        good = good && memcmp(out.byte[i], in.byte[i], 16) == 0 &&
               memcmp(out.byte[i] + 16, to_frame.byte[i] + 16, 16) == 0;
    }
    ok(good, "a handler can change the high halves");
    signal_with(&in, &out, NO_MAGIC1);
    ok(highs_are_gone(&in, &out), "without the first mark only FXSAVE's part comes back");
    signal_with(&in, &out, NO_MAGIC2);
    ok(highs_are_gone(&in, &out), "nor without the second");
    signal_with(&in, &out, NO_AVX_BIT);
    ok(highs_are_gone(&in, &out), "a component that is not present becomes zeros");
    signal_with(&in, &out, MASKED);
    ok(highs_are_gone(&in, &out), "so does one that the mark does not name");
}

static int with_change(void *what)
{
    struct ymm in = pattern(7), out;

    signal_with(&in, &out, (enum change)(uintptr_t)what);
    return 0;
}

static void test_refusals(void)
{
    struct ymm in = pattern(8), out;

    is(WITHOUT_CORE(run_child(with_change, (void *)INVALID, false)), KILLED(SIGSEGV),
       "a component that does not exist");
    is(WITHOUT_CORE(run_child(with_change, (void *)COMPACTED, false)), KILLED(SIGSEGV),
       "another form of the header");
    is(WITHOUT_CORE(run_child(with_change, (void *)RESERVED, false)), KILLED(SIGSEGV),
       "a reserved word of the header");
    call_with(&in, &out, SYS_getppid, 0, 0);
    ok(equal(&in, &out), "others are not concerned");
}

static sigjmp_buf recovered;

static void recover(int number)
{
    (void)number;
    siglongjmp(recovered, 1);
}

/* A refused frame leaves nothing behind that could not be loaded when the process gets its next turn. */
static int goes_on(void *what)
{
    struct ymm in = pattern(9), out;

    signal(SIGSEGV, recover);
    if (!sigsetjmp(recovered, 1)) {
        signal_with(&in, &out, (enum change)(uintptr_t)what);
        return 2;
    }
    sleep_ms(5);
    return other_registers((void *)3);
}

static void test_recovery(void)
{
    is(run_child(goes_on, (void *)RESERVED, false), 0,
       "SIGSEGV for a refused frame can be handled");
}

static void test_new_program(const char *self)
{
    struct ymm in = pattern(10), out;
    char *const arguments[] = {(char *)self, "registers", NULL};
    int status = NOT_RUN;
    pid_t pid = fork();

    if (pid == 0) {
        call_with(&in, &out, SYS_getppid, 0, 0);
        __asm__ volatile(EACH_REGISTER(LOAD) "syscall"
                         :
                         : [in] "r"(&in), "a"(SYS_execve), "D"(self), "S"(arguments), "d"(environ)
                         : CLOBBERS);
        _exit(99);
    }
    waitpid(pid, &status, 0);
    is(status, 0, "a new program begins with zeros in the registers");
}

/* The first instructions of a program have used some of the registers. */
static int show_registers(void)
{
    struct ymm out;
    static const uint8_t zero[32];

    store(&out);
    for (int i = 8; i < 16; i++) {
        if (memcmp(out.byte[i], zero, 32) != 0) {
            return 1;
        }
    }
    return 0;
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "registers") == 0) {
        return show_registers();
    }
    tap_begin(argc, argv);
    if (!has_avx()) {
        skip("the processor or the kernel has no AVX", "the AVX registers");
        return tap_end();
    }
    test_calls();
    test_processes();
    test_fork();
    test_frame();
    test_changes();
    test_refusals();
    test_recovery();
    test_new_program("/proc/self/exe");
    return tap_end();
}
