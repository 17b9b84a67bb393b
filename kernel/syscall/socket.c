/* Sockets. No family of protocols exists, as on a Linux without any: EAFNOSUPPORT tells programs that
 * can do without, as ENOSYS does not. Those that read or change accounts ask for the audit log first, by netlink. */
#include "dev/print.h"
#include "file/files.h"
#include "lib/errno.h"
#include "syscall/calls.h"
#include "task/process.h"

#define SOCK_TYPE     0xf
#define SOCK_TYPES    11 /* from 0 on */
#define SOCK_CLOEXEC  UMVFS_O_CLOEXEC
#define SOCK_NONBLOCK O_NONBLOCK
#define FAMILIES      46 /* that have a number on Linux */

/* Says once that programs ask for sockets. */
static int no_family(int family, int type)
{
    static bool is_said;
    if ((unsigned)type & ~(SOCK_TYPE | SOCK_CLOEXEC | SOCK_NONBLOCK))
        return -EINVAL;
    if (family >= 0 && family < FAMILIES && (type & SOCK_TYPE) >= SOCK_TYPES)
        return -EINVAL;
    if (!is_said) {
        is_said = true;
        print("pid %d %s: there are no sockets here: EAFNOSUPPORT", current_process->pid,
              current_thread->comm);
    }
    return -EAFNOSUPPORT;
}

long sys_socket(int family, int type, int protocol)
{
    (void)protocol;
    return no_family(family, type);
}

long sys_socketpair(int family, int type, int protocol, user_t sv)
{
    (void)protocol, (void)sv;
    return no_family(family, type);
}
