/* Sockets. No family of protocols exists, as on a Linux without any: EAFNOSUPPORT tells programs that
 * can do without, as ENOSYS does not. Those that read or change accounts ask for the audit log first, by netlink. */
#include "file/files.h"
#include "lib/errno.h"
#include "syscall/calls.h"
#include "syscall/files.h"

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
    say_absent(&is_said, "there are no sockets here: EAFNOSUPPORT");
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

/* Calls on a socket tell that the descriptor is none, which some programs ask for; their other
 * arguments do not matter. */
static long not_a_socket(int fd)
{
    struct file *file;
    int error = file_of(fd, &file);
    return error ? error : -ENOTSOCK;
}

long sys_connect(int fd)
{
    return not_a_socket(fd);
}

long sys_accept(int fd)
{
    return not_a_socket(fd);
}

long sys_accept4(int fd)
{
    return not_a_socket(fd);
}

long sys_bind(int fd)
{
    return not_a_socket(fd);
}

long sys_listen(int fd)
{
    return not_a_socket(fd);
}

long sys_shutdown(int fd)
{
    return not_a_socket(fd);
}

long sys_sendto(int fd)
{
    return not_a_socket(fd);
}

long sys_sendmsg(int fd)
{
    return not_a_socket(fd);
}

long sys_recvfrom(int fd)
{
    return not_a_socket(fd);
}

long sys_recvmsg(int fd)
{
    return not_a_socket(fd);
}

long sys_getsockname(int fd)
{
    return not_a_socket(fd);
}

long sys_getpeername(int fd)
{
    return not_a_socket(fd);
}

long sys_getsockopt(int fd)
{
    return not_a_socket(fd);
}

long sys_setsockopt(int fd)
{
    return not_a_socket(fd);
}
