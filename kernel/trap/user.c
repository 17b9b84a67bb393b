/* Exceptions of programs: one line that describes the exception, and a signal. */
#include "lib/cmdline.h"
#include "lib/errno.h"
#include "lib/variable.h"
#include "dev/print.h"
#include "mm/pagetable.h"
#include "exec/image.h"
#include "task/process.h"
#include "trap/explain.h"
#include "trap/trap.h"

/* Vectors whose frame has an error code (SDM, "Error Code"). */
#define HAS_ERROR_CODE                                                                             \
    (BIT(VEC_DF) | BIT(VEC_TS) | BIT(VEC_NP) | BIT(VEC_SS) | BIT(VEC_GP) | BIT(VEC_PF) |           \
     BIT(VEC_AC))

struct exception_text {
    int signal, code; /* code: of siginfo_t */
    const char *text;
};

static const struct exception_text texts[32] = {
    [VEC_DE] = {SIGFPE, 1, "divide error"},
    [VEC_DB] = {SIGTRAP, 2, "debug"},
    [VEC_BP] = {SIGTRAP, SI_KERNEL, "breakpoint"},
    [VEC_OF] = {SIGSEGV, SI_KERNEL, "overflow"},
    [VEC_BR] = {SIGSEGV, SI_KERNEL, "bound range exceeded"},
    [VEC_UD] = {SIGILL, 2, "invalid opcode"},
    [VEC_NM] = {SIGSEGV, SI_KERNEL, "no math coprocessor"},
    [VEC_TS] = {SIGSEGV, SI_KERNEL, "invalid TSS"},
    [VEC_NP] = {SIGBUS, SI_KERNEL, "segment not present"},
    [VEC_SS] = {SIGBUS, SI_KERNEL, "stack segment"},
    [VEC_GP] = {SIGSEGV, SI_KERNEL, "general protection"},
    [VEC_MF] = {SIGFPE, 3, "x87 floating point"},
    [VEC_AC] = {SIGBUS, BUS_ADRALN, "alignment check"},
    [VEC_XM] = {SIGFPE, 3, "SIMD floating point"},
};

const char *exception_text(uint64_t vector)
{
    static const char *const others[32] = {[VEC_NMI] = "non-maskable interrupt",
                                           [VEC_DF] = "double fault",
                                           [VEC_PF] = "page fault",
                                           [VEC_MC] = "machine check"};
    const char *text = texts[vector & 31].text;
    if (!text)
        text = others[vector & 31];
    return text ? text : "unknown exception";
}

void user_exception(struct trap_frame *frame)
{
    struct exception_text what = texts[frame->vector & 31];
    if (!what.signal)
        what = (struct exception_text){SIGSEGV, SI_KERNEL, "unknown exception"};
    struct signal_info info = {.code = what.code,
                               .address = what.code == SI_KERNEL ? 0 : frame->rip};
    if (signal_force(what.signal, &info))
        return;
    char error[32] = "";
    if (HAS_ERROR_CODE >> frame->vector & 1)
        format(error, sizeof(error), ", error %#lx", frame->error);
    print("pid %d %s: %s: %s%s at rip %#lx", current_process->pid, current_process->image->path,
          signal_name(what.signal), what.text, error, frame->rip);
    if (cmdline_options.shows_faults)
        explain_fault(frame, NULL);
}

/* Describes the page table entry of an address. */
static void describe_page(virt_t address, char *buf, size_t size)
{
    const pte_t *entry =
        address.value < USER_END ? pt_lookup(&current_process->aspace->pt, address) : NULL;
    if (address.value >= USER_END)
        format(buf, size, address.value >> 47 == 0x1ffff ? "kernel address" : "outside user space");
    else if (!entry || !(*entry & PTE_P))
        format(buf, size, "no mapping");
    else
        format(buf, size, "page is present, user, %s, %s",
               *entry & PTE_RW ? "writable" : "read-only",
               *entry & PTE_XD ? "not executable" : "executable");
}

void user_page_fault(struct trap_frame *frame, virt_t address, int error)
{
    UNINITIALIZED char page[64]; /* describe_page(): a string */
    const char *access = frame->error & PF_ID   ? "execute of"
                         : frame->error & PF_WR ? "write to"
                                                : "read from";
    int signal = error == -ENOMEM                                       ? SIGKILL
                 : error == -ENXIO || error == -EIO || error == -ENOSPC ? SIGBUS
                                                                        : SIGSEGV;
    struct signal_info info = {
        .code = signal == SIGBUS   ? BUS_ADRERR
                : error == -EACCES ? SEGV_ACCERR
                                   : SEGV_MAPERR,
        .address = address.value,
    };
    describe_page(address, page, sizeof(page));
    if (signal == SIGKILL)
        print("pid %d %s: SIGKILL: out of memory: %s %#lx at rip %#lx, %zu KiB free",
              current_process->pid, current_process->image->path, access, address.value, frame->rip,
              frame_count(FRAME_FREE) * 4);
    if (signal_force(signal, &info) || signal == SIGKILL)
        return;
    print("pid %d %s: %s: %s %#lx at rip %#lx: %s", current_process->pid,
          current_process->image->path, signal_name(signal), access, address.value, frame->rip,
          page);
    if (cmdline_options.shows_faults)
        explain_fault(frame, &address);
}
