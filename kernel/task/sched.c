#include "task/sched.h"

#include "arch/descriptors.h"
#include "arch/tlb.h"
#include "dev/timer.h"
#include "lib/check.h"
#include "lib/cmdline.h"
#include "lib/errno.h"
#include "task/bound.h"
#include "task/lend.h"
#include "task/process.h"

static struct list run_queue, timed_waits;
static uint64_t next_end, next_end_cycles; /* no timed wait ends before it; the same as a counter */
static struct thread *ended;               /* it has ended, but its stack was still in use */

#define LOAD_TICKS (5 * TIMER_HZ + 1) /* as Linux; from one sample of the load to the next */

struct thread *current_thread;
struct process *current_process;
uint32_t sched_loads[3];
static unsigned ticks_since_sample;

static void set_next_end(uint64_t at)
{
    next_end = at;
    next_end_cycles = timer_cycles_at(at);
}

void sched_init(void)
{
    sched_loads[0] = sched_loads[1] = sched_loads[2] = ticks_since_sample = 0;
    list_init(&run_queue);
    list_init(&timed_waits);
    set_next_end(SLEEP_FOREVER);
    ended = NULL;
    current_thread = NULL;
    current_process = NULL;
}

void sched_wake(struct thread *thread)
{
    if (thread->state != THREAD_SLEEPING)
        return;
    list_remove(&thread->timed);
    thread->state = THREAD_RUNNABLE;
    list_append(&run_queue, &thread->queue);
}

void sched_wake_all(struct wait_queue *queue)
{
    LIST_FOR_EACH (waiter, &queue->waiters, struct waiter, link)
        sched_wake(waiter->thread);
}

static __attribute__((noinline)) void wake_those_before(uint64_t now)
{
    uint64_t next = SLEEP_FOREVER;
    LIST_FOR_EACH (thread, &timed_waits, struct thread, timed) {
        if (thread->wake_at <= now) {
            thread->timed_out = true;
            sched_wake(thread);
        } else if (thread->wake_at < next) {
            next = thread->wake_at;
        }
    }
    set_next_end(next);
}

static inline void wake_timed_out(void)
{
    if (!list_empty(&timed_waits) && timer_cycles() >= next_end_cycles)
        wake_those_before(timer_monotonic_ns());
}

/* Waits for an interrupt, which is no part of anybody's call. */
static __attribute__((noinline)) void idle(void)
{
    if (bound_on)
        bound_pause();
    cpu_idle();
    if (bound_on)
        bound_resume();
    wake_timed_out();
}

/* Returns the next thread to run. If none is runnable, waits for an interrupt. */
static struct thread *pick(void)
{
    wake_timed_out();
    while (list_empty(&run_queue))
        idle();
    struct thread *next = CONTAINER_OF(run_queue.next, struct thread, queue);
    list_remove(&next->queue);
    return next;
}

static inline void free_ended(void)
{
    if (ended) {
        struct thread *thread = ended;
        ended = NULL;
        thread_put(thread);
    }
}

/* Makes `next` the current thread, with its stack and address space. */
static inline void enter(struct thread *next)
{
    current_thread = next;
    current_process = next->process;
    frame_floor = next->process->frame_floor;
    next->turn = TURN_TICKS;
    next->work &= ~WORK_TURN_OVER;
    descriptors_set_kernel_stack(next->kernel_stack);
    const struct aspace *as = next->process->aspace;
    if (as && tlb_current().value != frame_phys(as->pt.root).value)
        tlb_switch(frame_phys(as->pt.root));
}

static inline void switch_threads(struct thread *last, struct thread *next)
{
    if (bound_on)
        bound_switch(next);
    enter(next);
    user_state_switch(&last->user, &next->user);
    context_switch(&last->kernel_rsp, next->kernel_rsp);
    free_ended();
}

/* how: the index in usage.switches. The thread that runs on anyway did not sleep, or only until the next interrupt. */
static inline void switch_to(struct thread *next, unsigned how)
{
    struct thread *last = current_thread;
    if (next == last) {
        next->turn = TURN_TICKS;
        next->work &= ~WORK_TURN_OVER;
        return;
    }
    last->used.switches[how]++;
    switch_threads(last, next);
}

void sched_yield(void)
{
    list_append(&run_queue, &current_thread->queue);
    switch_to(pick(), 1);
}

void wait_begin(struct wait_queue *queue, struct waiter *waiter)
{
    waiter->thread = current_thread;
    list_append(&queue->waiters, &waiter->link);
}

void wait_end(struct waiter *waiter)
{
    list_remove(&waiter->link);
}

static void sleep_now(uint64_t deadline)
{
    struct thread *thread = current_thread;
    DEBUG_CHECK(thread->lent == 0, "a thread sleeps while something is lent");
    thread->state = THREAD_SLEEPING;
    thread->timed_out = false;
    thread->wake_at = deadline;
    if (deadline != SLEEP_FOREVER) {
        list_append(&timed_waits, &thread->timed);
        if (deadline < next_end)
            set_next_end(deadline);
    }
    switch_to(pick(), 0);
}

int sched_wait(uint64_t deadline)
{
    if (signal_is_pending(current_thread))
        return -EINTR;
    sleep_now(deadline);
    return current_thread->timed_out ? -ETIMEDOUT : 0;
}

int sched_wait_killable(void)
{
    if (signal_is_fatal(current_thread))
        return -EINTR;
    current_thread->killable_only = true;
    sleep_now(SLEEP_FOREVER);
    current_thread->killable_only = false;
    return signal_is_fatal(current_thread) ? -EINTR : 0;
}

int sched_sleep(struct wait_queue *queue, uint64_t deadline)
{
    struct waiter waiter;
    wait_begin(queue, &waiter);
    int error = sched_wait(deadline);
    wait_end(&waiter);
    return error;
}

int sched_sleep_killable(struct wait_queue *queue)
{
    struct waiter waiter;
    wait_begin(queue, &waiter);
    int error = sched_wait_killable();
    wait_end(&waiter);
    return error;
}

int sched_point(void)
{
    DEBUG_CHECK(current_thread->lent == 0, "a scheduling point while something is lent");
    if (bound_on)
        bound_pause();
    cpu_interrupt_window();
    if (bound_on)
        bound_resume();
    wake_timed_out();
    if (((current_thread->work & WORK_TURN_OVER) || cmdline_options.chop) &&
        !list_empty(&run_queue))
        sched_yield();
    return signal_is_fatal(current_thread) ? -EINTR : 0;
}

void sched_exit(void)
{
    struct thread *last = current_thread;
    CHECK(last->state == THREAD_ENDED, "state %d", last->state);
    struct thread *next = pick();
    if (bound_on)
        bound_switch(next);
    free_ended();
    ended = last;
    enter(next);
    user_state_load(&next->user);
    context_switch(&last->kernel_rsp, next->kernel_rsp);
    panic("a thread ran after its end");
}

void sched_start(struct thread *first)
{
    uint64_t boot_stack;
    first->state = THREAD_RUNNABLE;
    enter(first);
    user_state_load(&first->user);
    context_switch(&boot_stack, first->kernel_rsp);
    panic("the boot stack was used again");
}

static void sample_load(void)
{
    static const uint32_t kept[] = {1884, 2014, 2037}; /* e^(-5 s / 1, 5, 15 min), in 2048ths */
    const uint32_t one = 1u << LOAD_SHIFT;
    uint32_t running = current_thread && current_thread->state == THREAD_RUNNABLE ? one : 0;
    LIST_FOR_EACH (thread, &run_queue, struct thread, queue)
        running += one;
    for (unsigned i = 0; i < 3; i++) {
        uint64_t sum = (uint64_t)sched_loads[i] * kept[i] + (uint64_t)running * (one - kept[i]);
        uint32_t rounding = running >= sched_loads[i] ? one - 1 : 0;
        sched_loads[i] = (uint32_t)((sum + rounding) >> LOAD_SHIFT);
    }
    ticks_since_sample = 0;
}

void sched_tick(bool of_program)
{
    struct thread *thread = current_thread;
    if (++ticks_since_sample == LOAD_TICKS)
        sample_load();
    if (!thread || thread->state != THREAD_RUNNABLE)
        return;
    if (of_program)
        thread->used.user_ticks++;
    else
        thread->used.system_ticks++;
    if (thread->turn > 0 && --thread->turn == 0)
        thread->work |= WORK_TURN_OVER;
}

#ifdef UMBRA_DEBUG
void lend_begin(void)
{
    if (current_thread)
        current_thread->lent++;
}

void lend_end(void)
{
    if (!current_thread)
        return;
    CHECK(current_thread->lent > 0, "lend_end() without lend_begin()");
    current_thread->lent--;
}
#endif
