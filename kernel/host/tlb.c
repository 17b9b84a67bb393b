/* A model of the translations that a processor may cache (SDM volume 3A, "Caching Translation
 * Information"): leaf translations, and the places of level-1 tables in the paging-structure
 * caches. It drops an entry only for lack of room. */
#include "arch/tlb.h"

#include <string.h>

#include "host/cpu.h"
#include "host/fail.h"
#include "host/walk.h"

#define ENTRIES 32
#define TABLES  8

static phys_t root;
static struct {
    virt_t page; /* 0: empty, page 0 is never mapped */
    struct walk_leaf leaf;
} cache[ENTRIES];
static struct {
    uint64_t region; /* 1 + its number of 2 MiB; 0: empty */
    uint64_t table;
} table_cache[TABLES];
static unsigned next_entry, next_table;
static struct tlb_counts counts;

static void forget_all(void)
{
    memset(cache, 0, sizeof(cache));
    memset(table_cache, 0, sizeof(table_cache));
}

void tlb_drop(virt_t address)
{
    for (unsigned i = 0; i < ENTRIES; i++)
        if (cache[i].page.value == virt_floor(address).value)
            cache[i].page = virt(0);
}

/* "INVLPG ... also invalidates all entries in all paging-structure caches" of this address space.
 */
void tlb_flush_page(virt_t address)
{
    counts.pages++;
    tlb_drop(address);
    memset(table_cache, 0, sizeof(table_cache));
}

void tlb_flush_all(void)
{
    counts.all++;
    forget_all();
}

void tlb_switch(phys_t to)
{
    root = to;
    forget_all();
}

phys_t tlb_current(void)
{
    return root;
}

struct tlb_counts tlb_counts(void)
{
    return counts;
}

static void check_leaf(virt_t page, const struct walk_leaf *cached)
{
    struct walk_leaf now = walk_at(root, page);
    if (!now.present)
        host_fail("stale translation of %#llx: the page is gone", (unsigned long long)page.value);
    if (now.frame != cached->frame)
        host_fail("stale translation of %#llx: frame %#llx, the tables say %#llx",
                  (unsigned long long)page.value, (unsigned long long)cached->frame,
                  (unsigned long long)now.frame);
    if ((cached->writable && !now.writable) || (cached->executable && !now.executable) ||
        (cached->user && !now.user))
        host_fail("stale translation of %#llx: it allows more than the tables",
                  (unsigned long long)page.value);
}

void tlb_check(void)
{
    for (unsigned i = 0; i < ENTRIES; i++)
        if (cache[i].page.value)
            check_leaf(cache[i].page, &cache[i].leaf);
    for (unsigned i = 0; i < TABLES; i++)
        if (table_cache[i].region &&
            walk_table_of(root, virt((table_cache[i].region - 1) << 21)) != table_cache[i].table)
            host_fail("stale paging-structure cache for %#llx",
                      (unsigned long long)(table_cache[i].region - 1) << 21);
}

static bool allowed(const struct walk_leaf *leaf, unsigned access)
{
    return leaf->present && leaf->user && (!(access & ACCESS_WRITE) || leaf->writable) &&
           (!(access & ACCESS_EXEC) || leaf->executable);
}

static void remember(virt_t page, const struct walk_leaf *leaf)
{
    cache[next_entry].page = page;
    cache[next_entry].leaf = *leaf;
    next_entry = (next_entry + 1) % ENTRIES;
    uint64_t region = (page.value >> 21) + 1;
    for (unsigned i = 0; i < TABLES; i++)
        if (table_cache[i].region == region)
            return;
    table_cache[next_table].region = region;
    table_cache[next_table].table = walk_table_of(root, page);
    next_table = (next_table + 1) % TABLES;
}

/* A cached translation that does not allow the access faults without a walk of the tables.
 */
struct walk_leaf tlb_translate(virt_t address, unsigned access)
{
    virt_t page = virt_floor(address);
    for (unsigned i = 0; i < ENTRIES; i++) {
        if (cache[i].page.value != page.value || page.value == 0)
            continue;
        check_leaf(page, &cache[i].leaf);
        return allowed(&cache[i].leaf, access) ? cache[i].leaf : (struct walk_leaf){0};
    }
    struct walk_leaf leaf = walk_at(root, page);
    if (leaf.present)
        remember(page, &leaf);
    return allowed(&leaf, access) ? leaf : (struct walk_leaf){0};
}
