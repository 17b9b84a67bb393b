#include "task/thread.h"

#include "lib/check.h"
#include "mm/kernel_map.h"
#include "mm/slab.h"
#include "task/process.h"

struct thread *thread_create(struct process *process, int tid)
{
    struct thread *thread = slab_alloc_zeroed(sizeof(*thread));
    if (!thread)
        return NULL;
    thread->kernel_stack = kstack_alloc();
    if (!thread->kernel_stack) {
        slab_free(thread);
        return NULL;
    }
    thread->refs = REF_ONE;
    thread->tid = tid;
    thread->state = THREAD_SLEEPING;
    thread->process = process;
    process_get(process);
    list_append(&process->threads, &thread->siblings);
    list_init(&thread->queue);
    list_init(&thread->timed);
    pending_signals_init(&thread->signals.pending, process);
    return thread;
}

void thread_put(struct thread *thread)
{
    if (!ref_put(&thread->refs))
        return;
    CHECK(thread != current_thread, "the current thread is freed");
    list_remove(&thread->siblings);
    kstack_free(thread->kernel_stack);
    process_put(thread->process);
    slab_free(thread);
}

void thread_prepare(struct thread *thread, void (*first)(void))
{
    uint64_t *stack = (uint64_t *)thread_frame(thread);
    *--stack = (uint64_t)entry_return;
    if (first)
        *--stack = (uint64_t)first;
    for (unsigned i = 0; i < 6; i++) /* the registers that context_switch() pops */
        *--stack = 0;
    thread->kernel_rsp = (uint64_t)stack;
}
