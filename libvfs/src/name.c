#include "name.h"

#include "core.h"
#include "memory.h"

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

uint64_t umvfs_siphash(uint64_t k0, uint64_t k1, const void *data, size_t len)
{
    const unsigned char *p = data;
    struct sip s = sip_begin(k0, k1);
    size_t at = 0;
    for (; len - at >= 8; at += 8) {
        uint64_t word;
        __builtin_memcpy(&word, p + at, sizeof(word));
        sip_absorb(&s, umvfs_little64(word));
    }
    uint64_t tail = 0;
    for (size_t i = 0; at + i < len; i++)
        tail |= (uint64_t)p[at + i] << 8 * i;
    return sip_end(&s, tail, len);
}
