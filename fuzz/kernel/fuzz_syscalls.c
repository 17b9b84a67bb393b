/*
 * Bytes become what a few processes do on a whole machine (kernel/host/machine.h): system calls
 * whose arguments are made from the kernel's own table of calls, accesses to memory, faults,
 * handlers, forks, exec, ticks of the clock, typed bytes, and allocations that fail. After each
 * call the machine is checked (host/check.c); at the end every process is killed in whatever it
 * sleeps, and nothing may be left.
 *
 * Input: what several processes do on a hosted kernel: calls made from the kernel's table,
 * accesses, faults, handlers, forks, signals, ticks, typed bytes, failing allocations; a quarter of
 * them with `chop`, where another thread runs at each scheduling point of a call.
 * Proves: after each call all books of the kernel are right, no byte reaches a program that
 * nobody has initialised, and after the end nothing is left.
 * Does not prove: that the answers are those of Linux, nor anything about interrupts inside the
 * kernel.
 * Oracles: counts of holders, frames, pipes, lists, threads, areas and page tables, and what may
 * happen to a process (kernel/host/check.h); freed objects stay poisoned until 256 others are freed.
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
#include "values.h"

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
#define SIG_SETMASK   2

static unsigned actions, processes, nested;

static void poke(void)
{
    uint64_t at = BUFFER(take_below(16));
    for (unsigned i = 0, n = 1 + take_below(6); i < n; i++)
        user_store(at + 8 * i, some_word());
}

static void act(void);

/* Its argument is its user. */
static void lives(void)
{
    if (user_argument() != 0)
        (void)sys(SYS_setuid, user_argument());
    while (!input_is_over() && actions < ACTIONS_MAX)
        act();
    sys(SYS_exit_group, 0);
}

static void handles(int signal, uint64_t info, uint64_t context)
{
    (void)info;
    if (signal == SIGSEGV || signal == SIGBUS || signal == SIGFPE || signal == SIGILL)
        user_skip(context);
    if (take() % 4 == 0 && actions < ACTIONS_MAX && nested < NESTED_MAX) {
        nested++;
        act();
        nested--;
    }
    if (take() % 32 == 0) { /* the frame that it returns with is not what the kernel wrote */
        uint64_t at = context + 8 * take_below(40);
        user_store(at, some_word());
    }
}

static void set_handler(void)
{
    static const uint32_t flags[] = {0,          SA_RESTART,  SA_NODEFER, SA_RESETHAND,
                                     SA_ONSTACK, SA_NOCLDWAIT};
    static const uint8_t popular[] = {SIGCHLD, SIGCHLD, SIGSEGV, SIGBUS,
                                      SIGALRM, SIGPIPE, SIGUSR1, SIGCHLD};
    uint8_t choice = take();
    int signal = choice < 96 ? 1 + choice % 64 : popular[choice % 8];
    uint32_t chosen = flags[take_below(6)];
    (void)user_on_signal(signal, handles, chosen, take());
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
    uint64_t chosen = flags[take_below(kinds)];
    chosen |= take() % 8 ? SIGCHLD : take() % 64;
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

/* The same object twice: an argument becomes what an earlier one of its kind is. */
static void repeat_an_argument(const struct call_info *info, struct user_args *args)
{
    for (unsigned i = 1; i < info->count; i++) {
        for (unsigned j = 0; j < i; j++) {
            if (info->argument[i].meaning == info->argument[j].meaning) {
                args->a[i] = args->a[j];
                return;
            }
        }
    }
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
        note_descriptor((uint64_t)result);
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
    if (starved % 8 == 2)
        repeat_an_argument(info, &args);
    if (starved >= 240)
        alloc_fail_at(1 + starved % 8, starved % 16 == 0);
    remember_descriptor(number, user_call(number, args));
    alloc_fail_at(0, false);
}

static void access_memory(void)
{
    uint64_t at = take() % 4 ? some_address() & ~7ull : some_pointer() & ~7ull;
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

/* The number that an open has reserved which sleeps in another process with the same descriptors; the first that is
 * free if there is none. */
static unsigned reserved_descriptor(void)
{
    const struct files *files = current_process->files;
    unsigned fd = 0, free = files->used;
    for (; fd < files->used && !files_is_reserved(files, fd); fd++)
        if (!files_peek(files, fd) && fd < free)
            free = fd;
    return fd < files->used ? fd : free;
}

static void opens_fifo(void)
{
    (void)sys(SYS_open, FIFO_AT, 0);
    lives();
}

/* Both ends of a pipe, and what others that share the descriptors do with it meanwhile. */
static void use_pipe_once(void)
{
    uint64_t at = BUFFER(15);
    uint64_t ends = user_load(at);
    uint8_t choice;
    switch (take_below(7)) {
    case 0:
        (void)sys(SYS_pipe2, at, take_below(4) ? 0 : O_NONBLOCK);
        break;
    case 1:
        (void)sys(SYS_close, take_below(2) ? ends & UINT32_MAX : ends >> 32);
        break;
    case 2:
        (void)sys(SYS_write, ends >> 32, BUFFER(1), some_size());
        break;
    case 3: /* sleeps until the other side is open, with a descriptor that is not filled yet */
        choice = take();
        if (choice < 192)
            (void)sys(SYS_open, FIFO_AT, choice % 3);
        else if (processes++ < 4 * PROCESSES_MAX)
            (void)user_clone(CLONE_FILES | SIGCHLD, 0, opens_fifo, 0);
        break;
    case 4:
        choice = take();
        (void)sys(SYS_dup2, ends & UINT32_MAX, choice >= 192 ? reserved_descriptor() : choice % 8);
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
    uint64_t at = AREA + (uint64_t)take_below(32) * PAGE_SIZE;
    uint64_t size = (uint64_t)(1 + take_below(3)) * PAGE_SIZE, prot = 1 + take_below(2) * 2;
    uint8_t choice = take();
    switch (choice % 4) {
    case 0:
        (void)sys(SYS_munmap, at, size);
        break;
    case 1:
        if (choice < 128)
            (void)sys(SYS_mprotect, at, size, prot);
        else /* moved, grown, shrunk, or mapped a second time: to another place or its own */
            (void)sys(SYS_mremap, at, choice & 8 ? 0 : size, size + (choice & 4) * PAGE_SIZE / 4,
                      3 /* MREMAP_MAYMOVE | MREMAP_FIXED */,
                      choice & 16 ? at : AREA + (uint64_t)(choice & 96) * PAGE_SIZE / 8);
        break;
    default:
        (void)sys(SYS_mmap, at, size, prot, choice < 160 ? 0x32 : 0x31, UINT64_MAX, 0);
    }
}

static void shape_memory(void)
{
    for (unsigned i = 0, n = 1 + take_below(12); i < n; i++)
        shape_memory_once();
}

/* A call that waits with a mask of its own, while a signal that the mask lets through is pending. */
static void wait_with_mask(void)
{
    static const uint8_t signals[] = {SIGHUP, SIGUSR1, SIGALRM, SIGCHLD};
    int signal = signals[take_below(4)];
    uint64_t mask = BUFFER(14);
    (void)user_on_signal(signal, handles, 0, 0);
    user_store(mask, 1ull << (signal - 1) | (uint64_t)take() << 32);
    (void)sys(SYS_rt_sigprocmask, SIG_SETMASK, mask, 0, sizeof(uint64_t));
    (void)sys(SYS_kill, sys(SYS_getpid), signal);
    user_store(mask, (uint64_t)take() << 32);
    if (take_below(2))
        (void)sys(SYS_rt_sigsuspend, mask, sizeof(uint64_t));
    else
        (void)sys(SYS_ppoll, 0, 0, 0, mask, sizeof(uint64_t));
}

/* Memory that process 1 shares with its children: words of futexes, and a robust list. */
#define SHARED      (AREA + 64 * PAGE_SIZE)
#define WORD(i)     (SHARED + 4 * (uint64_t)(i))
#define ROBUST_HEAD (SHARED + 0x800)
#define ROBUST(i)   (SHARED + 0x900 + 16 * (uint64_t)(i)) /* an entry; its mutex is behind it */

static uint32_t word_at(uint64_t at)
{
    uint32_t value = 0;
    user_read(&value, at, sizeof(value));
    return value;
}

/* A list of mutexes of which the thread owns most. It may lead in a circle or nowhere. */
static void own_mutexes(void)
{
    uint64_t pid = (uint64_t)sys(SYS_getpid);
    const uint64_t head[3] = {ROBUST(0), 8, take_below(3) ? 0 : ROBUST(take_below(4))};
    for (unsigned i = 0, n = 1 + take_below(4); i < n; i++) {
        uint8_t choice = take();
        uint64_t next = choice >= 240 ? some_pointer() : i + 1 < n ? ROBUST(i + 1) : ROBUST_HEAD;
        user_store(ROBUST(i), next | choice % 16 / 15);
        user_store(ROBUST(i) + 8, choice % 8 == 7 ? choice : pid | (choice & 8u) << 28);
    }
    user_write(ROBUST_HEAD, head, sizeof(head));
    (void)sys(SYS_set_robust_list, ROBUST_HEAD, sizeof(head));
}

/* A word that processes share, one of the process itself, or that of a mutex. */
static uint64_t some_futex(void)
{
    unsigned choice = take_below(8);
    return choice < 5 ? WORD(choice % 3) : choice == 5 ? BUFFER(13) : ROBUST(choice % 2) + 8;
}

static void use_futex(void)
{
    enum { WAIT, WAKE, REQUEUE = 3, CMP_REQUEUE, WAIT_BITSET = 9, WAKE_BITSET, REALTIME = 256 };
    uint64_t at = some_futex(), kind = take_below(4) ? 0 : 128, count = take_below(4);
    uint64_t to, limit, choice = take_below(8);
    switch (choice) {
    case 0:
        own_mutexes();
        break;
    case 1:
        (void)sys(SYS_futex, at, WAKE | kind, count);
        break;
    case 2:
        (void)sys(SYS_futex, at, WAKE_BITSET | kind, count, 0, 0, take());
        break;
    case 3:
    case 4:
        limit = take_below(4);
        to = some_futex();
        (void)sys(SYS_futex, at, (choice == 3 ? REQUEUE : CMP_REQUEUE) | kind, count, limit, to,
                  word_at(at));
        break;
    case 5:
        kind |= (take() & 1) * REALTIME;
        limit = take_below(4) ? 0 : some_pointer();
        (void)sys(SYS_futex, at, WAIT_BITSET | kind, word_at(at), limit, 0, take());
        break;
    default:
        limit = take_below(4) ? 0 : some_pointer();
        (void)sys(SYS_futex, at, WAIT | kind, word_at(at), limit);
    }
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
    if (choice == 208 || choice == 240) { /* few values: committed inputs keep their meaning */
        use_futex();
        return;
    }
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
    case 15:
        wait_with_mask();
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
    (void)sys(SYS_mmap, SHARED, PAGE_SIZE, 3, 0x31, UINT64_MAX, 0);
    open_some();
    for (unsigned i = 0; !input_is_over() && actions < ACTIONS_MAX; i++) {
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
    unsigned last = size > 0 ? data[size - 1] : 0;
    const char *cmdline = last % 32 == 31 ? "trace=all" /* decoding is slow */
                          : last % 4 == 2 ? "chop"
                                          : "";
    const struct machine_options options = {.frames = FRAMES,
                                            .cmdline = cmdline,
                                            .files = files,
                                            .nr_files = 3,
                                            .check_calls = true,
                                            .allow_refetch = true};
    input_begin(data, size);
    actions = processes = nested = 0;
    struct machine_end end = machine_run(keeps_going, &options);
    bool is_time_limit = end.verdict == VERDICT_SIGNAL && end.value == SIGKILL; /* prlimit(2) */
    if (end.verdict != VERDICT_EXIT && !is_time_limit)
        host_fail("the machine ends with verdict %d, %u", (int)end.verdict, end.value);
    return 0;
}
