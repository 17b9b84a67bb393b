/* /proc: information about the kernel and every process, in Linux's formats. */
#ifndef UMBRA_FILE_PROC_H
#define UMBRA_FILE_PROC_H

#include <umvfs/path.h>

#include "lib/format.h"

/* Mounts it at a directory. Errors as umvfs_mount(). */
int proc_mount(const struct umvfs_task *task, const struct umvfs_path *at, const char *path,
               unsigned flags);

/* The contents of the files in /proc. */

struct umvfs_path;

/* The name of a place in links and in maps, also of pipes and shared memory. Returns its length, or
 * a negative error. */
int proc_place_name(const struct umvfs_path *place, char *name, size_t size);

struct process;
struct vma;

/* Writes a string with octal escapes, as \012, for the bytes that are in `escaped`. Returns the length of what was
 * written. */
size_t proc_put_escaped(struct text *text, const char *string, const char *escaped);

/* The name of an area in /proc/PID/maps: "" for none. It is valid until the next call. */
const char *proc_area_name(const struct vma *vma, const struct process *process);

struct aspace;
struct maps_count;

/* Counts the pages of an address space, a part in each call: returns true with the numbers at its end, which
 * is at once for NULL, and else marks the text as unfinished. */
bool proc_count_pages(struct text *text, struct aspace *as, struct maps_count *out);

/* The names of the machine and its domain, which sethostname(2) and setdomainname(2) set. */
#define HOST_NAME_FIELD 65 /* of struct utsname, with its NUL */
extern char system_host_name[HOST_NAME_FIELD], system_domain_name[HOST_NAME_FIELD];

#define PROC_RELEASE "6.1.0-umbra"
#define PROC_VERSION "#1 umbra"
#define PROC_DEVICES                                                                               \
    "Character devices:\n  1 mem\n  4 ttyS\n  5 /dev/tty\n  5 /dev/console\n\nBlock devices:\n"

/* Each function writes a whole file; process is NULL for a file of the system. */
typedef void proc_write(struct text *text, struct process *process);
typedef proc_write *proc_file_fn;

/* Takes what a program wrote to the file. Returns 0 or a negative error. */
typedef int proc_store(struct process *process, const char *text);
typedef proc_store *proc_store_fn;

/* Of the system. */
proc_write proc_boot_id, proc_bound, proc_cap_last_cap, proc_cpuinfo, proc_domainname, proc_frames,
    proc_hostname, proc_kernel_cmdline, proc_loadavg, proc_max_map_count, proc_max_queued_events,
    proc_max_user_instances, proc_max_user_watches, proc_meminfo, proc_mmap_min_addr,
    proc_ngroups_max, proc_nr_open, proc_pid_max, proc_pipe_max_size, proc_randomize,
    proc_system_stat, proc_uptime, proc_users, proc_uuid, proc_vmstat;

/* Of a process. */
proc_write proc_auxv, proc_cmdline, proc_comm, proc_environ, proc_limits, proc_maps, proc_mountinfo,
    proc_mounts, proc_oom_score, proc_oom_score_adj, proc_personality, proc_smaps,
    proc_smaps_rollup, proc_stat, proc_statm, proc_status, proc_timer_slack;
/* The number that mountinfo gives to the mount of a place. Does not sleep. */
unsigned proc_mount_id(const struct umvfs_path *place);

proc_store proc_set_comm, proc_set_oom_score_adj;

/* The names in /proc. Each is in a folder, and is a file, a link or a folder itself. */

enum proc_kind {
    PROC_FOLDER = 1, /* that is in the table; the first entry is /proc itself */
    PROC_FILE,
    PROC_PROCESS,     /* /proc/PID and /proc/PID/task/TID, which are not in the table */
    PROC_TASKS,       /* /proc/PID/task */
    PROC_DESCRIPTORS, /* /proc/PID/fd */
    PROC_DESCRIPTOR,  /* a link in it, which is not in the table */
    PROC_INFOS,       /* /proc/PID/fdinfo */
    PROC_INFO,        /* a file in it, which is not in the table */
    PROC_EXE,         /* magic links */
    PROC_CWD,
    PROC_ROOT,
    PROC_SELF, /* links with a name as their target */
    PROC_THREAD_SELF,
    PROC_TO_SELF, /* to the file of the same name in /proc/self */
};

enum proc_folder {
    PROC_OF_ROOT = 1,
    PROC_OF_PROCESS,
    PROC_OF_SYS,
    PROC_OF_SYS_KERNEL,
    PROC_OF_SYS_KERNEL_RANDOM,
    PROC_OF_SYS_VM,
    PROC_OF_SYS_FS,
    PROC_OF_SYS_FS_INOTIFY,
};

struct proc_entry {
    enum proc_folder folder; /* where it is */
    const char *name;
    enum proc_kind kind;
    enum proc_folder target; /* PROC_FOLDER: which one it is */
    proc_file_fn write;      /* PROC_FILE: one of the two */
    const char *text;
    proc_store_fn store; /* takes what is written to the file; NULL: -EINVAL */
    uint32_t mode;       /* PROC_FILE; 0: 0444 */
    bool is_private;     /* not for every user: rights_to_inspect() */
    bool shows_mounts;   /* not of a zombie */
    bool not_of_threads; /* it is not in /proc/PID/task/TID */
};

extern const struct proc_entry proc_table[];
extern const unsigned proc_entries;
#define PROC_FIRST_ENTRY 1u /* after /proc itself */

#endif
