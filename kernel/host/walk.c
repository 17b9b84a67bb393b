#include "host/walk.h"

#include <string.h>

#include "arch/x86.h"
#include "host/fail.h"
#include "host/ram.h"

/* SDM volume 3A, "4-Level Paging", formats of the entries: bits 51:M are reserved, M being the
 * processor's physical-address width (46 here). Bits 62:52 and 11:9 are ignored. */
#define FRAME_BITS    0x000ffffffffff000ull
#define RESERVED_BITS 0x000fc00000000000ull

struct rights {
    bool user, writable, execute_disable;
};

static unsigned index_of(virt_t address, unsigned level)
{
    return (unsigned)(address.value >> (12 + 9 * (level - 1))) % 512;
}

static const uint64_t *table_at(uint64_t physical)
{
    if (!ram_contains(physical, 4096))
        host_fail("a paging structure lies at %#llx, outside RAM", (unsigned long long)physical);
    return phys_ptr(phys(physical));
}

static void check_entry(uint64_t entry, unsigned level, virt_t address)
{
    if (entry & RESERVED_BITS)
        host_fail("level %u entry %#llx for %#llx has reserved bits", level,
                  (unsigned long long)entry, (unsigned long long)address.value);
    if (level == 4 && (entry & PTE_PS))
        host_fail("PML4 entry %#llx has PS set", (unsigned long long)entry);
}

static void narrow(struct rights *rights, uint64_t entry)
{
    rights->user &= (entry & PTE_US) != 0;
    rights->writable &= (entry & PTE_RW) != 0;
    rights->execute_disable |= (entry & PTE_XD) != 0;
}

static struct walk_leaf make_leaf(uint64_t entry, unsigned level, virt_t address,
                                  struct rights rights)
{
    struct walk_leaf leaf = {.entry = entry, .level = level};
    leaf.present = entry & PTE_P;
    leaf.frame = entry & FRAME_BITS;
    if (level > 1) {
        uint64_t span = 1ull << (12 + 9 * (level - 1));
        leaf.frame &= ~(span - 1);
        leaf.frame += address.value & (span - 1) & ~4095ull;
    }
    if (!leaf.present)
        return leaf;
    check_entry(entry, level, address);
    narrow(&rights, entry);
    leaf.user = rights.user;
    leaf.writable = rights.writable;
    leaf.executable = !rights.execute_disable;
    return leaf;
}

/* Returns the level-1 table, or NULL after storing a large page in *leaf. */
static const uint64_t *descend(phys_t root, virt_t address, struct rights *rights,
                               struct walk_leaf *leaf)
{
    const uint64_t *table = table_at(root.value);
    *rights = (struct rights){true, true, false};
    *leaf = (struct walk_leaf){0};
    for (unsigned level = 4; level > 1; level--) {
        uint64_t entry = table[index_of(address, level)];
        if (!(entry & PTE_P)) {
            if (entry)
                host_fail("level %u entry %#llx for %#llx is not present, nor empty", level,
                          (unsigned long long)entry, (unsigned long long)address.value);
            return NULL;
        }
        check_entry(entry, level, address);
        if (level < 4 && (entry & PTE_PS)) {
            *leaf = make_leaf(entry, level, address, *rights);
            return NULL;
        }
        narrow(rights, entry);
        table = table_at(entry & FRAME_BITS);
    }
    return table;
}

struct walk_leaf walk_at(phys_t root, virt_t address)
{
    struct rights rights;
    struct walk_leaf leaf;
    const uint64_t *table = descend(root, address, &rights, &leaf);
    return table ? make_leaf(table[index_of(address, 1)], 1, address, rights) : leaf;
}

void walk_range(phys_t root, virt_t start, unsigned pages, struct walk_leaf *out)
{
    while (pages > 0) {
        struct rights rights;
        struct walk_leaf leaf;
        unsigned first = index_of(start, 1), n = 512 - first < pages ? 512 - first : pages;
        const uint64_t *table = descend(root, start, &rights, &leaf);
        for (unsigned i = 0; i < n; i++) {
            uint64_t entry = table ? table[first + i] : 0;
            out[i] = entry ? make_leaf(entry, 1, virt_add(start, i * 4096ull), rights)
                           : (struct walk_leaf){0};
        }
        if (!table && leaf.entry)
            host_fail("a large page at %#llx in user memory", (unsigned long long)start.value);
        out += n;
        pages -= n;
        start.value += n * 4096ull;
    }
}

uint64_t walk_table_of(phys_t root, virt_t address)
{
    struct rights rights;
    struct walk_leaf leaf;
    const uint64_t *table = descend(root, address, &rights, &leaf);
    return table ? ptr_phys(table).value : 0;
}

/* The first index from `first` on where eight entries are not all empty, in steps of eight. */
__attribute__((no_sanitize("address", "undefined"))) static unsigned
skip_empty(const uint64_t *table, unsigned first, unsigned last)
{
    for (; first < last; first += 8) {
        const uint64_t *e = table + first;
        if (e[0] | e[1] | e[2] | e[3] | e[4] | e[5] | e[6] | e[7])
            break;
    }
    return first;
}

static void walk_table(const struct walk_visitor *v, uint64_t physical, unsigned level, virt_t base,
                       struct rights rights)
{
    const uint64_t *table = table_at(physical);
    unsigned entries = 0, last = level == 4 ? 256 : 512;
    for (unsigned i = 0; i < last; i++) {
        if (i % 8 == 0 && (i = skip_empty(table, i, last)) >= last)
            break;
        virt_t address = virt_add(base, (uint64_t)i << (12 + 9 * (level - 1)));
        if (table[i] == 0)
            continue;
        entries++;
        if (level == 1 || (table[i] & PTE_PS)) {
            struct walk_leaf leaf = make_leaf(table[i], level, address, rights);
            if (v->leaf)
                v->leaf(v->ctx, address, &leaf);
            continue;
        }
        if (!(table[i] & PTE_P))
            host_fail("level %u entry %#llx is not present, nor empty", level,
                      (unsigned long long)table[i]);
        check_entry(table[i], level, address);
        struct rights below = rights;
        narrow(&below, table[i]);
        walk_table(v, table[i] & FRAME_BITS, level - 1, address, below);
    }
    if (v->table)
        v->table(v->ctx, phys(physical), level, entries);
}

void walk_user(phys_t root, const struct walk_visitor *visitor)
{
    walk_table(visitor, root.value, 4, virt(0), (struct rights){true, true, false});
}
