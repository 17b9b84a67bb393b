/* Eva: the calls on whole trees (PART is walk, removal or make), over a tree that is made up as
 * they go: the next entry of a directory is any of a file, a directory, the root of a mount, ".",
 * ".." or none, or an error; a directory may be too new to be entered; each call of the library,
 * each visit and each allocation may fail or answer anything. The library's calls are replaced by
 * ones that count references and open directories. A walk is of LEVELS levels, and there is memory
 * for one more; it goes on beside what is deeper. The number of entries is not bounded: Eva keeps
 * every state apart and ends when the loop finds no new one.
 *
 * Each visit is of an object that is held, in an open directory, at the depth of the walk, with a
 * name that ends where it is said to; none comes after the one that stops the walk. Afterwards
 * nothing is held, open or allocated. A path to make is of up to ROOM bytes, and a name of it of up
 * to PATH_NAME_MAX. FORGET is a place that is found and not put back, to show that the proofs can
 * fail. */
#include <string.h>

#include <__fc_builtin.h>

#include <umvfs/attr.h>
#include <umvfs/file.h>
#include <umvfs/path.h>
#include <umvfs/tree.h>

#include "inode.h"
#include "walk.h"

#ifdef PATH_NAME_MAX
#undef UMVFS_NAME_MAX
#define UMVFS_NAME_MAX PATH_NAME_MAX
#endif
#undef UMVFS_DIR_DEPTH_MAX
#define UMVFS_DIR_DEPTH_MAX LEVELS
#include "../src/trees.c"

#define BLOCKS  (LEVELS + 1)
#define NOWHERE 0x01
#define STOP    7

/* Reads what is not there: an alarm, unless this cannot be reached. */
#define WRONG() ((void)*(volatile char *)0)

enum {
    TOP,
    DIR,
    FILE_HERE,
    POINT,
    MOUNTED,
    KINDS,
};

static char long_name[255];
static struct level pool[BLOCKS];
static int taken[BLOCKS];
static struct umvfs vfs;
static struct umvfs_sb own, other;
static struct umvfs_inode inodes[KINDS];
static struct umvfs_dentry dentries[KINDS];
static struct umvfs_mount first, second;
static struct umvfs_task task;
static int held, open_dirs, stopped, may_be_deeper;

static int any(int last)
{
    int value = Frama_C_interval(0, last);
    for (int i = 0; i < last; i++)
        if (value == i)
            return i;
    return last;
}

/* Done, or `error`, or another error. */
static int answer(int error)
{
    switch (any(2)) {
    case 0:
        return 0;
    case 1:
        return error;
    default:
        return -UMVFS_EIO;
    }
}

static void *get(void *ctx, size_t size)
{
    if (size != sizeof(pool[0]))
        WRONG();
    for (int i = 0; i < BLOCKS && any(1); i++) {
        if (taken[i])
            continue;
        taken[i] = 1;
        return &pool[i];
    }
    return NULL;
}

static void put_back(void *ctx, void *ptr, size_t size)
{
    for (int i = 0; i < BLOCKS; i++) {
        if (ptr != &pool[i])
            continue;
        if (!taken[i] || size != sizeof(pool[0]))
            WRONG();
        taken[i] = 0;
        memset(ptr, NOWHERE, size);
        return;
    }
    WRONG();
}

static struct umvfs_path place(int kind)
{
    held++;
    return (struct umvfs_path){kind == MOUNTED ? &second : &first, &dentries[kind]};
}

struct umvfs_path umvfs_path_get(const struct umvfs_path *of)
{
    held++;
    return *of;
}

void umvfs_path_put(struct umvfs_path *of)
{
    if (!of->mnt || !of->dentry || held <= 0)
        WRONG();
    held--;
    *of = (struct umvfs_path){0};
}

int umvfs_lookup(const struct umvfs_task *t, const struct umvfs_path *at, const char *text,
                 unsigned flags, unsigned resolve, struct umvfs_path *out)
{
    int error = answer(-UMVFS_ENOENT);
    if (error)
        return error;
    *out = place(any(1) ? TOP : FILE_HERE);
    held += FORGET;
    return 0;
}

int umvfs_open(const struct umvfs_task *t, const struct umvfs_path *at, const char *text,
               uint32_t flags, uint32_t mode, unsigned resolve, struct umvfs_file *out)
{
    if (!at->mnt || *text || !umvfs_is_dir(at->dentry->inode))
        WRONG();
    if (any(1))
        return -UMVFS_EIO;
    held++;
    open_dirs++;
    *out = (struct umvfs_file){.path = *at, .inode = at->dentry->inode};
    return 0;
}

void umvfs_close(struct umvfs_file *file)
{
    umvfs_path_put(&file->path);
    open_dirs--;
    file->inode = NULL;
}

int umvfs_inode_stat(struct umvfs_inode *inode, struct umvfs_stat *out)
{
    if (any(1))
        return -UMVFS_EIO;
    *out = (struct umvfs_stat){.mode = inode->mode};
    return 0;
}

static int found(struct umvfs_entry *out, char *name, const char *text, size_t len, int kind)
{
    memcpy(name, text, len);
    name[len] = '\0';
    *out = (struct umvfs_entry){.name = name, .len = len, .place = place(kind)};
    out->stat.mode = inodes[kind].mode;
    return 1;
}

int umvfs_next_entry(const struct umvfs_task *t, struct umvfs_file *file, char *name,
                     struct umvfs_entry *out)
{
    if (!file->path.mnt || !file->inode)
        WRONG();
    switch (any(6)) {
    case 0:
        return 0;
    case 1:
        return -UMVFS_EIO;
    case 2:
        return found(out, name, ".", 1, TOP);
    case 3:
        return found(out, name, "..", 2, TOP);
    case 4:
        return found(out, name, "f", 1, FILE_HERE);
    case 5:
        inodes[DIR].ino = any(1) ? own.next_ino : 1;
        return found(out, name, long_name, sizeof(long_name), DIR);
    default:
        return found(out, name, "m", 1, MOUNTED);
    }
}

int umvfs_unlink(const struct umvfs_task *t, const struct umvfs_path *at, const char *text)
{
    return answer(-UMVFS_EISDIR);
}

int umvfs_rmdir(const struct umvfs_task *t, const struct umvfs_path *at, const char *text)
{
    return answer(-UMVFS_ENOTEMPTY);
}

/* The text ends in its memory: it is read to its end. */
int umvfs_mkdir(const struct umvfs_task *t, const struct umvfs_path *at, const char *text,
                uint32_t mode)
{
    if (!*text || !at->mnt)
        WRONG();
    while (*text)
        text++;
    return answer(-UMVFS_EEXIST);
}

static int visit(void *ctx, const struct umvfs_visit *v)
{
    int deep = (int)v->depth;
    if (stopped || v->name[v->len] || !v->place->mnt || !v->place->dentry->inode || held < 1)
        WRONG();
    if (v->dir ? !v->dir->mnt || open_dirs < 1 || v->len == 0 : v->len != 0 || deep != 0)
        WRONG();
    if (deep != open_dirs && !(v->is_leaving && deep == open_dirs - 1))
        WRONG();
    if (open_dirs > LEVELS && !may_be_deeper)
        WRONG();
    switch (any(2)) {
    case 0:
        return 0;
    case 1:
        return UMVFS_WALK_SKIP;
    default:
        stopped = 1;
        return STOP;
    }
}

static void set_object(int kind, struct umvfs_sb *sb, uint16_t mode, int parent, uint64_t ino)
{
    inodes[kind] = (struct umvfs_inode){.sb = sb, .mode = mode, .ino = ino};
    dentries[kind].inode = &inodes[kind];
    dentries[kind].parent = &dentries[parent];
    dentries[kind].flags = DENTRY_LINKED;
}

static void set_tree(void)
{
    vfs.cfg.alloc = get;
    vfs.cfg.free = put_back;
    own.next_ino = 100;
    set_object(TOP, &own, UMVFS_S_IFDIR, TOP, 1);
    set_object(DIR, &own, UMVFS_S_IFDIR, TOP, 1);
    set_object(FILE_HERE, &own, UMVFS_S_IFREG, TOP, 1);
    set_object(POINT, &own, UMVFS_S_IFDIR, TOP, 1);
    set_object(MOUNTED, &other, UMVFS_S_IFDIR, MOUNTED, 1);
    inodes[MOUNTED].flags = INODE_FOREIGN;
    memset(long_name, 'd', sizeof(long_name));
    dentries[DIR].name_len = (uint8_t)sizeof(long_name);
    dentries[DIR].name.far = long_name;
    dentries[POINT].name_len = 1;
    dentries[POINT].name.near[0] = 'm';
    first = (struct umvfs_mount){.vfs = &vfs, .sb = &own, .root = &dentries[TOP]};
    second = (struct umvfs_mount){.vfs = &vfs, .sb = &other, .root = &dentries[MOUNTED]};
    second.parent = &first;
    second.point = &dentries[POINT];
    task.vfs = &vfs;
    task.root = task.cwd = (struct umvfs_path){&first, &dentries[TOP]};
    for (int i = 0; i < BLOCKS; i++)
        memset(&pool[i], NOWHERE, sizeof(pool[i]));
}

static int walk(void)
{
    return umvfs_walk_tree(&task, NULL, "/", any(1) ? UMVFS_WALK_MOUNTS : 0, visit, NULL);
}

static int removal(void)
{
    may_be_deeper = 1;
    return umvfs_remove_tree(&task, NULL, any(1) ? "a" : "a/..", any(1) ? visit : NULL, NULL);
}

static int make(void)
{
    char path[ROOM + 1] = "";
    Frama_C_make_unknown(path, ROOM);
    return umvfs_make_path(&task, NULL, path, 0777);
}

int main(void)
{
    set_tree();
    int result = PART();
    if (held != 0 || open_dirs != 0 || (stopped && result != STOP))
        WRONG();
    for (int i = 0; i < BLOCKS; i++)
        if (taken[i])
            WRONG();
    return result;
}
