/* membarrier(2). On one processor a switch of threads orders all accesses, and each return to a program
 * serializes its instructions: there is nothing to do. */
#include "lib/errno.h"
#include "syscall/calls.h"
#include "task/process.h"

#define QUERY                           0
#define GLOBAL                          0x01
#define GLOBAL_EXPEDITED                0x02
#define REGISTER_GLOBAL_EXPEDITED       0x04
#define PRIVATE_EXPEDITED               0x08
#define REGISTER_PRIVATE_EXPEDITED      0x10
#define PRIVATE_EXPEDITED_CORE          0x20
#define REGISTER_PRIVATE_EXPEDITED_CORE 0x40
#define ALL                             0x7f

/* cpu: of a flag that does not exist here. */
long sys_membarrier(int cmd, unsigned flags, int cpu)
{
    struct aspace *as = current_process->aspace;
    (void)cpu;
    if (flags != 0)
        return -EINVAL;
    switch (cmd) {
    case QUERY:
        return ALL;
    case GLOBAL:
    case GLOBAL_EXPEDITED:
        return 0;
    case REGISTER_GLOBAL_EXPEDITED:
    case REGISTER_PRIVATE_EXPEDITED:
    case REGISTER_PRIVATE_EXPEDITED_CORE:
        as->barriers |= (uint8_t)cmd;
        return 0;
    case PRIVATE_EXPEDITED:
    case PRIVATE_EXPEDITED_CORE:
        return as->barriers & cmd << 1 ? 0 : -EPERM;
    default:
        return -EINVAL;
    }
}
