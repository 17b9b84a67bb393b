#include "host/check.h"

#include <string.h>
#include <sys/syscall.h>

#include "exec/image.h"
#include "file/files.h"
#include "host/alloc.h"
#include "host/cpu.h"
#include "host/fibre.h"
#include "host/history.h"
#include "host/machine.h"
#include "host/recount.h"
#include "host/walk.h"
#include "mm/frame.h"
#include "task/process.h"

#define COUNTED_MAX 4096
#define RANGES_MAX  256
#define CALLS_MAX   512

/* A counted object, and the number of its holders that were found. */
struct counted {
    const struct ref *refs;
    const char *name;
    int pid; /* of the first holder */
    unsigned found;
};

/* A range of user memory that the call has read. */
struct range {
    virt_t start, end;
};

/* A thread's call. */
struct call {
    bool is_running;
    unsigned number, nr_ranges;
    struct range ranges[RANGES_MAX];
};

static struct counted counted[COUNTED_MAX];
static unsigned used[COUNTED_MAX], nr_used; /* indices into it */
static int checked_pid;
static struct call calls[FIBRE_SLOTS];
static size_t deepest[CALLS_MAX];
static bool check_calls, measure_stacks, allow_refetch;

/* Adds one holder. Returns true if the object was not known yet. */
static bool add_holder(const struct ref *refs, const char *name)
{
    size_t at = ((uintptr_t)refs >> 4) * 2654435761u % COUNTED_MAX;
    while (counted[at].refs && counted[at].refs != refs)
        at = (at + 1) % COUNTED_MAX;
    if (counted[at].refs) {
        counted[at].found++;
        return false;
    }
    if (nr_used == COUNTED_MAX / 2)
        host_fail("too many objects to count");
    counted[at] = (struct counted){refs, name, checked_pid, 1};
    used[nr_used++] = (unsigned)at;
    return true;
}

static void check_link(const struct list *link, const char *name)
{
    if (link->next->prev != link || link->prev->next != link)
        host_fail("a list of %s is broken", name);
}

/* An open file of /proc/PID holds the process. */
static void count_file(const struct file *file)
{
    if (!add_holder(&file->refs, "open file"))
        return;
    recount_file(file);
    LIST_FOR_EACH (process, &process_list, struct process, all)
        if (file->vfs.private_data == process)
            (void)add_holder(&process->refs, "process");
}

/* Whether the thread waits in open(2) for the other end of a FIFO. A thread that waits there for memory ends its sleep
 * only when it is killed. */
static bool sleeps_in_open(const struct thread *thread)
{
    const struct trap_frame *f = thread_frame(thread);
    return thread->state == THREAD_SLEEPING && !thread->killable_only && f->vector == VEC_SYSCALL &&
           (f->error == SYS_open || f->error == SYS_openat || f->error == SYS_openat2 ||
            f->error == SYS_creat);
}

static unsigned sleepers_in_open(const struct files *files)
{
    unsigned n = 0;
    LIST_FOR_EACH (process, &process_list, struct process, all)
        if (process->files == files)
            LIST_FOR_EACH (thread, &process->threads, struct thread, siblings)
                n += sleeps_in_open(thread);
    return n;
}

static void count_files(struct files *files)
{
    unsigned reserved = 0;
    if (!add_holder(&files->refs, "descriptor table"))
        return;
    for (unsigned fd = 0; fd < files->capacity; fd++) {
        bool is_reserved = files->close_on_exec[fd] == DESCRIPTOR_RESERVED;
        reserved += is_reserved;
        if (files->file[fd])
            count_file(files->file[fd]);
        if (files->file[fd] && is_reserved)
            host_fail("descriptor %u is reserved and has a file", fd);
        if (fd >= files->used && (files->file[fd] || files->close_on_exec[fd]))
            host_fail("descriptor %u is in use, and %u counts as the end", fd, files->used);
    }
    if (reserved < sleepers_in_open(files))
        host_fail("%u descriptors are reserved for %u opens that sleep", reserved,
                  sleepers_in_open(files));
}

/* Looks at each frame once. Bytes that get into it later are checked when they are copied to a
 * program, or come from a frame that was looked at. */
static void check_contents(virt_t address, uint64_t physical)
{
    const uint64_t *words = phys_ptr(phys(physical));
    if (!alloc_take_scribbled(physical))
        return;
    for (size_t i = 0; i < PAGE_SIZE / sizeof(*words); i++)
        if (words[i] == HOST_PATTERN)
            host_fail("a program finds at %#llx what a frame held when it was allocated",
                      (unsigned long long)virt_add(address, i * sizeof(*words)).value);
}

static void check_leaf(void *ctx, virt_t address, const struct walk_leaf *leaf)
{
    const struct frame *frame = frame_of(phys(leaf->frame));
    (void)ctx;
    if (leaf->present || leaf->frame) /* an inaccessible page keeps its frame */
        recount_leaf(leaf);
    if (!leaf->present)
        return;
    if (leaf->writable && leaf->executable)
        host_fail("the page at %#llx is writable and executable",
                  (unsigned long long)address.value);
    if (frame->kind != FRAME_ANON && frame->kind != FRAME_FILE && frame->kind != FRAME_KERNEL)
        host_fail("the page at %#llx is a frame of kind %s", (unsigned long long)address.value,
                  frame_kind_name((enum frame_kind)frame->kind));
    check_contents(address, leaf->frame);
}

static void count_table(void *ctx, phys_t table, unsigned level, unsigned entries)
{
    (void)ctx, (void)table, (void)level, (void)entries;
    recount_table();
}

static void count_aspace(struct aspace *as)
{
    const struct walk_visitor visitor = {.leaf = check_leaf, .table = count_table};
    if (!add_holder(&as->refs, "address space"))
        return;
    vma_check(&as->areas);
    walk_user(frame_phys(as->pt.root), &visitor);
}

static void check_thread(const struct thread *thread, const struct process *process)
{
    bool is_queued = !list_empty(&thread->queue), is_timed = !list_empty(&thread->timed);
    check_link(&thread->queue, "runnable threads");
    check_link(&thread->timed, "sleeping threads");
    check_link(&thread->siblings, "threads");
    if (thread->process != process)
        host_fail("thread %d belongs to another process", thread->tid);
    if (thread->state == THREAD_RUNNABLE && is_queued == (thread == current_thread))
        host_fail("thread %d is runnable and %s", thread->tid, is_queued ? "queued" : "lost");
    if (thread->state == THREAD_SLEEPING && is_queued)
        host_fail("thread %d sleeps and is queued", thread->tid);
    if (is_timed && (thread->state != THREAD_SLEEPING || thread->wake_at == SLEEP_FOREVER))
        host_fail("thread %d is awake and waits for a time", thread->tid);
    if (thread->state == THREAD_SLEEPING && process->pid != 1 &&
        (signal_pending_set(thread) & SIGNAL_BIT(SIGKILL)))
        host_fail("thread %d sleeps on although it is killed", thread->tid);
    if (thread->state == THREAD_ENDED)
        host_fail("thread %d has ended and is listed", thread->tid);
    (void)add_holder(&thread->refs, "thread");
    (void)add_holder(&process->refs, "process");
    for (unsigned i = 0; i < thread->nr_held; i++)
        count_file(thread->held[i]);
}

static void check_family(const struct process *process)
{
    check_link(&process->all, "processes");
    check_link(&process->siblings, "children");
    if (process->parent && list_empty(&process->siblings))
        host_fail("pid %d is not a child of its parent", process->pid);
    LIST_FOR_EACH (child, &process->children, struct process, siblings)
        if (child->parent != process)
            host_fail("pid %d is a child of two", child->pid);
    if (process_peek(process->pid) != process)
        host_fail("pid %d leads to another process", process->pid);
}

static void check_process(struct process *process)
{
    bool is_live = process->state == PROCESS_LIVE;
    checked_pid = process->pid;
    check_family(process);
    if (is_live == list_empty(&process->threads) || process->state == PROCESS_REAPED)
        host_fail("pid %d is in state %d, %s threads", process->pid, (int)process->state,
                  list_empty(&process->threads) ? "without" : "with");
    (void)add_holder(&process->refs, "process");
    LIST_FOR_EACH (thread, &process->threads, struct thread, siblings)
        check_thread(thread, process);
    if (process->files)
        count_files(process->files);
    if (process->fs)
        (void)add_holder(&process->fs->refs, "context of names");
    if (process->sighand)
        (void)add_holder(sighand_refs(process->sighand), "signal table");
    if (process->image)
        (void)add_holder(&process->image->refs, "image");
    if (process->aspace)
        count_aspace(process->aspace);
    if (!is_live && (process->files || process->fs || process->sighand || process->aspace))
        host_fail("pid %d has ended and holds something", process->pid);
}

static void check_users(void)
{
    LIST_FOR_EACH (user, &user_list, struct user, all) {
        unsigned processes = 0, payers = 0;
        LIST_FOR_EACH (process, &process_list, struct process, all) {
            processes += process->user == user;
            payers += process->payer == user;
        }
        if (processes != user->processes || payers != user->payers)
            host_fail("user %u: %u processes and %u payers are counted, %u and %u are there",
                      user->uid, user->processes, user->payers, processes, payers);
    }
}

/* The number of threads within a call, which may hold references on their stacks. */
static unsigned threads_in_calls(void)
{
    unsigned n = 0;
    for (unsigned slot = 0; slot < FIBRE_SLOTS; slot++)
        n += calls[slot].is_running;
    return n;
}

/* The most holders: a thread that has ended holds its process until another thread has run. */
static unsigned most_holders(const struct counted *c)
{
    const struct process *process = process_peek(c->pid);
    bool is_zombie = process && process->state == PROCESS_ZOMBIE && c->refs == &process->refs;
    return c->found + is_zombie;
}

static void compare_counts(void)
{
    bool exact = threads_in_calls() == 0;
    for (unsigned i = 0; i < nr_used; i++) {
        struct counted *c = &counted[used[i]];
        if (c->refs->count < c->found || (exact && c->refs->count > most_holders(c)))
            host_fail("pid %d, in call %u: a %s of pid %d has %u references, %u holders are found",
                      current_process->pid, calls[fibre_current()].number, c->name, c->pid,
                      c->refs->count, c->found);
    }
}

static void forget_counts(void)
{
    while (nr_used > 0)
        counted[used[--nr_used]].refs = NULL;
}

static void check_all(unsigned call)
{
    forget_counts();
    recount_begin();
    LIST_FOR_EACH (process, &process_list, struct process, all) {
        check_process(process);
        history_check(process, call);
    }
    check_users();
    compare_counts();
    recount_end(threads_in_calls() == 0);
    tlb_check();
}

void machine_check(void)
{
    check_all(UINT32_MAX);
}

/* Fails if a call reads a byte twice, since a program may change it in between. */
static void check_refetch(struct call *call, virt_t start, virt_t end)
{
    for (unsigned i = 0; i < call->nr_ranges; i++)
        if (start.value < call->ranges[i].end.value && call->ranges[i].start.value < end.value)
            host_fail("system call %u reads user bytes %#llx to %#llx twice", call->number,
                      (unsigned long long)start.value, (unsigned long long)end.value);
    if (call->nr_ranges < RANGES_MAX)
        call->ranges[call->nr_ranges++] = (struct range){start, end};
}

/* As many bytes in a row are not there by chance. A variable on the stack consists of the second pattern, if the
 * compiler fills it: -ftrivial-auto-var-init=pattern. */
#define PATTERN_RUN   5
#define STACK_PATTERN 0xaa

static void check_written(const uint8_t *bytes, size_t size, virt_t user)
{
    size_t run = 0;
    for (size_t i = 0; i < size; i++) {
        bool is_pattern = bytes[i] == (uint8_t)HOST_PATTERN || bytes[i] == STACK_PATTERN;
        run = !is_pattern ? 0 : i > 0 && bytes[i] == bytes[i - 1] ? run + 1 : 1;
        if (run == PATTERN_RUN)
            host_fail("system call %u writes to %#llx what nobody has initialised",
                      calls[fibre_current()].number, (unsigned long long)(user.value + i));
    }
}

static void on_copy(virt_t user, size_t size, const void *written)
{
    struct call *call = &calls[fibre_current()];
    if (written)
        check_written(written, size, user);
    else if (call->is_running && !allow_refetch)
        check_refetch(call, user, virt_add(user, size));
}

void machine_call_begins(unsigned number)
{
    struct call *call = &calls[fibre_current()];
    call->is_running = true;
    call->number = number;
    call->nr_ranges = 0;
    if (measure_stacks)
        fibre_fill();
}

void machine_call_ends(unsigned number)
{
    calls[fibre_current()].is_running = false;
    if (measure_stacks && number < CALLS_MAX) {
        size_t depth = fibre_depth();
        if (depth > deepest[number])
            deepest[number] = depth;
    }
    if (check_calls)
        check_all(number);
}

void machine_call_forgets(unsigned slot)
{
    calls[slot].is_running = false;
}

size_t machine_stack_of(unsigned number)
{
    return deepest[number];
}

static int (*old_serve_fault)(virt_t address, unsigned access);

void machine_checks_start(const struct machine_options *options)
{
    check_calls = options->check_calls;
    measure_stacks = options->measure_stacks;
    allow_refetch = options->allow_refetch;
    for (unsigned slot = 0; slot < FIBRE_SLOTS; slot++)
        calls[slot].is_running = false;
    if (check_calls)
        alloc_scribble(SIZE_MAX);
    recount_start();
    history_start();
    cpu_on_copy = on_copy;
    old_serve_fault = cpu_serve_fault;
    cpu_serve_fault = machine_serve_fault;
}

void machine_checks_stop(void)
{
    cpu_on_copy = NULL;
    cpu_serve_fault = old_serve_fault;
}
