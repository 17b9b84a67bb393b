/* The names in /proc. Each is in a folder, and is a file, a link or a folder itself. */
#ifndef UMBRA_FILE_PROC_TABLE_H
#define UMBRA_FILE_PROC_TABLE_H

#include "file/proc_files.h"

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
