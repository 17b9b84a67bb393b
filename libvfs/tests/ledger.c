#include "tests.h"

static int failure(struct ledger *l)
{
    int err = l->fail;
    if (err && l->works > 0) {
        l->works--;
        return 0;
    }
    l->fail = 0;
    return err;
}

static int number_of(const struct ledger *l, const void *node)
{
    return (int)((const struct item *)node - l->item);
}

static struct item *find(struct ledger *l, const void *dir, const char *name, size_t len)
{
    for (int i = 1; i < LEDGER_ITEMS; i++) {
        struct item *it = &l->item[i];
        if (it->used && it->dir == number_of(l, dir) && strlen(it->name) == len &&
            memcmp(it->name, name, len) == 0)
            return it;
    }
    return NULL;
}

static int l_getattr(void *fs, void *node, struct umvfs_stat *out)
{
    int err = failure(fs);
    if (!err)
        *out = ((struct item *)node)->st;
    return err;
}

static int l_lookup(void *fs, void *dir, const char *name, size_t len, void **node)
{
    struct ledger *l = fs;
    struct item *it = find(l, dir, name, len);
    if (!it)
        return -UMVFS_ENOENT;
    l->refs++;
    *node = it;
    return 0;
}

static void l_put(void *fs, void *node)
{
    ((struct ledger *)fs)->refs--;
}

static int l_readdir(void *fs, void *dir, uint64_t *cookie, umvfs_emit emit, void *ctx)
{
    struct ledger *l = fs;
    int err = failure(l);
    for (; !err && *cookie < LEDGER_ITEMS + 3; ++*cookie) {
        struct item *it = &l->item[*cookie - 3];
        if (*cookie > 3 && it->used && it->dir == number_of(l, dir) &&
            emit(ctx, it->name, strlen(it->name), it->st.ino, UMVFS_DT_OF(it->st.mode),
                 *cookie + 1))
            return 0;
    }
    return err;
}

static int l_readlink(void *fs, void *node, char *buf, size_t size)
{
    int err = failure(fs);
    size_t len = strlen(((struct item *)node)->text);
    memcpy(buf, ((struct item *)node)->text, len < size ? len : size);
    return err ? err : (int)len;
}

static int l_permission(void *fs, void *node, const struct umvfs_cred *cred, uint32_t mask)
{
    ((struct ledger *)fs)->asked |= mask;
    return 0;
}

static int l_open(void *fs, void *node, struct umvfs_file *file)
{
    struct ledger *l = fs;
    int err = failure(l);
    l->opened += !err;
    return err;
}

static void l_release(void *fs, void *node, struct umvfs_file *file)
{
    ((struct ledger *)fs)->opened--;
}

static int64_t l_read(void *fs, void *node, struct umvfs_file *file, uint64_t offset, void *buf,
                      size_t len, const struct umvfs_copy *copy)
{
    struct item *it = node;
    int err = failure(fs);
    if (err || offset >= it->st.size)
        return err;
    size_t left = it->st.size - offset;
    return (int64_t)copy->copy(copy->ctx, buf, it->text + offset, len < left ? len : left);
}

static int64_t l_write(void *fs, void *node, struct umvfs_file *file, uint64_t offset,
                       const void *buf, size_t len, const struct umvfs_copy *copy)
{
    struct item *it = node;
    int err = failure(fs);
    if (err || offset + len > sizeof(it->text))
        return err ? err : -UMVFS_ENOSPC;
    it->st.size = offset + len;
    return (int64_t)copy->copy(copy->ctx, it->text + offset, buf, len);
}

static int l_page(void *fs, void *node, uint64_t index, unsigned flags, void **out)
{
    *out = ((struct ledger *)fs)->page;
    return 0;
}

static int l_setattr(void *fs, void *node, const struct umvfs_setattr *a)
{
    struct umvfs_stat *st = &((struct item *)node)->st;
    int err = failure(fs);
    if (err)
        return err;
    if (a->mask & UMVFS_ATTR_MODE)
        st->mode = (st->mode & UMVFS_S_IFMT) | a->mode;
    st->uid = a->mask & UMVFS_ATTR_UID ? a->uid : st->uid;
    st->gid = a->mask & UMVFS_ATTR_GID ? a->gid : st->gid;
    st->size = a->mask & UMVFS_ATTR_SIZE ? a->size : st->size;
    st->atime = a->mask & UMVFS_ATTR_ATIME ? a->atime : st->atime;
    st->mtime = a->mask & UMVFS_ATTR_MTIME ? a->mtime : st->mtime;
    return 0;
}

static int l_create(void *fs, void *dir, const char *name, size_t len, uint32_t mode, uint64_t rdev,
                    const char *target, const struct umvfs_cred *cred, void **node)
{
    struct ledger *l = fs;
    int err = failure(l);
    int i = 1;
    while (l->item[i].used)
        i++;
    if (err)
        return err;
    struct item *it = &l->item[i];
    *it = (struct item){.used = true, .dir = number_of(l, dir)};
    it->st = (struct umvfs_stat){.ino = (uint64_t)i + 1, .mode = mode, .nlink = 1, .rdev = rdev};
    memcpy(it->name, name, len);
    if (target)
        strcpy(it->text, target);
    l->refs++;
    *node = it;
    return 0;
}

static int l_link(void *fs, void *node, void *dir, const char *name, size_t len)
{
    struct item *it = node;
    if (it->st.nlink >= 2)
        return -UMVFS_EMLINK;
    it->st.nlink++;
    return 0;
}

static int l_unlink(void *fs, void *dir, const char *name, size_t len, void *node, bool is_dir)
{
    int err = failure(fs);
    if (!err)
        ((struct item *)node)->used = false;
    return err;
}

static int l_rename(void *fs, void *old_dir, const char *old_name, size_t old_len, void *new_dir,
                    const char *new_name, size_t new_len, unsigned flags)
{
    struct item *it = find(fs, old_dir, old_name, old_len);
    struct item *target = find(fs, new_dir, new_name, new_len);
    int err = failure(fs);
    if (err)
        return err;
    if (flags & UMVFS_RENAME_EXCHANGE) {
        struct item old = *it;
        memcpy(it->name, target->name, sizeof(it->name));
        memcpy(target->name, old.name, sizeof(it->name));
        it->dir = target->dir;
        target->dir = old.dir;
        return 0;
    }
    if (target)
        target->used = false;
    memset(it->name, 0, sizeof(it->name));
    memcpy(it->name, new_name, new_len);
    it->dir = number_of(fs, new_dir);
    return 0;
}

static int l_statfs(void *fs, struct umvfs_statfs *out)
{
    out->inodes = LEDGER_ITEMS;
    return failure(fs);
}

const struct umvfs_fs_ops ledger_ops = {
    .getattr = l_getattr,
    .lookup = l_lookup,
    .put = l_put,
    .readdir = l_readdir,
    .readlink = l_readlink,
    .permission = l_permission,
    .open = l_open,
    .release = l_release,
    .read = l_read,
    .write = l_write,
    .page = l_page,
    .setattr = l_setattr,
    .create = l_create,
    .link = l_link,
    .unlink = l_unlink,
    .rename = l_rename,
    .statfs = l_statfs,
};

const struct umvfs_fs_ops ledger_bare_ops = {.getattr = l_getattr, .lookup = l_lookup};

void ledger_begin(struct world *w, struct ledger *l, const struct umvfs_fs_ops *ops)
{
    static const uint32_t modes[] = {UMVFS_S_IFDIR | 0755, UMVFS_S_IFDIR | 0755,
                                     UMVFS_S_IFREG | 0644, UMVFS_S_IFLNK | 0777};
    static const char *const names[] = {"", "d", "f", "l"};
    world_begin(w, NULL);
    *l = (struct ledger){0};
    for (unsigned i = 0; i < 4; i++) {
        l->item[i].used = true;
        l->item[i].st = (struct umvfs_stat){.ino = i + 1, .mode = modes[i], .nlink = 1};
        strcpy(l->item[i].name, names[i]);
        strcpy(l->item[i].text, "/l/f");
    }
    l->item[2].st.size = 4;
    assert_int_equal(run(w, "mkdir /l"), 0);
    l->refs = 1;
    assert_int_equal(umvfs_mount(&w->task, NULL, "/l", ops, l, &l->item[0], 0), 0);
}

void ledger_end(struct world *w, struct ledger *l)
{
    umvfs_close(&w->kept);
    assert_int_equal(run(w, "umount /l"), 0);
    assert_int_equal(l->opened, 0);
    world_end(w);
}
