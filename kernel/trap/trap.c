#include "trap/trap.h"

#include "arch/descriptors.h"
#include "arch/tlb.h"
#include "arch/x86.h"
#include "file/tty.h"
#include "dev/timer.h"
#include "lib/check.h"
#include "lib/errno.h"
#include "dev/print.h"
#include "lib/variable.h"
#include "mm/aspace.h"
#include "mm/kernel_map.h"
#include "mm/usercopy.h"
#include "proc/before_user.h"
#include "proc/debug_stop.h"
#include "proc/proc.h"
#include "task/bound.h"
#include "task/process.h"
#include "trap/explain.h"

#define LINE_WINDOW 3 /* the second serial port */
#define LINE_SERIAL 4

/* Whether somebody wants to know of each fault: one test for the debugger's stops and for bound_on. */
static bool faults_are_watched SEALED = false;

void trap_watch_faults(void)
{
    faults_are_watched = debug_stops || bound_on;
}

void trap_init(void)
{
    for (unsigned ist = IST_DF; ist <= IST_DB; ist++) {
        uint64_t top = kstack_alloc();
        if (!top)
            panic("no memory for exception stacks");
        descriptors_set_ist(ist, top);
    }
}

static bool from_user(const struct trap_frame *frame)
{
    return frame->cs & 3;
}

static uint64_t last_fault_rip; /* of a program's last page fault since the last tick */

/* The kernel runs with interrupts off: a tick that comes meanwhile is taken before the next instruction of ring 3. That
 * is the one that has just faulted, or the one to which SYSRET returned, which leaves RIP in RCX and RFLAGS in R11. A
 * program can pretend this, and then counts its own time as the system's. */
static bool program_was_running(const struct trap_frame *frame)
{
    bool after_call = frame->rip == frame->rcx && frame->rflags == frame->r11;
    bool after_fault = frame->rip == last_fault_rip;
    last_fault_rip = 0;
    return from_user(frame) && !after_call && !after_fault;
}

/* A page of a file comes from libvfs, which is not entered again in the middle of a read or write: file/files.c makes the
 * page afterwards, and goes on. */
static bool is_for_later(virt_t address)
{
    struct aspace *as = current_process->aspace;
    if (current_thread->vfs_copy == 0 || !as)
        return false;
    const struct vma *vma = vma_find(&as->areas, address);
    if (!vma || !vma->inode)
        return false;
    current_thread->vfs_copy = address.value;
    return true;
}

/* A fault of kernel code. Only the user copy may cause one, and only at a user address. */
static void kernel_page_fault(struct trap_frame *frame, virt_t address)
{
    uint64_t fixup = usercopy_fixup(frame->rip, VEC_PF);
    if (!fixup || address.value >= USER_END)
        panic_frame(frame, "page fault in the kernel at %#lx, error %#lx", address.value,
                    frame->error);
    bool is_refused = (frame->error & PF_RSVD) || is_for_later(address);
    if (is_refused || process_fault(address, explain_access(frame->error)) != 0)
        frame->rip = fixup;
}

/* Resolves a fault and then stops in the debugger. The kind of change selects the stop. */
static int serve_and_stop(const struct trap_frame *frame, virt_t address)
{
    uint64_t old_total = current_process->aspace->total;
    enum debug_stop stop = STOP_FAULT;
    int error = aspace_fault(current_process->aspace, address, explain_access(frame->error));
    if (error)
        return error;
    if (current_process->aspace->total > old_total)
        stop = STOP_GROW;
    else if ((frame->error & PF_P) && (frame->error & PF_WR))
        stop = STOP_COW;
    debug_stop_at(stop, current_process, address.value);
    return 0;
}

/* Out of line, so that serve() stays short: a program waits for it at each of its faults. */
static __attribute__((noinline)) int serve_watched(const struct trap_frame *frame, virt_t address)
{
    if (bound_on)
        bound_begin(BOUND_PAGE_FAULT);
    return debug_stops
               ? serve_and_stop(frame, address)
               : aspace_fault(current_process->aspace, address, explain_access(frame->error));
}

static int serve(const struct trap_frame *frame, virt_t address)
{
    return faults_are_watched
               ? serve_watched(frame, address)
               : aspace_fault(current_process->aspace, address, explain_access(frame->error));
}

/* A fault without a mapping, or without memory: the thread then waits for memory if it can. */
static void page_fault_failed(struct trap_frame *frame, virt_t address, int error)
{
    while (error == -ENOMEM) {
        int waited = oom_wait(false);
        if (waited == -EINTR)
            return;
        if (waited)
            break;
        error = serve(frame, address);
    }
    if (error)
        user_page_fault(frame, address, error);
}

static void page_fault(struct trap_frame *frame)
{
    virt_t address = tlb_fault_address();
    if (frame->error & PF_RSVD)
        panic_frame(frame, "reserved bit in the page tables for %#lx", address.value);
    if (!from_user(frame)) {
        kernel_page_fault(frame, address);
        return;
    }
    current_thread->used.faults++;
    last_fault_rip = frame->rip;
    int error = serve(frame, address);
    if (error)
        page_fault_failed(frame, address, error);
}

static void interrupt(const struct trap_frame *frame, unsigned line)
{
    if (bound_on && from_user(frame))
        bound_begin(BOUND_INTERRUPT);
    timer_interrupt(line);
    if (line == 0)
        process_tick(program_was_running(frame));
    else if (line == LINE_SERIAL)
        console_input_interrupt();
    else if (line == LINE_WINDOW)
        tty_window_interrupt();
}

/* User memory that is not a state of the FPU. */
static bool is_fixed_up(struct trap_frame *frame)
{
    uint64_t fixup = frame->vector == VEC_GP ? usercopy_fixup(frame->rip, VEC_GP) : 0;
    if (fixup)
        frame->rip = fixup;
    return fixup != 0;
}

static void exception(struct trap_frame *frame)
{
    if (frame->vector == VEC_DF && kstack_is_guard(tlb_fault_address().value))
        panic_frame(frame, "kernel stack overflow, at %#lx", tlb_fault_address().value);
    if (frame->vector == VEC_NMI)
        return;
    /* SYSCALL with TF set: the trap comes after it, in ring 0, where SFMASK has cleared TF. */
    if (frame->vector == VEC_DB && frame->rip == (uint64_t)entry_syscall)
        return;
    if (!from_user(frame) && is_fixed_up(frame))
        return;
    if (!from_user(frame) || frame->vector == VEC_DF || frame->vector == VEC_MC)
        panic_frame(frame, "exception %lu, error %#lx", frame->vector, frame->error);
    if (bound_on)
        bound_begin(BOUND_EXCEPTION);
    user_exception(frame);
}

void trap_dispatch(struct trap_frame *frame)
{
    if (frame->vector == VEC_PF)
        page_fault(frame);
    else if (frame->vector >= VEC_IRQ0)
        interrupt(frame, (unsigned)(frame->vector - VEC_IRQ0));
    else
        exception(frame);
    if (from_user(frame))
        before_user(frame);
}
