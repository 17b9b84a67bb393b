#include "host/check.h"

#include <stdbool.h>
#include <string.h>
#include <sys/syscall.h>

#include "exec/image.h"
#include "file/files.h"
#include "file/pipe.h"
#include "host/cpu.h"
#include "host/fail.h"
#include "host/fibre.h"
#include "host/machine.h"
#include "host/ram.h"
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
        if (process->files == files &&
            process->state != PROCESS_NEW) /* its thread has no frame yet */
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
        if (fd < files->lowest && !files->file[fd] && !is_reserved)
            host_fail("descriptor %u is free, and %u counts as the lowest", fd, files->lowest);
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
    if (process_peek(process->pid) != (process->state == PROCESS_NEW ? NULL : process))
        host_fail("pid %d leads to another process", process->pid);
}

static void check_process(struct process *process)
{
    bool is_live = process->state == PROCESS_NEW || process->state == PROCESS_LIVE;
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
        if (process->state != PROCESS_NEW) /* it has no parent yet */
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

#define PAST_MAX 256

/* A process as the last check found it; pid 0: none. */
struct past {
    int pid, parent;
    bool is_live, nobody_waits, is_adopted;
    uint32_t exec_id;
    struct rlimit limits[RLIMITS];
};

static struct past pasts[PAST_MAX];

void history_start(void)
{
    memset(pasts, 0, sizeof(pasts));
}

/* Whether the parent has said that its children leave no zombies. */
static bool nobody_waits(const struct process *process)
{
    const struct process *parent = process->parent;
    if (!parent || !parent->sighand || process->exit_signal != SIGCHLD)
        return false;
    const struct sigaction *action = &parent->sighand->actions[SIGCHLD - 1];
    return action->handler == SIG_IGN || (action->flags & SA_NOCLDWAIT);
}

static bool may_set_limits(const struct process *own, const struct process *its)
{
    const struct ids *user = &its->cred.user, *group = &its->cred.group;
    uint32_t uid = own->cred.user.real, gid = own->cred.group.real;
    return own == its || (own->cred.caps.effective & CAP_BIT(CAP_SYS_RESOURCE)) ||
           (user->real == uid && user->effective == uid && user->saved == uid &&
            group->real == gid && group->effective == gid && group->saved == gid);
}

static void check_limits(const struct process *process, const struct past *past)
{
    if (!may_set_limits(current_process, process) &&
        memcmp(past->limits, process->limits, sizeof(past->limits)) != 0)
        host_fail("pid %d sets the limits of pid %d, and may not", current_process->pid,
                  process->pid);
    for (unsigned i = 0; i < RLIMITS && !capable(CAP_SYS_RESOURCE); i++)
        if (process->limits[i].hard > past->limits[i].hard)
            host_fail("pid %d raises hard limit %u of pid %d, and may not", current_process->pid, i,
                      process->pid);
}

static void check_change(const struct process *process, const struct past *past, unsigned call)
{
    bool is_zombie = process->state == PROCESS_ZOMBIE;
    bool is_adopted = past->is_adopted || (process->parent && process->parent->pid != past->parent);
    if (is_zombie && past->is_live && past->nobody_waits && nobody_waits(process) &&
        past->parent == process->parent->pid)
        host_fail("pid %d is a zombie, and its parent waits for none", process->pid);
    if (is_adopted && process->exit_signal != SIGCHLD)
        host_fail("pid %d, an orphan, tells process 1 of its end by signal %d", process->pid,
                  process->exit_signal);
    if (process->files && process->exec_id != past->exec_id &&
        (process->files->refs.count != 1 || sighand_refs(process->sighand)->count != 1))
        host_fail("pid %d shares descriptors or signal actions after exec", process->pid);
    if (call == SYS_prlimit64 || call == SYS_setrlimit)
        check_limits(process, past);
}

void history_check(const struct process *process, unsigned call)
{
    struct past *past = &pasts[process->pid % PAST_MAX];
    int parent = process->parent ? process->parent->pid : 0;
    if (past->pid != process->pid)
        *past = (struct past){.pid = process->pid, .parent = parent};
    else
        check_change(process, past, call);
    past->is_adopted = past->is_adopted || past->parent != parent;
    past->parent = parent;
    past->is_live = process->state == PROCESS_LIVE;
    past->nobody_waits = nobody_waits(process);
    past->exec_id = process->exec_id;
    memcpy(past->limits, process->limits, sizeof(past->limits));
}

#define PIPES_MAX 1024

/* A pipe, and the ends of it that were found. */
struct found_pipe {
    struct pipe_counts counts;
    unsigned readers, writers;
};

static uint32_t mapped[RAM_FRAMES_MAX];  /* by how many entries */
static bool is_writable[RAM_FRAMES_MAX]; /* by one of them */
static struct found_pipe pipes[PIPES_MAX];
static unsigned nr_pipes;
static size_t tables, other_tables;

void recount_start(void)
{
    other_tables = frame_count(FRAME_TABLE);
}

void recount_begin(void)
{
    memset(mapped, 0, frame_records_size * sizeof(mapped[0]));
    memset(is_writable, 0, frame_records_size * sizeof(is_writable[0]));
    nr_pipes = 0;
    tables = 0;
}

void recount_leaf(const struct walk_leaf *leaf)
{
    mapped[leaf->frame >> PAGE_SHIFT]++;
    is_writable[leaf->frame >> PAGE_SHIFT] |= leaf->writable;
}

void recount_table(void)
{
    tables++;
}

static struct found_pipe *find_pipe(const struct pipe_counts *counts)
{
    for (unsigned i = nr_pipes; i > 0; i--) /* the other end was found not long ago */
        if (pipes[i - 1].counts.pipe == counts->pipe)
            return &pipes[i - 1];
    if (nr_pipes == PIPES_MAX)
        host_fail("too many pipes to count");
    pipes[nr_pipes] = (struct found_pipe){.counts = *counts};
    return &pipes[nr_pipes++];
}

void recount_file(const struct file *file)
{
    struct pipe_counts counts;
    unsigned mode = file->vfs.flags & UMVFS_O_ACCMODE;
    if (!pipe_counts_of(file, &counts))
        return;
    struct found_pipe *found = find_pipe(&counts);
    found->readers += mode != UMVFS_O_WRONLY;
    found->writers += mode != UMVFS_O_RDONLY;
}

static size_t check_pipes(bool exact)
{
    size_t pages = 0;
    for (const struct found_pipe *p = pipes; p < pipes + nr_pipes; p++) {
        const struct pipe_counts *c = &p->counts;
        if (c->readers < p->readers || c->writers < p->writers ||
            (exact && (c->readers != p->readers || c->writers != p->writers)))
            host_fail("a pipe counts %u readers and %u writers, %u and %u are found", c->readers,
                      c->writers, p->readers, p->writers);
        pages += c->pages;
    }
    return pages;
}

/* What holds a frame besides the entries that show it: a pipe, or the file that it is a page of. */
static void check_frame(size_t index, bool exact, size_t *not_mapped)
{
    const struct frame *frame = &frame_records[index];
    unsigned others = frame->kind == FRAME_FILE || mapped[index] == 0;
    if (mapped[index] > frame->refs || (exact && frame->refs > mapped[index] + others))
        host_fail("frame %#zx, %s, has %u references and is mapped %u times", index,
                  frame_kind_name((enum frame_kind)frame->kind), frame->refs, mapped[index]);
    if (frame->kind == FRAME_ANON && mapped[index] > 1 && is_writable[index])
        host_fail("frame %#zx, which is private, is mapped %u times and writable", index,
                  mapped[index]);
    *not_mapped += frame->kind == FRAME_ANON && mapped[index] == 0;
}

void recount_end(bool exact)
{
    size_t not_mapped = 0, pipe_pages = check_pipes(exact);
    for (size_t i = 0; i < frame_records_size; i++)
        if (frame_records[i].kind == FRAME_ANON || frame_records[i].kind == FRAME_FILE)
            check_frame(i, exact, &not_mapped);
    if (not_mapped < pipe_pages || (exact && not_mapped != pipe_pages))
        host_fail("%zu anonymous frames are mapped by nobody, pipes have %zu", not_mapped,
                  pipe_pages);
    size_t process_tables = frame_count(FRAME_TABLE) - other_tables;
    if (process_tables < tables || (exact && process_tables != tables))
        host_fail("%zu frames are page tables of processes, %zu are found", process_tables, tables);
}
