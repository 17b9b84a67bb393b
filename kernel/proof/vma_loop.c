/* Eva: the set of areas under an arbitrary, endless sequence of insertions, removals and merges on
 * SLOTS pages, each with at most one area. Eva keeps every state apart and ends when the loop finds
 * no new one, so that the number of steps is not bounded, only the number of areas at one time.
 *
 * After each step: no access outside the areas of the set (an area that was removed holds pointers
 * to nowhere), no CHECK that fails, stored heights are the real ones, no node leans by more than 1,
 * gaps and largest gaps are right, the list has the same areas in the same order, a search finds
 * what is there, and the hint is one of them.
 *
 * Not proved: more than SLOTS areas at one time (vma_balance.c proves one step of the way up for
 * trees of any size, kernel/tests/test_vma_tree.c tries every step on every tree of up to 31
 * areas), other gaps than whole slots, vma_moved() and vma_find_gap(). */
#include <stdlib.h>

#include <__fc_builtin.h>

#include "../mm/vma.c"

#define BASE 0x1000u

/* Reads address 0: an alarm, unless this statement cannot be reached. */
#define WRONG() ((void)*(volatile char *)0)

static struct vma area[SLOTS];
static struct vma_set set;
static int present[SLOTS];

_Noreturn void check_failed(const char *file, int line, const char *condition, const char *fmt, ...)
{
    WRONG();
    exit(1);
}

static virt_t start_of(int slot)
{
    return virt(BASE + (uint64_t)slot * PAGE_SIZE);
}

/* A removed area must not be used: a use of its pointers would be an alarm. */
static void bury(int slot)
{
    struct vma *v = &area[slot];
    v->start = v->end = virt(0);
    v->gap = v->max_gap = 0;
    v->height = 0;
    v->child[0] = v->child[1] = (struct vma *)1;
    v->link.next = v->link.prev = (struct list *)1;
    present[slot] = 0;
}

static void add(int slot)
{
    area[slot].start = start_of(slot);
    area[slot].end = virt_add(start_of(slot), PAGE_SIZE);
    present[slot] = 1;
    vma_insert(&set, &area[slot]);
}

static void take(int slot)
{
    vma_remove(&set, &area[slot]);
    bury(slot);
}

/* Merges two areas as the kernel does; then the lower area shrinks back to its slot. */
static void take_over(int low)
{
    area[low].end = area[low + 1].end;
    vma_remove(&set, &area[low + 1]);
    bury(low + 1);
    area[low].end = virt_add(start_of(low), PAGE_SIZE);
    vma_end_moved(&set, &area[low]);
}

static int slot_of(const struct vma *v)
{
    for (int i = 0; i < SLOTS; i++)
        if (v == &area[i])
            return i;
    return SLOTS;
}

/* Heights are counted from the leaves up: after LEVELS rounds those of all subtrees are right. */
#define LEVELS 4

static void check_heights(void)
{
    int real[SLOTS + 1];
    for (int i = 0; i <= SLOTS; i++)
        real[i] = 0;
    for (int round = 0; round < LEVELS; round++)
        for (int i = 0; i < SLOTS; i++) {
            if (!present[i])
                continue;
            int left = area[i].child[0] ? real[slot_of(area[i].child[0])] : 0;
            int right = area[i].child[1] ? real[slot_of(area[i].child[1])] : 0;
            real[i] = 1 + (left > right ? left : right);
        }
    for (int i = 0; i < SLOTS; i++) {
        if (!present[i])
            continue;
        int left = area[i].child[0] ? real[slot_of(area[i].child[0])] : 0;
        int right = area[i].child[1] ? real[slot_of(area[i].child[1])] : 0;
        if (left - right > 1 || right - left > 1 || area[i].height != real[i])
            WRONG();
        if (area[i].max_gap != largest_gap(&area[i]))
            WRONG();
    }
}

static void check_list(void)
{
    struct list *link = set.list.next;
    virt_t end = virt(0);
    size_t count = 0;
    for (int i = 0; i < SLOTS; i++) {
        if (!present[i])
            continue;
        if (link != &area[i].link || link->next->prev != link)
            WRONG();
        if (area[i].gap != virt_distance(end, area[i].start))
            WRONG();
        if (vma_search(&set, area[i].start) != &area[i])
            WRONG();
        end = area[i].end;
        link = link->next;
        count++;
    }
    if (link != &set.list || set.count != count)
        WRONG();
}

static void check(void)
{
    struct vma *hint = set.hint;
    if (hint && !present[slot_of(hint)])
        WRONG();
    check_heights();
    check_list();
    set.hint = KEEP_HINT ? hint : NULL;
}

static int any_slot(void)
{
    int slot = Frama_C_interval(0, SLOTS - 1);
    //@ split slot;
    return slot;
}

int main(void)
{
    vma_set_init(&set);
    for (int i = 0; i < SLOTS; i++)
        bury(i);
    while (Frama_C_interval(0, 1)) {
        int slot = any_slot();
        if (!present[slot])
            add(slot);
        else if (slot + 1 < SLOTS && present[slot + 1] && Frama_C_interval(0, 1))
            take_over(slot);
        else
            take(slot);
        check();
    }
    return 0;
}
