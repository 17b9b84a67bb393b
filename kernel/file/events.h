/* Events of files (umvfs/event.h): instances of inotify(7), and what open files tell. */
#ifndef UMBRA_FILE_EVENTS_H
#define UMBRA_FILE_EVENTS_H

#include <stdbool.h>
#include <stdint.h>

#include <umvfs/event.h>
#include <umvfs/vfs.h>

#include "file/files.h"

/* Limits, shown in /proc/sys/fs/inotify: of a queue, and of the instances and watches of a user. */
#define EVENTS_QUEUED_MAX    16384
#define EVENTS_INSTANCES_MAX 128
#define EVENTS_WATCHES_MAX   8192

extern uint64_t events_watches; /* of all users; 0: nothing is told */

void events_init(void);

/* For umvfs_config.event. */
void events_of_tree(void *ctx, const struct umvfs_event *event);

/* Creates an instance of the current process's user, as an open file with one reference. -EMFILE,
 * -ENOMEM. */
int events_create(struct file **out);

/* True if the file is an instance. */
bool events_is_instance(const struct file *file);

/* Watches an inode, or ends a watch, of an instance. Return as umvfs_event_watch() and
 * umvfs_event_unwatch(). */
int events_watch(const struct file *file, struct umvfs_inode *inode, uint32_t mask);
int events_unwatch(const struct file *file, int32_t wd);

/* Tells of something done with an open file. */
static inline void events_tell(const struct file *file, uint32_t mask)
{
    if (events_watches)
        umvfs_file_event(&file->vfs, mask);
}

/* The same for a call that has moved so many bytes. */
static inline void events_tell_moved(const struct file *file, uint32_t mask, int64_t moved)
{
    if (moved > 0)
        events_tell(file, mask);
}

#endif
