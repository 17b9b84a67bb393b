#include "host/user.h"

#include <setjmp.h>
#include <string.h>
#include <sys/syscall.h>

#include "arch/tlb.h"
#include "arch/x86.h"
#include "exec/image.h"
#include "host/cpu.h"
#include "host/fail.h"
#include "host/fibre.h"
#include "host/machine.h"
#include "host/walk.h"
#include "mm/frame.h"
#include "task/process.h"

#define HANDLERS_MAX 32
#define DEPTH_MAX    60
#define FAULTS_MAX   64 /* an instruction that faults more often makes no progress */

/* The program of a thread. */
struct program {
    jmp_buf start;
    unsigned depth; /* of nested handlers */
    uint64_t argument;
};

static struct program programs[FIBRE_SLOTS];
static user_handler *handlers[HANDLERS_MAX];
static unsigned nr_handlers;

void user_start(void)
{
    nr_handlers = 0;
    memset(programs, 0, sizeof(programs));
}

static struct program *self(void)
{
    return &programs[fibre_current()];
}

uint64_t user_argument(void)
{
    return self()->argument;
}

static bool is_kernel_pointer(uint64_t value)
{
    return fibre_contains(value) || ram_contains(value - direct_map_base, 1);
}

/* The flags that a program or the processor may have set. */
#define FLAGS_ALLOWED                                                                              \
    (RFLAGS_CF | RFLAGS_FIXED | RFLAGS_PF | RFLAGS_AF | RFLAGS_ZF | RFLAGS_SF | RFLAGS_TF |        \
     RFLAGS_IF | RFLAGS_DF | RFLAGS_OF | RFLAGS_RF | RFLAGS_AC | RFLAGS_ID)

static void check_registers(const struct trap_frame *f)
{
    const uint64_t *words = &f->r15;
    for (unsigned i = 0; i < FRAME_VECTOR / sizeof(uint64_t); i++)
        if (is_kernel_pointer(words[i]) || words[i] == HOST_PATTERN)
            host_fail("register %u of the frame is %#llx on the way to ring 3", i,
                      (unsigned long long)words[i]);
}

/* Fails if IRETQ or SYSRET would fault in ring 0, or would give the program forbidden flags. */
static void check_frame(const struct trap_frame *f)
{
    if (f->cs != SEL_USER_CS || f->ss != SEL_USER_DS)
        host_fail("selectors %#llx and %#llx on the way to ring 3", (unsigned long long)f->cs,
                  (unsigned long long)f->ss);
    if (!(f->rflags & RFLAGS_IF) || !(f->rflags & RFLAGS_FIXED) || (f->rflags & ~FLAGS_ALLOWED))
        host_fail("RFLAGS %#llx on the way to ring 3", (unsigned long long)f->rflags);
    if (f->rip >> 47 != 0 && f->rip >> 47 != 0x1ffff)
        host_fail("RIP %#llx on the way to ring 3", (unsigned long long)f->rip);
    if (tlb_current().value != frame_phys(current_process->aspace->pt.root).value)
        host_fail("a return to ring 3 with another address space");
    if (current_thread->nr_held || current_thread->lent)
        host_fail("a return to ring 3 with %u files held", current_thread->nr_held);
    check_registers(f);
}

/* After SYSRET all registers but RAX, RCX and R11 must be unchanged. */
static void check_preserved(const struct trap_frame *before, const struct trap_frame *after)
{
    struct trap_frame wanted = *before;
    wanted.rax = after->rax;
    wanted.vector = after->vector;
    wanted.error = after->error;
    wanted.rip = after->rip; /* a restarted call */
    if (memcmp(&wanted, after, sizeof(wanted)) != 0)
        host_fail("system call %u changes registers", (unsigned)before->error);
}

static bool is_handler(uint64_t rip)
{
    return rip >= USER_HANDLER && rip < USER_HANDLER + 16 * HANDLERS_MAX;
}

/* A word that the kernel has just written. */
static uint64_t peek(uint64_t at)
{
    struct walk_leaf leaf = tlb_translate(virt(at), ACCESS_READ);
    if (!leaf.present)
        host_fail("the kernel has written %#llx, where nothing is", (unsigned long long)at);
    return *(const uint64_t *)((const uint8_t *)phys_ptr(phys(leaf.frame)) + (at & PAGE_MASK));
}

/* struct ucontext of Linux: flags, link, stack_t, then the registers in the order of struct
 * sigcontext, then the mask. */
#define CONTEXT_RIP  (40 + 16 * sizeof(uint64_t))
#define CONTEXT_MASK (40 + 256)

/* Only rt_sigprocmask(2) and rt_sigreturn(2) change which signals are blocked. After another call
 * they are as before, or a handler begins, whose end makes them so. If two handlers begin, nothing
 * is checked. */
static void check_blocked(const struct trap_frame *f, unsigned number, uint64_t before)
{
    uint64_t blocked = current_thread->signals.blocked;
    if (number == SYS_rt_sigprocmask || number == SYS_rt_sigreturn)
        return;
    if (is_handler(f->rip) && is_handler(peek(f->rdx + CONTEXT_RIP)))
        return;
    if (is_handler(f->rip))
        blocked = peek(f->rdx + CONTEXT_MASK);
    if (blocked != before)
        host_fail("system call %u: signals %#llx were blocked, %#llx are afterwards", number,
                  (unsigned long long)before, (unsigned long long)blocked);
}

static void enter_call(struct trap_frame *f)
{
    uint64_t blocked = current_thread->signals.blocked;
    f->error = f->rax;
    f->rip += USER_INSTRUCTION;
    f->rcx = f->rip;
    f->r11 = f->rflags;
    f->vector = VEC_SYSCALL;
    struct trap_frame before = *f;
    machine_call_begins((unsigned)f->error);
    f->rax = (uint64_t)syscall_dispatch(f);
    syscall_end(f);
    machine_call_ends((unsigned)before.error);
    check_frame(f);
    check_blocked(f, (unsigned)before.error, blocked);
    if (f->vector == VEC_SYSCALL && !(f->rip == before.rip - USER_INSTRUCTION))
        check_preserved(&before, f);
}

static void enter_trap(struct trap_frame *f, unsigned vector, uint64_t error)
{
    f->vector = vector;
    f->error = error;
    machine_call_begins(UINT32_MAX);
    trap_dispatch(f);
    machine_call_ends(UINT32_MAX);
    check_frame(f);
}

/* Runs a handler, and then rt_sigreturn(2) as its return address says. */
static void run_handler(struct trap_frame *f)
{
    struct program *program = self();
    uint64_t number = (f->rip - USER_HANDLER) / 16, place = f->rsp, restorer;
    if (number >= nr_handlers)
        host_fail("a signal leads to %#llx", (unsigned long long)f->rip);
    if (place % 16 != 8)
        host_fail("the stack of a handler is at %#llx", (unsigned long long)place);
    if (++program->depth >= DEPTH_MAX)
        host_fail("handlers are nested %u deep", program->depth);
    handlers[number]((int)f->rdi, f->rsi, f->rdx);
    f->rsp = place;
    user_read(&restorer, place, sizeof(restorer));
    program->depth--;
    f->rsp = place + sizeof(restorer);
    f->rip = restorer;
    f->rax = SYS_rt_sigreturn;
    enter_call(f);
}

/* Fetches the instruction at an address that has no function here. */
static void fetch_elsewhere(struct trap_frame *f)
{
    if (f->rip < USER_END && tlb_translate(virt(f->rip), ACCESS_EXEC).present)
        host_fail("the program goes on at %#llx", (unsigned long long)f->rip);
    cpu_set_fault_address(virt(f->rip));
    enter_trap(f, VEC_PF, PF_US | PF_ID);
}

/* Follows the frame. Returns false if it reaches `end`, true if it reaches `site` again. */
static bool follow(struct trap_frame *f, uint64_t site, uint64_t end)
{
    while (f->rip != end) {
        if (f->rip == site)
            return true;
        if (is_handler(f->rip))
            run_handler(f);
        else if (f->rip == current_process->image->loaded.start_point.value)
            longjmp(self()->start, 1);
        else
            fetch_elsewhere(f);
    }
    return false;
}

/* The address of the next instruction. In a handler it is higher than in the interrupted code. */
static uint64_t next_site(void)
{
    return USER_SITE + 16 * self()->depth;
}

long user_call(unsigned number, struct user_args args)
{
    struct trap_frame *f = thread_frame(current_thread);
    uint64_t site = next_site();
    f->rax = number;
    f->rdi = args.a[0];
    f->rsi = args.a[1];
    f->rdx = args.a[2];
    f->r10 = args.a[3];
    f->r8 = args.a[4];
    f->r9 = args.a[5];
    do {
        f->rip = site;
        enter_call(f);
    } while (follow(f, site, site + USER_INSTRUCTION));
    return (long)f->rax;
}

long user_clone(uint64_t flags, uint64_t stack, user_fn *child, uint64_t argument)
{
    struct trap_frame *f = thread_frame(current_thread);
    f->r12 = (uint64_t)child;
    f->rbx = argument;
    long pid = sys(SYS_clone, flags, stack, USER_DATA, USER_DATA, 0);
    f->r12 = f->rbx = 0;
    return pid;
}

long user_fork(user_fn *child, uint64_t argument)
{
    return user_clone(SIGCHLD, 0, child, argument);
}

/* Starts a new thread: the child of a clone, or the first thread of a program. */
void host_user(struct trap_frame *f)
{
    struct program *program = self();
    fibre_begin();
    program->depth = 0;
    program->argument = f->rbx;
    check_frame(f);
    bool is_child = f->rip != current_process->image->loaded.start_point.value;
    user_fn *function = (user_fn *)f->r12;
    f->r12 = f->rbx = 0;
    if (setjmp(program->start) != 0) {
        program->depth = 0;
        is_child = false;
    }
    if (!is_child)
        function = user_program_at(thread_frame(current_thread)->rip);
    if (function)
        function();
    sys(SYS_exit_group, 0);
    host_fail("exit_group returns");
}

static uint64_t fault_code(uint64_t at, unsigned access)
{
    struct walk_leaf leaf = walk_at(tlb_current(), virt(at));
    return (leaf.present ? PF_P : 0) | (access & ACCESS_WRITE ? PF_WR : 0) |
           (access & ACCESS_EXEC ? PF_ID : 0) | PF_US;
}

/* The byte at a user address, after its page faults; NULL if the instruction is skipped. */
static uint8_t *access_byte(uint64_t at, unsigned access)
{
    struct trap_frame *f = thread_frame(current_thread);
    uint64_t site = next_site(), end = site + USER_INSTRUCTION;
    for (unsigned faults = 0; faults < FAULTS_MAX; faults++) {
        struct walk_leaf leaf = {0};
        if (at < USER_END)
            leaf = tlb_translate(virt(at), access);
        if (leaf.present)
            return (uint8_t *)phys_ptr(phys(leaf.frame)) + (at & PAGE_MASK);
        f->rip = site;
        cpu_set_fault_address(virt(at));
        enter_trap(f, VEC_PF, at < USER_END ? fault_code(at, access) : PF_US);
        if (!follow(f, site, end))
            return NULL;
    }
    host_fail("an access (%u) to %#llx faults for ever", access, (unsigned long long)at);
}

static size_t piece(uint64_t at, size_t size)
{
    size_t rest = PAGE_SIZE - (at & PAGE_MASK);
    return size < rest ? size : rest;
}

void user_read(void *to, uint64_t from, size_t size)
{
    uint8_t *out = to;
    while (size > 0) {
        size_t n = piece(from, size);
        const uint8_t *at = access_byte(from, ACCESS_READ);
        if (at)
            memcpy(out, at, n);
        else
            memset(out, 0, n);
        out += n;
        from += n;
        size -= n;
    }
}

void user_write(uint64_t to, const void *from, size_t size)
{
    const uint8_t *in = from;
    while (size > 0) {
        size_t n = piece(to, size);
        uint8_t *at = access_byte(to, ACCESS_WRITE);
        if (at)
            memcpy(at, in, n);
        in += n;
        to += n;
        size -= n;
    }
}

void user_fetch(uint64_t at)
{
    (void)access_byte(at, ACCESS_EXEC);
}

uint64_t user_load(uint64_t at)
{
    uint64_t value;
    user_read(&value, at, sizeof(value));
    return value;
}

void user_store(uint64_t at, uint64_t value)
{
    user_write(at, &value, sizeof(value));
}

uint64_t user_string(uint64_t at, const char *text)
{
    user_write(at, text, strlen(text) + 1);
    return at;
}

void user_skip(uint64_t context)
{
    uint64_t rip = user_load(context + CONTEXT_RIP);
    if (rip % 16 == USER_SITE % 16)
        user_store(context + CONTEXT_RIP, rip + USER_INSTRUCTION);
}

void user_exception_at(unsigned vector, uint64_t error)
{
    struct trap_frame *f = thread_frame(current_thread);
    uint64_t site = next_site();
    f->rip = site;
    enter_trap(f, vector, error);
    (void)follow(f, site, site + USER_INSTRUCTION);
}

static void interrupt_at(uint64_t site, unsigned line)
{
    struct trap_frame *f = thread_frame(current_thread);
    struct trap_frame before;
    f->rip = site;
    before = *f;
    enter_trap(f, VEC_IRQ0 + line, 0);
    (void)follow(f, site, site + USER_INSTRUCTION);
    before.vector = f->vector;
    before.error = f->error;
    if (memcmp(&before, f, sizeof(before)) != 0)
        host_fail("an interrupt changes registers");
}

static void interrupt(unsigned line)
{
    interrupt_at(next_site(), line);
}

void user_tick(void)
{
    machine_advance(MACHINE_TICK_NS);
    interrupt(0);
}

void user_tick_in_call(void)
{
    machine_advance(MACHINE_TICK_NS);
    interrupt_at(thread_frame(current_thread)->rcx, 0);
}

void user_type(const char *text)
{
    console_type(text);
    interrupt(MACHINE_LINE_SERIAL);
}

void user_resize_window(const char *text)
{
    window_type(text);
    interrupt(MACHINE_LINE_WINDOW);
}

uint64_t user_handler_address(user_handler *handler)
{
    unsigned i = 0;
    while (i < nr_handlers && handlers[i] != handler)
        i++;
    if (i == HANDLERS_MAX)
        host_fail("too many handlers");
    if (i == nr_handlers)
        handlers[nr_handlers++] = handler;
    return USER_HANDLER + 16 * i;
}

/* struct sigaction of rt_sigaction(2), below the memory that tests use. */
long user_on_signal(int signal, user_handler *handler, uint32_t flags, uint64_t mask)
{
    const uint64_t action[4] = {user_handler_address(handler), flags | SA_SIGINFO | SA_RESTORER,
                                USER_RESTORER, mask};
    const uint64_t at = USER_DATA + USER_DATA_SIZE - PAGE_SIZE;
    user_write(at, action, sizeof(action));
    return sys(SYS_rt_sigaction, (uint64_t)signal, at, 0, sizeof(uint64_t));
}

void user_expect(const char *file, int line, const char *text, long wanted, long value)
{
    if (wanted != value)
        host_fail("%s:%d: %s is %ld (%#lx), not %ld (%#lx)", file, line, text, value,
                  (unsigned long)value, wanted, (unsigned long)wanted);
}
