#include "proc/debug_stop.h"

#include "arch/cpu.h"
#include "boot/cmdline.h"
#include "lib/print.h"
#include "lib/string.h"
#include "proc/task.h"

bool debug_stops;

void debug_stop_init(void)
{
    debug_stops = cmdline_value("stop") != NULL;
}

static bool wanted(const char *name, const struct task *task)
{
    static uint64_t passed;
    const char *only = cmdline_value("stop_path");
    if (!cmdline_lists("stop", name))
        return false;
    if (only && strcmp(only, task->image->path) != 0)
        return false;
    return passed++ >= cmdline_number("stop_skip", 0);
}

/* Whoever looks at the machine can then walk all that is mapped anywhere. */
static void print_spaces(void)
{
    LIST_FOR_EACH (task, &task_list, struct task, all)
        if (task->aspace)
            print("space: pid %d cr3 %#lx path %s", task->pid,
                  frame_phys(task->aspace->pt.root).value, task->image->path);
}

static void stop(const char *name, const struct task *task, const char *rest)
{
    if (!wanted(name, task))
        return;
    print_spaces();
    print("stop: %s pid %d cr3 %#lx path %s%s", name, task->pid, cpu_read_cr3(),
          task->image->path, rest);
    cpu_magic_break();
}

void debug_stop(const char *name, const struct task *task)
{
    if (debug_stops)
        stop(name, task, "");
}

void debug_stop_at(const char *name, const struct task *task, uint64_t address)
{
    char rest[32];
    if (!debug_stops)
        return;
    format(rest, sizeof(rest), " at %#lx", address);
    stop(name, task, rest);
}

long debug_stop_result(const char *name, long result)
{
    if (result >= 0)
        debug_stop(name, current_task);
    return result;
}
