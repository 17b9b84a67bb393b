/* Files of /proc about the machine. */
#include <stddef.h>
#include <umvfs/mount.h>
#include <umvfs/vfs.h>

#include "dev/random.h"
#include "dev/timer.h"
#include "file/events.h"
#include "file/pipe.h"
#include "file/proc.h"
#include "file/root.h"
#include "lib/cmdline.h"
#include "lib/string.h"
#include "task/bound.h"
#include "task/process.h"

char system_host_name[HOST_NAME_FIELD] = "umbra";
char system_domain_name[HOST_NAME_FIELD] = "(none)";

/* The sum over all processes, including those that have ended and were waited for. */
static struct usage usage_of_all(void)
{
    struct usage sum = {0};
    FOR_EACH_PROCESS (process) {
        const struct usage used = process_usage(process);
        usage_add(&sum, &used);
        usage_add(&sum, &process->child_used);
    }
    return sum;
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

/* Idle is the time that no process used. */
void proc_system_stat(struct text *text, struct process *process)
{
    const struct usage used = usage_of_all();
    int64_t boot = timer_realtime_ns() - (int64_t)timer_monotonic_ns();
    uint64_t total = timer_monotonic_ns() / (NS_PER_SECOND / TIMER_HZ);
    uint64_t busy = used.user_ticks + used.system_ticks, idle = total > busy ? total - busy : 0;
    (void)process;
    text_printf(text, "cpu  %lu 0 %lu %lu 0 0 0 0 0 0\n", used.user_ticks, used.system_ticks, idle);
    text_printf(text, "cpu0 %lu 0 %lu %lu 0 0 0 0 0 0\n", used.user_ticks, used.system_ticks, idle);
    text_printf(text, "ctxt %lu\nbtime %ld\nprocesses %lu\nprocs_running %u\nprocs_blocked 0\n",
                used.switches[0] + used.switches[1], boot / (int64_t)NS_PER_SECOND,
                processes_started, count_processes(true));
}

void proc_loadavg(struct text *text, struct process *process)
{
    (void)process;
    for (unsigned i = 0; i < 3; i++) {
        uint32_t load = sched_loads[i] + (1u << LOAD_SHIFT) / 200; /* rounded to hundredths */
        uint32_t part = load & ((1u << LOAD_SHIFT) - 1);
        text_printf(text, "%u.%02u ", load >> LOAD_SHIFT, part * 100 >> LOAD_SHIFT);
    }
    text_printf(text, "%u/%u %d\n", count_processes(true), count_processes(false),
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

void proc_pipe_max_size(struct text *text, struct process *process)
{
    (void)process;
    text_printf(text, "%u\n", PIPE_CAPACITY_MAX);
}

#define UUID_SIZE 16

/* Writes 16 random bytes as a UUID, version 4 of RFC 4122. */
static void put_uuid(struct text *text, const uint8_t bytes[UUID_SIZE])
{
    for (unsigned i = 0; i < UUID_SIZE; i++) {
        unsigned byte = i == 6   ? (bytes[i] & 0x0fu) | 0x40u
                        : i == 8 ? (bytes[i] & 0x3fu) | 0x80u
                                 : bytes[i];
        text_printf(text, i == 4 || i == 6 || i == 8 || i == 10 ? "-%02x" : "%02x", byte);
    }
    text_put(text, "\n", 1);
}

/* The same until the machine is started again. */
void proc_boot_id(struct text *text, struct process *process)
{
    static uint8_t id[UUID_SIZE];
    static bool is_set;
    (void)process;
    if (!is_set)
        random_bytes(id, sizeof(id));
    is_set = true;
    put_uuid(text, id);
}

/* Another one for each read. */
void proc_uuid(struct text *text, struct process *process)
{
    uint8_t id[UUID_SIZE];
    (void)process;
    random_bytes(id, sizeof(id));
    put_uuid(text, id);
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

/* /proc/PID/mounts and mountinfo. */

/* Writes a path without what separates fields and lines. */
static void put_path(struct text *text, const char *path)
{
    (void)proc_put_escaped(text, path, " \t\n\\");
}

static void put_options(struct text *text, unsigned flags)
{
    text_printf(text, "%s%s%s%s%s%s", flags & UMVFS_MS_RDONLY ? "ro" : "rw",
                flags & UMVFS_MS_NOSUID ? ",nosuid" : "", flags & UMVFS_MS_NODEV ? ",nodev" : "",
                flags & UMVFS_MS_NOEXEC ? ",noexec" : "",
                flags & UMVFS_MS_NOATIME ? ",noatime" : ",relatime",
                flags & UMVFS_MS_NOSYMFOLLOW ? ",nosymfollow" : "");
}

/* The source that mount(2) was given is not kept. */
static const char *source_of(const struct umvfs_path *root, const struct umvfs_fs_ops *ops)
{
    struct umvfs_path first;
    if (ops)
        return "proc";
    umvfs_root(root_vfs, &first);
    uint64_t device = umvfs_inode_device(umvfs_path_inode(&first));
    umvfs_path_put(&first);
    return umvfs_inode_device(umvfs_path_inode(root)) == device ? "rootfs" : "tmpfs";
}

#define FIRST_ID 20 /* of the first mount */

/* The mounts in their order, for the text that a process's file has. */
struct mount_table {
    struct text *text;
    const struct process *process;
    const struct umvfs_mount *mount[UMVFS_MOUNT_MAX];
    unsigned count;
};
static struct mount_table the_mounts; /* no sleep while it is used */

/* Where the process finds a mount. NULL: nowhere below its root directory, or it has ended. */
static const char *mount_place(const struct umvfs_path *root, const struct process *process)
{
    static char name[UMVFS_PATH_MAX];
    if (!process->fs || umvfs_path_name(root, &process->fs->root, name, sizeof(name)) < 0)
        return NULL;
    return name[0] == '/' ? name : NULL;
}

static int mount_line(void *ctx, const struct umvfs_path *root, const struct umvfs_fs_ops *ops,
                      void *fs, unsigned flags)
{
    const struct mount_table *table = ctx;
    const char *place = mount_place(root, table->process);
    (void)fs;
    if (!place)
        return 0;
    text_printf(table->text, "%s ", source_of(root, ops));
    put_path(table->text, place);
    text_printf(table->text, " %s ", ops ? "proc" : "tmpfs");
    put_options(table->text, flags);
    text_printf(table->text, " 0 0\n");
    return 0;
}

void proc_mounts(struct text *text, struct process *process)
{
    the_mounts.text = text;
    the_mounts.process = process;
    umvfs_mounts(root_vfs, mount_line, &the_mounts);
}

static int note_mount(void *ctx, const struct umvfs_path *root, const struct umvfs_fs_ops *ops,
                      void *fs, unsigned flags)
{
    struct mount_table *table = ctx;
    (void)ops, (void)fs, (void)flags;
    if (table->count < UMVFS_MOUNT_MAX)
        table->mount[table->count++] = root->mnt;
    return 0;
}

static unsigned id_of(const struct mount_table *table, const struct umvfs_mount *mount)
{
    unsigned i = 0;
    while (i < table->count && table->mount[i] != mount)
        i++;
    return FIRST_ID + i;
}

/* The mount that is one directory above; the first mount has itself. */
static unsigned parent_id(const struct mount_table *table, const struct umvfs_path *root)
{
    static const struct umvfs_cred cred = {.caps = UMVFS_CAP_ALL};
    struct umvfs_task task = {.vfs = root_vfs, .cred = &cred};
    struct umvfs_path above;
    umvfs_root(root_vfs, &task.root);
    task.cwd = task.root;
    unsigned id = FIRST_ID;
    if (umvfs_lookup(&task, root, "..", 0, 0, &above) == 0) {
        id = id_of(table, above.mnt);
        umvfs_path_put(&above);
    }
    umvfs_path_put(&task.root);
    return id;
}

static int mountinfo_line(void *ctx, const struct umvfs_path *root, const struct umvfs_fs_ops *ops,
                          void *fs, unsigned flags)
{
    const struct mount_table *table = ctx;
    const char *place = mount_place(root, table->process);
    uint64_t device = umvfs_inode_device(umvfs_path_inode(root));
    (void)fs;
    if (!place)
        return 0;
    text_printf(table->text, "%u %u %u:%u / ", id_of(table, root->mnt), parent_id(table, root),
                UMVFS_MAJOR(device), UMVFS_MINOR(device));
    put_path(table->text, place);
    text_printf(table->text, " ");
    put_options(table->text, flags);
    text_printf(table->text, " - %s %s %s\n", ops ? "proc" : "tmpfs", source_of(root, ops),
                flags & UMVFS_MS_RDONLY ? "ro" : "rw");
    return 0;
}

unsigned proc_mount_id(const struct umvfs_path *place)
{
    the_mounts.count = 0;
    umvfs_mounts(root_vfs, note_mount, &the_mounts);
    return id_of(&the_mounts, place->mnt);
}

/* The numbers of the mounts are their places in the list. The place of a bind mount's root in its own
 * file system is not known, and is given as "/". */
void proc_mountinfo(struct text *text, struct process *process)
{
    the_mounts.text = text;
    the_mounts.process = process;
    the_mounts.count = 0;
    umvfs_mounts(root_vfs, note_mount, &the_mounts);
    umvfs_mounts(root_vfs, mountinfo_line, &the_mounts);
}
