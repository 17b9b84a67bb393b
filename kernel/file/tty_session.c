#include "file/tty.h"

#include "file/files.h"
#include "lib/errno.h"
#include "mm/usercopy.h"
#include "task/process.h"

/* asm/ioctls.h of Linux x86-64 */
#define TIOCSCTTY 0x540e
#define TIOCGPGRP 0x540f
#define TIOCSPGRP 0x5410
#define TIOCNOTTY 0x5422
#define TIOCGSID  0x5429

#define INIT 1

static struct {
    int session, foreground; /* 0: none. The leader of the session lives. */
    bool was_asked_for;      /* by the leader of the session */
} terminal;

/* Reserves the number, since the group may end, and no other group must get the terminal's signals. */
static void set_foreground_group(int group)
{
    pid_reserve(group);
    pid_release(terminal.foreground);
    terminal.foreground = group;
}

void tty_session_init(void)
{
    terminal.session = INIT;
    terminal.foreground = 0;
    set_foreground_group(INIT);
    terminal.was_asked_for = false;
}

bool tty_controls(const struct process *process)
{
    return process->has_terminal && process->sid == terminal.session;
}

int tty_foreground(void)
{
    return terminal.foreground;
}

static bool is_leader(const struct process *process)
{
    return process->sid == process->pid;
}

/* Takes the terminal away from its session. */
static void clear_session(void)
{
    FOR_EACH_PROCESS (process)
        if (process->sid == terminal.session)
            process->has_terminal = false;
    terminal.session = 0;
    set_foreground_group(0);
}

static void take(struct process *process)
{
    if (terminal.session)
        clear_session();
    terminal.session = process->sid;
    set_foreground_group(process->pgid);
    terminal.was_asked_for = true;
    process->has_terminal = true;
}

static bool is_free(void)
{
    return terminal.session == 0 || !terminal.was_asked_for;
}

void tty_session_opened(const struct file *file)
{
    struct process *process = current_process;
    if (is_leader(process) && !tty_controls(process) && is_free() && file_may_read(file) &&
        !(file->vfs.flags & O_NOCTTY))
        take(process);
}

static void signal_group(int group, int signal)
{
    FOR_EACH_PROCESS (process)
        if (process->pgid == group)
            (void)signal_send(process, signal, NULL);
}

void tty_signal_foreground(int signal)
{
    if (terminal.foreground)
        signal_group(terminal.foreground, signal);
}

/* True if no process of the group has a parent in its session but outside the group (POSIX,
 * "Orphaned Process Group"). */
static bool is_orphaned(int group)
{
    FOR_EACH_PROCESS (process) {
        const struct process *parent = process->parent;
        if (process->pgid == group && process->state == PROCESS_LIVE && parent &&
            parent->pid != INIT && parent->pgid != group && parent->sid == process->sid)
            return false;
    }
    return true;
}

int tty_check_foreground(int signal)
{
    const struct process *process = current_process;
    if (!tty_controls(process) || !terminal.foreground || process->pgid == terminal.foreground)
        return 0;
    uint64_t handler = sighand_action(process->sighand, signal)->handler;
    bool is_blocked = current_thread->signals.blocked & SIGNAL_BIT(signal);
    if (is_blocked || handler == SIG_IGN)
        return signal == SIGTTIN ? -EIO : 0;
    if (handler == SIG_DFL || is_orphaned(process->pgid))
        return -EIO;
    signal_group(process->pgid, signal);
    return -ERESTARTSYS;
}

/* The session of a process group; 0: there is no such group. */
static int session_of(int group)
{
    FOR_EACH_PROCESS (process)
        if (process->pgid == group)
            return process->sid;
    return 0;
}

static int set_foreground(uint64_t argument)
{
    int group, error = tty_check_foreground(SIGTTOU);
    if (error)
        return error == -EIO ? -ENOTTY : error;
    if (copy_from_user(&group, user_ptr(argument), sizeof(group)) != 0)
        return -EFAULT;
    if (group < 0)
        return -EINVAL;
    if (!tty_controls(current_process))
        return -ENOTTY;
    int session = session_of(group);
    if (session != terminal.session)
        return session ? -EPERM : -ESRCH;
    set_foreground_group(group);
    return 0;
}

/* TIOCSCTTY; with 1 as the argument CAP_SYS_ADMIN takes it from another session. */
static int become_controlling(const struct file *file, uint64_t argument)
{
    struct process *process = current_process;
    if (is_leader(process) && tty_controls(process)) {
        terminal.was_asked_for = true;
        return 0;
    }
    if (!is_leader(process) || tty_controls(process))
        return -EPERM;
    if (!is_free() && (argument != 1 || !capable(CAP_SYS_ADMIN)))
        return -EPERM;
    if (!file_may_read(file) && !capable(CAP_SYS_ADMIN))
        return -EPERM;
    take(process);
    return 0;
}

/* Sends SIGHUP and SIGCONT to the foreground group, which loses its terminal. */
static void hang_up(void)
{
    int group = terminal.foreground;
    clear_session();
    if (group) {
        signal_group(group, SIGHUP);
        signal_group(group, SIGCONT);
    }
}

static int give_up(void)
{
    if (!tty_controls(current_process))
        return -ENOTTY;
    if (is_leader(current_process))
        hang_up();
    current_process->has_terminal = false;
    return 0;
}

static int tell(uint64_t argument, int number)
{
    if (!tty_controls(current_process))
        return -ENOTTY;
    return copy_to_user(user_ptr(argument), &number, sizeof(number));
}

int tty_session_ioctl(const struct file *file, unsigned request, uint64_t argument)
{
    switch (request) {
    case TIOCGPGRP:
        return tell(argument, terminal.foreground);
    case TIOCSPGRP:
        return set_foreground(argument);
    case TIOCGSID:
        return tell(argument, terminal.session);
    case TIOCSCTTY:
        return become_controlling(file, argument);
    case TIOCNOTTY:
        return give_up();
    default:
        return -ENOTTY;
    }
}

void tty_session_exit(struct process *process)
{
    if (is_leader(process) && tty_controls(process))
        hang_up();
}
