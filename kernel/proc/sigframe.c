/* Running a handler in ring 3 and coming back (psABI "Signal handling"; Linux's struct rt_sigframe).
 *
 *      high   the interrupted stack, less the 128-byte red zone
 *             FXSAVE area, 64-byte aligned
 *             struct signal_frame          <- RSP of the handler, congruent to 8 modulo 16
 *
 * Everything that comes back by rt_sigreturn is untrusted: flags are masked, selectors are ours, RIP
 * must be canonical and MXCSR valid. */
#include "arch/cpu.h"
#include "lib/errno.h"
#include "dev/print.h"
#include "lib/string.h"
#include "mm/usercopy.h"
#include "task/task.h"

#define RED_ZONE    128
#define FPU_SIZE    512
#define FPU_MXCSR   24
#define MXCSR_VALID 0xffffu

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

struct user_siginfo {
    int32_t signal, error, code, pad;
    union {
        struct {
            int32_t pid;
            uint32_t uid;
            int32_t status;
        } sender;
        uint64_t address;
        uint8_t size[112];
    } u;
};
_Static_assert(sizeof(struct user_siginfo) == 128, "siginfo_t");

struct signal_frame {
    uint64_t return_address; /* SA_RESTORER: calls rt_sigreturn */
    uint64_t flags, link;
    uint64_t stack, stack_flags, stack_size;
    struct sigcontext context;
    uint64_t mask;
    struct user_siginfo info;
};

static void save_registers(struct sigcontext *c, const struct trap_frame *f)
{
    *c = (struct sigcontext){
        .r8 = f->r8,
        .r9 = f->r9,
        .r10 = f->r10,
        .r11 = f->r11,
        .r12 = f->r12,
        .r13 = f->r13,
        .r14 = f->r14,
        .r15 = f->r15,
        .rdi = f->rdi,
        .rsi = f->rsi,
        .rbp = f->rbp,
        .rbx = f->rbx,
        .rdx = f->rdx,
        .rax = f->rax,
        .rcx = f->rcx,
        .rsp = f->rsp,
        .rip = f->rip,
        .rflags = f->rflags,
        .cs = SEL_USER_CS,
        .ss = SEL_USER_DS,
        .error = f->vector == VEC_SYSCALL ? 0 : f->error,
        .trap = f->vector == VEC_SYSCALL ? 0 : f->vector,
    };
}

static void restore_registers(struct trap_frame *f, const struct sigcontext *c)
{
    *f = (struct trap_frame){
        .r8 = c->r8,
        .r9 = c->r9,
        .r10 = c->r10,
        .r11 = c->r11,
        .r12 = c->r12,
        .r13 = c->r13,
        .r14 = c->r14,
        .r15 = c->r15,
        .rdi = c->rdi,
        .rsi = c->rsi,
        .rbp = c->rbp,
        .rbx = c->rbx,
        .rdx = c->rdx,
        .rax = c->rax,
        .rcx = c->rcx,
        .rsp = c->rsp,
        .rip = c->rip,
        .rflags = (c->rflags & USER_FLAGS) | RFLAGS_FIXED | RFLAGS_IF,
        .cs = SEL_USER_CS,
        .ss = SEL_USER_DS,
    };
}

static bool on_altstack(const struct signals *s, uint64_t rsp)
{
    return s->altstack_size > 0 && rsp - s->altstack - 1 < s->altstack_size;
}

/* Where the frame goes. */
static uint64_t frame_place(const struct signals *s, const struct sigaction *action, uint64_t rsp)
{
    uint64_t top = rsp - RED_ZONE;
    if ((action->flags & SA_ONSTACK) && s->altstack_size > 0 && !on_altstack(s, rsp))
        top = s->altstack + s->altstack_size;
    return top;
}

static void fill_info(struct user_siginfo *out, int signal, const struct signals *s)
{
    *out = (struct user_siginfo){.signal = signal};
    if (signal >= SIGNAL_INFOS)
        return;
    const struct signal_info *info = &s->info[signal];
    out->code = info->code;
    bool fault = signal == SIGSEGV || signal == SIGBUS || signal == SIGILL || signal == SIGFPE ||
                 signal == SIGTRAP;
    if (fault && info->code > 0) {
        out->u.address = info->address;
    } else {
        out->u.sender.pid = info->pid;
        out->u.sender.uid = info->uid;
        out->u.sender.status = info->status;
    }
}

/* Writes the frame and points the registers at the handler. -EFAULT: the stack is no good. */
static int enter_handler(struct trap_frame *frame, int signal, const struct sigaction *action)
{
    struct signals *s = &current_task->signals;
    struct signal_frame user = {
        .return_address = action->restorer,
        .stack = s->altstack,
        .stack_flags = s->altstack_size == 0        ? SS_DISABLE
                       : on_altstack(s, frame->rsp) ? SS_ONSTACK
                                                    : 0,
        .stack_size = s->altstack_size,
        .mask = s->restore_blocked ? s->saved_blocked : s->blocked,
    };
    uint64_t top = frame_place(s, action, frame->rsp);
    uint64_t fpu = (top - FPU_SIZE) & ~63ull;
    uint64_t place = ((fpu - sizeof(user)) & ~15ull) - 8;
    save_registers(&user.context, frame);
    user.context.fpu = fpu;
    user.context.old_mask = user.mask;
    fill_info(&user.info, signal, s);
    if (signal < SIGNAL_INFOS && user.context.trap == VEC_PF)
        user.context.cr2 = s->info[signal].address;
    cpu_fxsave(current_task->fpu);
    if (!(action->flags & SA_RESTORER) ||
        copy_to_user(user_ptr(fpu), current_task->fpu, FPU_SIZE) != 0 ||
        copy_to_user(user_ptr(place), &user, sizeof(user)) != 0)
        return -EFAULT;
    frame->rdi = (uint64_t)signal;
    frame->rsi = place + offsetof(struct signal_frame, info);
    frame->rdx = place + offsetof(struct signal_frame, flags);
    frame->rax = 0;
    frame->rsp = place;
    frame->rip = action->handler;
    frame->rflags &= ~(RFLAGS_DF | RFLAGS_TF | RFLAGS_RF);
    frame->vector = 0; /* leave by IRETQ */
    return 0;
}

static void run_handler(struct trap_frame *frame, int signal)
{
    struct signals *s = &current_task->signals;
    struct sigaction *slot = &s->actions[signal - 1], action = *slot;
    if (action.handler >= USER_END || enter_handler(frame, signal, &action) != 0) {
        print("pid %d %s: SIGSEGV: no room for the frame of %s on the stack at %#lx",
              current_task->pid, current_task->image->path, signal_name(signal), frame->rsp);
        task_exit(SIGSEGV);
    }
    s->restore_blocked = false;
    s->blocked |= action.mask & ~SIGNALS_UNBLOCKABLE;
    if (!(action.flags & SA_NODEFER))
        s->blocked |= 1ull << (signal - 1);
    if (action.flags & SA_RESETHAND)
        *slot = (struct sigaction){0};
}

/* What becomes of a system call that a signal interrupted. */
static void finish_call(struct trap_frame *frame, bool restart)
{
    if (frame->vector != VEC_SYSCALL || frame->rax != (uint64_t)-ERESTARTSYS)
        return;
    if (!restart) {
        frame->rax = (uint64_t)-EINTR;
        return;
    }
    frame->rax = frame->error; /* the call's number */
    frame->rip -= 2;           /* the SYSCALL instruction */
}

static void default_action(int signal)
{
    static const uint64_t ignored = 1ull << (SIGCHLD - 1) | 1ull << (SIGCONT - 1) |
                                    1ull << (SIGURG - 1) | 1ull << (SIGWINCH - 1);
    if (ignored >> (signal - 1) & 1)
        return;
    if (signal == SIGSTOP || signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU)
        return; /* job control: see kernel/README.md */
    task_exit(signal);
}

void signal_deliver(struct trap_frame *frame)
{
    struct signals *s = &current_task->signals;
    while (signals_pending(&current_task->signals)) {
        uint64_t ready = s->pending & ~s->blocked;
        int signal = __builtin_ctzll(ready) + 1;
        struct sigaction *action = &s->actions[signal - 1];
        s->pending &= ~(1ull << (signal - 1));
        if (action->handler == SIG_IGN)
            continue;
        if (action->handler == SIG_DFL) {
            default_action(signal);
            continue;
        }
        finish_call(frame, action->flags & SA_RESTART);
        run_handler(frame, signal);
        return;
    }
    finish_call(frame, true);
    if (s->restore_blocked) {
        s->restore_blocked = false;
        s->blocked = s->saved_blocked;
    }
}

long signal_return(struct trap_frame *frame)
{
    struct signal_frame user;
    uint8_t *fpu = current_task->fpu;
    uint64_t place = frame->rsp - sizeof(user.return_address);
    uint32_t mxcsr;
    bool good =
        copy_from_user(&user, user_ptr(place), sizeof(user)) == 0 && user.context.rip < USER_END;
    if (good && user.context.fpu) {
        good = copy_from_user(fpu, user_ptr(user.context.fpu), FPU_SIZE) == 0;
        memcpy(&mxcsr, fpu + FPU_MXCSR, sizeof(mxcsr));
        mxcsr &= MXCSR_VALID;
        memcpy(fpu + FPU_MXCSR, &mxcsr, sizeof(mxcsr));
        if (good)
            cpu_fxrstor(fpu);
    }
    if (!good) {
        print("pid %d %s: SIGSEGV: rt_sigreturn with a bad frame at %#lx", current_task->pid,
              current_task->image->path, place);
        task_exit(SIGSEGV);
    }
    restore_registers(frame, &user.context);
    current_task->signals.blocked = user.mask & ~SIGNALS_UNBLOCKABLE;
    return (long)frame->rax;
}
