#include "bench.h"

#include <stdlib.h>
#include <string.h>

#include "name.h"

struct node {
    struct node *next;
    const struct node *parent;
    uint64_t key; /* of names in it */
    uint64_t number;
    uint32_t hash;
    uint32_t len;
    char name[24];
};

struct floor {
    struct node **bucket;
    uint64_t mask;
    uint64_t count;
    bool keyed;
    struct umvfs_name_keys keys;
    struct node root;
};

struct floor *floor_new(size_t names, bool keyed)
{
    static const uint64_t seed[2] = {0x243f6a8885a308d3u, 0x13198a2e03707344u};
    struct floor *floor = calloc(1, sizeof(*floor));
    floor->mask = 511;
    while (floor->mask < names)
        floor->mask = floor->mask * 2 + 1;
    floor->bucket = calloc(floor->mask + 1, sizeof(floor->bucket[0]));
    floor->count = floor->root.number = 1;
    floor->keyed = keyed;
    umvfs_name_keys(&floor->keys, seed);
    return floor;
}

void floor_free(struct floor *floor)
{
    for (uint64_t i = 0; i <= floor->mask; i++) {
        while (floor->bucket[i]) {
            struct node *node = floor->bucket[i];
            floor->bucket[i] = node->next;
            free(node);
        }
    }
    free(floor->bucket);
    free(floor);
}

static inline uint32_t fnv(uint64_t key, const char *name, size_t *len)
{
    uint32_t hash = 2166136261u ^ (uint32_t)key;
    size_t n = 0;
    for (; name[n] && name[n] != '/'; n++)
        hash = (hash ^ (unsigned char)name[n]) * 16777619u;
    *len = n;
    return hash;
}

static inline uint32_t keyed_hash(const struct floor *floor, uint64_t key, const char *text,
                                  size_t *len)
{
    struct umvfs_name name = {.text = text};
    while (text[name.len] && text[name.len] != '/')
        name.len++;
    *len = name.len;
    uint64_t sum = umvfs_name_sum(&floor->keys, &name);
    return umvfs_name_mix(&floor->keys, sum + key);
}

static inline uint64_t walk(const struct floor *floor, const char *path, bool keyed,
                            const struct node **out)
{
    const struct node *at = &floor->root;
    while (*path == '/')
        path++;
    while (*path && at) {
        size_t len;
        uint32_t hash = keyed ? keyed_hash(floor, at->key, path, &len) : fnv(at->key, path, &len);
        const struct node *node = floor->bucket[hash & floor->mask];
        while (node && (node->hash != hash || node->parent != at || node->len != len ||
                        memcmp(node->name, path, len) != 0))
            node = node->next;
        at = node;
        path += len;
        while (*path == '/')
            path++;
    }
    *out = at;
    return at ? at->number : 0;
}

uint64_t floor_walk(const struct floor *floor, const char *path)
{
    const struct node *at;
    return floor->keyed ? walk(floor, path, true, &at) : walk(floor, path, false, &at);
}

void floor_add(struct floor *floor, const char *dir, const char *name)
{
    struct node *node = calloc(1, sizeof(*node));
    size_t len;
    walk(floor, dir, floor->keyed, &node->parent);
    node->number = ++floor->count;
    node->key = node->number * 0x9e3779b97f4a7c15u;
    node->hash = floor->keyed ? keyed_hash(floor, node->parent->key, name, &len)
                              : fnv(node->parent->key, name, &len);
    node->len = (uint32_t)len;
    memcpy(node->name, name, node->len);
    node->next = floor->bucket[node->hash & floor->mask];
    floor->bucket[node->hash & floor->mask] = node;
}
