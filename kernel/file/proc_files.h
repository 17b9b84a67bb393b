/* The contents of the files in /proc. */
#ifndef UMBRA_FILE_PROC_FILES_H
#define UMBRA_FILE_PROC_FILES_H

#include "file/text.h"

struct task;

/* Each writes a whole file; task is NULL for those of the system. */
typedef void (*proc_file_fn)(struct text *text, struct task *task);

void proc_meminfo(struct text *text, struct task *task);
void proc_uptime(struct text *text, struct task *task);
void proc_mounts(struct text *text, struct task *task);
void proc_version(struct text *text, struct task *task);
void proc_frames(struct text *text, struct task *task);
void proc_maps(struct text *text, struct task *task);
void proc_stat(struct text *text, struct task *task);
void proc_status(struct text *text, struct task *task);
void proc_cmdline(struct text *text, struct task *task);
void proc_comm(struct text *text, struct task *task);

#endif
