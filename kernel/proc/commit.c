/* The one visible point of exec: the old program goes, the new one is there. */
#include "arch/cpu.h"
#include "arch/tlb.h"
#include "lib/cmdline.h"
#include "exec/image.h"
#include "lib/string.h"
#include "proc/debug_stop.h"
#include "task/task.h"

#define FPU_CONTROL 0x037f /* psABI, "Process Initialization" */
#define MXCSR       0x1f80

static void reset_registers(struct task *task, const struct loaded_process *loaded)
{
    struct trap_frame *frame = task_frame(task);
    memset(frame, 0, sizeof(*frame));
    frame->rip = loaded->start_point;
    frame->cs = SEL_USER_CS;
    frame->rflags = RFLAGS_FIXED | RFLAGS_IF;
    frame->rsp = loaded->stack_pointer;
    frame->ss = SEL_USER_DS;
    memset(task->fpu, 0, sizeof(task->fpu));
    const uint16_t control = FPU_CONTROL;
    const uint32_t mxcsr = MXCSR;
    memcpy(task->fpu, &control, sizeof(control));
    memcpy(task->fpu + 24, &mxcsr, sizeof(mxcsr));
    task->fs_base = task->gs_base = 0;
}

/* A task that borrowed its parent's memory gives it back here. */
static void leave_old_image(struct task *task, struct aspace *as, struct image *image)
{
    if (as)
        aspace_put(as);
    image_put(image);
    if (task->vfork_pending) {
        task->vfork_pending = false;
        sched_wake_all(&task->vfork_done);
    }
}

void exec_commit(struct new_image *new_image)
{
    struct task *task = current_task;
    struct aspace *old_as = task->aspace;
    struct image *old_image = task->image;
    task->aspace = new_image->as;
    task->image = new_image->image;
    task_apply_limits(task);
    tlb_switch(frame_phys(task->aspace->pt.root));
    reset_registers(task, &task->image->loaded);
    cpu_fxrstor(task->fpu);
    cpu_write_msr(MSR_FS_BASE, 0);
    cpu_write_msr(MSR_GS_BASE, 0);
    signal_reset(&task->signals);
    files_exec(task->files);
    memcpy(task->comm, task->image->comm, sizeof(task->comm));
    task->clear_child_tid = 0;
    leave_old_image(task, old_as, old_image);
    if (cmdline_lists("show", "exec"))
        image_print(task->image, task->aspace);
    debug_stop(STOP_EXEC, task);
}
