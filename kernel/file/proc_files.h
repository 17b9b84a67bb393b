/* The contents of the files in /proc. */
#ifndef UMBRA_FILE_PROC_FILES_H
#define UMBRA_FILE_PROC_FILES_H

#include "file/text.h"

struct umvfs_path;

/* The name of a place in links and in maps, also of pipes and shared memory. Returns its length, or
 * a negative error. */
int proc_place_name(const struct umvfs_path *place, char *name, size_t size);

struct process;
struct vma;

/* The name of an area in /proc/PID/maps: "" for none. It is valid until the next call. */
const char *proc_area_name(const struct vma *vma, const struct process *process);

/* The name of the machine, which sethostname(2) sets. */
#define HOST_NAME_FIELD 65 /* of struct utsname, with its NUL */
extern char system_host_name[HOST_NAME_FIELD];

/* Each function writes a whole file; process is NULL for a file of the system. */
typedef void (*proc_file_fn)(struct text *text, struct process *process);

void proc_meminfo(struct text *text, struct process *process);
void proc_uptime(struct text *text, struct process *process);
void proc_mounts(struct text *text, struct process *process);
void proc_version(struct text *text, struct process *process);
void proc_frames(struct text *text, struct process *process);
void proc_users(struct text *text, struct process *process);
void proc_bound(struct text *text, struct process *process);
void proc_system_stat(struct text *text, struct process *process);
void proc_loadavg(struct text *text, struct process *process);
void proc_cpuinfo(struct text *text, struct process *process);
void proc_filesystems(struct text *text, struct process *process);
void proc_pid_max(struct text *text, struct process *process);
void proc_hostname(struct text *text, struct process *process);
void proc_osrelease(struct text *text, struct process *process);
void proc_maps(struct text *text, struct process *process);
void proc_stat(struct text *text, struct process *process);
void proc_status(struct text *text, struct process *process);
void proc_cmdline(struct text *text, struct process *process);
void proc_environ(struct text *text, struct process *process);
void proc_comm(struct text *text, struct process *process);

#endif
