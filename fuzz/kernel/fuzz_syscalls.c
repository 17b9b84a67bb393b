/*
 * Bytes become what a few processes do on a whole machine (kernel/host/machine.h): system calls
 * whose arguments are made from the kernel's own table of calls, accesses to memory, faults,
 * handlers, forks, exec, ticks of the clock, typed bytes, and allocations that fail. After each
 * call the machine is checked (host/check.c); at the end every process is killed in whatever it
 * sleeps, and nothing may be left.
 *
 * Input: what several processes do on a hosted kernel: calls made from the kernel's table,
 * accesses, faults, handlers, forks, signals, ticks, typed bytes, failing allocations.
 * Proves: after each call all books of the kernel are right, no byte reaches a program that
 * nobody has initialised, and after the end nothing is left.
 * Does not prove: that the answers are those of Linux, nor anything about interrupts inside the
 * kernel.
 * Oracles: counts of holders, frames, pipes, lists, threads, areas and page tables
 * (kernel/host/check.h); what may happen to a process (kernel/host/history.h); freed objects stay
 * poisoned until 256 others are freed.
 * Rate: 100/s
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>

#include "arch/x86.h"
#include "file/files.h"
#include "host/fibre.h"
#include "host/machine.h"
#include "lib/errno.h"
#include "proc/proc.h"
#include "syscall/calls.h"
#include "syscall/describe.h"
#include "task/process.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
const char *__asan_default_options(void);

/* Stacks of threads are left in the middle of a function: nothing of theirs is kept. */
const char *__asan_default_options(void)
{
    return "detect_stack_use_after_return=0:quarantine_size_mb=8:malloc_context_size=4";
}

#define ACTIONS_MAX   300
#define PROCESSES_MAX 6
#define NESTED_MAX    8 /* handlers that act */
#define FRAMES        1536

/* Places in the memory of each process. */
#define BUFFER(n) (USER_DATA + 0x8000 + 0x400 * (n)) /* 16 of them */
#define PATHS_AT  (USER_DATA + 0x2000)
#define VECTOR(n) (USER_DATA + 0x3000 + 32 * (n)) /* n strings, up to 3 */
#define AREA      0x10000000ull                   /* what calls map and unmap */
#define EDGE      (USER_DATA + USER_DATA_SIZE)

/* The rest of the input; take() gives 0 after its end. */
static const uint8_t *input;
static size_t input_left;
static unsigned actions, processes, nested;

/* The last descriptors that calls have returned, in any process. */
#define NR_RETURNED 4
static uint64_t returned[NR_RETURNED];
static unsigned nr_returned;

static uint8_t take(void)
{
    if (input_left == 0)
        return 0;
    input_left--;
    return *input++;
}

static unsigned take_below(unsigned n)
{
    return take() % n;
}

static const char *const paths[] = {
    "/tmp",
    "/tmp/a",
    "/tmp/b",
    "a",
    "/tmp/d/e",
    "/tmp/fifo",
    "/dev/null",
    "/dev/zero",
    "/dev/console",
    "/dev/tty",
    "/proc/self/maps",
    "/proc/self/fd/3",
    "/proc/1/fd",
    "/proc/self/exe",
    "/proc/mounts",
    "/other",
    "/init",
    "/script",
    "..",
    "",
    "/",
    "/proc/3/fd/0",
    "tmpfs",
    "proc",
    "/dev/none",
};
#define NR_PATHS (sizeof(paths) / sizeof(paths[0]))

/* Addresses that are good, half good and bad. */
static uint64_t some_pointer(void)
{
    static const uint64_t edges[] = {0,
                                     8,
                                     USER_TEXT,
                                     EDGE - 1,
                                     EDGE - 8,
                                     EDGE,
                                     USER_END - 4,
                                     USER_END,
                                     0x800000000000,
                                     DIRECT_MAP,
                                     KERNEL_BASE,
                                     UINT64_MAX - 7,
                                     UINT64_MAX,
                                     AREA,
                                     AREA + 0xffc,
                                     AREA + 0x3000};
    uint8_t choice = take();
    return choice < 200 ? BUFFER(choice % 16) + (choice / 16 % 2) * 8
                        : edges[choice % (sizeof(edges) / sizeof(edges[0]))];
}

static uint64_t some_number(void)
{
    static const uint64_t numbers[] = {0,
                                       1,
                                       2,
                                       3,
                                       4,
                                       5,
                                       7,
                                       8,
                                       10,
                                       16,
                                       64,
                                       100,
                                       128,
                                       255,
                                       256,
                                       1000,
                                       4095,
                                       4096,
                                       4097,
                                       8192,
                                       65535,
                                       65536,
                                       1u << 20,
                                       0x7fffffff,
                                       0x80000000,
                                       0xffffffff,
                                       1ull << 32,
                                       1ull << 47,
                                       INT64_MAX,
                                       1ull << 63,
                                       UINT64_MAX - 1,
                                       UINT64_MAX};
    uint8_t choice = take();
    return choice < 96 ? choice % 16 : numbers[choice % (sizeof(numbers) / sizeof(numbers[0]))];
}

static uint64_t some_size(void)
{
    static const uint64_t sizes[] = {
        0,    1,    4,    8,     16,      24,       100,        128,       1024,       4095,
        4096, 4097, 9000, 65536, 0x20000, 1u << 20, UINT32_MAX, INT64_MAX, UINT64_MAX, 3};
    uint8_t choice = take();
    return choice < 180 ? sizes[choice % 15] : sizes[choice % (sizeof(sizes) / sizeof(sizes[0]))];
}

static uint64_t some_address(void)
{
    uint8_t choice = take();
    if (choice >= 230)
        return some_pointer();
    return choice < 30 ? 0 : AREA + (uint64_t)(choice % 24) * PAGE_SIZE + (choice > 200 ? 8 : 0);
}

/* Few numbers, so that calls meet: those at the start, those that a call has returned, any low one. */
static uint64_t some_descriptor(void)
{
    uint8_t choice = take();
    if (choice < 80)
        return returned[choice % NR_RETURNED];
    if (choice < 224)
        return choice % 12;
    return choice < 240 ? UINT64_MAX : choice < 250 ? (uint64_t)-100 : choice % 2 ? 1023 : 1u << 31;
}

static uint64_t some_flags(const struct name_set *names)
{
    uint64_t flags = 0;
    uint8_t choice = take();
    if (choice < 8)
        return some_number();
    for (unsigned i = choice % 4; i > 0 && names->count > 0; i--)
        flags |= names->name[take_below(names->count)].value;
    return flags;
}

static uint64_t some_name(const struct name_set *names)
{
    uint8_t choice = take();
    if (choice >= 248 || names->count == 0)
        return some_number();
    return names->name[choice % names->count].value;
}

static uint64_t some_path(void)
{
    uint8_t choice = take();
    if (choice >= 240)
        return some_pointer();
    return PATHS_AT + 32 * (choice % NR_PATHS);
}

/* Strings of execve(2). */
static uint64_t some_vector(void)
{
    uint8_t choice = take();
    return choice < 192 ? VECTOR(choice % 4) : some_pointer();
}

static uint64_t some_argument(const struct argument *argument)
{
    switch ((enum meaning)argument->meaning) {
    case MEANS_SIZE: /* of a set of signals only one is right */
        if (strcmp(argument->name, "sigsetsize") == 0 && take() % 16 != 0)
            return sizeof(uint64_t);
        return some_size();
    case MEANS_COUNT:
        return some_size();
    case MEANS_ADDRESS:
        return some_address();
    case MEANS_SIGNAL:
        return take() % 70;
    case MEANS_PID: {
        uint8_t choice = take();
        return choice < 200 ? choice % 9 : (uint64_t)-(int64_t)(choice % 9);
    }
    case MEANS_FD:
    case MEANS_DIRFD:
        return some_descriptor();
    case MEANS_FLAGS:
        return some_flags(argument->names);
    case MEANS_NAMED:
        return some_name(argument->names);
    case MEANS_PATH:
    case MEANS_STRING:
        return some_path();
    case MEANS_UNION:
        return take() % 2 ? some_pointer() : some_number();
    case MEANS_STRINGS:
    case MEANS_ENVIRONMENT:
        return some_vector();
    case MEANS_POINTER:
    case MEANS_OUT_STRING:
    case MEANS_BYTES_IN:
    case MEANS_BYTES_OUT:
    case MEANS_IN:
    case MEANS_OUT:
    case MEANS_INOUT:
        return some_pointer();
    default:
        return some_number();
    }
}

/* A word that a structure may consist of. */
static uint64_t some_word(void)
{
    switch (take() % 6) {
    case 0:
        return some_number();
    case 1:
        return some_pointer();
    case 2:
        return some_path();
    case 3:
        return some_descriptor() | (uint64_t)(take() % 32) << 32;
    default:
        return take() % 64;
    }
}

static void poke(void)
{
    virt_t at = BUFFER(take_below(16));
    for (unsigned i = 0, n = 1 + take_below(6); i < n; i++)
        user_store(at + 8 * i, some_word());
}

static void act(void);

/* Its argument is its user. */
static void lives(void)
{
    if (user_argument() != 0)
        (void)sys(SYS_setuid, user_argument());
    while (input_left > 0 && actions < ACTIONS_MAX)
        act();
    sys(SYS_exit_group, 0);
}

static void handles(int signal, virt_t info, virt_t context)
{
    (void)info;
    if (signal == SIGSEGV || signal == SIGBUS || signal == SIGFPE || signal == SIGILL)
        user_skip(context);
    if (take() % 4 == 0 && actions < ACTIONS_MAX && nested < NESTED_MAX) {
        nested++;
        act();
        nested--;
    }
    if (take() % 32 == 0) /* the frame that it returns with is not what the kernel wrote */
        user_store(context + 8 * take_below(40), some_word());
}

static void set_handler(void)
{
    static const uint32_t flags[] = {0,          SA_RESTART,  SA_NODEFER, SA_RESETHAND,
                                     SA_ONSTACK, SA_NOCLDWAIT};
    static const uint8_t popular[] = {SIGCHLD, SIGCHLD, SIGSEGV, SIGBUS,
                                      SIGALRM, SIGPIPE, SIGUSR1, SIGCHLD};
    uint8_t choice = take();
    int signal = choice < 96 ? 1 + choice % 64 : popular[choice % 8];
    (void)user_on_signal(signal, handles, flags[take_below(6)], take());
}

/* New processes begin with `lives`. Process 1 keeps memory and handlers for itself, which are the first `kinds`. */
static void fork_some(unsigned kinds)
{
    static const uint64_t flags[] = {0,
                                     CLONE_FILES,
                                     CLONE_FS,
                                     CLONE_VM | CLONE_VFORK,
                                     CLONE_VM | CLONE_SIGHAND,
                                     CLONE_VM | CLONE_FILES | CLONE_FS | CLONE_SIGHAND,
                                     CLONE_VM | CLONE_FILES | CLONE_VFORK};
    if (processes++ >= 4 * PROCESSES_MAX)
        return;
    uint64_t chosen = flags[take_below(kinds)] | (take() % 8 ? SIGCHLD : take() % 64);
    (void)user_clone(chosen, 0, lives, processes % 3 == 2 ? 1000 : 0);
}

/* Calls that end the machine, or the process without a trace, are left out; those that make processes have a
 * function of their own. */
static bool is_left_out(uint64_t number)
{
    return number == SYS_reboot || number == SYS_fork || number == SYS_vfork ||
           number == SYS_clone || number == SYS_rt_sigreturn;
}

/* What Linux takes as 32 bits or fewer has other bits above them. */
static void fill_upper_halves(const struct call_info *info, struct user_args *args, uint64_t bits)
{
    for (unsigned i = 0; i < info->count; i++)
        if (info->argument[i].size < sizeof(args->a[i]))
            args->a[i] = (uint32_t)args->a[i] | bits << 32;
}

/* Any call, or, as often, one that makes, shares, changes or ends what other processes use, or sleeps. */
static unsigned some_call(void)
{
    static const uint16_t popular[] = {
        SYS_read,       SYS_write,     SYS_open,   SYS_close,         SYS_poll,
        SYS_mmap,       SYS_mprotect,  SYS_munmap, SYS_rt_sigaction,  SYS_rt_sigprocmask,
        SYS_readv,      SYS_writev,    SYS_pipe,   SYS_select,        SYS_mremap,
        SYS_dup,        SYS_dup2,      SYS_pause,  SYS_nanosleep,     SYS_execve,
        SYS_exit_group, SYS_wait4,     SYS_kill,   SYS_fcntl,         SYS_getdents64,
        SYS_chdir,      SYS_rename,    SYS_unlink, SYS_rt_sigsuspend, SYS_rt_sigtimedwait,
        SYS_setpgid,    SYS_prlimit64, SYS_openat, SYS_ppoll,         SYS_unshare,
        SYS_setresuid,  SYS_dup3,      SYS_pipe2,  SYS_close_range,   SYS_execveat,
    };
    uint8_t choice = take();
    unsigned number = choice < 128 ? popular[choice % (sizeof(popular) / sizeof(popular[0]))]
                                   : take() | (choice & 1u) << 8;
    while (!syscall_table[number] || is_left_out(number))
        number = (number + 1) % SYSCALLS_MAX;
    return number;
}

static void remember_descriptor(unsigned number, long result)
{
    bool is_new = number == SYS_open || number == SYS_openat || number == SYS_dup ||
                  number == SYS_dup2 || number == SYS_dup3 || number == SYS_fcntl;
    if (is_new && result >= 0)
        returned[nr_returned++ % NR_RETURNED] = (uint64_t)result;
}

static void call(void)
{
    unsigned number = some_call();
    struct user_args args = {{0}};
    const struct call_info *info = call_info(number);
    for (unsigned i = 0; i < info->count; i++)
        args.a[i] = some_argument(&info->argument[i]);
    uint8_t starved = take();
    if (starved % 8 == 1)
        fill_upper_halves(info, &args, starved);
    if (starved >= 240)
        alloc_fail_at(1 + starved % 8, starved % 16 == 0);
    remember_descriptor(number, user_call(number, args));
    alloc_fail_at(0, false);
}

static void access_memory(void)
{
    virt_t at = take() % 4 ? some_address() & ~7ull : some_pointer() & ~7ull;
    switch (take() % 3) {
    case 0:
        (void)user_load(at);
        break;
    case 1:
        user_store(at, take());
        break;
    default:
        user_fetch(at);
    }
}

/* Both ends of a pipe, and what others that share the descriptors do with it meanwhile. */
static void use_pipe_once(void)
{
    virt_t at = BUFFER(15);
    uint64_t ends = user_load(at);
    switch (take_below(5)) {
    case 0:
        (void)sys(SYS_pipe2, at, take_below(4) ? 0 : O_NONBLOCK);
        break;
    case 1:
        (void)sys(SYS_close, take_below(2) ? ends & UINT32_MAX : ends >> 32);
        break;
    case 2:
        (void)sys(SYS_write, ends >> 32, BUFFER(1), some_size());
        break;
    default:
        (void)sys(SYS_read, ends & UINT32_MAX, BUFFER(2), some_size());
    }
}

static void use_pipe(void)
{
    for (unsigned i = 0, n = 1 + take_below(4); i < n; i++)
        use_pipe_once();
}

/* Areas that lie side by side, of two protections: they split, merge and go. */
static void shape_memory_once(void)
{
    virt_t at = AREA + (uint64_t)take_below(32) * PAGE_SIZE;
    uint64_t size = (uint64_t)(1 + take_below(3)) * PAGE_SIZE, prot = 1 + take_below(2) * 2;
    switch (take_below(4)) {
    case 0:
        (void)sys(SYS_munmap, at, size);
        break;
    case 1:
        (void)sys(SYS_mprotect, at, size, prot);
        break;
    default:
        (void)sys(SYS_mmap, at, size, prot, 0x32, UINT64_MAX, 0);
    }
}

static void shape_memory(void)
{
    for (unsigned i = 0, n = 1 + take_below(12); i < n; i++)
        shape_memory_once();
}

/* Another program takes the place of this one. */
static void exec_some(void)
{
    static const uint8_t programs[] = {13, 15, 16, 17}; /* of paths */
    uint64_t path = PATHS_AT + 32 * programs[take_below(4)];
    uint64_t arguments = some_vector(), environment = some_vector();
    (void)sys(SYS_execve, path, arguments, environment);
}

static void raise_exception(void)
{
    static const unsigned vectors[] = {VEC_DE, VEC_BP, VEC_UD, VEC_GP,
                                       VEC_AC, VEC_DB, VEC_MF, VEC_OF};
    user_exception_at(vectors[take_below(8)], 0);
}

static void type_some(void)
{
    static const char *const typed[] = {"a line\n", "\003", "x", "\004", "\034", "\177\025yz\r"};
    user_type(typed[take_below(6)]);
}

/* One step of the process that runs; one time in eight others run before. */
static void act(void)
{
    uint8_t choice = take();
    actions++;
    if (choice >= 224)
        (void)sys(SYS_sched_yield);
    switch (choice % 32) {
    case 0:
    case 13:
        fork_some(7);
        break;
    case 1:
        set_handler();
        break;
    case 2:
    case 3:
        poke();
        break;
    case 4:
        access_memory();
        break;
    case 5:
        user_tick();
        break;
    case 6:
        (void)sys(SYS_sched_yield);
        break;
    case 7:
        if (take() % 4 == 0)
            raise_exception();
        break;
    case 8:
        type_some();
        break;
    case 9:
        shape_memory();
        break;
    case 10:
    case 11:
    case 12:
        use_pipe();
        break;
    case 14:
        exec_some();
        break;
    default:
        call();
    }
}

static void make_memory(void)
{
    for (unsigned i = 0; i < NR_PATHS; i++)
        user_string(PATHS_AT + 32 * i, paths[i]);
    for (unsigned i = 0; i < 16; i++) {
        user_store(BUFFER(i), i % 4 ? i : 0);
        user_store(BUFFER(i) + 8, 1000 * i);
    }
    for (unsigned i = 0; i < 4; i++)
        for (unsigned n = 0; n <= i; n++)
            user_store(VECTOR(i) + 8 * n, n < i ? PATHS_AT + 32 * (n + 1) : 0);
    (void)sys(SYS_mmap, AREA, 0x8000, 3, 0x32, UINT64_MAX, 0);
}

static void other(void)
{
    make_memory();
    lives();
}

/* What all processes have open at first: a pipe, a directory and a file. */
static void open_some(void)
{
    (void)sys(SYS_pipe2, BUFFER(15), 0);
    (void)sys(SYS_open, PATHS_AT + 32 * 20, 0);
    (void)sys(SYS_open, PATHS_AT + 32 * 1, UMVFS_O_RDWR);
}

/* Process 1 never sleeps for long and is never ended: it keeps the others going while there is input. */
static void keeps_going(void)
{
    make_memory();
    (void)sys(SYS_chdir, PATHS_AT);
    (void)sys(SYS_mknod, PATHS_AT + 32 * 5, 0010666, 0);
    open_some();
    for (unsigned i = 0; input_left > 0 && actions < ACTIONS_MAX; i++) {
        if (processes < PROCESSES_MAX && i % 4 == 0)
            fork_some(3);
        uint8_t choice = take();
        if (choice < 64)
            (void)sys(SYS_kill, 2 + choice % 8, take() % 65);
        else if (choice < 96)
            user_tick();
        else if (choice < 128)
            type_some();
        actions++;
        (void)sys(SYS_sched_yield);
        while (sys(SYS_wait4, (uint64_t)-1, 0, 1, 0) > 0)
            ;
    }
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc, (void)argv;
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char script[] = "#!/other x\n";
    const struct machine_file files[] = {
        {"/other", .program = other},
        {"/script", .data = script, .size = sizeof(script) - 1},
        {"/tmp/a", .data = paths, .size = 0, .mode = 0666},
    };
    bool is_traced = size > 0 && data[size - 1] % 32 == 31; /* decoding is slow */
    const struct machine_options options = {.frames = FRAMES,
                                            .cmdline = is_traced ? "trace=all" : "",
                                            .files = files,
                                            .nr_files = 3,
                                            .check_calls = true,
                                            .allow_refetch = true};
    input = data;
    input_left = size;
    actions = processes = nested = nr_returned = 0;
    memset(returned, 0, sizeof(returned));
    struct machine_end end = machine_run(keeps_going, &options);
    bool is_time_limit = end.verdict == VERDICT_SIGNAL && end.value == SIGKILL; /* prlimit(2) */
    if (end.verdict != VERDICT_EXIT && !is_time_limit)
        host_fail("the machine ends with verdict %d, %u", (int)end.verdict, end.value);
    return 0;
}
