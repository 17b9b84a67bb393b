/* Settings of a process, and of the processor for it. */
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/usercopy.h"
#include "syscall/calls.h"
#include "task/process.h"

#define PR_GET_DUMPABLE 3
#define PR_SET_DUMPABLE 4
#define PR_SET_NAME     15
#define PR_GET_NAME     16

#define ARCH_SET_GS 0x1001
#define ARCH_SET_FS 0x1002
#define ARCH_GET_FS 0x1003
#define ARCH_GET_GS 0x1004

static long set_name(user_t from)
{
    char name[COMM_SIZE] = {0};
    long n = copy_string_from_user(name, from, sizeof(name));
    if (n < 0 && n != -ENAMETOOLONG)
        return n;
    name[COMM_SIZE - 1] = '\0';
    memcpy(current_thread->comm, name, sizeof(name));
    return 0;
}

/* arg2 to arg5: numbers or pointers, depending on the option. */
long sys_prctl(int option, uint64_t arg2, uint64_t arg3, uint64_t arg4, uint64_t arg5)
{
    (void)arg3, (void)arg4, (void)arg5;
    switch (option) {
    case PR_SET_NAME:
        return set_name(user_ptr(arg2));
    case PR_GET_NAME:
        return copy_to_user(user_ptr(arg2), current_thread->comm, sizeof(current_thread->comm));
    case PR_GET_DUMPABLE:
        return !current_process->undumpable;
    case PR_SET_DUMPABLE:
        if (arg2 > 1)
            return -EINVAL;
        current_process->undumpable = arg2 == 0;
        return 0;
    default:
        return -EINVAL;
    }
}

/* addr: the new base, or a pointer to the memory that gets the base. */
long sys_arch_prctl(int code, uint64_t addr)
{
    uint64_t value;
    switch (code) {
    case ARCH_SET_FS:
    case ARCH_SET_GS:
        if (addr >= USER_END)
            return -EPERM;
        user_base_write(code == ARCH_SET_FS ? USER_BASE_FS : USER_BASE_GS, addr);
        return 0;
    case ARCH_GET_FS:
    case ARCH_GET_GS:
        value = user_base_read(code == ARCH_GET_FS ? USER_BASE_FS : USER_BASE_GS);
        return copy_to_user(user_ptr(addr), &value, sizeof(value));
    default:
        return -EINVAL;
    }
}
