/* Work that is pending before a return to ring 3: another thread's turn, and signals. */
#ifndef UMBRA_PROC_BEFORE_USER_H
#define UMBRA_PROC_BEFORE_USER_H

#include <stdbool.h>
#include <stdint.h>

#include "task/thread.h"

/* Does the work of current_thread->work: lets another thread run, builds handlers' frames, restarts
 * or interrupts a system call, or ends the process and does not return. */
void work_before_user(struct trap_frame *frame);

/* Called at the end of each entry from ring 3. */
static inline void before_user(struct trap_frame *frame)
{
    if (current_thread->work)
        work_before_user(frame);
}

/* siginfo_t of Linux on x86-64 */
struct user_siginfo {
    int32_t signal, error, code, pad;
    union {
        struct {
            int32_t pid;
            uint32_t uid;
            uint64_t value; /* of rt_sigqueueinfo(2); else the status, an int */
        } sender;
        uint64_t address;
        uint8_t size[112];
    } u;
};
_Static_assert(sizeof(struct user_siginfo) == 128, "siginfo_t");

/* The information of a signal as programs see it, all bytes of it; and what a program says of a signal that
 * it sends. The rest of what it says is not kept. */
struct signal_info;
void siginfo_to_user(struct user_siginfo *out, const struct signal_info *info);
void siginfo_from_user(struct signal_info *out, const struct user_siginfo *info, int signal);

/* Saves the registers in a frame on the user stack and sets them for the handler. Returns 0, or
 * -EFAULT if the stack cannot hold it. */
struct sigaction;
int signal_enter_handler(struct trap_frame *frame, const struct signal_info *info,
                         const struct sigaction *action);

/* rt_sigreturn(2): restores the state in the handler's frame on the user stack. Returns the value
 * for RAX. A frame that cannot be read, a RIP that is not canonical, or selectors that are not a program's cause a SIGSEGV. */
long signal_return(struct trap_frame *frame);

/* A timer tick: processor time, of the program or of the kernel, its limit, and alarms. */
void process_tick(bool of_program);

/* Clears all alarms. */
void alarms_init(void);

/* setitimer(2): SIGALRM at `at` (monotonic nanoseconds, 0: off), then each interval. */
void process_set_alarm(uint64_t at, uint64_t interval);

#endif
