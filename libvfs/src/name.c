#include "name.h"

#include "siphash.h"

void umvfs_name_keys(struct umvfs_name_keys *keys, const uint64_t seed[2])
{
    uint64_t derived[9];
    for (size_t i = 0; i < 9; i++) /* far from the numbers that umvfs_new_key uses up */
        derived[i] = sip_word(seed[1], seed[0], UINT64_MAX - i);
    for (size_t i = 0; i < 6; i++)
        keys->pair[i / 2][i % 2] = derived[i];
    keys->short_name = umvfs_name_product(keys, 1, 0) + umvfs_name_product(keys, 2, 0);
    keys->rest[0] = derived[6];
    keys->rest[1] = derived[7];
    keys->mix = (uint32_t)derived[8] | 1u;
}

uint64_t umvfs_name_sum_rest(const struct umvfs_name_keys *keys, const char *text, size_t len)
{
    return umvfs_siphash(keys->rest[0], keys->rest[1], text + 24, len - 24);
}

struct umvfs_name umvfs_name_of(const struct umvfs_dentry *dir, const char *text, size_t len)
{
    const struct umvfs_name_keys *keys = &dir->inode->sb->vfs->name_keys;
    struct umvfs_name name = {.text = text, .len = len};
    uint64_t sum = umvfs_name_sum(keys, &name);
    name.hash = umvfs_name_finish(keys, dir->inode, sum);
    return name;
}
