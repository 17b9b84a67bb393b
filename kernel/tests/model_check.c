/* Compares the processor's view of memory with the model. */
#include <string.h>
#include <umvfs/page.h>

#include "host/cpu.h"
#include "host/fail.h"
#include "host/ram.h"
#include "host/walk.h"
#include "tests/model.h"

/* Leaves found for each frame, over all spaces. */
static uint16_t leaves[RAM_FRAMES_MAX];
static uint32_t touched[MODEL_SPACES * MODEL_PAGES];
static unsigned nr_touched, nr_anon;

/* The VFS's own page of a file, 0 for a hole; looked up once a check. */
static uint64_t file_frame[MODEL_FILES][FILE_PAGES];
static bool file_known[MODEL_FILES][FILE_PAGES];

static struct frame *file_page_frame(struct model *m, unsigned file, unsigned page)
{
    if (!file_known[file][page]) {
        void *pointer = NULL;
        int error = umvfs_page_get(m->file[file].file.inode, page, UMVFS_PAGE_READ, &pointer);
        if (error)
            host_fail("page %u of file %u is mapped, the file says %d", page, file, error);
        file_frame[file][page] = pointer ? ptr_phys(pointer).value : 0;
        file_known[file][page] = true;
        if (pointer)
            frame_put(frame_of_ptr(pointer));
    }
    uint64_t at = file_frame[file][page];
    return at ? frame_of(phys(at)) : NULL;
}

static void count_leaf(struct frame *frame)
{
    size_t index = (size_t)(frame - frame_records);
    if (leaves[index]++ == 0) {
        touched[nr_touched++] = (uint32_t)index;
        nr_anon += frame->kind == FRAME_ANON;
    }
}

static void check_bits(const struct model_page *p, const struct walk_leaf *leaf, virt_t at)
{
    if (leaf->present != (p->prot != 0))
        host_fail("%#lx: present %d, protection %u", at.value, leaf->present, p->prot);
    if (!leaf->present)
        return;
    if (!leaf->user || leaf->level != 1)
        host_fail("%#lx: entry %#lx is not a user page of 4 KiB", at.value, leaf->entry);
    if (leaf->executable != ((p->prot & PROT_EXEC) != 0))
        host_fail("%#lx: executable %d, protection %u", at.value, leaf->executable, p->prot);
    if (leaf->writable && !(p->prot & PROT_WRITE))
        host_fail("%#lx: writable, protection %u", at.value, p->prot);
}

/* Checks the frame of a page. */
static void check_frame(struct model *m, const struct model_page *p, const struct walk_leaf *leaf,
                        struct frame *frame, virt_t at)
{
    bool shared = p->flags & VMA_SHARED;
    if (frame == aspace_zero_frame) {
        if (shared || leaf->writable || p->own)
            host_fail("%#lx: the frame of zeros, writable %d", at.value, leaf->writable);
        return;
    }
    bool from_file = p->file >= 0 && !p->own;
    if (from_file && frame != file_page_frame(m, (unsigned)p->file, p->file_page))
        host_fail("%#lx: not the page of the file", at.value);
    if (!from_file && frame->kind != FRAME_ANON)
        host_fail("%#lx: a frame of kind %s", at.value,
                  frame_kind_name((enum frame_kind)frame->kind));
    if (leaf->writable && !shared && (frame->kind != FRAME_ANON || frame->refs != 1))
        host_fail("%#lx: a private page is writable, and its frame is held %u times", at.value,
                  frame->refs);
}

static void check_value(const struct model *m, const struct model_page *p, struct frame *frame,
                        virt_t at)
{
    uint64_t value;
    memcpy(&value, (const uint8_t *)frame_ptr(frame) + WORD_OFFSET, sizeof(value));
    if (value != model_value(m, p))
        host_fail("%#lx: contents %#lx, the model says %#lx", at.value, value, model_value(m, p));
}

static void check_page(struct model *m, const struct model_page *p, const struct walk_leaf *leaf,
                       virt_t at)
{
    if (!leaf->entry) {
        if (p->mapped && (p->own || (p->file < 0 && p->value)))
            host_fail("%#lx: the page is lost", at.value);
        return;
    }
    if (!p->mapped)
        host_fail("%#lx: a page is there, but nothing is mapped", at.value);
    if (!ram_contains(leaf->frame, PAGE_SIZE))
        host_fail("%#lx: frame %#lx is outside RAM", at.value, leaf->frame);
    struct frame *frame = frame_of(phys(leaf->frame));
    check_bits(p, leaf, at);
    check_frame(m, p, leaf, frame, at);
    check_value(m, p, frame, at);
    count_leaf(frame);
}

static void check_pages(struct model *m, const struct model_space *s)
{
    for (unsigned zone = 0; zone < ZONES; zone++) {
        struct walk_leaf found[ZONE_PAGES];
        unsigned first = zone * ZONE_PAGES;
        walk_range(frame_phys(s->as->pt.root), model_address(first), ZONE_PAGES, found);
        for (unsigned i = 0; i < ZONE_PAGES; i++)
            check_page(m, &s->page[first + i], &found[i], model_address(first + i));
    }
}

/* The areas cover the mapped pages, with the same properties. */
static void check_areas(const struct model *m, const struct model_space *s)
{
    struct vma *vma = NULL;
    uint64_t total = 0, data = 0;
    struct vma_set *set = &s->as->areas;
    for (unsigned i = 0; i < MODEL_PAGES; i++) {
        const struct model_page *p = &s->page[i];
        virt_t at = model_address(i);
        if (!p->mapped)
            continue;
        if (!vma || at.value >= vma->end.value)
            vma = vma_find(set, at);
        if (!vma || vma->start.value > at.value)
            host_fail("%#lx: no area", at.value);
        uint16_t flags = vma->flags & (uint16_t)~VMA_HAS_ANON;
        if (vma->prot != p->prot || flags != p->flags)
            host_fail("%#lx: protection %u flags %u, the model says %u and %u", at.value, vma->prot,
                      flags, p->prot, p->flags);
        if (vma->inode != (p->file < 0 ? NULL : m->file[p->file].file.inode))
            host_fail("%#lx: another file", at.value);
        if (p->file >= 0 &&
            vma->page_index + (virt_distance(vma->start, at) >> PAGE_SHIFT) != p->file_page)
            host_fail("%#lx: another page of the file", at.value);
        total += PAGE_SIZE;
        if ((p->prot & PROT_WRITE) && !(p->flags & (VMA_SHARED | VMA_GROWSDOWN)))
            data += PAGE_SIZE;
    }
    if (s->as->total != total || s->as->data != data)
        host_fail("total %#lx data %#lx, the model says %#lx and %#lx", s->as->total, s->as->data,
                  total, data);
}

/* Every reference on a frame belongs to a leaf that was found, the file, or the kernel. */
static void check_references(const struct model *m)
{
    size_t tables = m->tables;
    for (unsigned i = 0; i < nr_touched; i++) {
        const struct frame *frame = &frame_records[touched[i]];
        unsigned others = frame->kind == FRAME_FILE || frame == aspace_zero_frame;
        if (frame->refs != leaves[touched[i]] + others)
            host_fail("frame %#lx (%s) has %u references, %u leaves show it",
                      frame_phys(frame).value, frame_kind_name((enum frame_kind)frame->kind),
                      frame->refs, leaves[touched[i]]);
        leaves[touched[i]] = 0;
    }
    if (frame_count(FRAME_ANON) != nr_anon)
        host_fail("%zu anonymous frames, %u are mapped", frame_count(FRAME_ANON), nr_anon);
    for (unsigned i = 0; i < MODEL_SPACES; i++)
        tables += m->space[i].as ? m->space[i].as->pt.tables : 0;
    if (frame_count(FRAME_TABLE) != tables)
        host_fail("%zu frames of tables, the spaces count %zu", frame_count(FRAME_TABLE), tables);
}

/* For the whole walk. */
struct tally {
    size_t tables, leaves;
};

static void tally_leaf(void *ctx, virt_t address, const struct walk_leaf *leaf)
{
    struct tally *tally = ctx;
    (void)address, (void)leaf;
    tally->leaves++;
}

static void tally_table(void *ctx, phys_t table, unsigned level, unsigned entries)
{
    struct tally *tally = ctx;
    const struct frame *frame = frame_of(table);
    tally->tables++;
    if (frame->kind != FRAME_TABLE || frame->refs != 1)
        host_fail("table %#lx is a frame of kind %s with %u references", table.value,
                  frame_kind_name((enum frame_kind)frame->kind), frame->refs);
    if (frame->in_use != entries)
        host_fail("level %u table %#lx has %u entries, its record says %u", level, table.value,
                  entries, frame->in_use);
}

static void check_tree(const struct model_space *s)
{
    struct tally tally = {0};
    const struct walk_visitor visitor = {tally_leaf, tally_table, &tally};
    struct walk_leaf found[ZONE_PAGES];
    size_t in_zones = 0;
    walk_user(frame_phys(s->as->pt.root), &visitor);
    for (unsigned zone = 0; zone < ZONES; zone++) {
        walk_range(frame_phys(s->as->pt.root), model_address(zone * ZONE_PAGES), ZONE_PAGES, found);
        for (unsigned i = 0; i < ZONE_PAGES; i++)
            in_zones += found[i].entry != 0;
    }
    if (tally.leaves != in_zones)
        host_fail("%zu pages, %zu of them where something can be", tally.leaves, in_zones);
    if (tally.tables != s->as->pt.tables)
        host_fail("%zu tables, %zu counted", tally.tables, s->as->pt.tables);
    if (tally.leaves != s->as->pt.leaves)
        host_fail("%zu pages, %zu counted", tally.leaves, s->as->pt.leaves);
}

void model_check(struct model *m, bool whole)
{
    memset(file_known, 0, sizeof(file_known));
    nr_touched = nr_anon = 0;
    for (unsigned i = 0; i < MODEL_SPACES; i++) {
        if (!m->space[i].as)
            continue;
        check_pages(m, &m->space[i]);
        check_areas(m, &m->space[i]);
        vma_check(&m->space[i].as->areas);
        if (whole)
            check_tree(&m->space[i]);
    }
    check_references(m);
    tlb_check();
}
