/* futex(2). */
#include "lib/errno.h"
#include "mm/usercopy.h"
#include "syscall/calls.h"

#define FUTEX_WAKE    1
#define FUTEX_COMMAND 0x7f

/* timeout: a second number for some operations. Without threads no process can be waiting. */
long sys_futex(user_t uaddr, int op, unsigned val, user_t timeout, user_t uaddr2, unsigned val3)
{
    uint32_t word;
    (void)val, (void)timeout, (void)uaddr2, (void)val3;
    if ((op & FUTEX_COMMAND) != FUTEX_WAKE)
        return -ENOSYS;
    return copy_from_user(&word, uaddr, sizeof(word));
}
