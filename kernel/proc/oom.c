#include "proc/proc.h"

#include "dev/print.h"
#include "file/charge.h"
#include "lib/errno.h"
#include "task/process.h"

static void note_shortage(void)
{
    if (current_thread)
        current_thread->work |= WORK_SHORTAGE;
}

void oom_init(void)
{
    frame_on_shortage = note_shortage;
}

/* True if a process that was ended has not freed its memory yet. */
static bool is_somebody_ending(void)
{
    FOR_EACH_PROCESS (process)
        if (process->is_victim && process->state == PROCESS_LIVE)
            return true;
    return false;
}

/* The user with the most memory among those who have a process that can be ended. */
static const struct user *find_payer(void)
{
    const struct user *most = NULL;
    charge_users();
    LIST_FOR_EACH (user, &user_list, struct user, all)
        if (user->largest && (!most || user->total > most->total))
            most = user;
    return most;
}

static void end(const struct user *user)
{
    struct process *victim = user->largest;
    print("out of memory: user %u has %zu pages: pid %d %s, %zu pages, is ended", user->uid,
          user->total >> PAGE_SHIFT, victim->pid, process_comm(victim),
          user->largest_size >> PAGE_SHIFT);
    victim->is_victim = true;
    process_set_floor(victim);
    frame_floor = current_process->frame_floor;
    (void)signal_send(victim, SIGKILL, NULL);
}

int oom_wait(bool spare_caller)
{
    if (signal_is_fatal(current_thread))
        return -EINTR;
    if (!is_somebody_ending()) {
        const struct user *user = find_payer();
        if (!user || (spare_caller && user->largest == current_process))
            return -ENOMEM;
        end(user);
    }
    if (!signal_is_fatal(current_thread))
        sched_yield();
    return signal_is_fatal(current_thread) ? -EINTR : 0;
}

/* The call's number is in `error`; SYSCALL is two bytes long. */
static void call_again(struct trap_frame *frame)
{
    frame->rax = frame->error;
    frame->rip -= 2;
}

void oom_before_user(struct trap_frame *frame)
{
    bool took_reserve = current_thread->work & WORK_RESERVE;
    current_thread->work &= ~(WORK_SHORTAGE | WORK_RESERVE);
    if (frame->vector == VEC_SYSCALL && frame->rax == (uint64_t)-ENOMEM && oom_wait(true) == 0)
        call_again(frame);
    while (took_reserve && frame_count(FRAME_FREE) < frame_floor && oom_wait(false) == 0)
        ;
}
