#include "dcache.h"

#include "inode.h"
#include "memory.h"
#include "tell.h"

#define FAN_BITS TABLE_FAN_BITS
#define FAN      TABLE_FAN
_Static_assert(FAN * sizeof(void *) == UMVFS_OBJECT_MAX, "a piece is as large as an object may be");

/* There are two buckets a name while names are added, which takes two more with each, and up to
 * four while they are removed: a name that is looked for is nearly always the first of its bucket.
 */
#define GROW_STEP   2u
#define SHRINK_STEP 4u

static void **new_piece(struct umvfs *vfs)
{
    void **piece = vfs->cfg.alloc(vfs->cfg.ctx, UMVFS_OBJECT_MAX);
    if (piece)
        memset(piece, 0, UMVFS_OBJECT_MAX);
    return piece;
}

static void free_piece(struct umvfs *vfs, void *piece)
{
    vfs->cfg.free(vfs->cfg.ctx, piece, UMVFS_OBJECT_MAX);
}

int umvfs_table_init(struct umvfs *vfs)
{
    vfs->table.root = new_piece(vfs);
    if (!vfs->table.root)
        return -UMVFS_ENOMEM;
    vfs->table.height = 0;
    vfs->table.buckets = FAN;
    vfs->table.mask = FAN - 1u;
    return 0;
}

/* Makes room for bucket number table->buckets, which starts a new piece. */
static bool add_piece(struct umvfs *vfs)
{
    struct umvfs_table *table = &vfs->table;
    uint64_t bucket = table->buckets;
    unsigned level = 0; /* pieces at and below this level are missing */
    while (level < table->height && (bucket >> level * FAN_BITS & (FAN - 1u)) == 0)
        level++;
    bool taller = bucket >> (table->height + 1u) * FAN_BITS != 0;
    unsigned needed = taller ? table->height + 2u : level;
    void **made = NULL; /* a chain through slot 1 */
    for (unsigned i = 0; i < needed; i++) {
        void **piece = new_piece(vfs);
        if (!piece) {
            while (made) {
                void **next = made[1];
                free_piece(vfs, made);
                made = next;
            }
            return false;
        }
        piece[1] = made;
        made = piece;
    }
    if (taller) {
        void **top = made;
        made = top[1];
        top[0] = table->root;
        top[1] = NULL;
        table->root = top;
        table->height++;
        level = table->height;
    }
    void **piece = table->root;
    for (unsigned l = table->height; l > 0; l--) {
        void **slot = &piece[bucket >> l * FAN_BITS & (FAN - 1u)];
        if (!*slot) {
            *slot = made;
            made = made[1];
            ((void **)*slot)[1] = NULL;
        }
        piece = *slot;
    }
    return true;
}

/* Frees the pieces that held nothing but bucket number table->buckets, just merged away. */
static void remove_piece(struct umvfs *vfs)
{
    struct umvfs_table *table = &vfs->table;
    uint64_t bucket = table->buckets;
    for (unsigned level = 1; level <= table->height; level++) {
        if (bucket & ((UINT64_C(1) << level * FAN_BITS) - 1u))
            return;
        void **piece = table->root;
        for (unsigned l = table->height; l > level; l--)
            piece = piece[bucket >> l * FAN_BITS & (FAN - 1u)];
        void **slot = &piece[bucket >> level * FAN_BITS & (FAN - 1u)];
        free_piece(vfs, *slot);
        *slot = NULL;
    }
    void **top = table->root;
    if (bucket >> table->height * FAN_BITS == 1) {
        table->root = top[0];
        table->height--;
        free_piece(vfs, top);
    }
}

/* The names of one bucket are anywhere in memory. Which bucket will be split or merged next is
 * known long before, so that its first name can be on its way from there meanwhile. */
static void expect(const struct umvfs_table *table, uint64_t bucket)
{
    __builtin_prefetch(*umvfs_table_head(table, bucket));
}

/* Splits one bucket in two. */
static void grow(struct umvfs *vfs)
{
    struct umvfs_table *table = &vfs->table;
    if (table->buckets > UINT32_MAX || (table->buckets % FAN == 0 && !add_piece(vfs)))
        return;
    if (table->buckets > table->mask)
        table->mask = table->mask << 1 | 1u;
    uint64_t high = table->buckets++;
    struct umvfs_dentry **from = umvfs_table_head(table, high & table->mask >> 1);
    struct umvfs_dentry **to = umvfs_table_head(table, high);
    while (*from) {
        struct umvfs_dentry *dentry = *from;
        if ((dentry->hash & table->mask) != high) {
            from = &dentry->hash_next;
            continue;
        }
        *from = dentry->hash_next;
        dentry->hash_next = *to;
        *to = dentry;
    }
    uint64_t ahead = high + GROW_STEP;
    expect(table, ahead & (ahead > table->mask ? table->mask : table->mask >> 1));
}

/* Merges the last bucket into the one that it was split off. */
static void shrink(struct umvfs *vfs)
{
    struct umvfs_table *table = &vfs->table;
    uint64_t high = --table->buckets;
    struct umvfs_dentry **from = umvfs_table_head(table, high);
    struct umvfs_dentry **to = umvfs_table_head(table, high & table->mask >> 1);
    struct umvfs_dentry **end = from;
    expect(table, high - SHRINK_STEP);
    while (*end)
        end = &(*end)->hash_next;
    *end = *to;
    *to = *from;
    *from = NULL;
    if (table->buckets == (table->mask >> 1) + 1u)
        table->mask >>= 1;
    if (table->buckets % FAN == 0)
        remove_piece(vfs);
}

void umvfs_table_free(struct umvfs *vfs)
{
    /* Without entries it has shrunk to its first piece: there are never more than FAN buckets, or
     * four times the entries and three, since an entry that goes may take four with it. */
    free_piece(vfs, vfs->table.root);
}

struct umvfs_dentry *umvfs_find(struct umvfs *vfs, const struct umvfs_dentry *parent,
                                const char *text, size_t len)
{
    struct umvfs_name name = umvfs_name_of(parent, text, len);
    return umvfs_table_find(vfs, parent, &name);
}

void umvfs_dentry_rehash(struct umvfs_dentry *dentry)
{
    dentry->hash = umvfs_name_of(dentry->parent, umvfs_dentry_name(dentry), dentry->name_len).hash;
}

void umvfs_table_add(struct umvfs *vfs, struct umvfs_dentry *dentry)
{
    struct umvfs_dentry **slot = umvfs_table_slot(&vfs->table, dentry->hash);
    dentry->hash_next = *slot;
    *slot = dentry;
    dentry->flags |= DENTRY_HASHED;
    vfs->table.entries++;
    for (unsigned i = 0; i < GROW_STEP && vfs->table.entries > vfs->table.buckets / 2; i++)
        grow(vfs);
}

void umvfs_table_del(struct umvfs *vfs, struct umvfs_dentry *dentry)
{
    struct umvfs_dentry **slot = umvfs_table_slot(&vfs->table, dentry->hash);
    while (*slot != dentry)
        slot = &(*slot)->hash_next;
    *slot = dentry->hash_next;
    dentry->flags &= (uint8_t)~DENTRY_HASHED;
    vfs->table.entries--;
    for (unsigned i = 0; i < SHRINK_STEP; i++) {
        if (vfs->table.buckets > FAN && vfs->table.entries < vfs->table.buckets / 4)
            shrink(vfs);
    }
}

int umvfs_name_prepare(struct umvfs_sb *sb, const char *name, size_t len, char **far)
{
    void *mem = NULL;
    if (len > sizeof(((struct umvfs_dentry *)0)->name.near)) {
        int err = umvfs_obj_alloc(sb, len, &mem);
        if (err)
            return err;
        memcpy(mem, name, len);
    }
    *far = mem;
    return 0;
}

static void free_name(struct umvfs_sb *sb, struct umvfs_dentry *dentry)
{
    if (dentry->name_len > sizeof(dentry->name.near))
        umvfs_obj_free(sb, dentry->name.far, dentry->name_len);
}

static void set_name(struct umvfs_dentry *dentry, const char *name, size_t len, char *far)
{
    dentry->name_len = (uint8_t)len;
    memset(&dentry->name, 0, sizeof(dentry->name));
    if (far)
        dentry->name.far = far;
    else if (len)
        memcpy(dentry->name.near, name, len);
}

void umvfs_dentry_rename(struct umvfs_sb *sb, struct umvfs_dentry *dentry, const char *name,
                         size_t len, char *far)
{
    free_name(sb, dentry);
    set_name(dentry, name, len, far);
}

void umvfs_dentry_swap_names(struct umvfs_dentry *a, struct umvfs_dentry *b)
{
    uint8_t len = a->name_len;
    char name[sizeof(a->name)];
    memcpy(name, &a->name, sizeof(name));
    memcpy(&a->name, &b->name, sizeof(name));
    memcpy(&b->name, name, sizeof(name));
    a->name_len = b->name_len;
    b->name_len = len;
}

int umvfs_dentry_new(struct umvfs_sb *sb, const char *name, size_t len, struct umvfs_dentry **out)
{
    char *far;
    void *mem;
    int err = umvfs_obj_alloc(sb, sizeof(struct umvfs_dentry), &mem);
    if (err)
        return err;
    err = umvfs_name_prepare(sb, name, len, &far);
    if (err) {
        umvfs_obj_free(sb, mem, sizeof(struct umvfs_dentry));
        return err;
    }
    struct umvfs_dentry *dentry = mem;
    *dentry = (struct umvfs_dentry){.refs = 1};
    set_name(dentry, name, len, far);
    *out = dentry;
    return 0;
}

void umvfs_dentry_discard(struct umvfs_sb *sb, struct umvfs_dentry *dentry)
{
    free_name(sb, dentry);
    umvfs_obj_free(sb, dentry, sizeof(*dentry));
}

void umvfs_dentry_free(struct umvfs_dentry *dentry)
{
    do {
        struct umvfs_dentry *parent = dentry->parent;
        struct umvfs_inode *inode = dentry->inode;
        bool root = parent == dentry;
        if (dentry->flags & DENTRY_HASHED)
            umvfs_table_del(inode->sb->vfs, dentry);
        umvfs_dentry_discard(inode->sb, dentry);
        umvfs_tell_name_gone(inode);
        umvfs_inode_drop(inode);
        if (root)
            return;
        dentry = parent;
    } while (--dentry->refs == 0);
}
