/*
 * Signals: faults and their handlers, and calls that end as a signal comes.
 */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

/*
 * Faults that arrive in signal handlers: the signal, si_code, si_addr, the saved registers, the
 * alternate stack; and a handler that removes the cause and returns.
 */

#define RW            (PROT_READ | PROT_WRITE)
#define NON_CANONICAL 0x0000800000000000UL
#define ERROR_WRITE   2u /* bits of the page fault's error code, SDM "Page-Fault Exceptions" */
#define ERROR_USER    4u
#define ERROR_FETCH   16u

static sigjmp_buf back;
static volatile int got_signal, got_code;
static volatile uintptr_t got_address, got_rip, got_error, handler_stack;

static void note_and_leave(int number, siginfo_t *info, void *context)
{
    const ucontext_t *user = context;

    got_signal = number;
    got_code = info->si_code;
    got_address = (uintptr_t)info->si_addr;
    got_rip = (uintptr_t)user->uc_mcontext.gregs[REG_RIP];
    got_error = (uintptr_t)user->uc_mcontext.gregs[REG_ERR];
    handler_stack = (uintptr_t)&user;
    siglongjmp(back, 1);
}

static void handle(int number, void (*handler)(int, siginfo_t *, void *), int flags)
{
    struct sigaction action;

    memset(&action, 0, sizeof action);
    action.sa_sigaction = handler;
    action.sa_flags = SA_SIGINFO | flags;
    sigemptyset(&action.sa_mask);
    sigaction(number, &action, NULL);
}

enum action { READ, WRITE, CALL, DIVIDE, UD2, BREAKPOINT, HALT };

static void act(enum action action, uintptr_t address)
{
    switch (action) {
    case READ:
        (void)*(volatile char *)address;
        break;
    case WRITE:
        *(volatile char *)address = 1;
        break;
    case CALL:
        __asm__ volatile("call *%0" : : "r"(address) : "memory");
        break;
    case DIVIDE:
        __asm__ volatile("div %%cl" : : "a"(1), "c"(0));
        break;
    case UD2:
        __asm__ volatile("ud2");
        break;
    case BREAKPOINT:
        __asm__ volatile("int3");
        break;
    case HALT:
        __asm__ volatile("hlt");
        break;
    }
}

static void attempt(enum action action, uintptr_t address)
{
    got_signal = got_code = 0;
    got_address = got_rip = got_error = 0;
    if (sigsetjmp(back, 1) == 0) {
        act(action, address);
    }
}

struct expectation {
    const char *name;
    enum action action;
    uintptr_t address;
    int signal, code;
    uintptr_t error; /* of a page fault, without its lowest bit; 0: not compared */
};

static void test_case(const struct expectation *expected)
{
    attempt(expected->action, expected->address);
    is(got_signal, expected->signal, "%s: the signal", expected->name);
    is(got_code, expected->code, "%s: si_code", expected->name);
    if (expected->signal == SIGSEGV || expected->signal == SIGBUS) {
        uintptr_t address = expected->code == SI_KERNEL ? 0 : expected->address;
        is((long)got_address, (long)address, "%s: si_addr", expected->name);
    }
    if (expected->error != 0) {
        is((long)(got_error & ~1UL), (long)expected->error, "%s: the error code", expected->name);
    }
    if (expected->action == CALL && expected->code != SI_KERNEL) {
        is((long)got_rip, (long)expected->address, "%s: the saved rip", expected->name);
    }
}

static void test_faults(void)
{
    unsigned char *area = mmap(NULL, 4 * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int fd = temporary_file(1);
    unsigned char *file = mmap(NULL, 2 * PAGE, RW, MAP_SHARED, fd, 0);

    munmap(area, PAGE);
    mprotect(area + PAGE, PAGE, PROT_READ);
    mprotect(area + 2 * PAGE, PAGE, PROT_NONE);
    area[3 * PAGE] = RET_INSTRUCTION;
    const struct expectation cases[] = {
        {"read of a hole", READ, (uintptr_t)area + 5, SIGSEGV, SEGV_MAPERR, ERROR_USER},
        {"write to a hole", WRITE, (uintptr_t)area, SIGSEGV, SEGV_MAPERR, ERROR_USER | ERROR_WRITE},
        {"read of page 0", READ, 0, SIGSEGV, SEGV_MAPERR, ERROR_USER},
        {"call of page 0", CALL, 0, SIGSEGV, SEGV_MAPERR, ERROR_USER | ERROR_FETCH},
        {"write to a read-only page", WRITE, (uintptr_t)area + PAGE, SIGSEGV, SEGV_ACCERR,
         ERROR_USER | ERROR_WRITE},
        {"read of a page without access", READ, (uintptr_t)area + 2 * PAGE, SIGSEGV, SEGV_ACCERR,
         ERROR_USER},
        {"call of a page that is not executable", CALL, (uintptr_t)area + 3 * PAGE, SIGSEGV,
         SEGV_ACCERR, ERROR_USER | ERROR_FETCH},
        {"read of the kernel", READ, 0xffffffff80100000, SIGSEGV, SEGV_MAPERR, 0},
        {"write to the direct map", WRITE, 0xffff800000100000, SIGSEGV, SEGV_MAPERR, 0},
        {"read of a non-canonical address", READ, NON_CANONICAL, SIGSEGV, SI_KERNEL, 0},
        {"write past a file's end", WRITE, (uintptr_t)file + PAGE, SIGBUS, BUS_ADRERR, 0},
        {"a divide by zero", DIVIDE, 0, SIGFPE, FPE_INTDIV, 0},
        {"an invalid opcode", UD2, 0, SIGILL, ILL_ILLOPN, 0},
        {"a breakpoint", BREAKPOINT, 0, SIGTRAP, SI_KERNEL, 0},
        {"hlt", HALT, 0, SIGSEGV, SI_KERNEL, 0},
    };
    const int caught[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP};
    for (size_t i = 0; i < sizeof caught / sizeof caught[0]; i++) {
        handle(caught[i], note_and_leave, 0);
    }
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        test_case(&cases[i]);
    }
    close(fd);
}

static volatile uintptr_t repaired_page;
static volatile int repairs;

static void repair(int number, siginfo_t *info, void *context)
{
    (void)number;
    (void)context;
    repairs++;
    repaired_page = (uintptr_t)info->si_addr & ~(PAGE - 1);
    mprotect((void *)repaired_page, PAGE, RW);
}

static void test_repair(void)
{
    unsigned char *area = mmap(NULL, 8 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    handle(SIGSEGV, repair, 0);
    for (size_t i = 0; i < 8; i++) {
        *(volatile unsigned char *)(area + i * PAGE + 77) = (unsigned char)i;
    }
    is(repairs, 8, "a handler makes eight pages accessible, one at a time");
    ok(area[77] == 0 && area[7 * PAGE + 77] == 7, "and the writes are done again");
    munmap(area, 8 * PAGE);
}

/* The handler changes the context, so that the program goes on after the faulting instruction. */
static void step_over(int number, siginfo_t *info, void *context)
{
    ucontext_t *user = context;

    (void)number;
    (void)info;
    user->uc_mcontext.gregs[REG_RIP] += 2; /* the length of ud2 */
    user->uc_mcontext.gregs[REG_RAX] = 0x1234567;
}

static void test_changed_context(void)
{
    unsigned long rax = 0;
    double before = 1.5;

    handle(SIGILL, step_over, 0);
    __asm__ volatile("ud2" : "=a"(rax) : : "memory");
    is((long)rax, 0x1234567, "a handler can change the registers that are restored");
    ok(before * 2 == 3.0, "floating point goes on as it was");
}

static void test_alternate_stack(void)
{
    static unsigned char stack[32768];
    stack_t alternate = {.ss_sp = stack, .ss_size = sizeof stack};

    is(sigaltstack(&alternate, NULL), 0, "sigaltstack");
    handle(SIGSEGV, note_and_leave, SA_ONSTACK);
    attempt(READ, 0);
    ok(handler_stack >= (uintptr_t)stack && handler_stack < (uintptr_t)stack + sizeof stack,
       "SA_ONSTACK: the handler runs on the alternate stack");
    alternate.ss_size = 100;
    is(sigaltstack(&alternate, NULL) == -1 ? errno : 0, ENOMEM, "a stack too small is ENOMEM");
}

static int overflows(void *unused)
{
    (void)unused;
    if (sigsetjmp(back, 1) == 0) {
        __asm__ volatile("1: push %rax; jmp 1b");
    }
    return got_signal == SIGSEGV ? 0 : 1;
}

static int ignores_a_fault(void *unused)
{
    (void)unused;
    signal(SIGSEGV, SIG_IGN);
    act(READ, 0);
    return 99;
}

/* The kernel must not trust the frame that a program passes to rt_sigreturn. */
static void bad_context(int number, siginfo_t *info, void *context)
{
    ucontext_t *user = context;

    (void)info;
    if (number == SIGILL) {
        user->uc_mcontext.gregs[REG_RIP] = (greg_t)NON_CANONICAL;
    } else if (number == SIGTRAP) {
        user->uc_mcontext.gregs[REG_RIP] = (greg_t)0xffffffff80100000UL;
    } else {
        user->uc_mcontext.gregs[REG_RIP] += 2;
        user->uc_mcontext.gregs[REG_EFL] = 0x3202 | 0x100000; /* IOPL 3, VIP */
        user->uc_mcontext.gregs[REG_CSGSFS] = 0x8;            /* a kernel selector */
    }
}

static int returns_badly(void *action)
{
    handle(SIGILL, bad_context, 0);
    handle(SIGTRAP, bad_context, 0);
    handle(SIGFPE, bad_context, 0);
    signal(SIGSEGV, SIG_DFL);
    act((enum action)(intptr_t)action, 0);
    return 0;
}

static void test_sigreturn(void)
{
    is(WITHOUT_CORE(in_child(returns_badly, (void *)UD2)), KILLED(SIGSEGV),
       "sigreturn to a non-canonical rip ends the program, not the kernel");
    is(WITHOUT_CORE(in_child(returns_badly, (void *)BREAKPOINT)), KILLED(SIGSEGV),
       "sigreturn to a kernel rip too");
    int status = WITHOUT_CORE(in_child(returns_badly, (void *)DIVIDE));
    ok(status == KILLED(SIGSEGV) || status == EXITED(0),
       "sigreturn with a kernel selector and IOPL 3 is refused or made harmless");
    is(getpid() > 0, 1, "the kernel goes on");
}

static void test_signals(void)
{
    test_faults();
    test_repair();
    test_changed_context();
    test_alternate_stack();
    is(in_child(overflows, NULL), EXITED(0), "a stack overflow arrives on the alternate stack");
    is(WITHOUT_CORE(in_child(ignores_a_fault, NULL)), KILLED(SIGSEGV), "a fault cannot be ignored");
    test_sigreturn();
}

/*
 * What a call waits for, and a signal, come in one turn: the call is done, it is not interrupted.
 * A helper makes the event, then sends the signal. Its handler does not ask for restarts. And a
 * signal that a call's own mask lets through ends the call even if that would not have waited.
 */

static int ends[2];
static char path[64];
static char page[4096];
static volatile sig_atomic_t came;

static void note(int number)
{
    (void)number;
    came++;
}

static void handle_of_done(int number)
{
    struct sigaction action;

    memset(&action, 0, sizeof action);
    action.sa_handler = note;
    sigaction(number, &action, NULL);
}

static void put_byte(void)
{
    (void)!write(ends[1], "x", 1);
}

static long take_byte(void)
{
    char byte;

    return read(ends[0], &byte, 1);
}

static long poll_byte(void)
{
    struct pollfd entry = {ends[0], POLLIN, 0};

    return poll(&entry, 1, 5000);
}

static long select_byte(void)
{
    fd_set set;
    struct timeval limit = {5, 0};

    FD_ZERO(&set);
    FD_SET((size_t)ends[0], &set);
    return select(ends[0] + 1, &set, NULL, NULL, &limit);
}

static void take_page(void)
{
    (void)!read(ends[0], page, sizeof page);
}

/* Writes a page into a pipe that is full. */
static long put_page(void)
{
    return write(ends[1], page, sizeof page);
}

static void fill_pipe(void)
{
    fcntl(ends[1], F_SETFL, O_NONBLOCK);
    while (write(ends[1], page, sizeof page) > 0) {
    }
    fcntl(ends[1], F_SETFL, 0);
}

/* It stays open until the helper ends. */
static void open_writer(void)
{
    (void)!open(path, O_WRONLY);
}

static void make_fifo(void)
{
    mkfifo(path, 0600);
}

static long open_reader(void)
{
    int fd = open(path, O_RDONLY);

    return fd < 0 ? fd : (close(fd), 1);
}

static const struct {
    const char *name;
    void (*before)(void);
    long (*call)(void);
    void (*event)(void);
    long result;
} cases[] = {
    {"read of an empty pipe", NULL, take_byte, put_byte, 1},
    {"poll", NULL, poll_byte, put_byte, 1},
    {"select", NULL, select_byte, put_byte, 1},
    {"write to a full pipe", fill_pipe, put_page, take_page, sizeof page},
    {"open of a FIFO", make_fifo, open_reader, open_writer, 1},
};

static void help(void (*event)(void), pid_t parent)
{
    sleep_ms(50);
    event();
    kill(parent, SIGUSR1);
    _exit(0);
}

static void test_events(void)
{
    handle_of_done(SIGUSR1);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        pid_t parent = getpid();

        if (pipe(ends) != 0) {
            ok(false, "a pipe");
            return;
        }
        if (cases[i].before != NULL) {
            cases[i].before();
        }
        pid_t helper = fork();
        if (helper == 0) {
            help(cases[i].event, parent);
        }
        is(result_of(cases[i].call()), cases[i].result, "%s: done, not interrupted", cases[i].name);
        while (waitpid(helper, NULL, 0) < 0 && errno == EINTR) {
        }
        close(ends[0]);
        close(ends[1]);
    }
    unlink(path);
}

/* The end of a child is the event, and its SIGCHLD is the signal. */
static void test_child(void)
{
    int status = 0;

    handle_of_done(SIGCHLD);
    came = 0;
    pid_t child = fork();
    if (child == 0) {
        sleep_ms(50);
        _exit(7);
    }
    is(result_of(waitpid(child, &status, 0)), child, "wait for a child whose end sends a signal");
    ok(WIFEXITED(status) && WEXITSTATUS(status) == 7, "its status");
    is(came, 1, "the handler ran once");
    signal(SIGCHLD, SIG_DFL);
}

static void test_lock(void)
{
    int fd = open(path, O_RDWR | O_CREAT, 0600), other = open(path, O_RDWR);
    pid_t parent = getpid();

    pid_t helper = fork();
    if (helper == 0) {
        close(fd);
        flock(other, LOCK_EX);
        put_byte();
        sleep_ms(50);
        flock(other, LOCK_UN);
        kill(parent, SIGUSR1);
        _exit(0);
    }
    take_byte();
    is(result_of(flock(fd, LOCK_EX)), 0, "flock of a file that is unlocked: done, not interrupted");
    while (waitpid(helper, NULL, 0) < 0 && errno == EINTR) {
    }
    close(fd);
    close(other);
    unlink(path);
}

/* A hang-up is nothing that a select for writing asks for; poll is told without asking. */
static void test_hangup(void)
{
    struct pollfd entry = {0, POLLOUT, 0};
    struct timeval limit = {0, 20000};
    struct timespec begin, end;
    fd_set set;
    int own[2];

    if (pipe(own) != 0) {
        ok(false, "a pipe");
        return;
    }
    close(own[1]);
    entry.fd = own[0];
    is(poll(&entry, 1, 5000), 1, "poll of a pipe without writers");
    is(entry.revents, POLLHUP, "is a hang-up");
    FD_ZERO(&set);
    FD_SET((size_t)own[0], &set);
    clock_gettime(CLOCK_MONOTONIC, &begin);
    is(select(own[0] + 1, NULL, &set, NULL, &limit), 0, "select for writing has nothing");
    clock_gettime(CLOCK_MONOTONIC, &end);
    long waited = (end.tv_sec - begin.tv_sec) * 1000 + (end.tv_nsec - begin.tv_nsec) / 1000000;
    ok(waited >= 19, "and waits for its time, 20 ms");
    close(own[0]);
}

/* With a time limit of zero nothing waits; the signal that the mask lets through comes first. */
static void test_no_time(void)
{
    const struct timespec none = {0, 0};
    struct pollfd entry = {ends[0], POLLIN, 0};
    sigset_t blocked, open_mask;
    fd_set set;

    sigemptyset(&open_mask);
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR1);
    sigprocmask(SIG_BLOCK, &blocked, NULL);
    sigaddset(&blocked, SIGURG);
    sigprocmask(SIG_BLOCK, &blocked, NULL);
    raise(SIGURG);
    is(result_of(ppoll(&entry, 1, &none, &open_mask)), 0, "ppoll goes on after an ignored signal");
    raise(SIGURG);
    is(result_of(pselect(0, NULL, NULL, NULL, &none, &open_mask)), 0, "and pselect");
    raise(SIGUSR1);
    is(result_of(ppoll(&entry, 1, &none, &open_mask)), -EINTR, "ppoll that lets a signal through");
    raise(SIGUSR1);
    FD_ZERO(&set);
    FD_SET((size_t)ends[0], &set);
    is(result_of(pselect(ends[0] + 1, &set, NULL, NULL, &none, &open_mask)), -EINTR, "pselect");
    put_byte();
    came = 0;
    raise(SIGUSR1);
    is(result_of(ppoll(&entry, 1, &none, &open_mask)), 1, "ppoll with something to report");
    is(came, 0, "does not let the signal through");
    FD_SET((size_t)ends[0], &set);
    is(result_of(pselect(ends[0] + 1, &set, NULL, NULL, &none, &open_mask)), 1, "nor does pselect");
    is(result_of(pselect(-1, &set, NULL, NULL, &none, &open_mask)), -EINVAL, "nor one that fails");
    is(came, 0, "it stays pending");
    sigprocmask(SIG_UNBLOCK, &blocked, NULL);
    is(came, 1, "the signal comes after it");
    is(result_of(ppoll(NULL, 0, &none, &open_mask)), 0, "ppoll of nothing");
}

static void test_done(void)
{
    snprintf(path, sizeof path, "/tmp/done.%d", (int)getpid());
    test_events();
    test_child();
    if (pipe(ends) == 0) {
        test_lock();
        test_no_time();
        test_hangup();
    }
}

int main(int argc, char **argv)
{
    tap_begin(argc, argv);
    test_signals();
    test_done();
    return tap_end();
}
