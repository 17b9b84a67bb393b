/* Process ids, and sched_yield(2). */
#include "lib/errno.h"
#include "syscall/calls.h"
#include "task/process.h"

#define ROBUST_LIST_SIZE 24 /* of struct robust_list_head */

long sys_getpid(void)
{
    return current_process->pid;
}

long sys_gettid(void)
{
    return current_process->pid;
}

long sys_getppid(void)
{
    return current_process->parent ? current_process->parent->pid : 0;
}

long sys_set_tid_address(user_t tidptr)
{
    current_thread->clear_child_tid = tidptr;
    return current_process->pid;
}

/* No effect, since there are no threads that could end with a lock. */
long sys_set_robust_list(user_t head, size_t size)
{
    (void)head;
    return size == ROBUST_LIST_SIZE ? 0 : -EINVAL;
}

long sys_sched_yield(void)
{
    sched_yield();
    return 0;
}
