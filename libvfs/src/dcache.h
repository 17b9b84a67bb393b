/* Names: dentries and the index that finds them by directory and name. The index is one hash table
 * for the instance, which grows and shrinks by one bucket at a time (linear hashing) over pieces of
 * one page, so that no operation ever pays for a whole table and no piece is larger than
 * VFS_OBJECT_MAX. If a piece cannot be allocated the table stays as it is: only slower. */
#ifndef VFS_DCACHE_H
#define VFS_DCACHE_H

#include "memory.h"
#include "name.h"

int vfs_table_init(struct vfs *vfs);
void vfs_table_free(struct vfs *vfs);

/* A dentry with one reference, without parent and inode. -VFS_ENOSPC, -VFS_ENOMEM. */
int vfs_dentry_new(struct vfs_sb *sb, const char *name, size_t len, struct vfs_dentry **out);
/* Frees a dentry that never got a parent or an inode. */
void vfs_dentry_discard(struct vfs_sb *sb, struct vfs_dentry *dentry);
/* Lets go of the name, inode and parent of a dentry without references. */
void vfs_dentry_free(struct vfs_dentry *dentry);

static inline void vfs_dentry_drop(struct vfs_dentry *dentry)
{
    if (--dentry->refs == 0)
        vfs_dentry_free(dentry);
}

static inline const char *vfs_dentry_name(const struct vfs_dentry *dentry)
{
    return dentry->name_len > sizeof(dentry->name.near) ? dentry->name.far : dentry->name.near;
}

#define TABLE_FAN_BITS 9u
#define TABLE_FAN      (1u << TABLE_FAN_BITS) /* pointers in a piece of VFS_OBJECT_MAX bytes */

/* The place of a bucket's head: down the pieces, the highest digit of the number first. */
static inline struct vfs_dentry **vfs_table_head(const struct vfs_table *table, uint64_t bucket)
{
    void **piece = table->root;
    for (unsigned level = table->height; level > 0; level--)
        piece = piece[bucket >> level * TABLE_FAN_BITS & (TABLE_FAN - 1u)];
    return (struct vfs_dentry **)&piece[bucket & (TABLE_FAN - 1u)];
}

/* Buckets at or above the number there are have not been split off their lower half yet. */
static inline struct vfs_dentry **vfs_table_slot(const struct vfs_table *table, uint32_t hash)
{
    uint64_t bucket = hash & table->mask;
    if (bucket >= table->buckets)
        bucket &= table->mask >> 1;
    return vfs_table_head(table, bucket);
}

static inline bool vfs_dentry_has_name(const struct vfs_dentry *dentry, const struct vfs_name *name)
{
    uint64_t word[3];
    if (dentry->name_len != name->len)
        return false;
    if (name->len > sizeof(dentry->name.near))
        return memcmp(dentry->name.far, name->text, name->len) == 0;
    __builtin_memcpy(word, dentry->name.near, sizeof(word));
    return ((word[0] ^ name->word[0]) | (word[1] ^ name->word[1]) | (word[2] ^ name->word[2])) == 0;
}

/* The child of that name, or NULL; no reference. */
static inline struct vfs_dentry *
vfs_table_find(const struct vfs *vfs, const struct vfs_dentry *parent, const struct vfs_name *name)
{
    struct vfs_dentry *dentry = *vfs_table_slot(&vfs->table, name->hash);
    for (; dentry; dentry = dentry->hash_next) {
        if (dentry->hash == name->hash && dentry->parent == parent &&
            vfs_dentry_has_name(dentry, name))
            return dentry;
    }
    return NULL;
}
/* The same for a name that was not scanned. */
struct vfs_dentry *vfs_find(struct vfs *vfs, const struct vfs_dentry *parent, const char *text,
                            size_t len);

/* Computes the hash anew, after name or parent have changed. */
void vfs_dentry_rehash(struct vfs_dentry *dentry);
/* Adds a dentry whose hash is right. */
void vfs_table_add(struct vfs *vfs, struct vfs_dentry *dentry);
void vfs_table_del(struct vfs *vfs, struct vfs_dentry *dentry);

/* A name buffer for vfs_dentry_rename: NULL if the name is short enough to need none. */
int vfs_name_prepare(struct vfs_sb *sb, const char *name, size_t len, char **far);
/* Gives an unhashed dentry another name; far is from vfs_name_prepare. */
void vfs_dentry_rename(struct vfs_sb *sb, struct vfs_dentry *dentry, const char *name, size_t len,
                       char *far);
/* Swaps the names of two unhashed dentries. */
void vfs_dentry_swap_names(struct vfs_dentry *a, struct vfs_dentry *b);

#endif
