#include "sanitize/calls.h"

#include "dev/print.h"
#include "mm/kernel_map.h"
#include "trap/trap.h"

#define SLOT_SIZE (KSTACK_SIZE + PAGE_SIZE) /* a stack and its guard page (mm/kernel_map.c) */

/* The end of the stack that contains the address. */
static uint64_t stack_end(uint64_t address)
{
    if (address >= KSTACK_BASE)
        return KSTACK_BASE + ((address - KSTACK_BASE) / SLOT_SIZE + 1) * SLOT_SIZE;
    return (uint64_t)boot_stack + BOOT_STACK_SIZE;
}

/* A function in assembly may leave any value in the frame pointer. Only addresses further up the
 * same stack are followed. */
void calls_record(struct calls *calls, const void *frame)
{
    uint64_t at = (uint64_t)frame, end = stack_end(at), last = at - 1;
    unsigned n = 0;
    while (n < CALLS_MAX && at > last && at % 8 == 0 && at + 16 <= end) {
        const uint64_t *saved = (const uint64_t *)at;
        if (!kernel_text_contains(saved[1]))
            break;
        calls->low[n++] = (uint32_t)saved[1];
        last = at;
        at = saved[0];
    }
    if (n < CALLS_MAX)
        calls->low[n] = 0;
}

static uint64_t whole(uint32_t low)
{
    return low ? 0xffffffff00000000 | low : 0;
}

/* Builds a chain of stack frames, which backtrace_print() can read. */
void calls_print(const struct calls *calls)
{
    uint64_t chain[CALLS_MAX][2];
    if (calls->low[0] == 0) {
        print("kasan: (not recorded)");
        return;
    }
    for (unsigned i = 0; i < CALLS_MAX; i++) {
        bool last = i + 1 == CALLS_MAX || calls->low[i] == 0;
        chain[i][0] = (uint64_t)(last ? NULL : chain[i + 1]);
        chain[i][1] = last ? 0 : whole(calls->low[i + 1]);
    }
    backtrace_print(whole(calls->low[0]) - 1, (uint64_t)chain);
}
