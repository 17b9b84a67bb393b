/* The devices of the machine: a clock that tests set, interrupts, power, and empty versions of some
 * parts of arch/. */
#include <stdarg.h>
#include <stdio.h>

#include "arch/descriptors.h"
#include "arch/features.h"
#include "arch/x86.h"
#include "dev/timer.h"
#include "host/cpu.h"
#include "host/machine.h"
#include "lib/errno.h"
#include "mm/kernel_map.h"
#include "mm/usercopy.h"
#include "task/process.h"
#include "trap/trap.h"

#define BOOT_REALTIME_NS 1700000000000000000ll

struct features features = {.nx = true, .huge_pages = true, .smep = true, .smap = true};
void (*machine_at_point)(void);
bool (*machine_at_idle)(void);
static uint64_t now;
static int64_t realtime_offset;

void descriptors_set_kernel_stack(uint64_t top)
{
    (void)top;
}

void descriptors_set_ist(unsigned index, uint64_t top)
{
    (void)index, (void)top;
}

const char *features_text(void)
{
    return "host";
}

void features_check(void)
{
}

void kernel_map_free_init(void)
{
}

void kernel_map_seal(void)
{
}

void kernel_map_check(void)
{
}

void timer_init(void)
{
    now = MACHINE_TICK_NS;
    realtime_offset = 0;
}

void timer_interrupt(unsigned line)
{
    (void)line;
}

uint64_t timer_monotonic_ns(void)
{
    return now;
}

uint64_t timer_cycles(void)
{
    return timer_monotonic_ns();
}

uint64_t timer_cycles_at(uint64_t ns)
{
    return ns;
}

int64_t timer_realtime_ns(void)
{
    return BOOT_REALTIME_NS + realtime_offset + (int64_t)now;
}

void timer_set_realtime_ns(int64_t ns)
{
    realtime_offset = ns - BOOT_REALTIME_NS - (int64_t)now;
}

int64_t timer_coarse_realtime_ns(void)
{
    return timer_realtime_ns();
}

void machine_advance(uint64_t ns)
{
    now += ns;
}

/* The address of the user copy's faulting instruction, and of its fix-up. */
#define COPY_RIP  0x1000u
#define COPY_FAIL 0x2000u
#define IDLE_RIP  0x3000u

uint64_t usercopy_fixup(uint64_t rip, uint64_t vector)
{
    return rip == COPY_RIP && vector == VEC_PF ? COPY_FAIL : 0;
}

static uint64_t trap_of_kernel(unsigned vector, uint64_t error, uint64_t rip)
{
    struct trap_frame frame = {.vector = vector,
                               .error = error,
                               .rip = rip,
                               .cs = SEL_KERNEL_CS,
                               .ss = SEL_KERNEL_DS,
                               .rflags = RFLAGS_FIXED};
    trap_dispatch(&frame);
    return frame.rip;
}

int machine_serve_fault(virt_t address, unsigned access)
{
    uint64_t error = access & ACCESS_WRITE ? PF_WR : 0;
    cpu_set_fault_address(address);
    return trap_of_kernel(VEC_PF, error, COPY_RIP) == COPY_RIP ? 0 : -EFAULT;
}

void machine_interrupt(unsigned line)
{
    (void)trap_of_kernel(VEC_IRQ0 + line, 0, IDLE_RIP);
}

void cpu_interrupt_window(void)
{
    if (machine_at_point)
        machine_at_point();
}

/* The next time at which a thread must be woken. */
static uint64_t next_deadline(void)
{
    uint64_t next = SLEEP_FOREVER;
    LIST_FOR_EACH (process, &process_list, struct process, all) {
        if (process->alarm_at != 0 && process->alarm_at < next)
            next = process->alarm_at;
        LIST_FOR_EACH (thread, &process->threads, struct thread, siblings)
            if (thread->state == THREAD_SLEEPING && thread->wake_at < next)
                next = thread->wake_at;
    }
    return next;
}

static void fail_for_ever(void)
{
    char text[512] = "";
    size_t n = 0;
    LIST_FOR_EACH (process, &process_list, struct process, all)
        LIST_FOR_EACH (thread, &process->threads, struct thread, siblings)
            if (n < sizeof(text) - 32)
                n += (size_t)snprintf(text + n, sizeof(text) - n, " %d in %llu,", thread->tid,
                                      (unsigned long long)thread_frame(thread)->error);
    host_fail("nothing can run: all threads sleep for ever:%s", text);
}

void cpu_idle(void)
{
    if (console_has_input()) {
        machine_interrupt(MACHINE_LINE_SERIAL);
        return;
    }
    if (machine_at_idle && machine_at_idle())
        return;
    uint64_t next = next_deadline();
    if (next == SLEEP_FOREVER)
        fail_for_ever();
    if (next > now)
        now = next;
    machine_interrupt(0);
}

void panic_frame(const struct trap_frame *frame, const char *fmt, ...)
{
    char text[256];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    host_fail("panic: %s (rip %#llx)", text, (unsigned long long)frame->rip);
}
