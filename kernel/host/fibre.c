#include "host/fibre.h"

#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#include <string.h>

#include "host/fail.h"
#include "host/machine.h"
#include "host/ram.h"
#include "mm/kernel_map.h"
#include "task/thread.h"

void __real_context_switch(uint64_t *save, uint64_t next);
void __wrap_context_switch(uint64_t *save, uint64_t next);
void __real_thread_prepare(struct thread *thread, void (*first)(void));
void __wrap_thread_prepare(struct thread *thread, void (*first)(void));

#define SLOT_SIZE (FIBRE_STACK_SIZE + PAGE_SIZE)

struct slot {
    bool used;
    struct frame *frames[KSTACK_PAGES]; /* the frames of a stack in the kernel */
    uint64_t filled_from;               /* of fibre_fill() */
};

static uint8_t *area;
static struct slot slots[FIBRE_SLOTS];
static unsigned current, in_use;
static bool
    is_switching; /* a switch has begun, and the stack that it leads to has not finished it */
static uint64_t test_rsp;
static void (*first_function)(void);

/* Without AddressSanitizer these do nothing. */
#if defined(__SANITIZE_ADDRESS__)
#define HAS_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAS_ASAN 1
#endif
#endif

#ifdef HAS_ASAN
static const void *test_bottom; /* of the process's stack, as AddressSanitizer says */
static size_t test_size;

static void start_switch(void **fake_stack, unsigned to)
{
    const void *bottom = to == FIBRE_TEST ? test_bottom : (const void *)fibre_bottom(to);
    __sanitizer_start_switch_fiber(fake_stack, bottom,
                                   to == FIBRE_TEST ? test_size : FIBRE_STACK_SIZE);
}

static void finish_switch(void *fake_stack, bool from_test)
{
    const void *bottom;
    size_t size;
    __sanitizer_finish_switch_fiber(fake_stack, &bottom, &size);
    if (from_test) {
        test_bottom = bottom;
        test_size = size;
    }
}
#else
static void start_switch(void **fake_stack, unsigned to)
{
    (void)fake_stack, (void)to;
}

static void finish_switch(void *fake_stack, bool from_test)
{
    (void)fake_stack, (void)from_test;
}
#endif

void fibres_start(void)
{
    if (!area)
        area = host_map(FIBRE_SLOTS, FIBRE_STACK_SIZE);
    for (unsigned slot = 0; slot < FIBRE_SLOTS; slot++)
        slots[slot].used = false;
    slots[FIBRE_TEST].used = slots[FIBRE_BOOT].used = true;
    in_use = 0;
}

unsigned fibre_current(void)
{
    return current;
}

unsigned fibres_in_use(void)
{
    return in_use;
}

uint64_t fibre_bottom(unsigned slot)
{
    return (uint64_t)(area + slot * SLOT_SIZE + PAGE_SIZE);
}

unsigned fibre_of(uint64_t address)
{
    uint64_t offset = address - (uint64_t)area;
    return area && offset < FIBRE_SLOTS * SLOT_SIZE ? (unsigned)(offset / SLOT_SIZE) : FIBRE_TEST;
}

static unsigned free_slot(void)
{
    for (unsigned slot = FIBRE_BOOT + 1; slot < FIBRE_SLOTS; slot++)
        if (!slots[slot].used)
            return slot;
    return FIBRE_TEST;
}

/* mm/kernel_map.h. The stack is host memory, but its frames are allocated too. */
uint64_t kstack_alloc(void)
{
    unsigned slot = free_slot();
    if (slot == FIBRE_TEST)
        return 0;
    for (unsigned i = 0; i < KSTACK_PAGES; i++) {
        slots[slot].frames[i] = frame_alloc(FRAME_STACK);
        if (slots[slot].frames[i])
            continue;
        while (i > 0)
            frame_put(slots[slot].frames[--i]);
        return 0;
    }
    slots[slot].used = true;
    in_use++;
    __asan_unpoison_memory_region((void *)fibre_bottom(slot), FIBRE_STACK_SIZE);
    return fibre_bottom(slot) + FIBRE_STACK_SIZE;
}

void kstack_free(uint64_t top)
{
    unsigned slot = fibre_of(top - FIBRE_STACK_SIZE);
    if (slot <= FIBRE_BOOT || !slots[slot].used || slot == current)
        host_fail("kernel stack %u is freed", slot);
    for (unsigned i = 0; i < KSTACK_PAGES; i++)
        frame_put(slots[slot].frames[i]);
    slots[slot].used = false;
    in_use--;
    machine_call_forgets(slot);
    __asan_poison_memory_region((void *)fibre_bottom(slot), FIBRE_STACK_SIZE);
}

bool kstack_is_guard(uint64_t address)
{
    return fibre_contains(address) && (address - (uint64_t)area) % SLOT_SIZE < PAGE_SIZE;
}

static void switch_to(uint64_t *save, uint64_t next, unsigned to, bool for_good)
{
    unsigned from = current;
    void *fake_stack = NULL;
    if (to != FIBRE_TEST && !slots[to].used)
        host_fail("a switch to kernel stack %u, which is free", to);
    current = to;
    is_switching = true;
    start_switch(for_good ? NULL : &fake_stack, to);
    __real_context_switch(save, next);
    finish_switch(fake_stack, false);
    is_switching = false;
    current = from;
}

void __wrap_context_switch(uint64_t *save, uint64_t next)
{
    const struct thread *thread = CONTAINER_OF(save, struct thread, kernel_rsp);
    bool for_good = !fibre_contains((uint64_t)save) && thread->state == THREAD_ENDED;
    switch_to(save, next, fibre_of(next), for_good);
}

/* The first thread begins with a function of the kernel. It begins here instead, to inform
 * AddressSanitizer first. */
static void begin_first(void)
{
    fibre_begin();
    first_function();
}

void __wrap_thread_prepare(struct thread *thread, void (*first)(void))
{
    if (first)
        first_function = first;
    __real_thread_prepare(thread, first ? begin_first : NULL);
}

void fibre_begin(void)
{
    if (is_switching)
        finish_switch(NULL, false);
    is_switching = false;
}

static void begin_boot(void)
{
    finish_switch(NULL, true);
    is_switching = false;
    first_function();
    host_fail("boot has returned");
}

void fibre_enter(void (*boot)(void))
{
    uint64_t *stack = (uint64_t *)(fibre_bottom(FIBRE_BOOT) + FIBRE_STACK_SIZE) - 1;
    __asan_unpoison_memory_region((void *)fibre_bottom(FIBRE_BOOT), FIBRE_STACK_SIZE);
    first_function = boot;
    *--stack = (uint64_t)begin_boot;
    for (unsigned i = 0; i < 6; i++) /* the registers that context_switch() pops */
        *--stack = 0;
    switch_to(&test_rsp, (uint64_t)stack, FIBRE_BOOT, false);
    current = FIBRE_TEST;
}

void fibre_leave(void)
{
    static uint64_t unused;
    switch_to(&unused, test_rsp, FIBRE_TEST, true);
    __builtin_unreachable();
}

/* The room below this function's own frame that its callees may need. */
#define FILL_GAP 256

__attribute__((noinline, no_sanitize("address", "undefined"))) void fibre_fill(void)
{
    uint64_t here = (uint64_t)__builtin_frame_address(0);
    volatile uint64_t *word = (volatile uint64_t *)fibre_bottom(current);
    slots[current].filled_from = here;
    while ((uint64_t)word < here - FILL_GAP)
        *word++ = HOST_PATTERN;
}

__attribute__((noinline, no_sanitize("address", "undefined"))) size_t fibre_depth(void)
{
    const volatile uint64_t *word = (const volatile uint64_t *)fibre_bottom(current);
    uint64_t from = slots[current].filled_from;
    while ((uint64_t)word < from && *word == HOST_PATTERN)
        word++;
    return (size_t)(from - (uint64_t)word);
}
