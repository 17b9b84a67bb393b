/* Names: dentries and the index that finds them by directory and name. The index is one hash table
 * for the instance, which grows and shrinks by one bucket at a time (linear hashing) over pieces of
 * one page, so that no operation ever pays for a whole table and no piece is larger than
 * UMVFS_OBJECT_MAX. If a piece cannot be allocated the table stays as it is: only slower. */
#ifndef UMVFS_DCACHE_H
#define UMVFS_DCACHE_H

#include "memory.h"
#include "name.h"

int umvfs_table_init(struct umvfs *vfs);
void umvfs_table_free(struct umvfs *vfs);

/* A dentry with one reference, without parent and inode. -UMVFS_ENOSPC, -UMVFS_ENOMEM. */
int umvfs_dentry_new(struct umvfs_sb *sb, const char *name, size_t len, struct umvfs_dentry **out);
/* Frees a dentry that never got a parent or an inode. */
void umvfs_dentry_discard(struct umvfs_sb *sb, struct umvfs_dentry *dentry);
/* Lets go of the name, inode and parent of a dentry without references. */
void umvfs_dentry_free(struct umvfs_dentry *dentry);

static inline void umvfs_dentry_drop(struct umvfs_dentry *dentry)
{
    if (--dentry->refs == 0)
        umvfs_dentry_free(dentry);
}

static inline const char *umvfs_dentry_name(const struct umvfs_dentry *dentry)
{
    return dentry->name_len > sizeof(dentry->name.near) ? dentry->name.far : dentry->name.near;
}

#if UINTPTR_MAX > UINT32_MAX
#define TABLE_FAN_BITS 9u
#else
#define TABLE_FAN_BITS 10u
#endif
#define TABLE_FAN (1u << TABLE_FAN_BITS) /* pointers in a piece of UMVFS_OBJECT_MAX bytes */

/* The place of a bucket's head: down the pieces, the highest digit of the number first. */
static inline struct umvfs_dentry **umvfs_table_head(const struct umvfs_table *table,
                                                     uint64_t bucket)
{
    void **piece = table->root;
    for (unsigned level = table->height; level > 0; level--)
        piece = piece[bucket >> level * TABLE_FAN_BITS & (TABLE_FAN - 1u)];
    return (struct umvfs_dentry **)&piece[bucket & (TABLE_FAN - 1u)];
}

/* Buckets at or above the number there are have not been split off their lower half yet. */
static inline struct umvfs_dentry **umvfs_table_slot(const struct umvfs_table *table, uint32_t hash)
{
    uint64_t bucket = hash & table->mask;
    if (bucket >= table->buckets)
        bucket &= table->mask >> 1;
    return umvfs_table_head(table, bucket);
}

static inline bool umvfs_dentry_has_name(const struct umvfs_dentry *dentry,
                                         const struct umvfs_name *name)
{
    uint64_t word[3];
    if (dentry->name_len != name->len)
        return false;
    if (name->len > sizeof(dentry->name.near))
        return memcmp(dentry->name.far, name->text, name->len) == 0;
    __builtin_memcpy(word, dentry->name.near, sizeof(word));
    for (size_t i = 0; i < 3; i++)
        word[i] = umvfs_little64(word[i]) ^ name->word[i];
    return (word[0] | word[1] | word[2]) == 0;
}

/* The child of that name, or NULL; no reference. */
static inline struct umvfs_dentry *umvfs_table_find(const struct umvfs *vfs,
                                                    const struct umvfs_dentry *parent,
                                                    const struct umvfs_name *name)
{
    struct umvfs_dentry *dentry = *umvfs_table_slot(&vfs->table, name->hash);
    for (; dentry; dentry = dentry->hash_next) {
        if (dentry->hash == name->hash && dentry->parent == parent &&
            umvfs_dentry_has_name(dentry, name))
            return dentry;
    }
    return NULL;
}
/* The same for a name that was not scanned. */
struct umvfs_dentry *umvfs_find(struct umvfs *vfs, const struct umvfs_dentry *parent,
                                const char *text, size_t len);

/* Computes the hash anew, after name or parent have changed. */
void umvfs_dentry_rehash(struct umvfs_dentry *dentry);
/* Adds a dentry whose hash is right. */
void umvfs_table_add(struct umvfs *vfs, struct umvfs_dentry *dentry);
void umvfs_table_del(struct umvfs *vfs, struct umvfs_dentry *dentry);

/* A name buffer for umvfs_dentry_rename: NULL if the name is short enough to need none. */
int umvfs_name_prepare(struct umvfs_sb *sb, const char *name, size_t len, char **far);
/* Gives an unhashed dentry another name; far is from umvfs_name_prepare. */
void umvfs_dentry_rename(struct umvfs_sb *sb, struct umvfs_dentry *dentry, const char *name,
                         size_t len, char *far);
/* Swaps the names of two unhashed dentries. */
void umvfs_dentry_swap_names(struct umvfs_dentry *a, struct umvfs_dentry *b);

/* Entries of the library's own directories. Adding is in two steps: prepare may fail, add cannot.
 */

/* A dentry for a new name in dir, with a place reserved in its order. */
int umvfs_dir_prepare(struct umvfs_inode *dir, const struct umvfs_name *name,
                      struct umvfs_dentry **out);
/* Links a prepared dentry; takes over one reference on it and one on inode. Times and link counts
 * are the caller's. */
void umvfs_dir_add(struct umvfs_dentry *parent, struct umvfs_dentry *dentry,
                   struct umvfs_inode *inode);

/* Unlinks a dentry and drops the directory's reference on it. */
void umvfs_dir_remove(struct umvfs_dentry *dentry);

/* Removes everything below a directory, without recursion; drops the names' link counts. Stops when the budget,
 * of which each entry costs one or two, is 0; whether all is gone. */
bool umvfs_dir_empty(struct umvfs_dentry *root, size_t *budget);

/* The first entry whose cookie is at least *cookie, which is set to it; NULL: none. */
struct umvfs_dentry *umvfs_dir_next(const struct umvfs_inode *dir, uint64_t *cookie);

static inline bool umvfs_dir_is_empty(const struct umvfs_inode *dir)
{
    return dir->u.dir.dir->count == 0;
}

#endif
