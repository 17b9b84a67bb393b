#include "mm/pagetable.h"

#include "arch/tlb.h"
#include "lib/check.h"
#include "lib/errno.h"
#include "lib/planted.h"
#include "lib/variable.h"
#include "lib/string.h"

#define LEVELS            4
#define TABLE_BITS        (PTE_P | PTE_RW | PTE_US)
#define KERNEL_TABLE_BITS (PTE_P | PTE_RW)

SEALED struct pagetable kernel_pagetable;
SEALED pte_t pte_execute_disable;

static inline unsigned index_at(virt_t address, unsigned level)
{
    return (address.value >> (PAGE_SHIFT + 9 * (level - 1))) & (PT_ENTRIES - 1);
}

/* Bytes that one entry of a level spans. */
static inline uint64_t span_at(unsigned level)
{
    return PAGE_SIZE << (9 * (level - 1));
}

/* The first address that the entry of an address does not span. */
static inline virt_t next_entry(virt_t address, unsigned level)
{
    return virt((address.value | (span_at(level) - 1)) + 1);
}

static inline pte_t *table_of(pte_t entry)
{
    return phys_ptr(phys(entry & PTE_ADDRESS));
}

static inline pte_t table_entry(const struct frame *table, pte_t bits)
{
    return frame_phys(table).value | bits;
}

int pt_create(struct pagetable *pt)
{
    struct frame *root = frame_alloc_zeroed(FRAME_TABLE);
    if (!root)
        return -ENOMEM;
    const pte_t *kernel = frame_ptr(kernel_pagetable.root);
    memcpy((pte_t *)frame_ptr(root) + PT_ENTRIES / 2, kernel + PT_ENTRIES / 2, PAGE_SIZE / 2);
    *pt = (struct pagetable){.root = root, .tables = 1};
    return 0;
}

void pt_destroy(struct pagetable *pt)
{
    CHECK(pt->root->in_use == 0 && pt->tables == 1 && pt->leaves == 0,
          "%u entries, %zu tables, %zu leaves", pt->root->in_use, pt->tables, pt->leaves);
    frame_put(pt->root);
    *pt = (struct pagetable){0};
}

pte_t *pt_lookup(const struct pagetable *pt, virt_t address)
{
    pte_t entry = ((pte_t *)frame_ptr(pt->root))[index_at(address, 4)];
    if (!(entry & PTE_P))
        return NULL;
    entry = table_of(entry)[index_at(address, 3)];
    if (!(entry & PTE_P))
        return NULL;
    entry = table_of(entry)[index_at(address, 2)];
    return entry & PTE_P ? &table_of(entry)[index_at(address, 1)] : NULL;
}

/* Makes the tables below `table`'s empty entry. First it allocates all of them, then it links them;
 * the link that makes them visible is the last. */
static pte_t *ensure_below(struct pagetable *pt, pte_t *table, unsigned level, virt_t address)
{
    struct frame *made[LEVELS];
    pte_t bits = address.value < USER_END ? TABLE_BITS : KERNEL_TABLE_BITS;
    for (unsigned l = level - 1; l >= 1; l--) {
        made[l] = frame_alloc_zeroed(FRAME_TABLE);
        if (!made[l]) {
            for (unsigned undo = l + 1; undo < level; undo++)
                frame_put(made[undo]);
            return NULL;
        }
    }
    for (unsigned l = 2; l < level; l++) {
        ((pte_t *)frame_ptr(made[l]))[index_at(address, l)] = table_entry(made[l - 1], bits);
        made[l]->in_use = 1;
    }
    table[index_at(address, level)] = table_entry(made[level - 1], bits);
    frame_of_ptr(table)->in_use++;
    pt->tables += level - 1;
    return (pte_t *)frame_ptr(made[1]) + index_at(address, 1);
}

pte_t *pt_ensure(struct pagetable *pt, virt_t address)
{
    pte_t *table = frame_ptr(pt->root);
    for (unsigned level = LEVELS; level > 1; level--) {
        pte_t entry = table[index_at(address, level)];
        if (!(entry & PTE_P))
            return ensure_below(pt, table, level, address);
        table = table_of(entry);
    }
    return &table[index_at(address, 1)];
}

void pt_flush_begin(struct pt_flush *flush, const struct pagetable *pt)
{
    flush->active = tlb_current().value == frame_phys(pt->root).value;
    flush->all = !flush->active; /* then no page need be noted */
    flush->nr = 0;
    list_init(&flush->tables);
}

void pt_flush_page(struct pt_flush *flush, virt_t address)
{
    if (flush->nr < sizeof(flush->address) / sizeof(flush->address[0]))
        flush->address[flush->nr++] = address;
    else
        flush->all = true;
}

void pt_flush_end(struct pt_flush *flush)
{
    if (flush->active && flush->all)
        tlb_flush_all();
    else if (flush->active)
        for (unsigned i = 0; i < flush->nr; i++)
            tlb_flush_page(flush->address[i]);
    LIST_FOR_EACH (table, &flush->tables, struct frame, link) {
        list_remove(&table->link);
        frame_put(table);
    }
}

/* One pass over the leaves of [start, end), for one of the public functions. */
struct sweep {
    struct pagetable *pt;
    struct pt_flush *flush;
    virt_t start, end;
    void (*leaves)(struct sweep *sweep, pte_t *table, virt_t address, virt_t end);
    pte_t bits;
    struct pt_writable rule;
    int (*visit)(void *ctx, virt_t address, pte_t *entry);
    void *ctx;
    struct pagetable *copy; /* where pt_copy copies to */
    bool cow;
    uint64_t delta;         /* from a leaf's place to where pt_move() moves it, modulo 2^64 */
    virt_t to;              /* where the last one went */
    pte_t *table;           /* the table that has it; NULL: none yet */
    struct pt_flush *moved; /* pt_move()'s: it frees no table */
    size_t budget;          /* what is left in pt_chunk_end() */
    virt_t stop;            /* where that ends */
    int result;
};

/* True if the table has become empty and must be freed. */
static inline bool is_to_be_freed(const struct sweep *sweep, const struct frame *table)
{
    return sweep->flush && table->in_use == 0 && !sweep->pt->keeps_tables;
}

static void free_table(struct sweep *sweep, pte_t *parent_entry)
{
    struct frame *table = pte_frame(*parent_entry);
    *parent_entry = 0;
    frame_of_ptr((void *)page_floor((uint64_t)parent_entry))->in_use--;
    list_append(&sweep->flush->tables, &table->link);
    if (sweep->flush->nr == 0)
        sweep->flush->all = true; /* else the INVLPG of the pages removes this link too */
    sweep->pt->tables--;
}

/* Walks the present entries depth-first, three levels deep. */
static void sweep_table(struct sweep *sweep, pte_t *table, unsigned level, virt_t start, virt_t end)
{
    if (level == 1) {
        sweep->leaves(sweep, table, start, end);
        return;
    }
    for (virt_t at = start; at.value < end.value && sweep->result == 0;
         at = next_entry(at, level)) {
        pte_t *entry = &table[index_at(at, level)];
        if (!(*entry & PTE_P))
            continue;
        sweep_table(sweep, table_of(*entry), level - 1, at, virt_min(next_entry(at, level), end));
        if (is_to_be_freed(sweep, pte_frame(*entry)))
            free_table(sweep, entry);
    }
}

/* The quick path for a range within one table. Returns true if more must be done: the range is
 * longer, or the table has become empty and must be freed. */
static bool sweep_one_table(struct sweep *sweep)
{
    if ((sweep->start.value ^ (sweep->end.value - 1)) >= span_at(2))
        return true;
    pte_t *entry = pt_lookup(sweep->pt, sweep->start);
    if (!entry)
        return false;
    pte_t *table = (pte_t *)page_floor((uint64_t)entry);
    sweep->leaves(sweep, table, sweep->start, sweep->end);
    return is_to_be_freed(sweep, frame_of_ptr(table));
}

static int sweep_run(struct sweep *sweep)
{
    DEBUG_CHECK(sweep->end.value <= USER_END, "end %#lx", sweep->end.value);
    if (sweep->start.value >= sweep->end.value || !sweep_one_table(sweep))
        return sweep->result;
    sweep_table(sweep, frame_ptr(sweep->pt->root), LEVELS, sweep->start, sweep->end);
    return sweep->result;
}

static void unmap_leaves(struct sweep *sweep, pte_t *table, virt_t start, virt_t end)
{
    struct frame *record = frame_of_ptr(table);
    unsigned left = record->in_use;
    pte_t *const first = &table[index_at(start, 1)];
    const pte_t *const stop = first + (virt_distance(start, end) >> PAGE_SHIFT);
    for (pte_t *entry = first; entry < stop && left > 0; entry++) {
        if (*entry == 0)
            continue;
        left--;
        struct frame *frame = pte_frame(*entry);
        *entry = 0;
        if (!sweep->flush->all)
            pt_flush_page(sweep->flush, virt_add(start, (uint64_t)(entry - first) << PAGE_SHIFT));
        frame_put(frame);
    }
    sweep->pt->leaves -= record->in_use - left;
    record->in_use = (uint16_t)left;
}

void pt_unmap(struct pagetable *pt, virt_t start, virt_t end, struct pt_flush *flush)
{
    struct sweep sweep = {
        .pt = pt, .flush = flush, .start = start, .end = end, .leaves = unmap_leaves};
    pt->most_leaves = pt_most_leaves(pt);
    sweep_run(&sweep);
}

static void unmap_kind_leaves(struct sweep *sweep, pte_t *table, virt_t start, virt_t end)
{
    pte_t *entry = &table[index_at(start, 1)];
    for (virt_t at = start; at.value < end.value; at.value += PAGE_SIZE, entry++)
        if (*entry != 0 && pte_frame(*entry)->kind == sweep->rule.kind)
            unmap_leaves(sweep, table, at, virt_add(at, PAGE_SIZE));
}

void pt_unmap_kind(struct pagetable *pt, virt_t start, virt_t end, enum frame_kind kind,
                   struct pt_flush *flush)
{
    struct sweep sweep = {.pt = pt,
                          .flush = flush,
                          .start = start,
                          .end = end,
                          .leaves = unmap_kind_leaves,
                          .rule = {.kind = kind}};
    pt->most_leaves = pt_most_leaves(pt);
    sweep_run(&sweep);
}

static void protect_leaves(struct sweep *sweep, pte_t *table, virt_t start, virt_t end)
{
    pte_t *entry = &table[index_at(start, 1)];
    unsigned left = frame_of_ptr(table)->in_use; /* stop after the last leaf */
    const pte_t bits = sweep->bits;
    const struct pt_writable rule = sweep->rule;
    for (virt_t at = start; at.value < end.value && left > 0; at.value += PAGE_SIZE, entry++) {
        pte_t old = *entry;
        if (old == 0)
            continue;
        left--;
        pte_t new = (old & ~(PTE_P | PTE_US | PTE_RW | PTE_XD)) | bits;
        if ((bits & PTE_RW) && !pt_may_write(rule, pte_frame(old)))
            new &= ~PTE_RW;
        if (new == old)
            continue;
        *entry = new;
        if (!sweep->flush->all)
            pt_flush_page(sweep->flush, at);
    }
}

void pt_protect(struct pagetable *pt, virt_t start, virt_t end, pte_t bits, struct pt_writable rule,
                struct pt_flush *flush)
{
    struct sweep sweep = {.pt = pt,
                          .flush = flush,
                          .start = start,
                          .end = end,
                          .leaves = protect_leaves,
                          .bits = bits,
                          .rule = rule};
    sweep_run(&sweep);
}

static void prepare_leaves(struct sweep *sweep, pte_t *table, virt_t start, virt_t end)
{
    const pte_t *entry = &table[index_at(start, 1)];
    while (start.value < end.value && *entry == 0)
        start.value += PAGE_SIZE, entry++;
    if (start.value < end.value && !pt_ensure(sweep->copy, start))
        sweep->result = -ENOMEM;
}

int pt_copy_prepare(struct pagetable *to, const struct pagetable *from, virt_t start, virt_t end)
{
    struct pagetable source = *from;
    struct sweep sweep = {
        .pt = &source, .start = start, .end = end, .leaves = prepare_leaves, .copy = to};
    return sweep_run(&sweep);
}

static void copy_leaves(struct sweep *sweep, pte_t *table, virt_t start, virt_t end)
{
    pte_t *from = &table[index_at(start, 1)];
    pte_t *to = pt_lookup(sweep->copy, start);
    if (!to)
        return; /* the range is empty here: pt_copy_prepare() made no table for it */
    pte_t keep = sweep->cow && !planted(PLANT_FORK_SHARES_WRITABLE) ? ~PTE_RW : ~(pte_t)0;
    const struct frame *source = frame_of_ptr(table);
    struct frame *record = frame_of_ptr((void *)page_floor((uint64_t)to));
    unsigned left = source->in_use;
    for (virt_t at = start; at.value < end.value && left > 0; at.value += PAGE_SIZE, from++, to++) {
        if (*from == 0)
            continue;
        left--;
        if (!planted(PLANT_FORK_COUNTS_NOTHING))
            frame_get(pte_frame(*from));
        *from &= keep;
        *to = *from;
    }
    record->in_use += (uint16_t)(source->in_use - left);
    sweep->copy->leaves += source->in_use - left;
}

void pt_copy(struct pagetable *to, struct pagetable *from, virt_t start, virt_t end, bool cow,
             struct pt_flush *flush)
{
    struct sweep sweep = {
        .pt = from, .start = start, .end = end, .leaves = copy_leaves, .copy = to, .cow = cow};
    sweep_run(&sweep);
    flush->all |= cow;
}

/* True if a leaf's new address is in another table than that of the last leaf. */
static bool at_next_table(const struct sweep *sweep, virt_t to)
{
    return !sweep->table || (to.value ^ sweep->to.value) >= span_at(2);
}

/* Makes the table of the address, which contains `entry`, the current one. */
static void set_table(struct sweep *sweep, virt_t to, pte_t *entry)
{
    sweep->to = to;
    sweep->table = (pte_t *)page_floor((uint64_t)entry);
}

static void prepare_move_leaves(struct sweep *sweep, pte_t *table, virt_t start, virt_t end)
{
    const pte_t *entry = &table[index_at(start, 1)];
    unsigned left = frame_of_ptr(table)->in_use;
    for (virt_t at = start; at.value < end.value && left > 0; at.value += PAGE_SIZE, entry++) {
        if (*entry == 0)
            continue;
        left--;
        if (!at_next_table(sweep, virt_add(at, sweep->delta)))
            continue;
        pte_t *place = pt_ensure(sweep->pt, virt_add(at, sweep->delta));
        if (!place) {
            sweep->result = -ENOMEM;
            return;
        }
        set_table(sweep, virt_add(at, sweep->delta), place);
    }
}

int pt_move_prepare(struct pagetable *pt, virt_t from, virt_t to, uint64_t size)
{
    struct sweep sweep = {.pt = pt,
                          .start = from,
                          .end = virt_add(from, size),
                          .leaves = prepare_move_leaves,
                          .delta = virt_distance(from, to)};
    return sweep_run(&sweep);
}

static void move_leaves(struct sweep *sweep, pte_t *table, virt_t start, virt_t end)
{
    pte_t *entry = &table[index_at(start, 1)];
    unsigned left = frame_of_ptr(table)->in_use;
    for (virt_t at = start; at.value < end.value && left > 0; at.value += PAGE_SIZE, entry++) {
        virt_t to = virt_add(at, sweep->delta);
        if (*entry == 0)
            continue;
        left--;
        if (at_next_table(sweep, to))
            set_table(sweep, to, pt_lookup(sweep->pt, to));
        pte_t *place = &sweep->table[index_at(to, 1)];
        DEBUG_CHECK(*place == 0, "entry %#lx", *place);
        *place = planted(PLANT_MOVE_LOSES_PAGE) ? 0 : *entry;
        *entry = 0;
        frame_of_ptr(sweep->table)->in_use++;
        frame_of_ptr(table)->in_use--;
        if (!sweep->moved->all)
            pt_flush_page(sweep->moved, at);
    }
}

void pt_move(struct pagetable *pt, virt_t from, virt_t to, uint64_t size, struct pt_flush *flush)
{
    struct sweep sweep = {.pt = pt,
                          .start = from,
                          .end = virt_add(from, size),
                          .leaves = move_leaves,
                          .delta = virt_distance(from, to),
                          .moved = flush};
    sweep_run(&sweep);
}

static void count_leaves(struct sweep *sweep, pte_t *table, virt_t start, virt_t end)
{
    size_t cost = PT_TABLE_COST + frame_of_ptr(table)->in_use;
    (void)end;
    if (sweep->budget == 0) {
        sweep->stop = start;
        sweep->result = 1;
        return;
    }
    sweep->budget -= cost < sweep->budget ? cost : sweep->budget;
}

virt_t pt_chunk_end(const struct pagetable *pt, virt_t start, virt_t end, size_t *budget)
{
    struct pagetable copy = *pt;
    struct sweep sweep = {.pt = &copy,
                          .start = start,
                          .end = end,
                          .leaves = count_leaves,
                          .budget = *budget,
                          .stop = end};
    sweep_run(&sweep);
    *budget = sweep.budget;
    return sweep.stop;
}

static void visit_leaves(struct sweep *sweep, pte_t *table, virt_t start, virt_t end)
{
    pte_t *entry = &table[index_at(start, 1)];
    for (virt_t at = start; at.value < end.value && sweep->result == 0;
         at.value += PAGE_SIZE, entry++)
        if (*entry != 0)
            sweep->result = sweep->visit(sweep->ctx, at, entry);
}

int pt_walk(const struct pagetable *pt, virt_t start, virt_t end,
            int (*visit)(void *ctx, virt_t address, pte_t *entry), void *ctx)
{
    struct pagetable copy = *pt;
    struct sweep sweep = {.pt = &copy,
                          .start = start,
                          .end = end,
                          .leaves = visit_leaves,
                          .visit = visit,
                          .ctx = ctx};
    return sweep_run(&sweep);
}

static pte_t *kernel_table_below(pte_t *entry)
{
    if (!(*entry & PTE_P)) {
        struct frame *table = frame_alloc_zeroed(FRAME_TABLE);
        if (!table)
            panic("no memory for the kernel's page tables");
        *entry = table_entry(table, KERNEL_TABLE_BITS);
    }
    CHECK(!(*entry & PTE_PS), "entry %#lx", *entry);
    return table_of(*entry);
}

static bool large_page_fits(unsigned level, virt_t at, virt_t end, phys_t base, bool huge)
{
    uint64_t span = span_at(level);
    return (level == 2 || (level == 3 && huge)) && ((at.value | base.value) & (span - 1)) == 0 &&
           virt_distance(at, end) >= span;
}

void pt_map_kernel(virt_t start, virt_t end, phys_t base, pte_t bits, bool huge)
{
    for (virt_t at = start; at.value < end.value;) {
        phys_t target = phys(base.value + virt_distance(start, at));
        pte_t *table = frame_ptr(kernel_pagetable.root);
        unsigned level = LEVELS;
        while (level > 1 && !large_page_fits(level, at, end, target, huge)) {
            table = kernel_table_below(&table[index_at(at, level)]);
            level--;
        }
        pte_t *entry = &table[index_at(at, level)];
        CHECK(!(*entry & PTE_P), "address %#lx is mapped already", at.value);
        *entry = target.value | bits | PTE_P | (level > 1 ? PTE_PS : 0);
        at.value += span_at(level);
    }
}
