/* Advisory locks of open files (umvfs/lock.h), and the sleeping that they need. */
#ifndef UMBRA_FILE_LOCKS_H
#define UMBRA_FILE_LOCKS_H

#include <umvfs/lock.h>

struct file;
struct files;

extern struct umvfs_locks file_locks;

void locks_init(void);

/* Takes, changes or drops a lock. If `wait`, sleeps as long as another lock is in the way. -EAGAIN,
 * -EDEADLK, -ENOLCK, -ERESTARTSYS (a signal). The caller holds a reference on the file. */
int locks_set(const struct umvfs_lock *lock, bool wait);

/* Drops what goes with a description when it is freed, and the POSIX locks of a table on a file when
 * one of its descriptors is closed, unless it is one of O_PATH. */
void locks_drop_description(const struct file *file);
void locks_drop_descriptor(const struct files *files, const struct file *file);

static inline void locks_file_freed(const struct file *file)
{
    if (umvfs_locks_any(&file_locks))
        locks_drop_description(file);
}

static inline void locks_descriptor_closed(const struct files *files, const struct file *file)
{
    if (umvfs_locks_any(&file_locks))
        locks_drop_descriptor(files, file);
}

#endif
