#include "file/proc_files.h"

#include <umvfs/mount.h>

#include "dev/print.h"
#include "dev/timer.h"
#include "file/charge.h"
#include "file/root.h"
#include "file/unnamed.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "exec/image.h"
#include "task/process.h"

int proc_place_name(const struct umvfs_path *place, char *name, size_t size)
{
    const struct umvfs_inode *inode = umvfs_path_inode(place);
    if (!unnamed_has(inode))
        return umvfs_path_name(place, &current_process->fs->root, name, size);
    switch (umvfs_inode_mode(inode) & UMVFS_S_IFMT) {
    case UMVFS_S_IFIFO:
        return (int)format(name, size, "pipe:[%lu]", umvfs_inode_number(inode));
    case UMVFS_S_IFCHR:
        return (int)format(name, size, "%s", "/dev/console");
    default:
        return (int)format(name, size, "/dev/zero (deleted)");
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

void proc_version(struct text *text, struct process *process)
{
    (void)process;
    text_printf(text, "Linux version 6.1.0-umbra (umbra) #1\n");
}

static int mount_line(void *ctx, const struct umvfs_path *root, const struct umvfs_fs_ops *ops,
                      void *fs, unsigned flags)
{
    static char name[UMVFS_PATH_MAX];
    struct umvfs_path top;
    (void)fs;
    umvfs_root(root_vfs, &top);
    if (umvfs_path_name(root, &top, name, sizeof(name)) >= 0)
        text_printf(ctx, "%s %s %s %s 0 0\n", ops ? "proc" : "rootfs", name, ops ? "proc" : "tmpfs",
                    flags & UMVFS_MS_RDONLY ? "ro" : "rw");
    umvfs_path_put(&top);
    return 0;
}

void proc_mounts(struct text *text, struct process *process)
{
    (void)process;
    umvfs_mounts(root_vfs, mount_line, text);
}

const char *proc_area_name(const struct vma *vma, const struct process *process)
{
    const struct loaded_process *loaded = &process->image->loaded;
    if (vma->flags & VMA_BRK)
        return "[heap]";
    if (vma->end == loaded->stack_top)
        return "[stack]";
    const struct umvfs_path *place = vma->inode ? aspace_file_path(vma->inode) : NULL;
    static char name[UMVFS_PATH_MAX]; /* no sleep before it is used */
    return place && proc_place_name(place, name, sizeof(name)) >= 0 ? name : "";
}

#define MAPS_WORK 4096 /* in lines: what one read does */

static size_t maps_line(struct text *text, const struct vma *vma, const char *name)
{
    return text_printf(text, "%08lx-%08lx %c%c%c%c %08lx 00:%02lx %lu %s%s\n", vma->start, vma->end,
                       vma->prot & PROT_READ ? 'r' : '-', vma->prot & PROT_WRITE ? 'w' : '-',
                       vma->prot & PROT_EXEC ? 'x' : '-', vma->flags & VMA_SHARED ? 's' : 'p',
                       vma->inode ? vma->page_index << PAGE_SHIFT : 0ul,
                       vma->inode ? umvfs_inode_device(vma->inode) : 0,
                       vma->inode ? umvfs_inode_number(vma->inode) : 0, name[0] ? "         " : "",
                       name);
}

/* Goes on where this thread's last read of the file ended, if that is not behind what is wanted now. */
static struct vma *maps_start(struct text *text, struct aspace *as, struct maps_cursor *cursor)
{
    if (cursor->as != as || cursor->offset > text->skip)
        *cursor = (struct maps_cursor){.as = as};
    text->skip -= cursor->offset;
    return vma_find(&as->areas, cursor->area);
}

void proc_maps(struct text *text, struct process *process)
{
    struct aspace *as = process->aspace;
    struct maps_cursor *cursor = &current_thread->maps;
    size_t work = MAPS_WORK;
    if (!as)
        return;
    struct vma *vma = maps_start(text, as, cursor);
    for (; vma && !text_is_full(text); vma = vma_next(&as->areas, vma)) {
        const char *name = proc_area_name(vma, process);
        size_t cost = 1 + strlen(name) / 64;
        text->unfinished = cost > work;
        if (text->unfinished)
            return;
        work -= cost;
        size_t length = maps_line(text, vma, name);
        if (text_is_full(text)) /* perhaps in the middle of the line */
            return;
        cursor->offset += length;
        cursor->area = vma->end;
    }
}

static char state_letter(const struct process *process)
{
    const struct thread *thread = process_main_thread(process);
    return !thread ? 'Z' : thread->state == THREAD_RUNNABLE ? 'R' : 'S';
}

static int parent_pid(const struct process *process)
{
    return process->parent ? process->parent->pid : 0;
}

void proc_stat(struct text *text, struct process *process)
{
    uint64_t size = process->aspace ? process->aspace->total : 0;
    text_printf(text, "%d (%s) %c %d %d %d 0 -1 0 0 0 0 0 %lu %lu %lu %lu 20 0 1 0 %lu %lu 0",
                process->pid, process_comm(process), state_letter(process), parent_pid(process),
                process->pgid, process->sid, process_user_ticks(process),
                process_system_ticks(process), process->child_user_ticks,
                process->child_system_ticks,
                (uint64_t)(process->start_ns / (NS_PER_SECOND / TIMER_HZ)), size);
    for (unsigned field = 25; field <= 52; field++)
        text_put(text, " 0", 2);
    text_put(text, "\n", 1);
}

static void put_signals(struct text *text, const struct process *process)
{
    const struct thread *thread = process_main_thread(process);
    uint64_t ignored = 0, caught = 0;
    for (unsigned i = 0; process->sighand && i < NSIG; i++) {
        uint64_t handler = sighand_action(process->sighand, (int)i + 1)->handler;
        ignored |= (uint64_t)(handler == SIG_IGN) << i;
        caught |= (uint64_t)(handler != SIG_IGN && handler != SIG_DFL) << i;
    }
    text_printf(text, "SigPnd:\t%016lx\nShdPnd:\t%016lx\nSigBlk:\t%016lx\n",
                thread ? thread->signals.pending.set : 0, process->pending.set,
                thread ? thread->signals.blocked : 0);
    text_printf(text, "SigIgn:\t%016lx\nSigCgt:\t%016lx\n", ignored, caught);
}

static void put_capabilities(struct text *text, const struct credentials *c)
{
    text_printf(text, "CapInh:\t%016lx\nCapPrm:\t%016lx\nCapEff:\t%016lx\n", c->caps.inheritable,
                c->caps.permitted, c->caps.effective);
    text_printf(text, "CapBnd:\t%016lx\nCapAmb:\t%016lx\nNoNewPrivs:\t%d\n", c->caps.bounding,
                c->caps.ambient, c->no_new_privileges);
}

void proc_status(struct text *text, struct process *process)
{
    const struct credentials *c = &process->cred;
    struct aspace_usage usage = {0};
    if (process->aspace)
        aspace_usage(process->aspace, &usage);
    text_printf(text, "Name:\t%s\nState:\t%c\nTgid:\t%d\nPid:\t%d\nPPid:\t%d\n",
                process_comm(process), state_letter(process), process->pid, process->pid,
                parent_pid(process));
    text_printf(text, "Uid:\t%u\t%u\t%u\t%u\nGid:\t%u\t%u\t%u\t%u\n", c->user.real,
                c->user.effective, c->user.saved, c->user.fs, c->group.real, c->group.effective,
                c->group.saved, c->group.fs);
    text_printf(text, "VmSize:\t%8lu kB\nVmRSS:\t%8zu kB\nRssAnon:\t%8zu kB\nRssFile:\t%8zu kB\n",
                process->aspace ? process->aspace->total >> 10 : 0, (usage.anon + usage.file) * 4,
                usage.anon * 4, usage.file * 4);
    text_printf(text, "VmPTE:\t%8zu kB\nThreads:\t1\n", usage.tables * 4);
    put_signals(text, process);
    put_capabilities(text, c);
}

void proc_comm(struct text *text, struct process *process)
{
    text_printf(text, "%s\n", process_comm(process));
}

/* Copies strings from the program's memory, with their current contents. */
static void put_memory(struct text *text, struct aspace *as, virt_t at, virt_t end)
{
    char part[64];
    while (at < end) {
        size_t n = end - at < sizeof(part) ? end - at : sizeof(part);
        if (aspace_read(as, at, part, n) != 0)
            return;
        text_put(text, part, n);
        at += n;
    }
}

void proc_cmdline(struct text *text, struct process *process)
{
    const struct loaded_process *loaded = process->image ? &process->image->loaded : NULL;
    if (process->aspace)
        put_memory(text, process->aspace, loaded->argv_start, loaded->argv_end);
}

void proc_environ(struct text *text, struct process *process)
{
    const struct loaded_process *loaded = process->image ? &process->image->loaded : NULL;
    if (process->aspace)
        put_memory(text, process->aspace, loaded->argv_end, loaded->envp_end);
}
