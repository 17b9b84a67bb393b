/* Every system call with every allocation failing in turn. The call fails with ENOMEM, or succeeds
 * without the allocation. When it fails again in the same way, no more frames and objects are in
 * use than after the first time. The end of the machine detects any other leak. */
#include "tests/kernel_test.h"

#include <stdio.h>

#include "file/devices.h"
#include "proc/proc.h"
#include "syscall/poll.h"

/* Strings and structures of the calls, in user memory. */
#define PATH(n)  (AT(32) + 0x40 * (n))
#define OUT      (USER_DATA + 0x8000)
#define BUFFER   (USER_DATA + 0xa000) /* 3 pages */
#define AREA     0x10000000ull        /* 32 pages of anonymous memory, 16 of them there */
#define TRIES    5                    /* until a failure leaves no further objects */
#define FAIL_MAX 400

enum path {
    FILE_PATH,
    NEW_PATH,
    DIR_PATH,
    LINK_PATH,
    LONG_PATH,
    FIFO_PATH,
    PROGRAM_PATH,
    PROGRAM_ABOVE_PATH,
    SCRIPT_PATH,
    TYPE_TMPFS,
    TYPE_PROC,
    TYPE_DEVICES,
    OPTIONS,
    PROC_FD,
    PROC_MAPS,
    PROC_STATUS,
    TMP_PATH,
    PATHS
};

static const char *const path_text[PATHS] = {
    [FILE_PATH] = "/tmp/file",
    [NEW_PATH] = "/tmp/new",
    [DIR_PATH] = "/tmp/dir",
    [LINK_PATH] = "/tmp/link",
    [LONG_PATH] = "/tmp/dir/../dir",
    [FIFO_PATH] = "/tmp/fifo",
    [PROGRAM_PATH] = "/other",
    [PROGRAM_ABOVE_PATH] = "../../other",
    [SCRIPT_PATH] = "/script",
    [TYPE_TMPFS] = "tmpfs",
    [TYPE_PROC] = "proc",
    [TYPE_DEVICES] = "devtmpfs",
    [OPTIONS] = "size=1m",
    [PROC_FD] = "/proc/self/fd/3",
    [PROC_MAPS] = "/proc/self/maps",
    [PROC_STATUS] = "/proc/self/status",
    [TMP_PATH] = "/tmp",
};

/* Descriptors that every child has. */
enum { FILE_FD = 3, IN_FD, OUT_FD, DIR_FD, ZERO_FD, CONSOLE_FD, FD_DIR_FD, EVENTS_FD };

/* Structures at OUT. */
#define TIME    (OUT + 0)   /* 1 ms */
#define VECTORS (OUT + 64)  /* two of BUFFER */
#define STRINGS (OUT + 128) /* argv and envp */
#define SET     (OUT + 192) /* of signals: none */
#define POLLED  (OUT + 256) /* six descriptors */
#define ACTION  (OUT + 384)
#define LIMIT   (OUT + 448)
#define GROUPS  (OUT + 512)
#define RESULT  (OUT + 1024)

#define P(n) PATH(n##_PATH)

static const struct starved_call {
    const char *name;
    unsigned number;
    uint64_t a[6];
} table[] = {
    {"read", SYS_read, {FILE_FD, BUFFER, 9000}},
    {"read of zeros", SYS_read, {ZERO_FD, AREA, 9000}},
    {"write", SYS_write, {FILE_FD, BUFFER, 12288}},
    {"write to a pipe", SYS_write, {OUT_FD, BUFFER, 12288}},
    {"pwrite beyond the end", SYS_pwrite64, {FILE_FD, BUFFER, 5000, 1u << 20}},
    {"readv", SYS_readv, {FILE_FD, VECTORS, 2}},
    {"writev", SYS_writev, {FILE_FD, VECTORS, 2}},
    {"writev to a pipe", SYS_writev, {OUT_FD, VECTORS, 2}},
    {"open", SYS_open, {P(FILE), O_RDWR}},
    {"open makes a file", SYS_open, {P(NEW), O_RDWR | O_CREAT, 0644}},
    {"open of a nameless file", SYS_open, {PATH(DIR_PATH), 020200000 | O_RDWR, 0644}},
    {"open truncates", SYS_open, {P(FILE), O_RDWR | O_TRUNC}},
    {"open of a directory", SYS_open, {P(DIR), O_RDONLY}},
    {"open by a link", SYS_open, {P(LINK), O_RDONLY}},
    {"open of a FIFO", SYS_open, {P(FIFO), O_RDWR}},
    {"open by /proc/self/fd", SYS_open, {PATH(PROC_FD), O_RDONLY}},
    {"open of maps", SYS_open, {PATH(PROC_MAPS), O_RDONLY}},
    {"openat", SYS_openat, {DIR_FD, P(FILE), O_RDONLY}},
    {"stat", SYS_stat, {P(LINK), RESULT}},
    {"stat in /proc", SYS_stat, {PATH(PROC_STATUS), RESULT}},
    {"lstat", SYS_lstat, {P(LINK), RESULT}},
    {"access", SYS_access, {P(LONG), 4}},
    {"poll of six", SYS_poll, {POLLED, 6, 1}},
    {"ppoll", SYS_ppoll, {POLLED, 6, TIME, 0, 8}},
    {"select", SYS_select, {9, RESULT, 0, 0, TIME}},
    {"mmap", SYS_mmap, {0, 0x5000, 3, 0x22, UINT64_MAX, 0}},
    {"mmap, populated", SYS_mmap, {0, 0x30000, 3, 0x8022, UINT64_MAX, 0}},
    {"mmap shared", SYS_mmap, {0, 0x5000, 3, 0x8021, UINT64_MAX, 0}},
    {"mmap of a file", SYS_mmap, {0, 0x3000, 3, 0x8002, FILE_FD, 0}},
    {"mmap in place", SYS_mmap, {AREA + 0x3000, 0x3000, 1, 0x32, UINT64_MAX, 0}},
    {"mprotect", SYS_mprotect, {AREA + 0x1000, 0x2000, 1}},
    {"munmap", SYS_munmap, {AREA + 0x1000, 0x2000}},
    {"mremap", SYS_mremap, {AREA, 0x4000, 0x40000, 1}},
    {"mremap of a part", SYS_mremap, {AREA + 0x2000, 0x2000, 0x4000, 1}},
    {"madvise", SYS_madvise, {AREA, 0x4000, 4}},
    {"mincore", SYS_mincore, {AREA, 0x4000, RESULT}},
    {"mlock of a part", SYS_mlock, {AREA + 0x1000, 0x2000}},
    {"mmap, locked", SYS_mmap, {0, 0x30000, 3, 0x2022, UINT64_MAX, 0}},
    {"memfd_create", SYS_memfd_create, {P(NEW), 1}},
    {"inotify_init1", SYS_inotify_init1, {0}},
    {"inotify_add_watch", SYS_inotify_add_watch, {EVENTS_FD, P(LONG), 0xfff}},
    {"process_vm_readv", SYS_process_vm_readv, {1, VECTORS, 1, VECTORS + 16, 1, 0}},
    {"msync", SYS_msync, {AREA, 0x4000, 4}},
    {"pipe", SYS_pipe, {RESULT}},
    {"dup", SYS_dup, {FILE_FD}},
    {"dup2 beyond the table", SYS_dup2, {FILE_FD, 500}},
    {"fcntl F_DUPFD", SYS_fcntl, {FILE_FD, 0, 900}},
    {"sendfile", SYS_sendfile, {OUT_FD, FILE_FD, 0, 9000}},
    {"clone", SYS_clone, {SIGCHLD}},
    {"clone with memory", SYS_clone, {CLONE_VM | CLONE_VFORK | CLONE_FILES | SIGCHLD}},
    {"clone with all shared", SYS_clone, {CLONE_VM | CLONE_SIGHAND | CLONE_FS | SIGCHLD}},
    {"clone stores pids", SYS_clone, {CLONE_CHILD_SETTID | SIGCHLD, 0, 0, AREA}},
    {"vfork", SYS_vfork, {0}},
    {"execve", SYS_execve, {PATH(PROGRAM_PATH), STRINGS, STRINGS + 24}},
    {"execveat", SYS_execveat, {DIR_FD, P(PROGRAM_ABOVE), STRINGS, STRINGS + 24, 0x100}},
    {"execve of a script", SYS_execve, {PATH(SCRIPT_PATH), STRINGS, STRINGS + 24}},
    {"truncate", SYS_truncate, {P(FILE), 5000}},
    {"ftruncate", SYS_ftruncate, {FILE_FD, 100}},
    {"fallocate", SYS_fallocate, {FILE_FD, 0, 0, 40000}},
    {"fallocate makes a hole", SYS_fallocate, {FILE_FD, 3, 100, 9000}},
    {"getcwd", SYS_getcwd, {RESULT, 100}},
    {"chdir", SYS_chdir, {P(DIR)}},
    {"fchdir", SYS_fchdir, {DIR_FD}},
    {"chroot", SYS_chroot, {P(DIR)}},
    {"rename", SYS_rename, {P(FILE), P(NEW)}},
    {"rename exchanges", SYS_renameat2, {DIR_FD, P(FILE), DIR_FD, P(DIR), 2}},
    {"mkdir", SYS_mkdir, {P(NEW), 0755}},
    {"rmdir", SYS_rmdir, {P(DIR)}},
    {"link", SYS_link, {P(FILE), P(NEW)}},
    {"unlink", SYS_unlink, {P(FILE)}},
    {"symlink", SYS_symlink, {P(FILE), P(NEW)}},
    {"readlink", SYS_readlink, {P(LINK), RESULT, 100}},
    {"readlink of /proc/self/fd", SYS_readlink, {PATH(PROC_FD), RESULT, 100}},
    {"mknod", SYS_mknod, {P(NEW), 0010644, 0}},
    {"chmod", SYS_chmod, {P(FILE), 0600}},
    {"chown", SYS_chown, {P(FILE), 7, 7}},
    {"utimensat", SYS_utimensat, {DIR_FD, P(FILE), 0, 0}},
    {"statfs", SYS_statfs, {P(FILE), RESULT}},
    {"getdents64", SYS_getdents64, {DIR_FD, BUFFER, 4096}},
    {"getdents64 of /proc/self/fd", SYS_getdents64, {FD_DIR_FD, BUFFER, 4096}},
    {"mount tmpfs", SYS_mount, {0, P(DIR), PATH(TYPE_TMPFS), 0, PATH(OPTIONS)}},
    {"mount devices", SYS_mount, {0, P(DIR), PATH(TYPE_DEVICES), 1, PATH(OPTIONS)}},
    {"mount proc", SYS_mount, {0, P(DIR), PATH(TYPE_PROC), 0, 0}},
    {"mount bind", SYS_mount, {P(FILE), P(FIFO), 0, 4096, 0}},
    {"setresuid", SYS_setresuid, {7, 7, 7}},
    {"setgroups", SYS_setgroups, {4, GROUPS}},
    {"kill queues", SYS_kill, {0, SIGRTMIN + 3}},
    {"rt_sigaction", SYS_rt_sigaction, {SIGUSR1, ACTION, RESULT, 8}},
    {"setrlimit", SYS_setrlimit, {RLIMIT_NOFILE, LIMIT}},
    {"nanosleep", SYS_nanosleep, {TIME, 0}},
    {"write to the console", SYS_write, {CONSOLE_FD, BUFFER, 600}},
};

/* Of the child that made the call last; not in its memory, so that nothing changes there. */
static struct {
    unsigned which;
    uint64_t fail_at;
    long result;
    uint64_t failed;
} outcome;

static void prepare_memory(void)
{
    const uint64_t time[2] = {0, 1000000}, limit[2] = {512, 1024};
    const uint64_t vectors[4] = {BUFFER, 5000, BUFFER + 5000, 5000};
    const uint64_t strings[6] = {P(FILE), P(LONG), 0, P(DIR), P(NEW), 0};
    const uint64_t action[4] = {SIG_IGN, SA_RESTORER, USER_RESTORER, 0};
    struct pollfd polled[6];
    for (int i = 0; i < 6; i++)
        polled[i] = (struct pollfd){IN_FD, POLLIN, 0};
    for (unsigned i = 0; i < PATHS; i++)
        user_string(PATH(i), path_text[i]);
    user_write(TIME, time, sizeof(time));
    user_write(LIMIT, limit, sizeof(limit));
    user_write(VECTORS, vectors, sizeof(vectors));
    user_write(STRINGS, strings, sizeof(strings));
    user_write(ACTION, action, sizeof(action));
    user_write(POLLED, polled, sizeof(polled));
    user_store(SET, 0);
    user_store(RESULT, 1u << IN_FD);
    for (uint64_t at = USER_DATA; at < USER_DATA + USER_DATA_SIZE; at += PAGE_SIZE)
        user_store(at + 8, 1);
    expect(AREA, sys(SYS_mmap, AREA, 0x20000, 3, 0x32, UINT64_MAX, 0));
    for (uint64_t at = AREA; at < AREA + 0x10000; at += PAGE_SIZE)
        user_store(at, 1);
    for (uint64_t at = thread_frame(current_thread)->rsp - 4096;
         at < thread_frame(current_thread)->rsp; at += 1024)
        (void)user_load(at);
}

static void prepare_files(void)
{
    expect(0, sys(SYS_mkdir, P(DIR), 0755));
    expect(FILE_FD, sys(SYS_open, P(FILE), O_RDWR | O_CREAT, 0644));
    expect(9000, sys(SYS_write, FILE_FD, BUFFER, 9000));
    expect(0, sys(SYS_lseek, FILE_FD, 0, 0));
    expect(0, sys(SYS_symlink, P(FILE), P(LINK)));
    expect(0, sys(SYS_mknod, P(FIFO), 0010644, 0));
    expect(0, sys(SYS_pipe, RESULT)); /* 4, 5 */
    expect(DIR_FD, call_open("/tmp", O_RDONLY, 0));
    expect(ZERO_FD, call_open("/dev/zero", O_RDWR, 0));
    expect(CONSOLE_FD, call_open("/dev/console", O_RDWR, 0));
    expect(FD_DIR_FD, call_open("/proc/self/fd", O_RDONLY, 0));
    user_store(RESULT, 1u << IN_FD);
    /* every call tells of the file and of what it makes, or that it lost an event */
    expect(EVENTS_FD, sys(SYS_inotify_init1, O_NONBLOCK));
    expect(1, sys(SYS_inotify_add_watch, EVENTS_FD, P(TMP), 0xfff));
    expect(2, sys(SYS_inotify_add_watch, EVENTS_FD, P(FIFO), 0xfff));
}

/* Removes the files that a call may have made, and restores those that it may have removed. */
static void tidy(void)
{
    (void)sys(SYS_umount2, P(DIR), 2);
    (void)sys(SYS_umount2, P(FIFO), 2);
    (void)sys(SYS_unlink, P(NEW));
    (void)sys(SYS_rmdir, P(NEW));
    (void)sys(SYS_mkdir, P(DIR), 0755);
    (void)sys(SYS_close, FILE_FD);
    (void)sys(SYS_unlink, P(FILE));
    (void)sys(SYS_rmdir, P(FILE));
    expect(FILE_FD, sys(SYS_open, P(FILE), O_RDWR | O_CREAT, 0644));
    expect(9000, sys(SYS_write, FILE_FD, BUFFER, 9000));
    expect(0, sys(SYS_lseek, FILE_FD, 0, 0));
    expect(0, sys(SYS_lseek, DIR_FD, 0, 0));
    user_store(RESULT, 1u << IN_FD);
}

static bool is_shortage(long result)
{
    return result == -ENOMEM || result == -EAGAIN || result == -ENOSPC;
}

/* Makes the call until it fails and leaves no more objects than the time before. */
static void call_in_child(void)
{
    const struct starved_call *c = &table[outcome.which];
    struct user_args args;
    struct ram_counts before = ram_counts(), after;
    size_t objects = alloc_objects();
    char text[128] = "";
    memcpy(args.a, c->a, sizeof(args.a));
    for (unsigned i = 0; i < TRIES; i++) {
        outcome.result = 0;
        alloc_fail_at(outcome.fail_at, false);
        long result = user_call(c->number, args);
        outcome.failed = alloc_failed();
        alloc_fail_at(0, false);
        outcome.result = result;
        if (!is_shortage(result))
            return;
        after = ram_counts();
        if (!*ram_difference(&before, &after, text, sizeof(text)) && objects == alloc_objects())
            return;
        before = after;
        objects = alloc_objects();
    }
    host_fail("%s, allocation %llu fails: each time more is in use: %s, %zu objects", c->name,
              (unsigned long long)outcome.fail_at, text, objects);
}

/* The program that execve starts. */
static void notes_success(void)
{
    outcome.failed = alloc_failed();
    outcome.result = 0;
    alloc_fail_at(0, false);
}

static void starve(unsigned which)
{
    for (uint64_t n = 1; n < FAIL_MAX; n++) {
        int status;
        outcome.which = which;
        outcome.fail_at = n;
        outcome.failed = 0;
        long pid = user_fork(call_in_child, 0);
        while (sys(SYS_wait4, (uint64_t)pid, RESULT, 0x40000000, 0) == -EINTR)
            ;
        user_read(&status, RESULT, sizeof(status));
        uint64_t failed = outcome.failed;
        alloc_fail_at(0, false);
        while (sys(SYS_wait4, (uint64_t)-1, 0, 0x40000000, 0) > 0)
            ;
        if (outcome.result < 0 && !is_shortage(outcome.result))
            host_fail("%s, allocation %llu fails: error %ld", table[which].name,
                      (unsigned long long)n, -outcome.result);
        if (status != 0 && table[which].number != SYS_kill)
            host_fail("%s, allocation %llu fails: status %#x", table[which].name,
                      (unsigned long long)n, (unsigned)status);
        tidy();
        if (!failed)
            return;
    }
    host_fail("%s: allocations without an end", table[which].name);
}

static unsigned first_call, last_call;

static void starves(void)
{
    prepare_memory();
    prepare_files();
    for (unsigned which = first_call; which < last_call; which++)
        starve(which);
}

static void run_calls(unsigned first, unsigned last)
{
    static const char script[] = "#!/other argument\n";
    const struct machine_file files[] = {
        {"/other", .program = notes_success},
        {"/script", .data = script, .size = sizeof(script) - 1},
    };
    first_call = first;
    last_call = last;
    run_init_with(starves, files, 2);
}

/* A machine for each call, so that a failure names it. */
static void test_every_allocation_of_every_call(void **state)
{
    (void)state;
    for (unsigned which = 0; which < sizeof(table) / sizeof(table[0]); which++) {
        printf("# %s\n", table[which].name);
        run_calls(which, which + 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_allocation_of_every_call),
    };
    return cmocka_run_group_tests_name("starved", tests, NULL, check_stacks);
}
