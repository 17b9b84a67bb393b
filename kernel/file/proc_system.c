/* Files of /proc about the machine. */
#include <stddef.h>

#include "dev/timer.h"
#include "file/events.h"
#include "file/proc_files.h"
#include "lib/cmdline.h"
#include "lib/string.h"
#include "task/bound.h"
#include "task/process.h"

char system_host_name[HOST_NAME_FIELD] = "umbra";
char system_domain_name[HOST_NAME_FIELD] = "(none)";

/* Idle time is the time that no living or waited-for process used. */
static void processor_ticks(uint64_t *user, uint64_t *system, uint64_t *idle)
{
    uint64_t total = timer_monotonic_ns() / (NS_PER_SECOND / TIMER_HZ);
    *user = *system = 0;
    FOR_EACH_PROCESS (process) {
        *user += process_user_ticks(process) + process->child_user_ticks;
        *system += process_system_ticks(process) + process->child_system_ticks;
    }
    *idle = total > *user + *system ? total - *user - *system : 0;
}

static unsigned count_processes(bool runnable_only)
{
    unsigned count = 0;
    FOR_EACH_PROCESS (process) {
        const struct thread *thread = process_main_thread(process);
        count += !runnable_only || (thread && thread->state == THREAD_RUNNABLE);
    }
    return count;
}

void proc_system_stat(struct text *text, struct process *process)
{
    uint64_t user, system, idle;
    int64_t boot = timer_realtime_ns() - (int64_t)timer_monotonic_ns();
    (void)process;
    processor_ticks(&user, &system, &idle);
    text_printf(text, "cpu  %lu 0 %lu %lu 0 0 0 0 0 0\n", user, system, idle);
    text_printf(text, "cpu0 %lu 0 %lu %lu 0 0 0 0 0 0\n", user, system, idle);
    text_printf(text, "btime %ld\nprocs_running %u\nprocs_blocked 0\n",
                boot / (int64_t)NS_PER_SECOND, count_processes(true));
}

/* The kernel keeps no averages: 0, as in sysinfo(2). */
void proc_loadavg(struct text *text, struct process *process)
{
    (void)process;
    text_printf(text, "0.00 0.00 0.00 %u/%u %d\n", count_processes(true), count_processes(false),
                current_process->pid);
}

/* A line for each row of task/bound.h that was entered: name, length, arguments. Empty without the word `bound`. */
void proc_bound(struct text *text, struct process *process)
{
    (void)process;
    for (unsigned row = 0; bound_on && row < BOUND_ROWS; row++) {
        struct bound_piece piece = bound_row_piece(row);
        const uint64_t *a = piece.argument;
        if (piece.longest > 0)
            text_printf(text, "%s %lu %#lx %#lx %#lx %#lx %#lx %#lx\n", bound_row_name(row),
                        piece.longest, a[0], a[1], a[2], a[3], a[4], a[5]);
    }
}

void proc_cpuinfo(struct text *text, struct process *process)
{
    (void)process;
    text_printf(text, "processor\t: 0\nmodel name\t: x86-64\nphysical id\t: 0\nsiblings\t: 1\n"
                      "core id\t\t: 0\ncpu cores\t: 1\n\n");
}

void proc_pid_max(struct text *text, struct process *process)
{
    (void)process;
    text_printf(text, "%d\n", PID_MAX);
}

void proc_hostname(struct text *text, struct process *process)
{
    (void)process;
    text_printf(text, "%s\n", system_host_name);
}

void proc_domainname(struct text *text, struct process *process)
{
    (void)process;
    text_printf(text, "%s\n", system_domain_name);
}

void proc_ngroups_max(struct text *text, struct process *process)
{
    (void)process;
    text_printf(text, "%d\n", GROUPS_MAX);
}

void proc_cap_last_cap(struct text *text, struct process *process)
{
    (void)process;
    text_printf(text, "%d\n", CAP_LAST);
}

void proc_randomize(struct text *text, struct process *process)
{
    (void)process;
    text_printf(text, "%d\n", cmdline_options.noaslr ? 0 : 2);
}

void proc_nr_open(struct text *text, struct process *process)
{
    (void)process;
    text_printf(text, "%d\n", FILES_MAX);
}

void proc_max_queued_events(struct text *text, struct process *process)
{
    (void)process;
    text_printf(text, "%d\n", EVENTS_QUEUED_MAX);
}

void proc_max_user_instances(struct text *text, struct process *process)
{
    (void)process;
    text_printf(text, "%d\n", EVENTS_INSTANCES_MAX);
}

void proc_max_user_watches(struct text *text, struct process *process)
{
    (void)process;
    text_printf(text, "%d\n", EVENTS_WATCHES_MAX);
}

void proc_max_map_count(struct text *text, struct process *process)
{
    (void)process;
    text_printf(text, "%d\n", VMA_COUNT_MAX);
}

void proc_mmap_min_addr(struct text *text, struct process *process)
{
    (void)process;
    text_printf(text, "%lu\n", (uint64_t)USER_MIN);
}

void proc_kernel_cmdline(struct text *text, struct process *process)
{
    const char *word;
    (void)process;
    for (unsigned i = 0; (word = cmdline_word(i)); i++) {
        text_put(text, " ", i > 0);
        text_put(text, word, strlen(word));
    }
    text_put(text, "\n", 1);
}

void proc_vmstat(struct text *text, struct process *process)
{
    static const struct {
        const char *name;
        enum frame_kind kind;
    } lines[] = {
        {"nr_free_pages", FRAME_FREE},        {"nr_anon_pages", FRAME_ANON},
        {"nr_file_pages", FRAME_FILE},        {"nr_slab_unreclaimable", FRAME_SLAB},
        {"nr_page_table_pages", FRAME_TABLE},
    };
    (void)process;
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
        text_printf(text, "%s %zu\n", lines[i].name, frame_count(lines[i].kind));
}
