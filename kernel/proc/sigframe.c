/* Runs a handler in ring 3, and returns from it (psABI "Signal handling"; Linux's struct
 * rt_sigframe).
 *
 *      high   the interrupted stack, less the 128-byte red zone
 *             FXSAVE or XSAVE area, 64-byte aligned
 *             struct signal_frame          <- RSP of the handler, congruent to 8 modulo 16
 *
 * All values that rt_sigreturn reads are untrusted: flags are masked, and MXCSR is made valid. Selectors
 * that are not a program's and a RIP that is not canonical, with which IRETQ would fault in ring 0, cause
 * a SIGSEGV, as the exception of IRETQ does on Linux; the frame's selectors are never loaded. */
#include "arch/user_state.h"
#include "arch/x86.h"
#include "dev/print.h"
#include "exec/image.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "lib/variable.h"
#include "mm/usercopy.h"
#include "proc/before_user.h"
#include "proc/proc.h"
#include "task/process.h"

/* The x87, SSE and AVX state in a signal frame, as Linux lays it out: the area of XSAVE, with a mark in the 48
 * bytes that the processor leaves alone, and a second mark behind the area; or the area of FXSAVE. */
#define FPU_FRAME_ALIGNMENT 64
#define MAGIC1              0x46505853u
#define MAGIC2              0x46505845u

static const struct fpu_around extended = {.magic1 = MAGIC1,
                                           .frame_size = FPU_STATE_SIZE + sizeof(uint32_t),
                                           .features = FPU_X87_SSE | FPU_AVX,
                                           .state_size = FPU_STATE_SIZE,
                                           .magic2 = MAGIC2};
static const struct fpu_around plain;

/* True if a frame has the area of XSAVE (UC_FP_XSTATE). */
static bool fpu_frame_is_extended(void)
{
    return fpu_features != 0;
}

/* Bytes of the state in a frame, of which the address must be a multiple of FPU_FRAME_ALIGNMENT. */
static size_t fpu_frame_size(void)
{
    return fpu_frame_is_extended() ? FPU_STATE_SIZE + sizeof(extended.magic2) : FPU_FXSAVE_SIZE;
}

/* Stores the current thread's state at the address. Returns -EFAULT if it cannot be written. */
static int fpu_frame_store(uint64_t address)
{
    return fpu_state_to_user(user_ptr(address), fpu_features,
                             fpu_frame_is_extended() ? &extended : &plain);
}

/* The components that the marks name; 0, for the part of FXSAVE, if they are not right. */
static int read_marks(uint64_t address, uint64_t *components)
{
    UNINITIALIZED struct fpu_around mark; /* copy_from_user(), as far as it is used */
    uint32_t magic2;
    *components = 0;
    if (!fpu_frame_is_extended())
        return 0;
    if (copy_from_user(&mark, user_ptr(address + FPU_AVAILABLE_OFFSET),
                       offsetof(struct fpu_around, padding)) != 0)
        return -EFAULT;
    if (mark.magic1 != MAGIC1 || mark.state_size < FPU_FXSAVE_SIZE + FPU_HEADER_SIZE ||
        mark.state_size > FPU_STATE_SIZE || mark.state_size > mark.frame_size)
        return 0;
    if (copy_from_user(&magic2, user_ptr(address + mark.state_size), sizeof(magic2)) != 0)
        return -EFAULT;
    if (magic2 == MAGIC2)
        *components = mark.features & fpu_features;
    return 0;
}

/* Loads what is at the address, which may be anything. Without both marks only the part of FXSAVE is read, and
 * the rest becomes initial. Returns -EFAULT if it cannot be read, or is not a state that the processor takes: it
 * has bits of components that are not on, reserved bits of MXCSR, or another form. The state is the initial one
 * then. */
static int fpu_frame_load(uint64_t address)
{
    uint64_t components;
    int error = read_marks(address, &components);
    if (!error && components != fpu_features)
        fpu_state_reset(); /* those that are not in the frame */
    if (!error)
        error = fpu_state_from_user(user_ptr(address), components);
    if (error)
        fpu_state_reset();
    return error;
}

#define RED_ZONE 128

/* uc_flags: the frame has the area of XSAVE; SS is in it, and is restored. */
#define UC_FP_XSTATE         1
#define UC_SIGCONTEXT_SS     2
#define UC_STRICT_RESTORE_SS 4

/* The flags that a handler's frame may change (Linux's FIX_EFLAGS). */
#define USER_FLAGS                                                                                 \
    (RFLAGS_CF | RFLAGS_PF | RFLAGS_AF | RFLAGS_ZF | RFLAGS_SF | RFLAGS_TF | RFLAGS_DF |           \
     RFLAGS_OF | RFLAGS_RF | RFLAGS_AC)

struct sigcontext {
    uint64_t r8, r9, r10, r11, r12, r13, r14, r15, rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip;
    uint64_t rflags;
    uint16_t cs, gs, fs, ss;
    uint64_t error, trap, old_mask, cr2, fpu;
    uint64_t reserved[8];
};
_Static_assert(sizeof(struct sigcontext) == 256, "struct sigcontext");

struct signal_frame {
    uint64_t return_address; /* SA_RESTORER: calls rt_sigreturn */
    uint64_t flags, link;
    struct signal_stack stack;
    struct sigcontext context;
    uint64_t mask;
    struct user_siginfo info;
};
_Static_assert(sizeof(struct signal_frame) == 7 * 8 + 256 + 128, "no padding");

static void save_registers(struct sigcontext *c, const struct trap_frame *f)
{
    bool is_call = f->vector == VEC_SYSCALL;
    c->r8 = f->r8;
    c->r9 = f->r9;
    c->r10 = f->r10;
    c->r11 = f->r11;
    c->r12 = f->r12;
    c->r13 = f->r13;
    c->r14 = f->r14;
    c->r15 = f->r15;
    c->rdi = f->rdi;
    c->rsi = f->rsi;
    c->rbp = f->rbp;
    c->rbx = f->rbx;
    c->rdx = f->rdx;
    c->rax = f->rax;
    c->rcx = f->rcx;
    c->rsp = f->rsp;
    c->rip = f->rip;
    c->rflags = f->rflags;
    c->cs = SEL_USER_CS;
    c->gs = c->fs = 0;
    c->ss = SEL_USER_DS;
    c->error = is_call ? 0 : f->error;
    c->trap = is_call ? 0 : f->vector;
    memset(c->reserved, 0, sizeof(c->reserved));
}

static void restore_registers(struct trap_frame *f, const struct sigcontext *c)
{
    f->r8 = c->r8;
    f->r9 = c->r9;
    f->r10 = c->r10;
    f->r11 = c->r11;
    f->r12 = c->r12;
    f->r13 = c->r13;
    f->r14 = c->r14;
    f->r15 = c->r15;
    f->rdi = c->rdi;
    f->rsi = c->rsi;
    f->rbp = c->rbp;
    f->rbx = c->rbx;
    f->rdx = c->rdx;
    f->rax = c->rax;
    f->rcx = c->rcx;
    f->rsp = c->rsp;
    f->rip = c->rip;
    f->rflags = (c->rflags & USER_FLAGS) | (f->rflags & ~USER_FLAGS) | RFLAGS_FIXED | RFLAGS_IF;
    f->cs = SEL_USER_CS;
    f->ss = SEL_USER_DS;
    f->vector = 0; /* leave by IRETQ, which restores RCX and R11, too */
    f->error = 0;
}

/* The address below which the frame is built. */
static uint64_t frame_top(const struct sigaction *action, uint64_t rsp)
{
    const struct signal_stack *stack = &current_thread->signals.altstack;
    uint64_t top = rsp - RED_ZONE;
    bool moves = (action->flags & SA_ONSTACK) && stack->size > 0 &&
                 !(signal_altstack(top).flags & SS_ONSTACK);
    return moves ? stack->start + stack->size : top;
}

/* True if a frame that begins in the alternate stack ends below it. */
static bool overflows_altstack(uint64_t top, uint64_t place)
{
    const struct signal_stack *stack = &current_thread->signals.altstack;
    if (stack->size == 0)
        return false;
    bool begins_there =
        top == stack->start + stack->size || (signal_altstack(top).flags & SS_ONSTACK);
    return begins_there && !signal_on_altstack(place);
}

static bool is_fault(const struct signal_info *info)
{
    return info->code > 0 &&
           (info->signal == SIGSEGV || info->signal == SIGBUS || info->signal == SIGILL ||
            info->signal == SIGFPE || info->signal == SIGTRAP);
}

void siginfo_to_user(struct user_siginfo *out, const struct signal_info *info)
{
    memset(out, 0, sizeof(*out)); /* the unused part of the union, too */
    out->signal = info->signal;
    out->code = info->code;
    if (is_fault(info)) {
        out->u.address = info->address;
    } else {
        out->u.sender.pid = info->pid;
        out->u.sender.uid = info->uid;
        out->u.sender.value =
            info->address | (uint32_t)info->status; /* which is 0, or part of it */
    }
}

void siginfo_from_user(struct signal_info *out, const struct user_siginfo *info, int signal)
{
    *out = (struct signal_info){.signal = signal, .code = info->code};
    if (is_fault(out)) {
        out->address = info->u.address;
    } else {
        out->pid = info->u.sender.pid;
        out->uid = info->u.sender.uid;
        out->address = info->u.sender.value;
        out->status = (int)(uint32_t)info->u.sender.value;
    }
}

/* Sets all of the frame: it was not zero before. */
static void fill_frame(struct signal_frame *user, const struct trap_frame *frame,
                       const struct signal_info *info, const struct sigaction *action,
                       uint64_t fpu_place)
{
    const struct thread_signals *s = &current_thread->signals;
    user->return_address = action->restorer;
    user->flags =
        UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS | (fpu_frame_is_extended() ? UC_FP_XSTATE : 0);
    user->link = 0;
    user->stack = s->altstack;
    if (s->altstack.size == 0)
        user->stack.flags |= SS_DISABLE;
    user->mask = current_thread->work & WORK_RESTORE_MASK ? s->saved_blocked : s->blocked;
    save_registers(&user->context, frame);
    user->context.old_mask = user->mask;
    user->context.cr2 = user->context.trap == VEC_PF ? info->address : 0;
    user->context.fpu = fpu_place;
    siginfo_to_user(&user->info, info);
}

int signal_enter_handler(struct trap_frame *frame, const struct signal_info *info,
                         const struct sigaction *action)
{
    UNINITIALIZED struct signal_frame user; /* fill_frame(), padding included */
    uint64_t top = frame_top(action, frame->rsp);
    uint64_t fpu_place = (top - fpu_frame_size()) & ~(FPU_FRAME_ALIGNMENT - 1ull);
    uint64_t place = ((fpu_place - sizeof(user)) & ~15ull) - 8;
    if (!(action->flags & SA_RESTORER) || action->handler >= USER_END ||
        overflows_altstack(top, place))
        return -EFAULT;
    fill_frame(&user, frame, info, action, fpu_place);
    if (fpu_frame_store(fpu_place) != 0 || copy_to_user(user_ptr(place), &user, sizeof(user)) != 0)
        return -EFAULT;
    fpu_state_reset(); /* a handler begins with the initial state */
    if (current_thread->signals.altstack.flags & SS_AUTODISARM)
        current_thread->signals.altstack = (struct signal_stack){.size = 0}; /* until sigreturn */
    frame->rdi = (uint64_t)info->signal;
    frame->rsi = place + offsetof(struct signal_frame, info);
    frame->rdx = place + offsetof(struct signal_frame, flags);
    frame->rax = 0;
    frame->rsp = place;
    frame->rip = action->handler;
    frame->rflags &= ~(RFLAGS_DF | RFLAGS_TF | RFLAGS_RF);
    frame->vector = 0; /* leave by IRETQ */
    return 0;
}

static bool is_canonical(uint64_t address)
{
    return address >> 47 == 0 || address >> 47 == 0x1ffff;
}

/* True if IRETQ would go to ring 3 with what a frame gives. If not, sets the exception that it would cause. SS
 * counts only if the frame asks for it (UC_STRICT_RESTORE_SS). */
static bool may_return_to(struct trap_frame *frame, const struct signal_frame *user)
{
    const struct sigcontext *c = &user->context;
    uint16_t refused = 0;
    if ((c->cs | 3) != SEL_USER_CS)
        refused = c->cs;
    else if ((user->flags & UC_STRICT_RESTORE_SS) && (c->ss | 3) != SEL_USER_DS)
        refused = c->ss;
    else if (is_canonical(c->rip))
        return true;
    frame->vector = VEC_GP;
    frame->error = refused & ~3u;
    return false;
}

static void force_segv(uint64_t place, const char *why)
{
    if (!signal_force(SIGSEGV, NULL))
        print("pid %d %s: SIGSEGV: rt_sigreturn with a frame at %#lx that %s", current_process->pid,
              current_process->image->path, place, why);
}

/* As on Linux, the mask and the general registers are those of the frame even if its x87 and SSE state is bad:
 * a handler of the SIGSEGV returns to them. */
long signal_return(struct trap_frame *frame)
{
    UNINITIALIZED struct signal_frame user; /* copy_from_user(), or nothing of it is used */
    uint64_t place = frame->rsp - sizeof(user.return_address);
    if (copy_from_user(&user, user_ptr(place), sizeof(user)) != 0) {
        force_segv(place, "cannot be read");
        return 0;
    }
    signal_set_blocked(user.mask);
    restore_registers(frame, &user.context);
    if (user.context.fpu == 0) {
        fpu_state_reset();
    } else if (fpu_frame_load(user.context.fpu) != 0) {
        force_segv(place, "has a bad FPU state");
        return 0;
    }
    (void)signal_set_altstack(&user.stack, frame->rsp); /* Linux ignores what it refuses */
    if (!may_return_to(frame, &user))
        force_segv(place, "leads nowhere");
    return (long)frame->rax;
}
