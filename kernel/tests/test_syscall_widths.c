/* The bits of each argument's register that each system call uses. The widths of Linux are listed
 * here from its SYSCALL_DEFINEs, independently of the kernel's own table. */
#include "tests/test.h"

#include <stdio.h>
#include <string.h>

#include "syscall/calls.h"

/* Bytes of each argument in turn. */
struct widths {
    const char *name, *widths;
};

static const struct widths linux_widths[] = {
    {"read", "488"},
    {"write", "488"},
    {"open", "842"},
    {"close", "4"},
    {"stat", "88"},
    {"fstat", "48"},
    {"lstat", "88"},
    {"poll", "844"},
    {"lseek", "484"},
    {"mmap", "888888"},
    {"mprotect", "888"},
    {"munmap", "88"},
    {"brk", "8"},
    {"rt_sigaction", "4888"},
    {"rt_sigprocmask", "4888"},
    {"rt_sigreturn", ""},
    {"ioctl", "448"},
    {"pread64", "4888"},
    {"pwrite64", "4888"},
    {"readv", "888"},
    {"writev", "888"},
    {"access", "84"},
    {"pipe", "8"},
    {"select", "48888"},
    {"sched_yield", ""},
    {"mremap", "88888"},
    {"msync", "884"},
    {"mincore", "888"},
    {"madvise", "884"},
    {"dup", "4"},
    {"dup2", "44"},
    {"pause", ""},
    {"nanosleep", "88"},
    {"getitimer", "48"},
    {"alarm", "4"},
    {"setitimer", "488"},
    {"getpid", ""},
    {"sendfile", "4488"},
    {"clone", "88888"},
    {"fork", ""},
    {"vfork", ""},
    {"execve", "888"},
    {"execveat", "48884"},
    {"adjtimex", "8"},
    {"clock_adjtime", "48"},
    {"exit", "4"},
    {"wait4", "4848"},
    {"waitid", "44848"},
    {"mlock", "88"},
    {"munlock", "88"},
    {"mlockall", "4"},
    {"munlockall", ""},
    {"mlock2", "884"},
    {"setdomainname", "84"},
    {"ioprio_set", "444"},
    {"getdents", "484"},
    {"readahead", "488"},
    {"sync_file_range", "4884"},
    {"membarrier", "444"},
    {"sched_setattr", "484"},
    {"sched_getattr", "4844"},
    {"memfd_create", "84"},
    {"process_vm_readv", "488888"},
    {"process_vm_writev", "488888"},
    {"kill", "44"},
    {"uname", "8"},
    {"fcntl", "448"},
    {"flock", "44"},
    {"inotify_init", ""},
    {"inotify_add_watch", "484"},
    {"inotify_rm_watch", "44"},
    {"inotify_init1", "4"},
    {"fsync", "4"},
    {"fdatasync", "4"},
    {"truncate", "88"},
    {"ftruncate", "48"},
    {"getcwd", "88"},
    {"chdir", "8"},
    {"fchdir", "4"},
    {"rename", "88"},
    {"mkdir", "82"},
    {"rmdir", "8"},
    {"link", "88"},
    {"unlink", "8"},
    {"symlink", "88"},
    {"readlink", "884"},
    {"chmod", "82"},
    {"fchmod", "42"},
    {"chown", "844"},
    {"fchown", "444"},
    {"lchown", "844"},
    {"umask", "4"},
    {"gettimeofday", "88"},
    {"getrlimit", "48"},
    {"sysinfo", "8"},
    {"getuid", ""},
    {"getgid", ""},
    {"setuid", "4"},
    {"setgid", "4"},
    {"geteuid", ""},
    {"getegid", ""},
    {"setpgid", "44"},
    {"getppid", ""},
    {"getpgrp", ""},
    {"setsid", ""},
    {"setreuid", "44"},
    {"setregid", "44"},
    {"getgroups", "48"},
    {"setgroups", "48"},
    {"setresuid", "444"},
    {"getresuid", "888"},
    {"setresgid", "444"},
    {"getresgid", "888"},
    {"getpgid", "4"},
    {"setfsuid", "4"},
    {"setfsgid", "4"},
    {"getsid", "4"},
    {"rt_sigpending", "88"},
    {"rt_sigqueueinfo", "448"},
    {"rt_tgsigqueueinfo", "4448"},
    {"rt_sigtimedwait", "8888"},
    {"rt_sigsuspend", "88"},
    {"sigaltstack", "88"},
    {"mknod", "824"},
    {"statfs", "88"},
    {"fstatfs", "48"},
    {"prctl", "48888"},
    {"arch_prctl", "48"},
    {"setrlimit", "48"},
    {"chroot", "8"},
    {"sync", ""},
    {"mount", "88888"},
    {"umount2", "84"},
    {"reboot", "4448"},
    {"gettid", ""},
    {"tkill", "44"},
    {"time", "8"},
    {"futex", "844884"},
    {"getdents64", "484"},
    {"set_tid_address", "8"},
    {"clock_gettime", "48"},
    {"clock_settime", "48"},
    {"settimeofday", "88"},
    {"clock_getres", "48"},
    {"clock_nanosleep", "4488"},
    {"exit_group", "4"},
    {"tgkill", "444"},
    {"utimes", "88"},
    {"openat", "4842"},
    {"mkdirat", "482"},
    {"mknodat", "4824"},
    {"fchownat", "48444"},
    {"newfstatat", "4884"},
    {"unlinkat", "484"},
    {"renameat", "4848"},
    {"linkat", "48484"},
    {"symlinkat", "848"},
    {"readlinkat", "4884"},
    {"fchmodat", "482"},
    {"faccessat", "484"},
    {"pselect6", "488888"},
    {"ppoll", "84888"},
    {"set_robust_list", "88"},
    {"utimensat", "4884"},
    {"fallocate", "4488"},
    {"dup3", "444"},
    {"pipe2", "84"},
    {"prlimit64", "4488"},
    {"renameat2", "48484"},
    {"getrandom", "884"},
    {"faccessat2", "4844"},
    {"fchmodat2", "4824"},
    {"creat", "82"},
    {"setxattr", "88884"},
    {"getxattr", "8888"},
    {"listxattr", "888"},
    {"removexattr", "88"},
    {"lsetxattr", "88884"},
    {"lgetxattr", "8888"},
    {"llistxattr", "888"},
    {"lremovexattr", "88"},
    {"fsetxattr", "48884"},
    {"fgetxattr", "4888"},
    {"flistxattr", "488"},
    {"fremovexattr", "48"},
    {"times", "8"},
    {"getrusage", "48"},
    {"preadv", "88888"},
    {"preadv2", "888884"},
    {"pwritev", "88888"},
    {"pwritev2", "888884"},
    {"statx", "48448"},
    {"close_range", "444"},
    {"fadvise64", "4884"},
    {"futimesat", "488"},
    {"utime", "88"},
    {"getcpu", "888"},
    {"sethostname", "84"},
    {"personality", "4"},
    {"capget", "88"},
    {"capset", "88"},
    {"getpriority", "44"},
    {"setpriority", "444"},
    {"sched_getaffinity", "448"},
    {"sched_setaffinity", "448"},
    {"sched_getscheduler", "4"},
    {"sched_setscheduler", "448"},
    {"sched_getparam", "48"},
    {"sched_setparam", "48"},
    {"sched_get_priority_max", "4"},
    {"sched_get_priority_min", "4"},
    {"sched_rr_get_interval", "48"},
    {"ioprio_get", "44"},
    {"syncfs", "4"},
    {"copy_file_range", "484884"},
    {"splice", "484884"},
    {"socket", "444"},
    {"socketpair", "4448"},
    {"connect", "4"},
    {"accept", "4"},
    {"sendto", "4"},
    {"recvfrom", "4"},
    {"sendmsg", "4"},
    {"recvmsg", "4"},
    {"shutdown", "4"},
    {"bind", "4"},
    {"listen", "4"},
    {"getsockname", "4"},
    {"getpeername", "4"},
    {"setsockopt", "4"},
    {"getsockopt", "4"},
    {"accept4", "4"},
    {"openat2", "4888"},
    {"unshare", "8"},
};

/* The arguments of the stub that was called last. */
static struct {
    const char *name;
    unsigned count;
    uint64_t value[6];
} seen;

static void record(const void *argument, size_t size)
{
    uint64_t value = 0;
    memcpy(&value, argument, size);
    seen.value[seen.count++] = value;
}

/* For each call, a stub in place of the handler that stores its arguments. */
#define RECORD_NAME(name)          record(&name, sizeof(name))
#define RECORD(register, argument) RECORD_NAME(NAME_OF argument)
#define RECORD_NONE                (void)0
#define CALL(number, call, state, arguments, ...)                                                  \
    long sys_##call(LIST_ARGUMENTS(arguments, PARAMETER, __VA_ARGS__))                             \
    {                                                                                              \
        seen.name = #call;                                                                         \
        seen.count = 0;                                                                            \
        LIST_ARGUMENTS(arguments, RECORD, __VA_ARGS__);                                            \
        return number;                                                                             \
    }
#include "syscall/calls.def"

static const struct {
    const char *name;
    uint64_t number;
} calls[] = {
#define CALL(number, call, ...) {#call, number},
#include "syscall/calls.def"
};

#define CALLS (sizeof(calls) / sizeof(calls[0]))

static const char *widths_of(const char *name)
{
    for (size_t i = 0; i < sizeof(linux_widths) / sizeof(linux_widths[0]); i++)
        if (strcmp(linux_widths[i].name, name) == 0)
            return linux_widths[i].widths;
    fail_msg("%s: what Linux takes is not written down here", name);
    return "";
}

static uint64_t lower(uint64_t value, unsigned bytes)
{
    return bytes == 8 ? value : value & ((1ull << 8 * bytes) - 1);
}

static void check_call(uint64_t number, const char *name, const uint64_t registers[6])
{
    const char *widths = widths_of(name);
    struct trap_frame frame;
    memset(&frame, 0xa5, sizeof(frame));
    frame.rdi = registers[0];
    frame.rsi = registers[1];
    frame.rdx = registers[2];
    frame.r10 = registers[3];
    frame.r8 = registers[4];
    frame.r9 = registers[5];
    assert_int_equal(syscall_table[number](&frame), number);
    assert_string_equal(seen.name, name);
    if (seen.count != strlen(widths))
        fail_msg("%s: %u arguments instead of %zu", name, seen.count, strlen(widths));
    for (unsigned i = 0; i < seen.count; i++) {
        uint64_t right = lower(registers[i], (unsigned)(widths[i] - '0'));
        if (seen.value[i] != right)
            fail_msg("%s, argument %u: %#lx instead of %#lx", name, i + 1, seen.value[i], right);
    }
}

static void each_call_sees_as_much_of_its_registers_as_on_linux(void **state)
{
    static const uint64_t upper[] = {
        0, 0x100000000, 0xffffffff00000000, 0x8000000000000000, 0x5a5a5a5a5a5a5a5a, UINT64_MAX};
    (void)state;
    for (size_t i = 0; i < CALLS; i++) {
        for (unsigned pattern = 0; pattern < sizeof(upper) / sizeof(upper[0]); pattern++) {
            uint64_t registers[6];
            for (unsigned r = 0; r < 6; r++)
                registers[r] = upper[pattern] ^ (0x11111111u * (r + 1));
            check_call(calls[i].number, calls[i].name, registers);
        }
    }
}

static void the_two_lists_name_the_same_calls(void **state)
{
    (void)state;
    assert_int_equal(CALLS, sizeof(linux_widths) / sizeof(linux_widths[0]));
    for (size_t i = 0; i < CALLS; i++)
        (void)widths_of(calls[i].name);
}

static void the_table_has_the_calls_and_nothing_else(void **state)
{
    (void)state;
    size_t count = 0;
    for (uint64_t number = 0; number < SYSCALLS_MAX; number++)
        count += syscall_table[number] != NULL;
    assert_int_equal(count, CALLS);
    for (size_t i = 0; i < CALLS; i++)
        assert_non_null(syscall_table[calls[i].number]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_call_sees_as_much_of_its_registers_as_on_linux),
        cmocka_unit_test(the_two_lists_name_the_same_calls),
        cmocka_unit_test(the_table_has_the_calls_and_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
