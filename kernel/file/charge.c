#include "file/charge.h"

#include "file/files.h"
#include "file/unnamed.h"
#include "mm/kernel_map.h"
#include "task/process.h"

/* A leaf of an area. */
static int add_page(void *ctx, virt_t address, pte_t *entry)
{
    struct charge *charge = ctx;
    const struct frame *frame = pte_frame(*entry);
    (void)address;
    if (frame->kind == FRAME_ANON)
        charge->own += PAGE_SIZE / frame->refs;
    else if (frame->kind == FRAME_FILE)
        charge->shared += PAGE_SIZE / frame->refs;
    return 0;
}

static void add_aspace(const struct aspace *as, struct charge *out)
{
    struct charge all = {0, 0};
    LIST_FOR_EACH (vma, &as->areas.list, struct vma, link) {
        size_t shared = all.shared;
        (void)pt_walk(&as->pt, vma->start, vma->end, add_page, &all);
        if (!vma->inode || !unnamed_has(vma->inode))
            all.shared = shared; /* the file outlives the process */
    }
    all.own += as->pt.tables * PAGE_SIZE + as->areas.count * sizeof(struct vma) + sizeof(*as);
    out->own += all.own / as->refs.count;
    out->shared += all.shared / as->refs.count;
}

/* The size of the table and of its open files. A shared object counts by the part of this table. */
static size_t size_of_table(const struct files *files)
{
    size_t size = sizeof(*files);
    if (files->capacity > FILES_FIRST)
        size += files->capacity * (sizeof(struct file *) + sizeof(uint8_t));
    for (unsigned fd = 0; fd < files->used; fd++)
        if (files->file[fd])
            size += sizeof(struct file) / files->file[fd]->refs.count;
    return size;
}

void charge_of_process(const struct process *process, struct charge *out)
{
    *out = (struct charge){sizeof(*process), 0};
    LIST_FOR_EACH (thread, &process->threads, struct thread, siblings)
        out->own += sizeof(*thread) + KSTACK_SIZE;
    if (process->files)
        out->own += size_of_table(process->files) / process->files->refs.count;
    if (process->sighand)
        out->own += sizeof(*process->sighand) / sighand_refs(process->sighand)->count;
    if (process->aspace)
        add_aspace(process->aspace, out);
}

static void add_process(struct process *process)
{
    struct charge charge;
    struct user *user = process->user;
    charge_of_process(process, &charge);
    user->total += charge.own;
    size_t size = charge.own + charge.shared;
    int64_t weight = (int64_t)size + process->oom_adjust * (int64_t)frame_total() *
                                         (int64_t)PAGE_SIZE / OOM_ADJUST_MAX;
    if (process->pid == 1 || process->is_victim || process->state != PROCESS_LIVE ||
        process->oom_adjust == OOM_ADJUST_MIN || (user->largest && weight <= user->largest_weight))
        return;
    user->largest = process;
    user->largest_weight = weight;
    user->largest_size = size;
}

void charge_users(void)
{
    LIST_FOR_EACH (user, &user_list, struct user, all) {
        user->total = user->memory.pages * PAGE_SIZE + user->memory.bytes;
        user->largest = NULL;
        user->largest_size = 0;
        user->largest_weight = 0;
    }
    FOR_EACH_PROCESS (process)
        add_process(process);
}
