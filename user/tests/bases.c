/*
 * The segment bases that arch_prctl and clone accept, and those that no processor accepts; and the
 * start of the stack, whose offset within its page differs from exec to exec.
 */
#include "edge.h"
#include "probe.h"
#include "proc.h"
#include "tap.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define COUNT(array)  (sizeof(array) / sizeof((array)[0]))
#define AT            0x100000000000UL
#define NON_CANONICAL 0x0000800000000000UL
#define ARCH_SET_GS   0x1001
#define ARCH_SET_FS   0x1002
#define ARCH_GET_FS   0x1003
#define ARCH_GET_GS   0x1004

static int set_base(void *argument)
{
    const unsigned long *values = argument;

    return (int)-RAW(SYS_arch_prctl, values[0], values[1]);
}

static int clone_with_base(void *base)
{
    long pid = RAW(SYS_clone, CLONE_SETTLS | SIGCHLD, 0, 0, 0, base);

    if (pid == 0) {
        unsigned long got = 0;
        long error = RAW(SYS_arch_prctl, ARCH_GET_FS, &got);
        RAW(SYS_exit_group, error == 0 && got == (unsigned long)base ? 0 : 1);
    }
    return pid < 0 ? (int)-pid : wait_for((pid_t)pid) == EXITED(0) ? 0 : 99;
}

static void test_bases(void)
{
    static const struct {
        unsigned long base;
        int error;
    } cases[] = {{0, 0},
                 {AT, 0},
                 {USER_END - 1, 0},
                 {NON_CANONICAL, EPERM},
                 {0xffff7fffffffffff, EPERM},
                 {0x8000000000000000, EPERM},
                 {0xffff800000000000, EPERM},
                 {0xffffffff80000000, EPERM},
                 {0xffffffffffffffff, EPERM}};

    for (size_t i = 0; i < COUNT(cases); i++) {
        unsigned long fs[2] = {ARCH_SET_FS, cases[i].base}, gs[2] = {ARCH_SET_GS, cases[i].base};
        is(run_child(set_base, fs, false), EXITED(cases[i].error), "ARCH_SET_FS to 0x%lx", fs[1]);
        is(run_child(set_base, gs, false), EXITED(cases[i].error), "ARCH_SET_GS to 0x%lx", gs[1]);
        is(run_child(clone_with_base, (void *)cases[i].base, false), EXITED(cases[i].error),
           "clone with CLONE_SETTLS to 0x%lx", fs[1]);
    }
    is(RAW(SYS_arch_prctl, ARCH_GET_FS, 8), -EFAULT, "ARCH_GET_FS to nowhere");
    is(RAW(SYS_arch_prctl, ARCH_GET_GS, 8), -EFAULT, "ARCH_GET_GS to nowhere");
    is(RAW(SYS_arch_prctl, 0x9999, 0), -EINVAL, "an arch_prctl that is unknown");
}

/* Returns the lowest bits of the stack pointer above its alignment, after exec. */
static int exec_to_stack(void *unused)
{
    char *argv[] = {"memoryedges", "stack", NULL}, *envp[] = {NULL};

    (void)unused;
    RAW(SYS_execve, "/proc/self/exe", argv, envp);
    return 0;
}

static void test_stack(void)
{
    unsigned char seen[256] = {0};
    int different = 0;

    for (int i = 0; i < 24; i++) {
        int status = run_child(exec_to_stack, NULL, false);
        different += status != NOT_RUN && seen[status >> 8 & 0xff]++ == 0;
    }
    ok(different >= 8, "the stack starts at another place in its page in each exec (%d of 24)",
       different);
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "stack") == 0) {
        return (int)((uintptr_t)argv >> 4 & 0xff);
    }
    tap_begin(argc, argv);
    test_bases();
    test_stack();
    return tap_end();
}
