/* Processes: making, replacing, ending and asking about them. */
#include "arch/cpu.h"
#include "dev/power.h"
#include "lib/errno.h"
#include "dev/print.h"
#include "lib/string.h"
#include "mm/usercopy.h"
#include "proc/debug_stop.h"
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
    struct clone_args args = {a & ~0xffull, b, c, d, e, (int)(a & 0xff)};
    if (args.exit_signal > NSIG || (args.flags & ~(uint64_t)CLONE_SUPPORTED))
        return -EINVAL;
    if ((args.flags & CLONE_SIGHAND) && !(args.flags & CLONE_VM))
        return -EINVAL;
    return task_clone(&args);
}

SYSCALL(fork)
{
    struct clone_args args = {.exit_signal = SIGCHLD};
    return task_clone(&args);
}

SYSCALL(vfork)
{
    struct clone_args args = {.flags = CLONE_VM | CLONE_VFORK, .exit_signal = SIGCHLD};
    return task_clone(&args);
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
    struct vfs_task_view view;
    struct new_image image;
    const struct vfs_path *at = NULL;
    const char *name;
    struct exec_args *args = exec_args_create();
    int error = args ? read_args(args, argv, envp) : -ENOMEM;
    if (!error)
        error = path_from_user(PATH_FIRST, path, &name);
    if (!error && name[0] != '/')
        error = directory_of(fd, &at);
    if (!error) {
        const struct credentials *cred = &current_task->cred;
        args->uid = cred->user.real;
        args->euid = cred->user.effective;
        args->gid = cred->group.real;
        args->egid = cred->group.effective;
        task_vfs_view(current_task, false, &view);
        error = exec_load(&view.task, at, name, flags, args, &image);
    }
    exec_args_free(args);
    if (error)
        return error;
    exec_commit(&image);
    return 0;
}

SYSCALL(execve)
{
    return exec_at(AT_FDCWD, a, b, c, 0);
}

SYSCALL(exit)
{
    task_exit((int)(a & 0xff) << 8);
}

SYSCALL(exit_group)
{
    task_exit((int)(a & 0xff) << 8);
}

SYSCALL(wait4)
{
    int status = 0;
    uint64_t usage[18] = {0};
    long pid = task_wait((int)a, &status, (int)c);
    if (pid > 0 && b && copy_to_user(user_ptr(b), &status, sizeof(status)) != 0)
        return -EFAULT;
    if (pid > 0 && d && copy_to_user(user_ptr(d), usage, sizeof(usage)) != 0)
        return -EFAULT;
    if (pid > 0)
        debug_stop(STOP_EXITED, current_task);
    return pid;
}

SYSCALL(getpid)
{
    return current_task->pid;
}

SYSCALL(gettid)
{
    return current_task->pid;
}

SYSCALL(getppid)
{
    return current_task->parent ? current_task->parent->pid : 0;
}

SYSCALL(set_tid_address)
{
    current_task->clear_child_tid = a;
    return current_task->pid;
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
        cpu_write_msr(a == ARCH_SET_FS ? MSR_FS_BASE : MSR_GS_BASE, b);
        return 0;
    case ARCH_GET_FS:
    case ARCH_GET_GS:
        value = cpu_read_msr(a == ARCH_GET_FS ? MSR_FS_BASE : MSR_GS_BASE);
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

static long limits(int pid, unsigned resource, uint64_t new, uint64_t old)
{
    struct task *task = pid ? task_find(pid) : current_task;
    struct rlimit wanted;
    if (!task)
        return -ESRCH;
    if (resource >= RLIMITS)
        return -EINVAL;
    if (new && copy_from_user(&wanted, user_ptr(new), sizeof(wanted)) != 0)
        return -EFAULT;
    if (new && wanted.soft > wanted.hard)
        return -EINVAL;
    if (new && wanted.hard > task->limits[resource].hard && current_task->cred.user.effective != 0)
        return -EPERM;
    if (old && copy_to_user(user_ptr(old), &task->limits[resource], sizeof(wanted)) != 0)
        return -EFAULT;
    if (new) {
        task->limits[resource] = wanted;
        task_apply_limits(task);
    }
    return 0;
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

static struct task *process_or_self(int pid)
{
    return pid ? task_find(pid) : current_task;
}

SYSCALL(setpgid)
{
    struct task *task = process_or_self((int)a);
    int group = (int)b;
    if (group < 0)
        return -EINVAL;
    if (!task || (task != current_task && task->parent != current_task))
        return -ESRCH;
    if (task->sid != current_task->sid || task->pid == task->sid)
        return -EPERM;
    task->pgid = group ? group : task->pid;
    return 0;
}

SYSCALL(getpgid)
{
    const struct task *task = process_or_self((int)a);
    return task ? task->pgid : -ESRCH;
}

SYSCALL(getpgrp)
{
    return current_task->pgid;
}

SYSCALL(getsid)
{
    const struct task *task = process_or_self((int)a);
    return task ? task->sid : -ESRCH;
}

SYSCALL(setsid)
{
    LIST_FOR_EACH (task, &task_list, struct task, all)
        if (task->pgid == current_task->pid)
            return -EPERM;
    current_task->pgid = current_task->sid = current_task->pid;
    return current_task->pid;
}

#define PR_SET_NAME 15
#define PR_GET_NAME 16

SYSCALL(prctl)
{
    char name[IMAGE_COMM_SIZE] = {0};
    if (a == PR_GET_NAME)
        return copy_to_user(user_ptr(b), current_task->comm, sizeof(current_task->comm));
    if (a != PR_SET_NAME)
        return -EINVAL;
    long n = copy_string_from_user(name, user_ptr(b), sizeof(name));
    if (n < 0 && n != -ENAMETOOLONG)
        return n;
    name[IMAGE_COMM_SIZE - 1] = '\0';
    memcpy(current_task->comm, name, sizeof(name));
    return 0;
}

/* Restartable sequences serve threads; a C library goes on without them. */
SYSCALL(rseq)
{
    return -ENOSYS;
}
