#include "trap/trap.h"

#include "arch/cpu.h"
#include "arch/tlb.h"
#include "dev/power.h"
#include "lib/check.h"
#include "dev/print.h"
#include "mm/pagetable.h"
#include "task/process.h"
#include "trap/explain.h"

static bool panicking;

/* A panic inside a panic prints one line and stops. */
static void begin_panic(void)
{
    cpu_cli();
    if (panicking) {
        print("panic: again, while reporting a panic");
        power_off(VERDICT_PANIC, 0);
    }
    panicking = true;
}

/* Last, because memory that is damaged may panic again here. */
static void explain_panic(const struct trap_frame *f)
{
    if (f->vector != VEC_PF && f->vector != VEC_DF)
        return;
    explain_walk(phys(cpu_read_cr3() & PTE_ADDRESS), tlb_fault_address());
    explain_area(current_process, tlb_fault_address(), explain_access(f->error));
}

/* frame: that of the exception, or NULL. */
static _Noreturn void end_panic(const struct trap_frame *frame, uint64_t rip, uint64_t rbp)
{
    print("panic: cr0 %#lx cr2 %#lx cr3 %#lx cr4 %#lx", cpu_read_cr0(), cpu_read_cr2(),
          cpu_read_cr3(), cpu_read_cr4());
    if (current_thread)
        print("panic: thread %d (%s)", current_thread->tid, current_thread->comm);
    backtrace_print(rip, rbp);
    if (frame)
        explain_panic(frame);
    if (current_thread)
        explain_stack(current_process, thread_frame(current_thread));
    power_off(VERDICT_PANIC, 0);
}

void panic_frame(const struct trap_frame *f, const char *fmt, ...)
{
    char text[256];
    va_list args;
    begin_panic();
    va_start(args, fmt);
    vformat(text, sizeof(text), fmt, args);
    va_end(args);
    print("panic: %s", text);
    explain_exception(f, text, sizeof(text));
    print("panic: %s", text);
    print("panic: rip %016lx cs  %02lx rflags %08lx rsp %016lx ss %02lx", f->rip, f->cs, f->rflags,
          f->rsp, f->ss);
    print("panic: rax %016lx rbx %016lx rcx %016lx rdx %016lx", f->rax, f->rbx, f->rcx, f->rdx);
    print("panic: rsi %016lx rdi %016lx rbp %016lx r8  %016lx", f->rsi, f->rdi, f->rbp, f->r8);
    print("panic: r9  %016lx r10 %016lx r11 %016lx r12 %016lx", f->r9, f->r10, f->r11, f->r12);
    print("panic: r13 %016lx r14 %016lx r15 %016lx", f->r13, f->r14, f->r15);
    explain_registers(f, cpu_read_cr0(), cpu_read_cr4());
    end_panic(f, f->rip, f->rbp);
}

static _Noreturn void vpanic(const char *prefix, const char *fmt, va_list args)
{
    char text[256];
    begin_panic();
    vformat(text, sizeof(text), fmt, args);
    print("panic: %s%s", prefix, text);
    const uint64_t *frame = cpu_frame_pointer();
    end_panic(NULL, frame[1] - 1, frame[0]); /* within the call, not after it */
}

void panic(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    vpanic("", fmt, args);
}

void check_failed(const char *file, int line, const char *condition, const char *fmt, ...)
{
    char prefix[192];
    va_list args;
    format(prefix, sizeof(prefix), "%s:%d: %s does not hold:", file, line, condition);
    va_start(args, fmt);
    vpanic(prefix, fmt, args);
}
