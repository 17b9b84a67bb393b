/* Eva: the sparse array under the pages of a file and the order of a directory, and the quota that
 * its nodes are charged to, under an arbitrary loop of operations on three indices whose trees have
 * one to four levels; any allocation may fail. Eva keeps every state apart and comes to its end
 * when a loop finds no new one, so that the number of operations is not bounded. After each the
 * array is compared with a plain one. Nodes that were freed hold pointers to nowhere. The allocator
 * hands out the lowest free node of NODES; FORGET is an operation that fails without taking its
 * reservation back, to show that the proof can fail. */
#include <string.h>

#include <__fc_builtin.h>

#include "radix.h"

#define INDICES 3
#define NODES   9
#define WORDS   17 /* of a node of 16 slots */
#define NOWHERE 1u

/* Reads what is not there: an alarm, unless this cannot be reached. */
#define WRONG() ((void)*(volatile char *)0)

static const uint64_t indices[INDICES] = {0, 0x35, 0x1234};
static const struct node {
    uint64_t word[WORDS];
} nowhere = {{NOWHERE, NOWHERE, NOWHERE, NOWHERE, NOWHERE, NOWHERE, NOWHERE, NOWHERE, NOWHERE,
              NOWHERE, NOWHERE, NOWHERE, NOWHERE, NOWHERE, NOWHERE, NOWHERE, NOWHERE}};
static struct node pool[NODES];
static int taken[NODES];
static char things[INDICES];
static int present[INDICES];
static struct umvfs vfs;
static struct umvfs_sb sb;
static struct umvfs_radix tree;

/* Whether all words of a node are what put() leaves. In one expression, which Eva evaluates much
 * faster than a loop. */
static int is_untouched(const uint64_t *w)
{
    return ((w[0] ^ NOWHERE) | (w[1] ^ NOWHERE) | (w[2] ^ NOWHERE) | (w[3] ^ NOWHERE) |
            (w[4] ^ NOWHERE) | (w[5] ^ NOWHERE) | (w[6] ^ NOWHERE) | (w[7] ^ NOWHERE) |
            (w[8] ^ NOWHERE) | (w[9] ^ NOWHERE) | (w[10] ^ NOWHERE) | (w[11] ^ NOWHERE) |
            (w[12] ^ NOWHERE) | (w[13] ^ NOWHERE) | (w[14] ^ NOWHERE) | (w[15] ^ NOWHERE) |
            (w[16] ^ NOWHERE)) == 0;
}

static void *get(void *ctx, size_t size)
{
    if (size != sizeof(pool[0]))
        WRONG();
    if (Frama_C_interval(0, 1))
        return NULL;
    for (int i = 0; i < NODES; i++) {
        if (taken[i])
            continue;
        if (!is_untouched(pool[i].word))
            WRONG(); /* written after it was freed */
        taken[i] = 1;
        return &pool[i];
    }
    return NULL;
}

static void put(void *ctx, void *ptr, size_t size)
{
    size_t at = (size_t)((char *)ptr - (char *)pool);
    size_t i = at / sizeof(pool[0]);
    if (at % sizeof(pool[0]) != 0 || i >= NODES || !taken[i])
        WRONG();
    taken[i] = 0;
    pool[i] = nowhere;
}

static void add(int i)
{
    int err = umvfs_radix_reserve(&sb, &tree, RADIX_DIR_BITS, indices[i]);
    if (err)
        return;
    if (Frama_C_interval(0, 1)) {
        umvfs_radix_set(&tree, RADIX_DIR_BITS, indices[i], &things[i]);
        present[i] = 1;
    } else if (!present[i] && !FORGET) {
        /* the rest of the operation has failed */
        umvfs_radix_clear(&sb, &tree, RADIX_DIR_BITS, indices[i]);
    }
}

static void take(int i)
{
    void *was = umvfs_radix_clear(&sb, &tree, RADIX_DIR_BITS, indices[i]);
    if (was != (present[i] ? &things[i] : NULL))
        WRONG();
    present[i] = 0;
}

static void compare(void)
{
    uint64_t at = 0;
    for (int i = 0; i < INDICES; i++) {
        void *expected = present[i] ? &things[i] : NULL;
        if (umvfs_radix_get(&tree, RADIX_DIR_BITS, indices[i]) != expected)
            WRONG();
        if (!present[i])
            continue;
        if (umvfs_radix_next(&tree, RADIX_DIR_BITS, &at) != expected || at != indices[i])
            WRONG();
        at++;
    }
    if (umvfs_radix_next(&tree, RADIX_DIR_BITS, &at))
        WRONG();
    int nodes = taken[0] + taken[1] + taken[2] + taken[3] + taken[4] + taken[5] + taken[6] +
                taken[7] + taken[8];
    if (sb.bytes != (size_t)nodes * sizeof(pool[0]))
        WRONG();
    if (!present[0] && !present[1] && !present[2] && tree.root)
        WRONG();
}

static int any_index(void)
{
    switch (Frama_C_interval(0, LAST)) {
    case 0:
        return 0;
    case 1:
        return 1;
    default:
        return 2;
    }
}

static void step(void)
{
    if (Frama_C_interval(0, 1))
        add(any_index());
    else
        take(any_index());
}

int main(void)
{
    vfs.cfg.alloc = get;
    vfs.cfg.free = put;
    sb.vfs = &vfs;
    sb.limits.max_bytes = 8 * sizeof(pool[0]);
    for (int i = 0; i < NODES; i++)
        pool[i] = nowhere;
    for (;;) {
        compare();
        step();
    }
    return 0;
}
