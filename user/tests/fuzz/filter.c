/*
 * The calls that a child must not make. A child with user id 0 could switch the machine off, end
 * process 1, or take away resources of the supervisor, and none of these is a fault of the kernel.
 * Other users make these calls, because the kernel must refuse them. On a Linux host no child has
 * user id 0, and calls with an effect outside the namespaces are left out too.
 */
#include "fuzz.h"

#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

static const unsigned for_nobody_on_linux[] = {
    SYS_shmget,
    SYS_semget,
    SYS_msgget,
    SYS_add_key,
    SYS_keyctl,
    SYS_request_key,
    SYS_bpf,
    SYS_perf_event_open,
    SYS_io_uring_setup,
    SYS_userfaultfd,
    SYS_inotify_add_watch,
    SYS_vhangup,
    SYS_fanotify_init,
    SYS_ptrace,
    SYS_sync,
    SYS_syncfs,
    SYS_swapon,
    SYS_swapoff,
};

static const unsigned for_root[] = {
    SYS_reboot,
    SYS_mount,
    SYS_umount2,
    SYS_chroot,
    SYS_pivot_root,
    SYS_swapon,
    SYS_swapoff,
    SYS_init_module,
    SYS_finit_module,
    SYS_delete_module,
    SYS_kexec_load,
    SYS_iopl,
    SYS_ioperm,
    SYS_settimeofday,
    SYS_clock_settime,
    SYS_adjtimex,
    SYS_clock_adjtime,
    SYS_sethostname,
    SYS_setdomainname,
    SYS_syslog,
    SYS_acct,
    SYS_vhangup,
    SYS_move_mount,
    SYS_fsmount,
    SYS_open_tree,
    SYS_setns,
    SYS_unshare,
    SYS_ptrace,
    SYS_process_vm_writev,
    SYS_mknod,
    SYS_mknodat,
    SYS_setrlimit,
};

static bool is_among(unsigned number, const unsigned *list, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        if (list[i] == number) {
            return true;
        }
    }
    return false;
}

static bool is_own(const struct child *child, int pid)
{
    for (unsigned i = 0; i < sizeof child->children / sizeof child->children[0]; i++) {
        if (pid == child->children[i] && pid > 1) {
            return true;
        }
    }
    return pid == 0 || pid == getpid();
}

/* True if the call affects a process that is not the caller or one of its children. */
static bool reaches_others(const struct child *child, const struct hostile_call *call)
{
    switch (call->number) {
    case SYS_kill:
    case SYS_tkill:
    case SYS_prlimit64:
    case SYS_rt_sigqueueinfo:
        return !is_own(child, (int)call->arguments[0]);
    case SYS_setpriority:
        return !is_own(child, (int)call->arguments[1]);
    case SYS_tgkill:
        return !is_own(child, (int)call->arguments[0]) || !is_own(child, (int)call->arguments[1]);
    default:
        return false;
    }
}

/* "A,B,...": call numbers that --without leaves out, so that a known fault does not hide others. */
const char *left_out = "";

static bool is_left_out(unsigned number)
{
    for (const char *at = left_out; *at != '\0';) {
        char *end;
        if (strtoul(at, &end, 10) == number) {
            return true;
        }
        at = *end == ',' ? end + 1 : "";
    }
    return false;
}

bool is_dangerous(const struct child *child, const struct hostile_call *call)
{
    unsigned number = call->number;

    if (is_left_out(number)) {
        return true;
    }
    if (child->linux_host && is_among(number, for_nobody_on_linux,
                                      sizeof for_nobody_on_linux / sizeof for_nobody_on_linux[0])) {
        return true;
    }
    return child->root && (is_among(number, for_root, sizeof for_root / sizeof for_root[0]) ||
                           reaches_others(child, call));
}
