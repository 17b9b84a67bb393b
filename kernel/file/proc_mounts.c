/* /proc/PID/mounts and mountinfo. */
#include <umvfs/mount.h>
#include <umvfs/vfs.h>

#include "file/proc_files.h"
#include "file/root.h"
#include "lib/string.h"

static int mount_line(void *ctx, const struct umvfs_path *root, const struct umvfs_fs_ops *ops,
                      void *fs, unsigned flags)
{
    static char name[UMVFS_PATH_MAX];
    struct umvfs_path top;
    (void)fs;
    umvfs_root(root_vfs, &top);
    if (umvfs_path_name(root, &top, name, sizeof(name)) >= 0)
        text_printf(ctx, "%s %s %s %s 0 0\n", ops ? "proc" : "rootfs", name, ops ? "proc" : "tmpfs",
                    flags & UMVFS_MS_RDONLY ? "ro" : "rw");
    umvfs_path_put(&top);
    return 0;
}

void proc_mounts(struct text *text, struct process *process)
{
    (void)process;
    umvfs_mounts(root_vfs, mount_line, text);
}

#define FIRST_ID 20 /* of the first mount */

/* The mounts in their order. */
struct mount_table {
    struct text *text;
    const struct umvfs_mount *mount[UMVFS_MOUNT_MAX];
    unsigned count;
};

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
    static char name[UMVFS_PATH_MAX];
    const struct mount_table *table = ctx;
    const char *access = flags & UMVFS_MS_RDONLY ? "ro" : "rw";
    uint64_t device = umvfs_inode_device(umvfs_path_inode(root));
    struct umvfs_path top;
    (void)fs;
    umvfs_root(root_vfs, &top);
    if (umvfs_path_name(root, &top, name, sizeof(name)) >= 0) {
        text_printf(table->text, "%u %u %u:%u / ", id_of(table, root->mnt), parent_id(table, root),
                    UMVFS_MAJOR(device), UMVFS_MINOR(device));
        text_put(table->text, name, strlen(name));
        text_printf(table->text, " %s - %s %s %s\n", access, ops ? "proc" : "tmpfs",
                    ops ? "proc" : "rootfs", access);
    }
    umvfs_path_put(&top);
    return 0;
}

unsigned proc_mount_id(const struct umvfs_path *place)
{
    static struct mount_table table; /* no sleep while it is used */
    table.count = 0;
    umvfs_mounts(root_vfs, note_mount, &table);
    return id_of(&table, place->mnt);
}

/* The numbers of the mounts are their places in the list. The place of a bind mount's root in its own
 * file system is not known, and is given as "/". */
void proc_mountinfo(struct text *text, struct process *process)
{
    static struct mount_table table; /* no sleep while it is used */
    (void)process;
    table.text = text;
    table.count = 0;
    umvfs_mounts(root_vfs, note_mount, &table);
    umvfs_mounts(root_vfs, mountinfo_line, &table);
}
