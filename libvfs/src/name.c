#include "name.h"

#include "siphash.h"

void vfs_name_keys(struct vfs_name_keys *keys, const uint64_t seed[2])
{
    uint64_t derived[9];
    for (size_t i = 0; i < 9; i++) /* far from the numbers that vfs_new_key uses up */
        derived[i] = sip_word(seed[1], seed[0], UINT64_MAX - i);
    for (size_t i = 0; i < 6; i++)
        keys->pair[i / 2][i % 2] = derived[i];
    keys->short_name = vfs_name_product(keys, 1, 0) + vfs_name_product(keys, 2, 0);
    keys->rest[0] = derived[6];
    keys->rest[1] = derived[7];
    keys->mix = (uint32_t)derived[8] | 1u;
}

uint64_t vfs_name_sum_rest(const struct vfs_name_keys *keys, const char *text, size_t len)
{
    return vfs_siphash(keys->rest[0], keys->rest[1], text + 24, len - 24);
}

struct vfs_name vfs_name_of(const struct vfs_dentry *dir, const char *text, size_t len)
{
    const struct vfs_name_keys *keys = &dir->inode->sb->vfs->name_keys;
    struct vfs_name name = {.text = text, .len = len};
    uint64_t sum = vfs_name_sum(keys, &name);
    name.hash = vfs_name_finish(keys, dir->inode, sum);
    return name;
}
