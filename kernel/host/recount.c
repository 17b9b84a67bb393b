#include "host/recount.h"

#include <string.h>

#include "file/files.h"
#include "file/pipe.h"
#include "host/fail.h"
#include "host/ram.h"
#include "mm/frame.h"

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
