/* Processes: making, replacing, ending and asking about them. */
#include "arch/cpu.h"
#include "dev/timer.h"
#include "lib/errno.h"
#include "dev/print.h"
#include "lib/string.h"
#include "mm/usercopy.h"
#include "proc/debug_stop.h"
#include "exec/image.h"
#include "file/files.h"
#include "proc/proc.h"
#include "syscall/syscall.h"

#define CLONE_SUPPORTED                                                                            \
    (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_VFORK | CLONE_SETTLS |              \
     CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID | CLONE_CHILD_SETTID)

#define ARCH_SET_GS 0x1001
#define ARCH_SET_FS 0x1002
#define ARCH_GET_FS 0x1003
#define ARCH_GET_GS 0x1004

SYSCALL(clone)
{
    struct clone_args args = {(uint32_t)a & ~0xffull, b, user_ptr(c), user_ptr(d), e,
                              (int)(a & 0xff)};
    if (args.exit_signal > NSIG || (args.flags & ~(uint64_t)CLONE_SUPPORTED))
        return -EINVAL;
    if ((args.flags & CLONE_SIGHAND) && !(args.flags & CLONE_VM))
        return -EINVAL;
    return process_clone(&args);
}

SYSCALL(fork)
{
    struct clone_args args = {.exit_signal = SIGCHLD};
    return process_clone(&args);
}

SYSCALL(vfork)
{
    struct clone_args args = {.flags = CLONE_VM | CLONE_VFORK, .exit_signal = SIGCHLD};
    return process_clone(&args);
}

static int read_args(struct exec_args *args, uint64_t argv, uint64_t envp)
{
    int error = exec_args_add_user(args, argv, &args->argc);
    if (!error && args->argc == 0) { /* as Linux: a program always has an argv[0] */
        error = exec_args_add(args, "");
        args->argc = 1;
    }
    return error ? error : exec_args_add_user(args, envp, &args->envc);
}

static long exec_at(int fd, uint64_t path, uint64_t argv, uint64_t envp, unsigned flags)
{
    struct vfs_view view;
    struct new_image image;
    const struct vfs_path *at = NULL;
    const char *name;
    if (!process_may_exec())
        return -EAGAIN;
    struct exec_args *args = exec_args_create();
    int error = args ? read_args(args, argv, envp) : -ENOMEM;
    if (!error)
        error = path_from_user(PATH_FIRST, path, &name);
    if (!error && name[0] != '/')
        error = directory_of(fd, &at);
    if (!error) {
        const struct credentials *cred = &current_process->cred;
        args->uid = cred->user.real;
        args->euid = cred->user.effective;
        args->gid = cred->group.real;
        args->egid = cred->group.effective;
        vfs_view_of(current_process, false, &view);
        error = exec_load(&view.task, at, name, flags, args, &image);
    }
    exec_args_free(args);
    if (error)
        return error;
    error = exec_commit(&image);
    if (error)
        new_image_free(&image);
    return error;
}

SYSCALL(execve)
{
    return exec_at(AT_FDCWD, a, b, c, 0);
}

SYSCALL(exit)
{
    process_exit((int)(a & 0xff) << 8);
}

SYSCALL(exit_group)
{
    process_exit((int)(a & 0xff) << 8);
}

/* struct rusage of getrusage(2) */
struct rusage {
    int64_t user[2], system[2]; /* seconds, microseconds */
    int64_t rest[14];
};

static void put_ticks(int64_t time[2], uint64_t ticks)
{
    time[0] = (int64_t)(ticks / TIMER_HZ);
    time[1] = (int64_t)(ticks % TIMER_HZ * (1000000 / TIMER_HZ));
}

SYSCALL(wait4)
{
    int status = 0;
    struct child_usage used = {0, 0};
    struct rusage usage = {0};
    long pid = process_wait((int)a, (int)c, &status, &used);
    put_ticks(usage.user, used.user_ticks);
    put_ticks(usage.system, used.system_ticks);
    if (pid > 0 && b && copy_to_user(user_ptr(b), &status, sizeof(status)) != 0)
        return -EFAULT;
    if (pid > 0 && d && copy_to_user(user_ptr(d), &usage, sizeof(usage)) != 0)
        return -EFAULT;
    if (pid > 0)
        debug_stop(STOP_EXITED, current_process);
    return pid;
}

SYSCALL(getpid)
{
    return current_process->pid;
}

SYSCALL(gettid)
{
    return current_process->pid;
}

SYSCALL(getppid)
{
    return current_process->parent ? current_process->parent->pid : 0;
}

SYSCALL(set_tid_address)
{
    current_thread->clear_child_tid = user_ptr(a);
    return current_process->pid;
}

SYSCALL(set_robust_list)
{
    return b == 24 ? 0 : -EINVAL;
}

SYSCALL(arch_prctl)
{
    uint64_t value;
    switch (a) {
    case ARCH_SET_FS:
    case ARCH_SET_GS:
        if (b >= USER_END)
            return -EPERM;
        user_base_write(a == ARCH_SET_FS ? USER_BASE_FS : USER_BASE_GS, b);
        return 0;
    case ARCH_GET_FS:
    case ARCH_GET_GS:
        value = user_base_read(a == ARCH_GET_FS ? USER_BASE_FS : USER_BASE_GS);
        return copy_to_user(user_ptr(b), &value, sizeof(value));
    default:
        return -EINVAL;
    }
}

SYSCALL(sched_yield)
{
    sched_yield();
    return 0;
}

/* prlimit(2): only a privileged process, or one of the same user and group ids, may. */
static bool may_limit(const struct process *target)
{
    const struct credentials *own = &current_process->cred, *its = &target->cred;
    return target == current_process || is_privileged() ||
           (own->user.real == its->user.real && own->user.real == its->user.effective &&
            own->user.real == its->user.saved && own->group.real == its->group.real &&
            own->group.real == its->group.effective && own->group.real == its->group.saved);
}

static long limits_of(struct process *process, unsigned resource, uint64_t new, uint64_t old)
{
    struct rlimit wanted, before = process->limits[resource];
    if (new && copy_from_user(&wanted, user_ptr(new), sizeof(wanted)) != 0)
        return -EFAULT;
    if (new && wanted.soft > wanted.hard)
        return -EINVAL;
    if (new && resource == RLIMIT_NOFILE && wanted.hard > FILES_MAX)
        return -EPERM;
    if (new && wanted.hard > before.hard && !is_privileged())
        return -EPERM;
    if (new) {
        process->limits[resource] = wanted;
        process_apply_limits(process);
    }
    return old ? copy_to_user(user_ptr(old), &before, sizeof(before)) : 0;
}

static long limits(int pid, unsigned resource, uint64_t new, uint64_t old)
{
    if (resource >= RLIMITS)
        return -EINVAL;
    struct process *process = process_find(pid ? pid : current_process->pid);
    if (!process)
        return -ESRCH;
    long result = may_limit(process) ? limits_of(process, resource, new, old) : -EPERM;
    process_put(process);
    return result;
}

SYSCALL(prlimit64)
{
    return limits((int)a, (unsigned)b, c, d);
}

SYSCALL(getrlimit)
{
    return limits(0, (unsigned)a, 0, b);
}

SYSCALL(setrlimit)
{
    return limits(0, (unsigned)a, b, 0);
}

/* Process groups and sessions. */

/* Lent. */
static struct process *process_or_self(int pid)
{
    return pid ? process_peek(pid) : current_process;
}

/* Whether a process group of the session exists. */
static bool group_exists(int group, int session)
{
    LIST_FOR_EACH (process, &process_list, struct process, all)
        if (process->pgid == group && process->sid == session)
            return true;
    return false;
}

SYSCALL(setpgid)
{
    struct process *process = process_or_self((int)a);
    int group = (int)b ? (int)b : (int)a;
    if (group < 0)
        return -EINVAL;
    if (!process || (process != current_process && process->parent != current_process))
        return -ESRCH;
    if (process->sid != current_process->sid || process->pid == process->sid)
        return -EPERM;
    if (process != current_process && process->exec_id != process->parent_exec_id)
        return -EACCES; /* the child runs another program already */
    group = group ? group : process->pid;
    if (group != process->pid && !group_exists(group, process->sid))
        return -EPERM;
    process_set_group(process, group, process->sid);
    return 0;
}

SYSCALL(getpgid)
{
    const struct process *process = process_or_self((int)a);
    return process ? process->pgid : -ESRCH;
}

SYSCALL(getpgrp)
{
    return current_process->pgid;
}

SYSCALL(getsid)
{
    const struct process *process = process_or_self((int)a);
    return process ? process->sid : -ESRCH;
}

SYSCALL(setsid)
{
    LIST_FOR_EACH (process, &process_list, struct process, all)
        if (process->pgid == current_process->pid)
            return -EPERM;
    process_set_group(current_process, current_process->pid, current_process->pid);
    current_process->has_terminal = false;
    return current_process->pid;
}

#define PR_GET_DUMPABLE 3
#define PR_SET_DUMPABLE 4
#define PR_SET_NAME     15
#define PR_GET_NAME     16

SYSCALL(prctl)
{
    char name[IMAGE_COMM_SIZE] = {0};
    if (a == PR_GET_NAME)
        return copy_to_user(user_ptr(b), current_thread->comm, sizeof(current_thread->comm));
    if (a == PR_GET_DUMPABLE)
        return !current_process->undumpable;
    if (a == PR_SET_DUMPABLE && b <= 1) {
        current_process->undumpable = b == 0;
        return 0;
    }
    if (a != PR_SET_NAME)
        return -EINVAL;
    long n = copy_string_from_user(name, user_ptr(b), sizeof(name));
    if (n < 0 && n != -ENAMETOOLONG)
        return n;
    name[IMAGE_COMM_SIZE - 1] = '\0';
    memcpy(current_thread->comm, name, sizeof(name));
    return 0;
}

/* Restartable sequences serve threads; a C library goes on without them. */
SYSCALL(rseq)
{
    return -ENOSYS;
}
