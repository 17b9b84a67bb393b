#include "task/sched.h"

#include "arch/cpu.h"
#include "arch/descriptors.h"
#include "arch/tlb.h"
#include "dev/timer.h"
#include "lib/check.h"
#include "lib/errno.h"
#include "dev/print.h"
#include "task/task.h"

#define TURN_TICKS (TIMER_HZ / 20) /* 50 ms */

static struct list run_queue = {&run_queue, &run_queue};
static struct list timed_waits = {&timed_waits, &timed_waits};
bool sched_turn_is_over;

void sched_wake(struct task *task)
{
    if (task->state != TASK_SLEEPING)
        return;
    list_remove(&task->queue);
    list_remove(&task->timed);
    task->state = TASK_RUNNABLE;
    list_append(&run_queue, &task->queue);
}

void sched_wake_all(struct wait_queue *queue)
{
    LIST_FOR_EACH (task, &queue->tasks, struct task, queue)
        sched_wake(task);
}

static void wake_timed_out(void)
{
    uint64_t now = list_empty(&timed_waits) ? 0 : timer_monotonic_ns();
    LIST_FOR_EACH (task, &timed_waits, struct task, timed) {
        if (task->wake_at > now)
            continue;
        task->timed_out = true;
        sched_wake(task);
    }
}

/* The next one to run; waits for an interrupt to make one runnable if none is. */
static struct task *pick(void)
{
    wake_timed_out();
    while (list_empty(&run_queue)) {
        cpu_wait_for_interrupt();
        wake_timed_out();
    }
    struct task *next = CONTAINER_OF(run_queue.next, struct task, queue);
    list_remove(&next->queue);
    return next;
}

/* Loads what belongs to a task and not to the kernel. */
static void load_user_state(const struct task *next)
{
    descriptors_set_kernel_stack(next->kernel_stack);
    if (next->aspace && tlb_current().value != frame_phys(next->aspace->pt.root).value)
        tlb_switch(frame_phys(next->aspace->pt.root));
    cpu_write_msr(MSR_FS_BASE, next->fs_base);
    cpu_write_msr(MSR_GS_BASE, next->gs_base);
    cpu_fxrstor(next->fpu);
}

static void switch_to(struct task *next)
{
    struct task *last = current_task;
    next->turn = TURN_TICKS;
    sched_turn_is_over = false;
    if (next == last)
        return;
    if (last->state != TASK_ZOMBIE) {
        cpu_fxsave(last->fpu);
        last->fs_base = cpu_read_msr(MSR_FS_BASE);
        last->gs_base = cpu_read_msr(MSR_GS_BASE);
    }
    current_task = next;
    load_user_state(next);
    context_switch(&last->kernel_rsp, next->kernel_rsp);
}

void sched_yield(void)
{
    list_append(&run_queue, &current_task->queue);
    switch_to(pick());
}

static void sleep_in(struct wait_queue *queue)
{
    current_task->state = TASK_SLEEPING;
    current_task->timed_out = false;
    list_append(&queue->tasks, &current_task->queue);
    switch_to(pick());
}

int sched_sleep(struct wait_queue *queue, uint64_t deadline)
{
    struct task *task = current_task;
    if (signals_pending(&task->signals))
        return -EINTR;
    task->wake_at = deadline;
    if (deadline != UINT64_MAX)
        list_append(&timed_waits, &task->timed);
    sleep_in(queue);
    if (signals_pending(&task->signals))
        return -EINTR;
    return task->timed_out ? -ETIMEDOUT : 0;
}

void sched_sleep_uninterruptible(struct wait_queue *queue)
{
    sleep_in(queue);
}

void sched_exit(void)
{
    CHECK(current_task->state == TASK_ZOMBIE, "state %d", current_task->state);
    switch_to(pick());
    panic("a task ran after its end");
}

void sched_start(struct task *first)
{
    uint64_t boot_stack;
    first->state = TASK_RUNNABLE;
    first->turn = TURN_TICKS;
    current_task = first;
    load_user_state(first);
    context_switch(&boot_stack, first->kernel_rsp);
    panic("the boot stack was used again");
}

/* RLIMIT_CPU: the soft limit asks (SIGXCPU, each second), the hard one ends. */
static void check_cpu_limit(struct task *task)
{
    uint64_t ticks = task->user_ticks + task->system_ticks;
    const struct rlimit *limit = &task->limits[RLIMIT_CPU];
    if (ticks % TIMER_HZ != 0)
        return;
    if (ticks / TIMER_HZ >= limit->hard) {
        print("pid %d %s: SIGKILL: its CPU time limit of %lu s is over", task->pid,
              task->image->path, limit->hard);
        signal_force(task, SIGKILL, NULL);
    } else if (ticks / TIMER_HZ >= limit->soft) {
        signal_send(task, SIGXCPU, NULL);
    }
}

void sched_tick(void)
{
    struct task *task = current_task;
    signal_check_alarms();
    if (!task || task->state != TASK_RUNNABLE)
        return;
    task->user_ticks++;
    check_cpu_limit(task);
    if (task->turn > 0 && --task->turn == 0)
        sched_turn_is_over = true;
}

void sched_before_user(struct trap_frame *frame)
{
    if (sched_turn_is_over)
        sched_yield();
    if (signals_pending(&current_task->signals) || current_task->signals.restore_blocked)
        signal_deliver(frame);
}
