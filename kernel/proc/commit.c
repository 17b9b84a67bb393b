/* The commit point of exec: the new program replaces the old one. */
#include "arch/tlb.h"
#include "exec/image.h"
#include "file/files.h"
#include "lib/cmdline.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "proc/debug_stop.h"
#include "proc/proc.h"
#include "task/process.h"
#include "task/rights.h"
#include "task/signal.h"

_Static_assert(COMM_SIZE == IMAGE_COMM_SIZE, "the name that exec keeps");

/* Private copies of the objects that a process must not share after exec. */
struct unshared {
    struct files *files;
    struct sighand *sighand;
};

/* Copies the objects that are shared. Returns 0 or -ENOMEM. */
static int unshare(const struct process *process, struct unshared *own)
{
    *own = (struct unshared){NULL, NULL};
    if (files_are_shared(process->files) && !(own->files = files_copy(process->files)))
        return -ENOMEM;
    if (sighand_refs(process->sighand)->count > 1 &&
        !(own->sighand = sighand_copy(process->sighand))) {
        files_put(own->files);
        return -ENOMEM;
    }
    return 0;
}

/* Does what can fail, before anything of the old program is dropped. */
static int prepare(const struct process *process, const struct exec_credentials *cred,
                   struct unshared *own)
{
    int error = unshare(process, own);
    if (error)
        return error;
    error = credentials_exec(cred);
    if (error && own->files)
        files_put(own->files);
    if (error && own->sighand)
        sighand_put(own->sighand);
    return error;
}

static void take_unshared(struct process *process, const struct unshared *own)
{
    if (own->files) {
        files_put(process->files);
        process->files = own->files;
    }
    if (own->sighand) {
        sighand_put(process->sighand);
        process->sighand = own->sighand;
    }
    files_exec(process->files);
    sighand_reset(process->sighand);
}

static void reset_thread(struct thread *thread, const struct loaded_process *loaded)
{
    struct trap_frame *frame = thread_frame(thread);
    memset(frame, 0, sizeof(*frame));
    frame->rip = loaded->start_point.value;
    frame->cs = SEL_USER_CS;
    frame->rflags = RFLAGS_FIXED | RFLAGS_IF;
    frame->rsp = loaded->stack_pointer.value;
    frame->ss = SEL_USER_DS;
    user_state_init(&thread->user);
    user_state_load(&thread->user);
    thread->signals.altstack = (struct signal_stack){.size = 0};
}

/* Drops the old program. A child of vfork stops using its parent's memory here. */
static void leave_old_image(struct process *process, struct aspace *as, struct image *image)
{
    if (as)
        process_leave_aspace(as);
    image_put(image);
    if (process->vfork_pending) {
        process->vfork_pending = false;
        sched_wake_all(&process->vfork_done);
    }
}

/* A program that does not fit its limits ends by SIGSEGV, as on Linux: the old one is gone already. */
static void check_limits(const struct aspace *as, const struct loaded_process *loaded)
{
    uint64_t stack = virt_distance(virt_floor(loaded->stack_pointer), loaded->stack_top);
    if (as->total > as->limits.total || as->data > as->limits.data || stack > as->limits.stack)
        (void)signal_force(SIGSEGV, NULL);
}

/* A program that gains rights has no more than the usual stack, whatever its caller allows. */
static void limit_stack(struct process *process, const struct exec_credentials *cred)
{
    struct rlimit *stack = &process->limits[RLIMIT_STACK];
    if (cred->is_secure && stack->soft > STACK_LIMIT)
        stack->soft = STACK_LIMIT;
}

int exec_commit(struct new_image *new_image, const struct exec_credentials *cred)
{
    struct process *process = current_process;
    struct aspace *old_as = process->aspace;
    struct image *old_image = process->image;
    struct unshared own;
    int error = prepare(process, cred, &own);
    if (error)
        return error;
    process_leave_memory();
    process->undumpable |= new_image->image->is_unreadable;
    process->aspace = new_image->as;
    process->image = new_image->image;
    limit_stack(process, cred);
    process_apply_limits(process);
    current_thread->work &= ~WORK_LIMITS;
    tlb_switch(frame_phys(process->aspace->pt.root));
    reset_thread(current_thread, &process->image->loaded);
    memcpy(current_thread->comm, process->image->comm, sizeof(current_thread->comm));
    take_unshared(process, &own);
    process->exec_id++;
    process->exit_signal = SIGCHLD;
    pending_signals_drop_timers(&process->pending);
    pending_signals_drop_timers(&current_thread->signals.pending);
    leave_old_image(process, old_as, old_image);
    check_limits(process->aspace, &process->image->loaded);
    if (cmdline_options.shows_exec)
        image_print(process->image, process->aspace);
    debug_stop(STOP_EXEC, process);
    return 0;
}
