#include "proc/debug_stop.h"

#include "arch/cpu.h"
#include "boot/cmdline.h"
#include "lib/print.h"
#include "lib/string.h"
#include "proc/task.h"

void debug_stop(const char *name, const struct task *task)
{
    static uint64_t passed;
    const char *only = cmdline_value("stop_path");
    if (!cmdline_lists("stop", name))
        return;
    if (only && strcmp(only, task->image->path) != 0)
        return;
    if (passed++ < cmdline_number("stop_skip", 0))
        return;
    print("stop: %s pid %d cr3 %#lx path %s", name, task->pid, cpu_read_cr3(), task->image->path);
    cpu_magic_break();
}
