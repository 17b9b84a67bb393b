/* Eva: what policy Linux makes of the entries of an initramfs, under any number of entries of any
 * type, over a tree that is made up as they come: each call of the library may be done, find what is
 * there of any type, or fail, and each allocation may fail. Names are any of up to NAME bytes and
 * link targets any of up to TARGET; there is memory to remember BLOCKS objects. The library's calls
 * are replaced by ones that read their names to the end and count references.
 *
 * What is removed has just been found there, is of another type than the entry, and goes by the call
 * for its type. An entry is an error only for lack of room; a file is left to be filled only if it
 * is a regular one that is held. Afterwards nothing is held, open or allocated. FORGET is a place
 * that is found and not put back, to show that the proof can fail. */
#include <string.h>

#include <__fc_builtin.h>

#include "../src/initramfs_tree.c"

/* Reads what is not there: an alarm, unless this cannot be reached. */
#define WRONG() ((void)*(volatile char *)0)

#define ROOM   48 /* of a block: the largest object is struct dir_times */
#define KNOWN  1
#define FAILED (-UMVFS_EIO)

static char pool[BLOCKS][ROOM];
static size_t taken[BLOCKS]; /* 0: free */
static struct umvfs vfs;
static struct umvfs_sb sb;
static struct umvfs_mount mount;
static struct umvfs_inode links_dir, numbers[KNOWN], found;
static struct umvfs_dentry links, known[KNOWN], dentry;
static int number_used[KNOWN]; /* 1: an inode, 2: with a name */
static char name[NAME + 1], target[TARGET + 1];
static struct umvfs_import import;
static int held, open_files;
static uint32_t seen; /* the mode of what was there at the last look; 0: nothing */

static int any(int last)
{
    int value = Frama_C_interval(0, last);
    for (int i = 0; i < last; i++)
        if (value == i)
            return i;
    return last;
}

static uint32_t any_type(void)
{
    switch (any(3)) {
    case 0:
        return UMVFS_S_IFDIR;
    case 1:
        return UMVFS_S_IFREG;
    case 2:
        return UMVFS_S_IFLNK;
    default:
        return UMVFS_S_IFIFO;
    }
}

/* What was seen is forgotten with the next call. */
static void read_name(const char *text)
{
    if (!*text)
        WRONG();
    while (*text)
        text++;
    seen = 0;
}

/* Done, or `error`, or no room, or another error. */
static int answer(int error)
{
    switch (any(3)) {
    case 0:
        return 0;
    case 1:
        return error;
    case 2:
        return -UMVFS_ENOSPC;
    default:
        return FAILED;
    }
}

int umvfs_obj_alloc(struct umvfs_sb *s, size_t size, void **out)
{
    if (s != &sb || size == 0 || size > ROOM)
        WRONG();
    for (int i = 0; i < BLOCKS && any(1); i++) {
        if (taken[i])
            continue;
        taken[i] = size;
        *out = pool[i];
        return 0;
    }
    return -UMVFS_ENOMEM;
}

void umvfs_obj_free(struct umvfs_sb *s, void *ptr, size_t size)
{
    for (int i = 0; i < BLOCKS; i++) {
        if (ptr != pool[i])
            continue;
        if (taken[i] != size)
            WRONG();
        taken[i] = 0;
        memset(pool[i], 1, ROOM);
        return;
    }
    WRONG();
}

/* The inodes that stand for numbers, and those of files. */
int umvfs_inode_new(struct umvfs_sb *s, uint32_t mode, struct umvfs_inode **out)
{
    for (int i = 0; i < KNOWN && any(1); i++) {
        if (number_used[i])
            continue;
        number_used[i] = 1;
        numbers[i] = (struct umvfs_inode){.mode = (uint16_t)mode};
        *out = &numbers[i];
        return 0;
    }
    return -UMVFS_ENOMEM;
}

void umvfs_inode_drop(struct umvfs_inode *inode)
{
    if (inode == &found) {
        held--;
        found = (struct umvfs_inode){0};
        return;
    }
    for (int i = 0; i < KNOWN; i++) {
        if (inode != &numbers[i])
            continue;
        if (!number_used[i])
            WRONG();
        number_used[i] = 0;
        if (inode->u.link.target)
            umvfs_obj_free(&sb, inode->u.link.target, (size_t)inode->size + 1u);
        numbers[i] = (struct umvfs_inode){0};
        return;
    }
    WRONG();
}

struct umvfs_name umvfs_name_of(const struct umvfs_dentry *dir, const char *text, size_t len)
{
    return (struct umvfs_name){.text = text, .len = len};
}

int umvfs_dir_prepare(struct umvfs_inode *dir, const struct umvfs_name *number,
                      struct umvfs_dentry **out)
{
    if (dir != &links_dir || number->len != NUMBER_DIGITS)
        WRONG();
    if (any(1))
        return -UMVFS_ENOSPC;
    *out = &dentry;
    return 0;
}

void umvfs_dir_add(struct umvfs_dentry *parent, struct umvfs_dentry *added,
                   struct umvfs_inode *inode)
{
    for (int i = 0; i < KNOWN; i++) {
        if (inode != &numbers[i])
            continue;
        if (number_used[i] != 1 || inode->nlink != 1)
            WRONG();
        number_used[i] = 2;
        known[i].inode = inode;
    }
}

struct umvfs_dentry *umvfs_find(struct umvfs *v, const struct umvfs_dentry *parent,
                                const char *number, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (number[i] == '\0')
            WRONG();
    for (int i = 0; i < KNOWN; i++)
        if (number_used[i] == 2 && any(1))
            return &known[i];
    return NULL;
}

static struct umvfs_path place(void)
{
    held++;
    return (struct umvfs_path){&mount, &dentry};
}

void umvfs_path_put(struct umvfs_path *of)
{
    if (of->mnt != &mount || held <= 0)
        WRONG();
    held--;
    *of = (struct umvfs_path){0};
}

int umvfs_lookup(const struct umvfs_task *t, const struct umvfs_path *at, const char *text,
                 unsigned flags, unsigned resolve, struct umvfs_path *out)
{
    read_name(text);
    if (any(1))
        return -UMVFS_ENOENT;
    *out = place();
    held += FORGET;
    return 0;
}

int umvfs_open(const struct umvfs_task *t, const struct umvfs_path *at, const char *text,
               uint32_t flags, uint32_t mode, unsigned resolve, struct umvfs_file *out)
{
    read_name(text);
    int error = answer(flags & UMVFS_O_EXCL ? -UMVFS_EEXIST : -UMVFS_ENOENT);
    if (error)
        return error;
    found = (struct umvfs_inode){.mode = (uint16_t)any_type()};
    if (flags & UMVFS_O_EXCL)
        found.mode = UMVFS_S_IFREG;
    if (any(1)) /* also a file that is made */
        found.flags = INODE_FOREIGN;
    open_files++;
    *out = (struct umvfs_file){.path = place(), .inode = &found};
    return 0;
}

void umvfs_close(struct umvfs_file *file)
{
    umvfs_path_put(&file->path);
    open_files--;
    if (file->inode->refs == 0)
        found = (struct umvfs_inode){0};
}

int umvfs_file_truncate_as(struct umvfs_file *file, const struct umvfs_cred *cred, uint64_t size)
{
    if (open_files != 1 || !UMVFS_S_ISREG(file->inode->mode))
        WRONG();
    return answer(-UMVFS_EFBIG);
}

int umvfs_stat(const struct umvfs_task *t, const struct umvfs_path *at, const char *text,
               unsigned flags, struct umvfs_stat *out)
{
    read_name(text);
    if (any(1))
        return -UMVFS_ENOENT;
    seen = any_type();
    *out = (struct umvfs_stat){.mode = seen};
    return 0;
}

static int removed(const char *text, bool is_dir)
{
    if (!seen || UMVFS_S_ISDIR(seen) != is_dir)
        WRONG();
    read_name(text);
    return Frama_C_interval(FAILED, 0);
}

int umvfs_unlink(const struct umvfs_task *t, const struct umvfs_path *at, const char *text)
{
    return removed(text, false);
}

int umvfs_rmdir(const struct umvfs_task *t, const struct umvfs_path *at, const char *text)
{
    return removed(text, true);
}

int umvfs_mkdir(const struct umvfs_task *t, const struct umvfs_path *at, const char *text,
                uint32_t mode)
{
    read_name(text);
    return answer(-UMVFS_EEXIST);
}

int umvfs_mknod(const struct umvfs_task *t, const struct umvfs_path *at, const char *text,
                uint32_t mode, uint64_t rdev)
{
    read_name(text);
    return answer(-UMVFS_EEXIST);
}

int umvfs_symlink_to(const struct umvfs_task *t, const char *text, size_t len,
                     const struct umvfs_path *at, const char *path)
{
    read_name(path);
    for (size_t i = 0; i < len; i++)
        if (text[i] == '\0')
            WRONG();
    return answer(-UMVFS_EEXIST);
}

int umvfs_link(const struct umvfs_task *t, const struct umvfs_path *from, const char *old,
               const struct umvfs_path *to, const char *new, unsigned flags)
{
    read_name(old);
    read_name(new);
    return answer(-UMVFS_EEXIST);
}

/* An object is changed only while it is held. */
static int changed(const struct umvfs_path *at)
{
    if (at->mnt != &mount || held < 1)
        WRONG();
    return Frama_C_interval(FAILED, 0);
}

int umvfs_chown(const struct umvfs_task *t, const struct umvfs_path *at, const char *text,
                uint32_t uid, uint32_t gid, unsigned flags)
{
    return changed(at);
}

int umvfs_chmod(const struct umvfs_task *t, const struct umvfs_path *at, const char *text,
                uint32_t mode, unsigned flags)
{
    return changed(at);
}

int umvfs_utimens(const struct umvfs_task *t, const struct umvfs_path *at, const char *text,
                  const struct umvfs_time times[2], unsigned flags)
{
    return changed(at);
}

void umvfs_touch_ctime(struct umvfs_inode *inode)
{
    if (inode != &found)
        WRONG();
}

int umvfs_import_warn(struct umvfs_import *imp, enum umvfs_archive_reason reason, int error)
{
    return 0;
}

int umvfs_import_fail_with(struct umvfs_import *imp, enum umvfs_archive_reason reason, int error)
{
    if (error != -UMVFS_ENOSPC && error != -UMVFS_ENOMEM)
        WRONG();
    return error;
}

void umvfs_import_file_done(struct umvfs_import *imp)
{
    umvfs_inode_drop(imp->file);
    imp->file = NULL;
}

static size_t any_text(char *text, int most)
{
    int len = any(most);
    for (int i = 0; i < len; i++)
        text[i] = 'n';
    text[len] = '\0';
    return (size_t)len;
}

/* A file that is to be filled is held. */
static int make_file(void)
{
    import.entry.mode = UMVFS_S_IFREG;
    import.entry.size = (uint64_t)any(1);
    int err = umvfs_initramfs_file(&import);
    if (err || !import.file)
        return err;
    if (!UMVFS_S_ISREG(import.file->mode) || umvfs_is_foreign(import.file) || found.refs != 1)
        WRONG();
    held++; /* the reference that it took itself */
    umvfs_initramfs_file_done(&import);
    return 0;
}

static int make_link_entry(void)
{
    import.entry.mode = UMVFS_S_IFLNK;
    import.entry.link_len = any_text(target, TARGET);
    return umvfs_initramfs_symlink(&import);
}

static int make_entry(void)
{
    import.entry.name_len = any_text(name, NAME);
    import.options.owner_is_task = any(1);
    import.cpio.nlink = 1;
    switch (any(3)) {
    case 0:
        import.cpio.nlink = any(1) ? 2 : 1;
        return make_file();
    case 1:
        import.entry.mode = UMVFS_S_IFDIR;
        return umvfs_initramfs_dir(&import);
    case 2:
        import.cpio.nlink = any(1) ? 2 : 1;
        import.options.no_devices = any(1);
        import.entry.mode = any(1) ? UMVFS_S_IFIFO : UMVFS_S_IFCHR;
        return umvfs_initramfs_node(&import);
    default:
        return make_link_entry();
    }
}

/* Nothing of an entry is left but what is remembered; and the states before entries are alike. */
static void end_entry(void)
{
    if (held != 0 || open_files != 0 || import.file)
        WRONG();
    import.entry = (struct import_entry){.name = name, .link = target};
    import.cpio = (struct cpio_state){0};
    import.options = (struct umvfs_import_options){0};
    import.file_at = 0;
    seen = 0;
    memset(name, 0, sizeof(name));
    memset(target, 0, sizeof(target));
}

static void release(void)
{
    umvfs_initramfs_end(&import, any(1));
    for (int i = 0; i < KNOWN; i++)
        if (number_used[i] == 2)
            umvfs_inode_drop(&numbers[i]);
    if (held != 0)
        WRONG();
    for (int i = 0; i < BLOCKS; i++)
        if (taken[i])
            WRONG();
    for (int i = 0; i < KNOWN; i++)
        if (number_used[i])
            WRONG();
}

int main(void)
{
    import.sb = &sb;
    import.links = &links;
    import.task.vfs = &vfs;
    links.inode = &links_dir;
    for (int i = 0; i < BLOCKS; i++)
        memset(pool[i], 1, ROOM);
    int err = 0;
    do {
        end_entry();
        if (any(1))
            break;
        err = make_entry();
    } while (!err);
    end_entry();
    release();
    return err;
}
