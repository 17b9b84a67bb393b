/* Settings of a process, and of the processor for it. */
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/usercopy.h"
#include "syscall/calls.h"
#include "task/process.h"

#define PR_SET_PDEATHSIG       1
#define PR_GET_PDEATHSIG       2
#define PR_GET_DUMPABLE        3
#define PR_SET_DUMPABLE        4
#define PR_GET_KEEPCAPS        7
#define PR_SET_KEEPCAPS        8
#define PR_GET_TIMING          13
#define PR_SET_NAME            15
#define PR_GET_NAME            16
#define PR_GET_SECCOMP         21
#define PR_CAPBSET_READ        23
#define PR_CAPBSET_DROP        24
#define PR_GET_SECUREBITS      27
#define PR_SET_SECUREBITS      28
#define PR_SET_TIMERSLACK      29
#define PR_GET_TIMERSLACK      30
#define PR_SET_CHILD_SUBREAPER 36
#define PR_GET_CHILD_SUBREAPER 37
#define PR_SET_NO_NEW_PRIVS    38
#define PR_GET_NO_NEW_PRIVS    39
#define PR_CAP_AMBIENT         47

#define PR_CAP_AMBIENT_IS_SET    1
#define PR_CAP_AMBIENT_RAISE     2
#define PR_CAP_AMBIENT_LOWER     3
#define PR_CAP_AMBIENT_CLEAR_ALL 4

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
    size_t length = n < 0 ? COMM_SIZE - 1 : (size_t)n;
    memset(name + length, 0, sizeof(name) - length); /* also what was copied after the NUL */
    memcpy(current_thread->comm, name, sizeof(name));
    return 0;
}

static long set_death_signal(uint64_t signal)
{
    if (signal > NSIG)
        return -EINVAL;
    current_process->death_signal = (int)signal;
    return 0;
}

static long put_int(user_t to, int value)
{
    return copy_to_user(to, &value, sizeof(value));
}

static long set_keep_caps(uint64_t value)
{
    struct credentials *cred = &current_process->cred;
    if (value > 1)
        return -EINVAL;
    if (cred->secure_bits & SECURE_KEEP_CAPS << 1)
        return -EPERM;
    cred->secure_bits =
        (uint8_t)((cred->secure_bits & ~SECURE_KEEP_CAPS) | (value ? SECURE_KEEP_CAPS : 0));
    return 0;
}

/* A locked bit stays as it is, and a lock stays. */
static long set_secure_bits(uint64_t wanted)
{
    struct credentials *cred = &current_process->cred;
    uint64_t locks = cred->secure_bits & SECURE_ALL_LOCKS;
    if ((locks >> 1 & (cred->secure_bits ^ wanted)) || (locks & ~wanted) ||
        (wanted & ~(uint64_t)(SECURE_ALL_BITS | SECURE_ALL_LOCKS)) || !capable(CAP_SETPCAP))
        return -EPERM;
    cred->secure_bits = (uint8_t)wanted;
    return 0;
}

static long drop_bounding(uint64_t cap)
{
    if (!capable(CAP_SETPCAP))
        return -EPERM;
    if (cap > CAP_LAST)
        return -EINVAL;
    current_process->cred.caps.bounding &= ~CAP_BIT(cap);
    return 0;
}

static long read_bounding(uint64_t cap)
{
    return cap > CAP_LAST ? -EINVAL : (long)(current_process->cred.caps.bounding >> cap & 1);
}

/* prctl(PR_CAP_AMBIENT). zero: of the arguments that have to be 0, all bits. */
static long ambient(uint64_t operation, uint64_t cap, uint64_t zero)
{
    struct credentials *cred = &current_process->cred;
    struct capabilities *caps = &cred->caps;
    if (operation == PR_CAP_AMBIENT_CLEAR_ALL && (cap | zero) == 0)
        caps->ambient = 0;
    else if (operation == PR_CAP_AMBIENT_CLEAR_ALL || cap > CAP_LAST || zero)
        return -EINVAL;
    else if (operation == PR_CAP_AMBIENT_IS_SET)
        return (long)(caps->ambient >> cap & 1);
    else if (operation == PR_CAP_AMBIENT_LOWER)
        caps->ambient &= ~CAP_BIT(cap);
    else if (operation != PR_CAP_AMBIENT_RAISE)
        return -EINVAL;
    else if (!(caps->permitted & caps->inheritable & CAP_BIT(cap)) ||
             (cred->secure_bits & SECURE_NO_AMBIENT_RAISE))
        return -EPERM;
    else
        caps->ambient |= CAP_BIT(cap);
    return 0;
}

/* The options about capabilities. */
static long capability_option(int option, uint64_t arg2, uint64_t arg3, uint64_t zero)
{
    struct credentials *cred = &current_process->cred;
    switch (option) {
    case PR_GET_KEEPCAPS:
        return (cred->secure_bits & SECURE_KEEP_CAPS) != 0;
    case PR_SET_KEEPCAPS:
        return set_keep_caps(arg2);
    case PR_CAPBSET_READ:
        return read_bounding(arg2);
    case PR_CAPBSET_DROP:
        return drop_bounding(arg2);
    case PR_GET_SECUREBITS:
        return cred->secure_bits;
    case PR_SET_SECUREBITS:
        return set_secure_bits(arg2);
    case PR_SET_NO_NEW_PRIVS:
        if (arg2 != 1 || (arg3 | zero))
            return -EINVAL;
        cred->no_new_privileges = true;
        return 0;
    case PR_GET_NO_NEW_PRIVS:
        return arg2 | arg3 | zero ? -EINVAL : cred->no_new_privileges;
    case PR_CAP_AMBIENT:
        return ambient(arg2, arg3, zero);
    default:
        return -EINVAL;
    }
}

static long set_dumpable(uint64_t value)
{
    if (value > 1)
        return -EINVAL;
    current_process->undumpable = value == 0;
    return 0;
}

/* arg2 to arg5: numbers or pointers, depending on the option. */
long sys_prctl(int option, uint64_t arg2, uint64_t arg3, uint64_t arg4, uint64_t arg5)
{
    struct process *process = current_process;
    switch (option) {
    case PR_SET_PDEATHSIG:
        return set_death_signal(arg2);
    case PR_GET_PDEATHSIG:
        return put_int(user_ptr(arg2), process->death_signal);
    case PR_SET_NAME:
        return set_name(user_ptr(arg2));
    case PR_GET_NAME:
        return copy_to_user(user_ptr(arg2), current_thread->comm, sizeof(current_thread->comm));
    case PR_GET_DUMPABLE:
        return !process->undumpable;
    case PR_SET_DUMPABLE:
        return set_dumpable(arg2);
    case PR_GET_SECCOMP:
    case PR_GET_TIMING: /* PR_TIMING_STATISTICAL */
        return 0;
    case PR_SET_TIMERSLACK: /* 0: the usual one */
        process->timer_slack = arg2;
        return 0;
    case PR_GET_TIMERSLACK:
        return process->timer_slack ? (long)process->timer_slack : TIMER_SLACK;
    case PR_SET_CHILD_SUBREAPER:
        process->is_subreaper = arg2 != 0;
        return 0;
    case PR_GET_CHILD_SUBREAPER:
        return put_int(user_ptr(arg2), process->is_subreaper);
    default:
        return capability_option(option, arg2, arg3, arg4 | arg5);
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
