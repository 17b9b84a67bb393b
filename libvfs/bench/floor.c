#include "floor.h"

#include <stdlib.h>
#include <string.h>

struct node {
    struct node *next;
    uint64_t parent;
    uint64_t number;
    uint32_t hash;
    uint32_t len;
    char name[32];
};

struct floor {
    struct node **bucket;
    uint64_t mask;
    uint64_t count;
};

struct floor *floor_new(void)
{
    struct floor *floor = calloc(1, sizeof(*floor));
    floor->mask = 262143;
    floor->bucket = calloc(floor->mask + 1, sizeof(floor->bucket[0]));
    floor->count = 1; /* the root is number 1 */
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

static inline uint32_t hash_of(uint64_t parent, const char *name, uint32_t *len)
{
    uint32_t hash = 2166136261u ^ (uint32_t)parent * 2654435761u;
    uint32_t n = 0;
    for (; name[n] && name[n] != '/'; n++)
        hash = (hash ^ (unsigned char)name[n]) * 16777619u;
    *len = n;
    return hash;
}

uint64_t floor_walk(const struct floor *floor, const char *path)
{
    uint64_t at = 1;
    while (*path == '/')
        path++;
    while (*path && at) {
        uint32_t len;
        uint32_t hash = hash_of(at, path, &len);
        const struct node *node = floor->bucket[hash & floor->mask];
        while (node && (node->hash != hash || node->parent != at || node->len != len ||
                        memcmp(node->name, path, len) != 0))
            node = node->next;
        at = node ? node->number : 0;
        path += len;
        while (*path == '/')
            path++;
    }
    return at;
}

void floor_add(struct floor *floor, const char *dir, const char *name)
{
    struct node *node = calloc(1, sizeof(*node));
    node->parent = floor_walk(floor, dir);
    node->number = ++floor->count;
    node->hash = hash_of(node->parent, name, &node->len);
    memcpy(node->name, name, node->len);
    node->next = floor->bucket[node->hash & floor->mask];
    floor->bucket[node->hash & floor->mask] = node;
}
