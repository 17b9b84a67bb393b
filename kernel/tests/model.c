#include "tests/model.h"

#include <string.h>
#include <umvfs/attr.h>
#include <umvfs/tree.h>

#include "host/cpu.h"
#include "host/fail.h"
#include "host/files.h"
#include "host/ram.h"
#include "host/walk.h"
#include "lib/errno.h"

/* Zones across the border of two level-1 tables, of two PML4 entries, and at the end of user
 * memory. */
static const virt_t zone_base[ZONES] = {
    {0x400000 - 16 * PAGE_SIZE},
    {0x8000000000 - 16 * PAGE_SIZE},
    {USER_END - ZONE_PAGES * PAGE_SIZE},
};

#define BRK_PAGE 18 /* of the first zone, where the heap begins */

virt_t model_address(unsigned page)
{
    return virt_add(zone_base[page / ZONE_PAGES], page % ZONE_PAGES * PAGE_SIZE);
}

static virt_t end_address(unsigned page)
{
    return virt_add(model_address(page - 1), PAGE_SIZE);
}

static unsigned zone_end(unsigned page)
{
    return (page / ZONE_PAGES + 1) * ZONE_PAGES;
}

static unsigned cut_to_zone(unsigned first, unsigned pages)
{
    return first + pages > zone_end(first) ? zone_end(first) - first : pages;
}

/* Compares a result with the expected one. Returns true if the operation succeeded. */
static bool expect(const char *what, long got, long wanted)
{
    bool starved = alloc_failed() > 0;
    alloc_fail_at(0, false);
    if (got == -ENOMEM && starved)
        return false;
    if (got != wanted)
        host_fail("%s: result %ld, the model says %ld", what, got, wanted);
    return got >= 0;
}

static const char *const names[MODEL_FILES] = {"/a", "/b", "/c"};

void model_start(struct model *m)
{
    *m = (struct model){.objects = alloc_objects(), .tables = frame_count(FRAME_TABLE)};
    for (unsigned i = 0; i < MODEL_FILES; i++)
        m->file[i].file = files_open(names[i], UMVFS_O_RDWR | UMVFS_O_CREAT);
    model_create(m, 0);
    model_run(m, 0);
}

void model_stop(struct model *m)
{
    model_check(m, true);
    cpu_switch(NULL);
    m->running = NULL;
    for (unsigned i = 0; i < MODEL_SPACES; i++)
        model_exit(m, i);
    for (unsigned i = 0; i < MODEL_FILES; i++) {
        umvfs_close(&m->file[i].file);
        if (umvfs_unlink(files_task(), NULL, names[i]) != 0)
            host_fail("unlink %s", names[i]);
    }
    if (frame_count(FRAME_TABLE) != m->tables)
        host_fail("%zu frames of tables are left", frame_count(FRAME_TABLE) - m->tables);
    if (frame_count(FRAME_ANON) || frame_count(FRAME_FILE))
        host_fail("%zu anonymous and %zu file frames are left", frame_count(FRAME_ANON),
                  frame_count(FRAME_FILE));
    if (alloc_objects() != m->objects)
        host_fail("%zu objects at the start, %zu at the end", m->objects, alloc_objects());
    if (aspace_zero_frame->refs != 1)
        host_fail("the frame of zeros has %u references", aspace_zero_frame->refs);
}

void model_create(struct model *m, unsigned space)
{
    struct model_space *s = &m->space[space];
    struct aspace *as = NULL;
    if (s->as)
        return;
    if (!expect("create", aspace_create(&as), 0))
        return;
    *s = (struct model_space){.as = as};
    as->limits = (struct aspace_limits){MODEL_TOTAL_MAX * PAGE_SIZE, MODEL_DATA_MAX * PAGE_SIZE,
                                        MODEL_STACK_MAX * PAGE_SIZE, UINT64_MAX, false};
    as->mmap_top = end_address(zone_end(ZONE_PAGES));
    s->brk_start = s->brk = as->brk_start = as->brk = model_address(BRK_PAGE);
}

void model_exit(struct model *m, unsigned space)
{
    struct model_space *s = &m->space[space];
    if (!s->as || s == m->running)
        return;
    aspace_put(s->as);
    alloc_fail_at(0, false);
    *s = (struct model_space){0};
}

void model_run(struct model *m, unsigned space)
{
    alloc_fail_at(0, false);
    if (!m->space[space].as)
        return;
    m->running = &m->space[space];
    cpu_switch(m->running->as);
}

void model_clone(struct model *m, unsigned from, unsigned to)
{
    struct aspace *as;
    if (!m->space[from].as || m->space[to].as)
        return;
    if (!expect("clone", aspace_clone(m->space[from].as, &as), 0))
        return;
    m->space[to] = m->space[from];
    m->space[to].as = as;
}

/* Cuts a growing area at a page. The upper part does not grow any more. */
static void cut(struct model_space *s, unsigned page)
{
    uint16_t area = page < MODEL_PAGES ? s->page[page].area : 0;
    if (page % ZONE_PAGES == 0 || !area || s->page[page - 1].area != area)
        return;
    for (unsigned i = page; i < MODEL_PAGES && s->page[i].area == area; i++) {
        s->page[i].flags &= (uint8_t)~VMA_GROWSDOWN;
        s->page[i].area = 0;
    }
}

static bool is_data(const struct model_page *p)
{
    return p->mapped && (p->prot & PROT_WRITE) && !(p->flags & (VMA_SHARED | VMA_GROWSDOWN));
}

static bool within_limits(const struct model_space *s, unsigned first, unsigned pages, bool data)
{
    unsigned total = 0, data_total = 0;
    for (unsigned i = 0; i < MODEL_PAGES; i++) {
        if (i >= first && i < first + pages)
            continue;
        total += s->page[i].mapped;
        data_total += is_data(&s->page[i]);
    }
    return total + pages <= MODEL_TOTAL_MAX && (!data || data_total + pages <= MODEL_DATA_MAX);
}

static bool any_mapped(const struct model_space *s, unsigned first, unsigned pages)
{
    for (unsigned i = first; i < first + pages; i++)
        if (s->page[i].mapped)
            return true;
    return false;
}

static long map_result(const struct model_space *s, const struct model_mapping *mapping,
                       unsigned pages)
{
    bool data = (mapping->prot & PROT_WRITE) && !(mapping->flags & (VMA_SHARED | VMA_GROWSDOWN));
    if ((mapping->prot & PROT_WRITE) && (mapping->prot & PROT_EXEC))
        return -EACCES;
    if (!mapping->replace && any_mapped(s, mapping->first, pages))
        return -EEXIST;
    return within_limits(s, mapping->first, pages, data) ? 0 : -ENOMEM;
}

static void set_pages(struct model *m, struct model_space *s, const struct model_mapping *mapping,
                      unsigned pages)
{
    uint16_t area = mapping->flags & VMA_GROWSDOWN ? ++m->areas : 0;
    cut(s, mapping->first);
    cut(s, mapping->first + pages);
    for (unsigned i = 0; i < pages; i++)
        s->page[mapping->first + i] =
            (struct model_page){.mapped = true,
                                .prot = (uint8_t)mapping->prot,
                                .flags = (uint8_t)mapping->flags,
                                .file = (int8_t)mapping->file,
                                .file_page = (uint8_t)(mapping->file_page + i),
                                .area = area};
}

void model_map(struct model *m, unsigned space, const struct model_mapping *mapping)
{
    struct model_space *s = &m->space[space];
    unsigned pages = cut_to_zone(mapping->first, mapping->pages);
    if (!s->as)
        return;
    struct aspace_mapping real = {
        .start = model_address(mapping->first),
        .size = pages * PAGE_SIZE,
        .prot = mapping->prot,
        .flags = mapping->flags,
        .inode = mapping->file < 0 ? NULL : m->file[mapping->file].file.inode,
        .page_index = mapping->file < 0 ? 0 : mapping->file_page,
    };
    long wanted = map_result(s, mapping, pages);
    if (expect("map", aspace_map(s->as, &real, mapping->replace), wanted))
        set_pages(m, s, mapping, pages);
}

void model_unmap(struct model *m, unsigned space, unsigned first, unsigned pages)
{
    struct model_space *s = &m->space[space];
    pages = cut_to_zone(first, pages);
    if (!s->as)
        return;
    if (!expect("unmap", aspace_unmap(s->as, model_address(first), pages * PAGE_SIZE), 0))
        return;
    cut(s, first);
    cut(s, first + pages);
    memset(&s->page[first], 0, pages * sizeof(s->page[0]));
}

/* The answer, and how many of the pages are changed. */
static long protect_result(const struct model_space *s, unsigned first, unsigned *pages,
                           unsigned prot)
{
    unsigned count = *pages;
    *pages = 0;
    if ((prot & PROT_WRITE) && (prot & PROT_EXEC))
        return -EACCES;
    for (; *pages < count; (*pages)++) {
        if (!s->page[first + *pages].mapped)
            return -ENOMEM;
        if ((prot & PROT_WRITE) && (s->page[first + *pages].flags & VMA_NO_WRITE))
            return -EACCES;
    }
    return 0;
}

void model_protect(struct model *m, unsigned space, unsigned first, unsigned pages, unsigned prot)
{
    struct model_space *s = &m->space[space];
    pages = cut_to_zone(first, pages);
    if (!s->as)
        return;
    unsigned changed = pages;
    long wanted = protect_result(s, first, &changed, prot);
    long got = aspace_protect(s->as, model_address(first), pages * PAGE_SIZE, prot);
    bool starved = got == -ENOMEM && alloc_failed() > 0;
    (void)expect("protect", got, wanted);
    if (starved || changed == 0)
        return;
    pages = changed;
    cut(s, first);
    cut(s, first + pages);
    for (unsigned i = first; i < first + pages; i++)
        s->page[i].prot = (uint8_t)prot;
}

void model_discard(struct model *m, unsigned space, unsigned first, unsigned pages)
{
    struct model_space *s = &m->space[space];
    pages = cut_to_zone(first, pages);
    if (!s->as)
        return;
    unsigned mapped = pages;
    long wanted = protect_result(s, first, &mapped, 0);
    (void)expect("discard", aspace_discard(s->as, model_address(first), pages * PAGE_SIZE), wanted);
    for (unsigned i = first; i < first + pages;
         i++) { /* holes are an error, but the other pages are dropped */
        s->page[i].own = false;
        s->page[i].value = 0;
    }
}

static bool past_end(const struct model *m, const struct model_page *p)
{
    return p->file >= 0 && p->file_page * PAGE_SIZE >= m->file[p->file].size;
}

/* Populating copies pages of private writable mappings early, and chooses how many. A copied page
 * may have been a hole then. */
static void notice_copy(struct model *m, struct model_space *s, unsigned page)
{
    struct model_page *p = &s->page[page];
    if (!p->mapped || p->file < 0 || p->own || !(p->prot & PROT_WRITE) || (p->flags & VMA_SHARED))
        return;
    struct walk_leaf leaf = walk_at(frame_phys(s->as->pt.root), model_address(page));
    if (!leaf.present || frame_of(phys(leaf.frame))->kind != FRAME_ANON)
        return;
    memcpy(&p->value, (const uint8_t *)phys_ptr(phys(leaf.frame)) + WORD_OFFSET, sizeof(p->value));
    if (p->value && p->value != m->file[p->file].value[p->file_page])
        host_fail("%#lx: the copy is not one of the file's page", model_address(page).value);
    p->own = true;
}

void model_populate(struct model *m, unsigned space, unsigned first, unsigned pages)
{
    struct model_space *s = &m->space[space];
    long wanted = 0;
    pages = cut_to_zone(first, pages);
    if (!s->as)
        return;
    for (unsigned i = first; i < first + pages && !wanted; i++)
        if (s->page[i].mapped && s->page[i].prot && past_end(m, &s->page[i]))
            wanted = -ENXIO;
    (void)expect("populate", aspace_populate(s->as, model_address(first), pages * PAGE_SIZE),
                 wanted);
    for (unsigned i = first; i < first + pages; i++)
        notice_copy(m, s, i);
}

void model_brk(struct model *m, unsigned space, unsigned page, unsigned offset)
{
    struct model_space *s = &m->space[space];
    if (!s->as)
        return;
    virt_t base = model_address(0), end = virt_add(model_address(page), offset), wanted = s->brk;
    unsigned old_page = (unsigned)(virt_distance(base, virt_ceil(s->brk)) >> PAGE_SHIFT);
    unsigned new_page = (unsigned)(virt_distance(base, virt_ceil(end)) >> PAGE_SHIFT);
    bool grows = new_page > old_page;
    bool free = true;
    if (grows) {
        unsigned n = new_page - old_page;
        unsigned look = new_page < ZONE_PAGES ? n + 1 : n; /* one more page stays free */
        free = !any_mapped(s, old_page, look) && within_limits(s, old_page, n, true);
    }
    if (end.value >= s->brk_start.value && free)
        wanted = end;
    virt_t got = aspace_brk(s->as, end);
    bool starved = alloc_failed() > 0;
    alloc_fail_at(0, false);
    if (starved && got.value == s->brk.value)
        return;
    if (got.value != wanted.value)
        host_fail("brk: %#lx, the model says %#lx", got.value, wanted.value);
    if (got.value != end.value)
        return;
    s->brk = end;
    if (grows) {
        struct model_mapping heap = {old_page, 0, PROT_READ | PROT_WRITE, VMA_BRK, -1, 0, false};
        set_pages(m, s, &heap, new_page - old_page);
    } else if (new_page < old_page) {
        cut(s, new_page);
        cut(s, old_page);
        memset(&s->page[new_page], 0, (old_page - new_page) * sizeof(s->page[0]));
    }
}

void model_find_place(struct model *m, unsigned space, unsigned hint, unsigned pages)
{
    struct model_space *s = &m->space[space];
    if (!s->as)
        return;
    uint64_t size = pages * PAGE_SIZE;
    virt_t place = aspace_find_place(s->as, model_address(hint), size);
    bool hint_free = virt_add(model_address(hint), size).value <= USER_END;
    alloc_fail_at(0, false);
    if (place.value == 0 || (place.value & PAGE_MASK) || place.value < USER_MIN ||
        place.value + size > USER_END)
        host_fail("place %#lx for %u pages", place.value, pages);
    for (unsigned i = 0; i < MODEL_PAGES; i++) {
        virt_t at = model_address(i);
        if (!s->page[i].mapped)
            continue;
        if (at.value >= place.value && at.value < place.value + size)
            host_fail("place %#lx for %u pages is not free", place.value, pages);
        hint_free &= at.value < model_address(hint).value ||
                     at.value >= virt_add(model_address(hint), size).value;
    }
    if (hint_free && place.value != model_address(hint).value)
        host_fail("the hint was free, but the place is %#lx", place.value);
}

/* Extends a growing area down to the page, with its attributes, if an access there does that. */
static long grow(struct model_space *s, unsigned page)
{
    unsigned above = page, below = page, end;
    while (above < MODEL_PAGES && !s->page[above].mapped)
        above++;
    if (above == MODEL_PAGES || !(s->page[above].flags & VMA_GROWSDOWN))
        return -EFAULT;
    for (end = above; end < MODEL_PAGES && s->page[end].area == s->page[above].area; end++)
        ;
    if (virt_distance(model_address(page), end_address(end)) > MODEL_STACK_MAX * PAGE_SIZE)
        return -EFAULT;
    while (below > 0 && !s->page[below - 1].mapped)
        below--;
    if (below > 0 && virt_distance(end_address(below), model_address(page)) < STACK_GUARD_GAP)
        return -EFAULT;
    if (s->page[above].file >= 0 && s->page[above].file_page < above - page)
        return -EFAULT;
    unsigned mapped = above - page;
    for (unsigned i = 0; i < MODEL_PAGES; i++)
        mapped += s->page[i].mapped;
    /* as on Linux it is SIGSEGV: nobody ends because memory is short */
    return mapped <= MODEL_TOTAL_MAX ? (long)above : -EFAULT;
}

static void do_grow(struct model_space *s, unsigned page, unsigned above)
{
    for (unsigned i = page; i < above; i++) {
        s->page[i] = s->page[above];
        s->page[i].own = false;
        s->page[i].value = 0;
        s->page[i].file_page = (uint8_t)(s->page[above].file_page - (above - i));
    }
}

static long access_result(const struct model *m, struct model_space *s, unsigned page,
                          unsigned access, unsigned *above)
{
    const struct model_page *p = &s->page[page];
    *above = page;
    if (!p->mapped) {
        long grown = grow(s, page);
        if (grown < 0)
            return grown;
        *above = (unsigned)grown;
        p = &s->page[grown];
    }
    if ((access & ACCESS_READ) ? !p->prot : (access & ~(unsigned)p->prot) != 0)
        return -EACCES;
    struct model_page there = *p;
    there.file_page -= (uint8_t)(*above - page);
    return past_end(m, &there) ? -ENXIO : 0;
}

uint64_t model_value(const struct model *m, const struct model_page *p)
{
    return p->file < 0 || p->own ? p->value : m->file[p->file].value[p->file_page];
}

static void store(struct model *m, struct model_page *p, uint64_t value)
{
    if (p->file >= 0 && (p->flags & VMA_SHARED)) {
        m->file[p->file].value[p->file_page] = value;
        return;
    }
    p->own = p->file >= 0;
    p->value = value;
}

static void compare_value(const struct model *m, const struct model_page *p, uint64_t got)
{
    if (got != model_value(m, p))
        host_fail("read %#lx, the model says %#lx", got, model_value(m, p));
}

static void after_access(struct model *m, struct model_space *s, unsigned page, unsigned above,
                         bool write, uint64_t value)
{
    if (above != page)
        do_grow(s, page, above);
    if (write)
        store(m, &s->page[page], value);
    else
        compare_value(m, &s->page[page], value);
}

void model_access(struct model *m, unsigned page, unsigned access, uint64_t value)
{
    unsigned above;
    long wanted = access_result(m, m->running, page, access, &above);
    long got = cpu_access(virt_add(model_address(page), WORD_OFFSET), access, &value);
    if (expect("access", got, wanted))
        after_access(m, m->running, page, above, access & ACCESS_WRITE, value);
}

void model_kernel_access(struct model *m, unsigned space, unsigned page, bool write, uint64_t value)
{
    struct model_space *s = &m->space[space];
    virt_t at = virt_add(model_address(page), WORD_OFFSET);
    unsigned above;
    if (!s->as)
        return;
    long wanted = access_result(m, s, page, write ? ACCESS_WRITE : ACCESS_READ, &above);
    if (!write && s->page[page].mapped && !(s->page[page].prot & PROT_READ))
        wanted = -EACCES; /* unlike the processor, which reads what it can write or execute */
    long got = write ? aspace_write(s->as, at, &value, sizeof(value))
                     : aspace_read(s->as, at, &value, sizeof(value));
    if (expect("kernel access", got, wanted))
        after_access(m, s, page, above, write, value);
}

void model_file_write(struct model *m, unsigned file, unsigned page, uint64_t value)
{
    struct model_file *f = &m->file[file];
    uint64_t at = page * PAGE_SIZE + WORD_OFFSET;
    int64_t got = umvfs_pwrite(&f->file, &value, sizeof(value), at);
    if (!expect("file write", (long)got, sizeof(value)))
        return;
    f->value[page] = value;
    if (f->size < at + sizeof(value))
        f->size = at + sizeof(value);
}

void model_file_truncate(struct model *m, unsigned file, uint64_t size)
{
    struct model_file *f = &m->file[file];
    if (!expect("truncate", umvfs_file_truncate(&f->file, size), 0))
        return;
    bool shorter = size < f->size;
    f->size = size;
    for (unsigned page = 0; page < FILE_PAGES; page++)
        if (page * PAGE_SIZE + WORD_OFFSET >= size)
            f->value[page] = 0;
    for (unsigned s = 0; shorter && s < MODEL_SPACES; s++)
        for (unsigned i = 0; i < MODEL_PAGES; i++) {
            struct model_page *p = &m->space[s].page[i];
            if (p->mapped && p->file == (int)file && past_end(m, p))
                p->own = false;
        }
}

void model_file_punch(struct model *m, unsigned file, unsigned page, unsigned pages)
{
    struct model_file *f = &m->file[file];
    if (page + pages > FILE_PAGES)
        pages = FILE_PAGES - page;
    int got = umvfs_fallocate(&f->file, UMVFS_FALLOC_PUNCH_HOLE | UMVFS_FALLOC_KEEP_SIZE,
                              page * PAGE_SIZE, pages * PAGE_SIZE);
    if (!expect("punch", got, 0))
        return;
    for (unsigned i = page; i < page + pages; i++)
        f->value[i] = 0;
}
