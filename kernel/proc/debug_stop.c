#include "proc/debug_stop.h"

#include "arch/cpu.h"
#include "arch/tlb.h"
#include "exec/image.h"
#include "lib/cmdline.h"
#include "dev/print.h"
#include "lib/string.h"
#include "task/process.h"

static const char *const names[DEBUG_STOPS] = {
    [STOP_EXEC] = "exec",       [STOP_FORK] = "fork",         [STOP_MMAP] = "mmap",
    [STOP_MUNMAP] = "munmap",   [STOP_MPROTECT] = "mprotect", [STOP_MREMAP] = "mremap",
    [STOP_MADVISE] = "madvise", [STOP_BRK] = "brk",           [STOP_COW] = "cow",
    [STOP_GROW] = "grow",       [STOP_FAULT] = "fault",       [STOP_EXIT] = "exit",
    [STOP_EXITED] = "exited",   [STOP_SPACES] = "spaces",
};

uint32_t debug_stops;

void debug_stop_init(void)
{
    for (unsigned stop = 0; stop < DEBUG_STOPS; stop++)
        if (cmdline_lists("stop", names[stop]))
            debug_stops |= UINT32_C(1) << stop;
}

static bool passes(const struct process *process)
{
    static uint64_t passed;
    const char *only = cmdline_value("stop_path");
    if (only && strcmp(only, process->image->path) != 0)
        return true;
    return passed++ < cmdline_number("stop_skip", 0);
}

/* Prints the root of every address space, so that the debugger can walk all of them. */
static void print_spaces(void)
{
    FOR_EACH_PROCESS (process)
        if (process->aspace)
            print("space: pid %d cr3 %#lx path %s", process->pid,
                  frame_phys(process->aspace->pt.root).value, process->image->path);
}

void debug_stop_now(enum debug_stop stop, const struct process *process, uint64_t address)
{
    char at[32] = "";
    if (passes(process))
        return;
    if (debug_stop_wanted(STOP_SPACES))
        print_spaces();
    if (address)
        format(at, sizeof(at), " at %#lx", address);
    print("stop: %s pid %d cr3 %#lx path %s%s", names[stop], process->pid, tlb_current().value,
          process->image->path, at);
    cpu_magic_break();
}
