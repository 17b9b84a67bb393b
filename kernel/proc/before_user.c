#include "proc/before_user.h"

#include "dev/print.h"
#include "dev/timer.h"
#include "exec/image.h"
#include "file/files.h"
#include "file/root.h"
#include "lib/errno.h"
#include "lib/variable.h"
#include "proc/proc.h"
#include "task/bound.h"
#include "task/process.h"

/* Restarts a system call that a signal interrupted, or makes it return EINTR. */
static void finish_call(struct trap_frame *frame, bool restart)
{
    if (frame->vector != VEC_SYSCALL ||
        (frame->rax != (uint64_t)-ERESTARTSYS && frame->rax != (uint64_t)-ERESTARTNOHAND))
        return;
    if (!restart) {
        frame->rax = (uint64_t)-EINTR;
        return;
    }
    frame->rax = frame->error; /* the call's number */
    frame->rip -= 2;           /* the SYSCALL instruction */
}

/* The handler's frame cannot be written: sends SIGSEGV, whose own handler may use another stack. */
static void no_room_for_frame(const struct trap_frame *frame, int signal)
{
    if (signal != SIGSEGV && signal_force(SIGSEGV, NULL))
        return;
    print("pid %d %s: SIGSEGV: no room for the frame of %s on the stack at %#lx",
          current_process->pid, current_process->image->path, signal_name(signal), frame->rsp);
    process_exit(SIGSEGV);
}

static void run_handler(struct trap_frame *frame, const struct signal_info *info,
                        const struct sigaction *set)
{
    const struct sigaction action = *set;
    finish_call(frame, (action.flags & SA_RESTART) && frame->rax != (uint64_t)-ERESTARTNOHAND);
    if (signal_enter_handler(frame, info, &action) != 0) {
        no_room_for_frame(frame, info->signal);
        return;
    }
    current_thread->work &= ~WORK_RESTORE_MASK;
    uint64_t blocked = current_thread->signals.blocked | action.mask;
    if (!(action.flags & SA_NODEFER))
        blocked |= SIGNAL_BIT(info->signal);
    if (action.flags & SA_RESETHAND)
        sighand_entry(current_process->sighand, info->signal)->handler = SIG_DFL;
    signal_set_blocked(blocked);
}

/* Handlers' frames are stacked, so that the one for the last signal runs first, as on Linux. */
static void deliver_signals(struct trap_frame *frame)
{
    uint64_t ready;
    while ((ready = signal_pending_set(current_thread) & ~current_thread->signals.blocked) != 0) {
        UNINITIALIZED struct signal_info info; /* signal_take(), which sets all of it */
        int signal = signal_take(ready, &info);
        const struct sigaction *action = sighand_action(current_process->sighand, signal);
        if (action->handler == SIG_DFL && signal_ends_process(current_thread, signal))
            process_exit(signal);
        if (action->handler != SIG_IGN && action->handler != SIG_DFL)
            run_handler(frame, &info, action);
    }
    current_thread->work &= ~(WORK_SIGNAL | WORK_FORCED);
    finish_call(frame, true);
}

#define WORK_IN_TURN (WORK_TURN_OVER | WORK_SIGNAL | WORK_RESTORE_MASK | WORK_SHORTAGE)

__attribute__((noinline)) static void work_in_turn(struct trap_frame *frame)
{
    struct thread *thread = current_thread;
    if (thread->work & WORK_REAP)
        root_reap();
    while (thread->work & WORK_IN_TURN) {
        if (thread->work & WORK_SHORTAGE)
            oom_before_user(frame);
        if (thread->work & WORK_TURN_OVER)
            sched_yield();
        if (thread->work & WORK_SIGNAL)
            deliver_signals(frame);
        if (thread->work & WORK_RESTORE_MASK)
            signal_restore_blocked();
    }
    if (thread->work & WORK_LIMITS)
        process_renew_limits();
    if (thread->work & WORK_BOUND)
        bound_end();
}

void work_before_user(struct trap_frame *frame)
{
    if (current_thread->work & WORK_HELD)
        files_release();
    if (current_thread->work & (WORK_IN_TURN | WORK_REAP | WORK_LIMITS | WORK_BOUND))
        work_in_turn(frame);
}

/* RLIMIT_CPU: SIGXCPU each second above the soft limit, SIGKILL at the hard limit. */
static void check_cpu_limit(const struct process *process)
{
    struct usage used = process_usage(process);
    uint64_t ticks = used.user_ticks + used.system_ticks;
    const struct rlimit *limit = &process->limits[RLIMIT_CPU];
    if (ticks == 0 || ticks % TIMER_HZ != 0)
        return;
    if (ticks / TIMER_HZ >= limit->hard) {
        print("pid %d %s: SIGKILL: its CPU time limit of %lu s is over", process->pid,
              process_comm(process), limit->hard);
        (void)signal_force(SIGKILL, NULL);
    } else if (ticks / TIMER_HZ >= limit->soft) {
        (void)signal_send(current_process, SIGXCPU, NULL);
    }
}

static uint64_t next_alarm; /* no alarm is due before it */

void alarms_init(void)
{
    next_alarm = UINT64_MAX;
}

static void send_alarms(void)
{
    uint64_t now = next_alarm == UINT64_MAX ? 0 : timer_monotonic_ns();
    if (now < next_alarm)
        return;
    next_alarm = UINT64_MAX;
    FOR_EACH_PROCESS (process) {
        if (process->alarm_at != 0 && process->alarm_at <= now) {
            uint64_t interval = process->alarm_interval;
            uint64_t periods = interval ? (now - process->alarm_at) / interval + 1 : 0;
            process->alarm_at = interval ? process->alarm_at + periods * interval : 0;
            (void)signal_send(process, SIGALRM, NULL);
        }
        if (process->alarm_at != 0 && process->alarm_at < next_alarm)
            next_alarm = process->alarm_at;
    }
}

void process_set_alarm(uint64_t at, uint64_t interval)
{
    current_process->alarm_at = at;
    current_process->alarm_interval = interval;
    if (at != 0 && at < next_alarm)
        next_alarm = at;
}

static void count_cpu_timer(struct process *process, unsigned which, int signal)
{
    struct cpu_timer *timer = &process->cpu_timers[which];
    if (timer->left == 0 || --timer->left > 0)
        return;
    timer->left = timer_ticks_of(timer->interval);
    (void)signal_send(process, signal, NULL);
}

static void count_cpu_timers(struct process *process, bool of_program)
{
    if (of_program)
        count_cpu_timer(process, 0, SIGVTALRM);
    count_cpu_timer(process, 1, SIGPROF);
    process->has_cpu_timer = process->cpu_timers[0].left > 0 || process->cpu_timers[1].left > 0;
}

void process_tick(bool of_program)
{
    send_alarms();
    sched_tick(of_program);
    if (current_thread && current_thread->state == THREAD_RUNNABLE &&
        current_process->state == PROCESS_LIVE) {
        if (current_process->has_cpu_timer)
            count_cpu_timers(current_process, of_program);
        check_cpu_limit(current_process);
    }
}
