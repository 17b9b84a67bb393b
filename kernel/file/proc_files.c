#include "file/proc.h"

#include "dev/print.h"
#include "dev/timer.h"
#include "exec/image.h"
#include "file/charge.h"
#include "file/devices.h"
#include "file/files.h"
#include "file/tty.h"
#include "file/unnamed.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "task/process.h"
#include "task/rights.h"

int proc_place_name(const struct umvfs_path *place, char *name, size_t size)
{
    const struct umvfs_inode *inode = umvfs_path_inode(place);
    if (!unnamed_has(inode))
        return umvfs_path_name(place, &current_process->fs->root, name, size);
    switch (umvfs_inode_mode(inode) & UMVFS_S_IFMT) {
    case UMVFS_S_IFIFO:
        return (int)format(name, size, "pipe:[%lu]", umvfs_inode_number(inode));
    case UMVFS_S_IFCHR:
        return (int)format(name, size, "%s",
                           umvfs_inode_rdev(inode) == UNNAMED_INOTIFY ? "anon_inode:inotify"
                                                                      : "/dev/console");
    default:
        return unnamed_memory_name(place, name, size);
    }
}

void proc_meminfo(struct text *text, struct process *process)
{
    (void)process;
    static const struct {
        const char *name;
        enum frame_kind kind;
    } lines[] = {
        {"Cached:", FRAME_FILE},       {"AnonPages:", FRAME_ANON},   {"Slab:", FRAME_SLAB},
        {"KernelStack:", FRAME_STACK}, {"PageTables:", FRAME_TABLE}, {"KernelImage:", FRAME_KERNEL},
        {"BootData:", FRAME_BOOT},
    };
    slab_trim(); /* the empty slabs that are kept count as free */
    text_printf(text, "%-16s%8zu kB\n", "MemTotal:", frame_total() * 4);
    text_printf(text, "%-16s%8zu kB\n", "MemFree:", frame_count(FRAME_FREE) * 4);
    text_printf(text, "%-16s%8zu kB\n", "MemAvailable:", frame_count(FRAME_FREE) * 4);
    text_printf(text, "%-16s%8d kB\n", "Buffers:", 0);
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
        text_printf(text, "%-16s%8zu kB\n", lines[i].name, frame_count(lines[i].kind) * 4);
    text_printf(text, "%-16s%8d kB\n", "SwapTotal:", 0);
    text_printf(text, "%-16s%8d kB\n", "SwapFree:", 0);
}

/* Frames by owner. Checks the records against the counters and panics on a difference. */
void proc_frames(struct text *text, struct process *process)
{
    (void)process;
    frame_check();
    for (unsigned kind = FRAME_FREE; kind < FRAME_KINDS; kind++)
        text_printf(text, "%-8s %zu\n", frame_kind_name((enum frame_kind)kind),
                    frame_count((enum frame_kind)kind));
    text_printf(text, "%-8s %zu\n", "total", frame_total());
}

/* A line for each user: id, processes, queued signals, pages of files and pipes, bytes of objects, pages
 * all together. */
void proc_users(struct text *text, struct process *process)
{
    (void)process;
    charge_users();
    LIST_FOR_EACH (user, &user_list, struct user, all)
        text_printf(text, "%u %u %u %zu %zu %zu\n", user->uid, user->processes,
                    user->queued_signals, user->memory.pages, user->memory.bytes,
                    user->total >> PAGE_SHIFT);
}

void proc_uptime(struct text *text, struct process *process)
{
    uint64_t hundredths = timer_monotonic_ns() / (NS_PER_SECOND / 100);
    (void)process;
    text_printf(text, "%lu.%02lu 0.00\n", hundredths / 100, hundredths % 100);
}

static char state_letter(const struct process *process)
{
    const struct thread *thread = process_main_thread(process);
    return !thread ? 'Z' : thread->state == THREAD_RUNNABLE ? 'R' : 'S';
}

static const char *state_name(const struct process *process)
{
    char letter = state_letter(process);
    return letter == 'R' ? "R (running)" : letter == 'S' ? "S (sleeping)" : "Z (zombie)";
}

static int parent_pid(const struct process *process)
{
    return process->parent ? process->parent->pid : 0;
}

/* The signals that the process ignores, or those that it catches. */
static uint64_t signals_with(const struct process *process, bool caught)
{
    uint64_t set = 0;
    for (unsigned i = 0; process->sighand && i < NSIG; i++) {
        uint64_t handler = sighand_action(process->sighand, (int)i + 1)->handler;
        bool is_caught = handler != SIG_IGN && handler != SIG_DFL;
        set |= (uint64_t)(caught ? is_caught : handler == SIG_IGN) << i;
    }
    return set;
}

/* Whose are the places in memory that a line tells of: 0 if they are not for the current process. */
static const struct loaded_process *places_of(const struct process *process)
{
    static const struct loaded_process none;
    bool is_shown = process->aspace && process->image && rights_to_inspect(process);
    return is_shown ? &process->image->loaded : &none;
}

/* Fields 4 to 22, by the numbers in proc(5): relatives, terminal, processor time and priority. */
static void put_stat_times(struct text *text, const struct process *process)
{
    const struct usage used = process_usage(process), *children = &process->child_used;
    bool has_terminal = tty_controls(process);
    text_printf(text, " %c %d %d %d %d %d 0 %lu %lu 0 0", state_letter(process),
                parent_pid(process), process->pgid, process->sid,
                has_terminal ? (int)CONSOLE_NUMBER : 0, has_terminal ? tty_foreground() : -1,
                used.faults, children->faults);
    text_printf(text, " %lu %lu %lu %lu %d %d 1 0 %lu", used.user_ticks, used.system_ticks,
                children->user_ticks, children->system_ticks, 20 + process->nice, process->nice,
                (uint64_t)(process->start_ns / (NS_PER_SECOND / TIMER_HZ)));
}

#define OLD_SIGNALS 0x7fffffffu /* the first 31, of which stat tells */

/* Fields 31 to 44: signals and scheduling. */
static void put_stat_signals(struct text *text, const struct process *process)
{
    const struct thread *thread = process_main_thread(process);
    text_printf(text, " %lu %lu %lu %lu 0 0 0 %d 0 0 %d 0 0 0",
                thread ? thread->signals.pending.set & OLD_SIGNALS : 0,
                thread ? thread->signals.blocked & OLD_SIGNALS : 0,
                signals_with(process, false) & OLD_SIGNALS,
                signals_with(process, true) & OLD_SIGNALS, process->exit_signal, process->policy);
}

void proc_stat(struct text *text, struct process *process)
{
    const struct loaded_process *places = places_of(process);
    struct maps_count count;
    size_t resident;
    if (!proc_count_pages(text, process->aspace, &count))
        return;
    resident = count.pages[0][0] + count.pages[0][1] + count.pages[1][0] + count.pages[1][1];
    text_printf(text, "%d (%s)", process->pid, process_comm(process));
    put_stat_times(text, process);
    text_printf(text, " %lu %zu %lu %lu %lu %lu 0 0", process->aspace ? process->aspace->total : 0,
                resident, process->limits[RLIMIT_RSS].soft, places->text_start.value,
                places->text_end.value, places->stack_pointer.value);
    put_stat_signals(text, process);
    text_printf(
        text, " %lu %lu %lu %lu %lu %lu %lu %d\n", places->data_start.value, places->data_end.value,
        places->heap_start.value, places->argv_start.value, places->argv_end.value,
        places->argv_end.value, places->envp_end.value,
        process->state == PROCESS_ZOMBIE && rights_to_inspect(process) ? process->wait_status : 0);
}

static void put_signals(struct text *text, const struct process *process)
{
    const struct thread *thread = process_main_thread(process);
    text_printf(text, "SigQ:\t%u/%lu\n", process->user->queued_signals,
                process->limits[RLIMIT_SIGPENDING].soft);
    text_printf(text, "SigPnd:\t%016lx\nShdPnd:\t%016lx\nSigBlk:\t%016lx\n",
                thread ? thread->signals.pending.set : 0, process->pending.set,
                thread ? thread->signals.blocked : 0);
    text_printf(text, "SigIgn:\t%016lx\nSigCgt:\t%016lx\n", signals_with(process, false),
                signals_with(process, true));
}

static void put_groups(struct text *text, const struct credentials *c)
{
    text_printf(text, "Groups:\t");
    for (unsigned i = 0; i < c->nr_groups; i++)
        text_printf(text, "%u ", c->groups[i]);
    text_put(text, c->nr_groups ? "\n" : " \n", c->nr_groups ? 1 : 2);
}

static void put_capabilities(struct text *text, const struct credentials *c)
{
    text_printf(text, "CapInh:\t%016lx\nCapPrm:\t%016lx\nCapEff:\t%016lx\n", c->caps.inheritable,
                c->caps.permitted, c->caps.effective);
    text_printf(text, "CapBnd:\t%016lx\nCapAmb:\t%016lx\nNoNewPrivs:\t%d\n", c->caps.bounding,
                c->caps.ambient, c->no_new_privileges);
}

static void put_memory_sizes(struct text *text, const struct process *process,
                             const struct maps_count *count)
{
    const struct aspace *as = process->aspace;
    const struct loaded_process *loaded = &process->image->loaded;
    size_t anon = count->pages[1][0] + count->pages[1][1];
    size_t file = count->pages[0][0] + count->pages[0][1];
    const struct {
        const char *name;
        size_t kilobytes;
    } lines[] = {
        {"VmPeak", as->most_total >> 10},
        {"VmSize", as->total >> 10},
        {"VmLck", as->locked >> 10},
        {"VmHWM", pt_most_leaves(&as->pt) * 4},
        {"VmRSS", (anon + file) * 4},
        {"RssAnon", anon * 4},
        {"RssFile", file * 4},
        {"VmData", as->data >> 10},
        {"VmExe", virt_distance(loaded->text_start, loaded->text_end) >> 10},
        {"VmPTE", (size_t)as->pt.tables * 4},
        {"VmSwap", 0},
    };
    for (unsigned i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
        text_printf(text, "%s:\t%8zu kB\n", lines[i].name, lines[i].kilobytes);
}

/* The name, without what ends a line. */
static void put_comm(struct text *text, const struct process *process)
{
    for (const char *at = process_comm(process); *at; at++) {
        if (*at == '\n' || *at == '\\')
            text_put(text, *at == '\n' ? "\\n" : "\\\\", 2);
        else
            text_put(text, at, 1);
    }
}

void proc_status(struct text *text, struct process *process)
{
    const struct credentials *c = &process->cred;
    const struct usage used = process_usage(process);
    struct maps_count count;
    if (!proc_count_pages(text, process->aspace, &count))
        return;
    text_printf(text, "Name:\t");
    put_comm(text, process);
    text_put(text, "\n", 1);
    if (process->fs)
        text_printf(text, "Umask:\t%04o\n", process->fs->umask);
    text_printf(text, "State:\t%s\nTgid:\t%d\nNgid:\t0\nPid:\t%d\nPPid:\t%d\nTracerPid:\t0\n",
                state_name(process), process->pid, process->pid, parent_pid(process));
    text_printf(text, "Uid:\t%u\t%u\t%u\t%u\nGid:\t%u\t%u\t%u\t%u\n", c->user.real,
                c->user.effective, c->user.saved, c->user.fs, c->group.real, c->group.effective,
                c->group.saved, c->group.fs);
    text_printf(text, "FDSize:\t%u\n", process->files ? process->files->capacity : 0);
    put_groups(text, c);
    text_printf(text, "NStgid:\t%d\nNSpid:\t%d\nNSpgid:\t%d\nNSsid:\t%d\n", process->pid,
                process->pid, process->pgid, process->sid);
    if (process->aspace && process->image)
        put_memory_sizes(text, process, &count);
    text_printf(text, "Threads:\t1\n");
    put_signals(text, process);
    put_capabilities(text, c);
    text_printf(text, "Seccomp:\t0\nCpus_allowed:\t1\nCpus_allowed_list:\t0\n");
    text_printf(text, "voluntary_ctxt_switches:\t%lu\nnonvoluntary_ctxt_switches:\t%lu\n",
                used.switches[0], used.switches[1]);
}

void proc_comm(struct text *text, struct process *process)
{
    text_printf(text, "%s\n", process_comm(process));
}

/* Writes the name of the main thread, which only the process itself may. */
int proc_set_comm(struct process *process, const char *name)
{
    if (process != current_process)
        return -EINVAL;
    char comm[COMM_SIZE] = {0};
    for (unsigned i = 0; i < COMM_SIZE - 1 && name[i]; i++)
        comm[i] = name[i];
    memcpy(current_thread->comm, comm, sizeof(comm));
    return 0;
}

void proc_personality(struct text *text, struct process *process)
{
    text_printf(text, "%08x\n", process->personality);
}

void proc_timer_slack(struct text *text, struct process *process)
{
    text_printf(text, "%lu\n", process->timer_slack ? process->timer_slack : TIMER_SLACK);
}

static const struct {
    const char *name, *unit;
} limit_names[RLIMITS] = {
    {"Max cpu time", "seconds"},     {"Max file size", "bytes"},
    {"Max data size", "bytes"},      {"Max stack size", "bytes"},
    {"Max core file size", "bytes"}, {"Max resident set", "bytes"},
    {"Max processes", "processes"},  {"Max open files", "files"},
    {"Max locked memory", "bytes"},  {"Max address space", "bytes"},
    {"Max file locks", "locks"},     {"Max pending signals", "signals"},
    {"Max msgqueue size", "bytes"},  {"Max nice priority", ""},
    {"Max realtime priority", ""},   {"Max realtime timeout", "us"},
};

static void put_limit(struct text *text, uint64_t limit)
{
    if (limit == RLIM_INFINITY)
        text_printf(text, "%-20s ", "unlimited");
    else
        text_printf(text, "%-20lu ", limit);
}

void proc_limits(struct text *text, struct process *process)
{
    text_printf(text, "%-25s %-20s %-20s %-10s\n", "Limit", "Soft Limit", "Hard Limit", "Units");
    for (unsigned i = 0; i < RLIMITS; i++) {
        text_printf(text, "%-25s ", limit_names[i].name);
        put_limit(text, process->limits[i].soft);
        put_limit(text, process->limits[i].hard);
        text_printf(text, "%-10s\n", limit_names[i].unit);
    }
}

/* How likely the process is to be ended when memory runs out, in Linux's unit: about 667 for one without
 * memory, 1333 for one with all of it. */
void proc_oom_score(struct text *text, struct process *process)
{
    struct charge charge;
    charge_of_process(process, &charge);
    int64_t pages = (int64_t)((charge.own + charge.shared) >> PAGE_SHIFT);
    int64_t score = (1000 + pages * 1000 / (int64_t)frame_total() + process->oom_adjust) * 2 / 3;
    bool is_safe = process->oom_adjust == OOM_ADJUST_MIN || process->pid == 1;
    text_printf(text, "%ld\n", is_safe || score < 0 ? 0 : score);
}

void proc_oom_score_adj(struct text *text, struct process *process)
{
    text_printf(text, "%d\n", process->oom_adjust);
}

/* A decimal number with an optional sign, perhaps in blanks. */
static bool parse_adjust(const char *text, int *out)
{
    int value = 0, sign = 1;
    while (*text == ' ' || *text == '\n' || *text == '\t')
        text++;
    if (*text == '-' || *text == '+')
        sign = *text++ == '-' ? -1 : 1;
    if (*text < '0' || *text > '9')
        return false;
    for (; *text >= '0' && *text <= '9'; text++)
        value = value > OOM_ADJUST_MAX ? value : value * 10 + (*text - '0');
    while (*text == ' ' || *text == '\n' || *text == '\t')
        text++;
    *out = sign * value;
    return *text == '\0' && value <= OOM_ADJUST_MAX;
}

int proc_set_oom_score_adj(struct process *process, const char *text)
{
    int adjust;
    if (!parse_adjust(text, &adjust))
        return -EINVAL;
    if (adjust < process->oom_adjust_min && !capable(CAP_SYS_RESOURCE))
        return -EACCES;
    if (capable(CAP_SYS_RESOURCE))
        process->oom_adjust_min = adjust;
    process->oom_adjust = adjust;
    return 0;
}
