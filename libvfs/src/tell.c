#include "tell.h"

#include <umvfs/file.h>

#include "dcache.h"
#include "inode.h"

static void tell(const struct umvfs_event *event)
{
    const struct umvfs_inode *inode = event->object;
    const struct umvfs_config *cfg = &inode->sb->vfs->cfg;
    if (umvfs_is_watched(inode) && cfg->event)
        cfg->event(cfg->ctx, event);
}

void umvfs_tell(const struct umvfs_inode *inode, uint32_t mask, const char *name, size_t len)
{
    const struct umvfs_event event = {.object = inode, .name = name, .len = len, .mask = mask};
    tell(&event);
}

/* Whether watches of the directory are told. As on Linux they are not told of reads and writes of devices
 * and FIFOs: otherwise a user who may not read a terminal could learn when somebody types there. */
static bool is_for_directory(const struct umvfs_dentry *dentry, uint32_t mask, bool is_file)
{
    uint16_t mode = dentry->inode->mode;
    bool is_plain = UMVFS_S_ISREG(mode) || UMVFS_S_ISDIR(mode) || UMVFS_S_ISLNK(mode);
    return dentry->parent != dentry &&
           (is_plain || !is_file || !(mask & (UMVFS_IN_ACCESS | UMVFS_IN_MODIFY)));
}

void umvfs_tell_place_watched(const struct umvfs_dentry *dentry, uint32_t mask, bool is_file)
{
    struct umvfs_event event = {.object = dentry->parent->inode,
                                .name = umvfs_dentry_name(dentry),
                                .len = dentry->name_len,
                                .mask = mask | umvfs_event_type(dentry->inode),
                                .is_unlinked = is_file && !(dentry->flags & DENTRY_LINKED)};
    if (is_for_directory(dentry, mask, is_file))
        tell(&event);
    event.object = dentry->inode;
    event.name = NULL;
    event.len = 0;
    tell(&event);
}

void umvfs_tell_move(const struct umvfs_walk *from, const struct umvfs_walk *to,
                     const struct umvfs_inode *moved, const struct umvfs_inode *replaced)
{
    uint32_t cookie = ++from->task->vfs->event_cookie;
    struct umvfs_event event = {.object = from->dentry->inode,
                                .name = from->last.text,
                                .len = from->last.len,
                                .mask = UMVFS_IN_MOVED_FROM | umvfs_event_type(moved),
                                .cookie = cookie};
    tell(&event);
    event.object = to->dentry->inode;
    event.name = to->last.text;
    event.len = to->last.len;
    event.mask = UMVFS_IN_MOVED_TO | umvfs_event_type(moved);
    tell(&event);
    if (replaced)
        umvfs_tell_self(replaced, UMVFS_IN_ATTRIB);
    umvfs_tell_self(moved, UMVFS_IN_MOVE_SELF);
}

void umvfs_file_event(const struct umvfs_file *file, uint32_t mask)
{
    const struct umvfs_dentry *dentry = file->path.dentry;
    if (!(file->state & FILE_PATH) &&
        (umvfs_is_watched(dentry->inode) || umvfs_is_watched(dentry->parent->inode)))
        umvfs_tell_place_watched(dentry, mask, true);
}

void umvfs_inode_set_watched(struct umvfs_inode *inode, bool is_watched)
{
    uint32_t flags = inode->flags & ~INODE_WATCHED;
    inode->flags = (uint16_t)(is_watched ? flags | INODE_WATCHED : flags);
}
