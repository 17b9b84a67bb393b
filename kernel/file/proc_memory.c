/* Files of /proc about the memory of a process. */
#include <umvfs/vfs.h>

#include "exec/image.h"
#include "file/proc.h"
#include "lib/string.h"
#include "task/process.h"

const char *proc_area_name(const struct vma *vma, const struct process *process)
{
    const struct loaded_process *loaded = &process->image->loaded;
    if (vma->flags & VMA_BRK)
        return "[heap]";
    if (vma->end.value == loaded->stack_top.value)
        return "[stack]";
    const struct umvfs_path *place = vma->inode ? aspace_file_path(vma->inode) : NULL;
    static char name[UMVFS_PATH_MAX]; /* no sleep before it is used */
    return place && proc_place_name(place, name, sizeof(name)) >= 0 ? name : "";
}

static bool is_one_of(char c, const char *set)
{
    while (*set && *set != c)
        set++;
    return *set != '\0';
}

size_t proc_put_escaped(struct text *text, const char *string, const char *escaped)
{
    size_t length = 0;
    while (*string) {
        size_t n = 0;
        while (string[n] && !is_one_of(string[n], escaped))
            n++;
        text_put(text, string, n);
        length += n;
        string += n;
        if (*string)
            length += text_printf(text, "\\%03o", (unsigned char)*string++);
    }
    return length;
}

#define MAPS_WORK   4096ul /* in lines: what one read does */
#define NAME_COLUMN 73     /* of a line, as on Linux */

static size_t maps_line(struct text *text, const struct vma *vma, const char *name)
{
    uint64_t device = vma->inode ? umvfs_inode_device(vma->inode) : 0;
    size_t length = text_printf(
        text, "%08lx-%08lx %c%c%c%c %08lx %02x:%02x %lu ", vma->start.value, vma->end.value,
        vma->prot & PROT_READ ? 'r' : '-', vma->prot & PROT_WRITE ? 'w' : '-',
        vma->prot & PROT_EXEC ? 'x' : '-', vma->flags & VMA_SHARED ? 's' : 'p',
        vma->inode ? vma->page_index << PAGE_SHIFT : 0ul, UMVFS_MAJOR(device), UMVFS_MINOR(device),
        vma->inode ? umvfs_inode_number(vma->inode) : 0);
    for (; name[0] && length < NAME_COLUMN; length++)
        text_put(text, " ", 1);
    length += proc_put_escaped(text, name, "\n");
    text_put(text, "\n", 1);
    return length + 1;
}

/* Goes on where this thread's last read of the file ended, if that is not behind what is wanted now. */
static struct vma *maps_start(struct text *text, struct aspace *as, struct maps_cursor *cursor,
                              enum maps_reader reader)
{
    if (cursor->as != as || cursor->reader != reader || cursor->offset > text->skip)
        *cursor = (struct maps_cursor){.as = as, .reader = reader};
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
    struct vma *vma = maps_start(text, as, cursor, READS_MAPS);
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

#define COUNT_COST 32 /* pages that cost as much as a line of maps */

static int count_page(void *ctx, virt_t address, pte_t *entry)
{
    struct maps_count *count = ctx;
    const struct frame *frame = pte_frame(*entry);
    bool is_anon = frame->kind == FRAME_ANON;
    (void)address;
    count->seen++;
    if (!is_anon && frame->kind != FRAME_FILE) /* the frame of zeros is nobody's */
        return 0;
    count->pages[is_anon][frame->refs > 1]++;
    count->part += PAGE_SIZE / frame->refs;
    return 0;
}

/* Counts the pages of an area, as far as the work allows. Returns false if some are left. */
static bool count_area(struct aspace *as, const struct vma *vma, struct maps_cursor *cursor,
                       size_t *work)
{
    if (cursor->counted.value <= vma->start.value || cursor->counted.value > vma->end.value) {
        cursor->counted = vma->start;
        cursor->count = (struct maps_count){0};
    }
    while (cursor->counted.value < vma->end.value && *work > 0) {
        size_t seen = cursor->count.seen;
        virt_t end = aspace_chunk_end(as, cursor->counted, vma->end, *work * COUNT_COST);
        (void)pt_walk(&as->pt, cursor->counted, end, count_page, &cursor->count);
        size_t cost = 1 + (cursor->count.seen - seen) / COUNT_COST;
        *work -= cost < *work ? cost : *work;
        cursor->counted = end;
    }
    return cursor->counted.value == vma->end.value;
}

/* Lines with a number of kilobytes each. */
struct size_line {
    const char *name;
    size_t value;
};

static size_t put_sizes(struct text *text, const struct size_line *lines, size_t count)
{
    size_t length = 0;
    for (size_t i = 0; i < count; i++)
        length += text_printf(text, "%-16s%8zu kB\n", lines[i].name, lines[i].value);
    return length;
}

/* The lines about pages, in smaps and smaps_rollup. */
static size_t put_counts(struct text *text, const struct maps_count *count, uint64_t locked)
{
    const size_t(*pages)[2] = count->pages;
    const size_t anon = pages[1][0] + pages[1][1], all = anon + pages[0][0] + pages[0][1];
    const struct size_line lines[] = {
        {"Rss:", all * 4},
        {"Pss:", count->part >> 10},
        {"Shared_Clean:", pages[0][1] * 4},
        {"Shared_Dirty:", pages[1][1] * 4},
        {"Private_Clean:", pages[0][0] * 4},
        {"Private_Dirty:", pages[1][0] * 4},
        {"Referenced:", all * 4},
        {"Anonymous:", anon * 4},
        {"Swap:", 0},
        {"Locked:", locked >> 10},
    };
    return put_sizes(text, lines, sizeof(lines) / sizeof(lines[0]));
}

static size_t smaps_area(struct text *text, const struct vma *vma, const char *name,
                         const struct maps_count *count)
{
    const size_t(*pages)[2] = count->pages;
    const size_t all = pages[1][0] + pages[1][1] + pages[0][0] + pages[0][1];
    const struct size_line lines[] = {
        {"Size:", vma_size(vma) >> 10},
        {"KernelPageSize:", PAGE_SIZE >> 10},
        {"MMUPageSize:", PAGE_SIZE >> 10},
    };
    size_t length = maps_line(text, vma, name);
    length += put_sizes(text, lines, sizeof(lines) / sizeof(lines[0]));
    return length + put_counts(text, count, vma->flags & VMA_LOCKED ? all << PAGE_SHIFT : 0);
}

#define SMAPS_COST 16 /* of the lines of an area, in lines of maps */

void proc_smaps(struct text *text, struct process *process)
{
    struct aspace *as = process->aspace;
    struct maps_cursor *cursor = &current_thread->maps;
    size_t work = MAPS_WORK;
    if (!as)
        return;
    struct vma *vma = maps_start(text, as, cursor, READS_SMAPS);
    for (; vma && !text_is_full(text); vma = vma_next(&as->areas, vma)) {
        text->unfinished = work < SMAPS_COST || !count_area(as, vma, cursor, &work);
        if (text->unfinished)
            return;
        work -= SMAPS_COST < work ? SMAPS_COST : work;
        size_t length = smaps_area(text, vma, proc_area_name(vma, process), &cursor->count);
        if (text_is_full(text)) /* perhaps in the middle of the area */
            return;
        cursor->offset += length;
        cursor->area = vma->end;
    }
}

/* The sum over all areas. */
void proc_smaps_rollup(struct text *text, struct process *process)
{
    struct aspace *as = process->aspace;
    struct maps_count count;
    if (!proc_count_pages(text, as, &count) || !as)
        return;
    const struct vma *first = vma_find(&as->areas, virt(0)), *last = vma_below(&as->areas, NULL);
    const struct vma all = {.start = first ? first->start : virt(0),
                            .end = last ? last->end : virt(0)};
    (void)maps_line(text, &all, "[rollup]");
    (void)put_counts(text, &count, as->locked);
}

bool proc_count_pages(struct text *text, struct aspace *as, struct maps_count *out)
{
    struct maps_cursor *cursor = &current_thread->maps;
    *out = (struct maps_count){0};
    if (!as)
        return true;
    if (cursor->as != as || cursor->reader != COUNTS_PAGES || cursor->counted.value == USER_END)
        *cursor = (struct maps_cursor){.as = as, .reader = COUNTS_PAGES};
    virt_t end = aspace_chunk_end(as, cursor->counted, virt(USER_END), MAPS_WORK * COUNT_COST);
    (void)pt_walk(&as->pt, cursor->counted, end, count_page, &cursor->count);
    cursor->counted = end;
    text->unfinished = end.value < USER_END;
    *out = cursor->count;
    return !text->unfinished;
}

void proc_statm(struct text *text, struct process *process)
{
    const struct loaded_process *loaded = process->image ? &process->image->loaded : NULL;
    const struct aspace *as = process->aspace;
    struct maps_count count;
    if (!proc_count_pages(text, process->aspace, &count))
        return;
    size_t anon = count.pages[1][0] + count.pages[1][1];
    size_t file = count.pages[0][0] + count.pages[0][1];
    text_printf(text, "%lu %zu %zu %lu 0 %lu 0\n", as ? as->total >> PAGE_SHIFT : 0, anon + file,
                file,
                loaded ? virt_distance(loaded->text_start, loaded->text_end) >> PAGE_SHIFT : 0,
                as ? as->data >> PAGE_SHIFT : 0);
}

/* Copies strings from the program's memory, with their current contents. */
static void put_memory(struct text *text, struct aspace *as, virt_t at, virt_t end)
{
    char part[64];
    while (at.value < end.value) {
        size_t left = virt_distance(at, end), n = left < sizeof(part) ? left : sizeof(part);
        if (aspace_read(as, at, part, n) != 0)
            return;
        text_put(text, part, n);
        at.value += n;
    }
}

/* Copies a string with its NUL. */
static void put_string(struct text *text, struct aspace *as, virt_t at, virt_t end)
{
    char part[64];
    while (at.value < end.value) {
        size_t left = virt_distance(at, end), n = left < sizeof(part) ? left : sizeof(part);
        if (aspace_read(as, at, part, n) != 0)
            return;
        size_t length = 0;
        while (length < n && part[length] != '\0')
            length++;
        text_put(text, part, length < n ? length + 1 : n);
        if (length < n)
            return;
        at.value += n;
    }
}

/* A program that writes a title over its arguments may go on over its environment. Linux takes a last
 * byte other than NUL as the sign of that, and shows at most a page. */
void proc_cmdline(struct text *text, struct process *process)
{
    const struct loaded_process *loaded = process->image ? &process->image->loaded : NULL;
    struct aspace *as = process->aspace;
    char last = '\0';
    if (!as || loaded->argv_start.value == loaded->argv_end.value)
        return;
    virt_t start = loaded->argv_start, end = loaded->envp_end;
    if (aspace_read(as, virt_sub(loaded->argv_end, 1), &last, 1) != 0 || last == '\0')
        put_memory(text, as, start, loaded->argv_end);
    else
        put_string(text, as, start, virt_min(end, virt_add(start, PAGE_SIZE)));
}

void proc_environ(struct text *text, struct process *process)
{
    const struct loaded_process *loaded = process->image ? &process->image->loaded : NULL;
    if (process->aspace)
        put_memory(text, process->aspace, loaded->argv_end, loaded->envp_end);
}

/* The auxiliary vector, as the stack of the program has it now. */
void proc_auxv(struct text *text, struct process *process)
{
    const struct loaded_process *loaded = process->image ? &process->image->loaded : NULL;
    if (process->aspace)
        put_memory(text, process->aspace, loaded->auxv_start, loaded->auxv_end);
}
