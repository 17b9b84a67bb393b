/* The user memory that one call reads into or writes from: one range, or those of a vector (readv(2)). */
#ifndef UMBRA_FILE_USER_ITER_H
#define UMBRA_FILE_USER_ITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mm/usercopy.h"

struct user_range {
    user_t base;
    size_t size;
};

/* A position in it. All functions move the position on by what they return. */
struct user_iter {
    const struct user_range *range; /* the current one */
    size_t done;                    /* bytes of it that are behind the position */
    size_t left;                    /* bytes from the position to the end of the last range */
    const uint8_t *kernel;          /* not NULL: the kernel's own memory is written from instead */
};

/* Memory of the kernel's own, for a write. user_iter_current() is not for it. */
struct user_iter user_iter_from_kernel(const void *from, size_t size);

/* The part of the current range that lies at the position: *base is set, and its size returned; 0 at the
 * end. user_iter_advance() moves on within it. */
static inline size_t user_iter_current(struct user_iter *iter, user_t *base)
{
    if (iter->left == 0)
        return 0;
    while (iter->range->size == iter->done) {
        iter->range++;
        iter->done = 0;
    }
    *base = user_add(iter->range->base, iter->done);
    size_t size = iter->range->size - iter->done;
    return size < iter->left ? size : iter->left;
}

static inline void user_iter_advance(struct user_iter *iter, size_t size)
{
    iter->done += size;
    iter->left -= size;
}

/* Copy at most `size` bytes, or zero them. They return how many: fewer at the end of the last range, or
 * where user memory faults. */
static inline size_t user_iter_put(struct user_iter *iter, const void *from, size_t size);
static inline size_t user_iter_take(struct user_iter *iter, void *to, size_t size);
size_t user_iter_zero(struct user_iter *iter, size_t size);

/* The general case of both, for a size that more than one range has. */
size_t user_iter_put_ranges(struct user_iter *iter, const void *from, size_t size);
size_t user_iter_take_ranges(struct user_iter *iter, void *to, size_t size);

/* Whether the current range has all of `size` bytes, which are not 0. */
static inline bool user_iter_has(const struct user_iter *iter, size_t size)
{
    return size <= iter->left && size <= iter->range->size - iter->done && size > 0;
}

static inline size_t user_iter_put(struct user_iter *iter, const void *from, size_t size)
{
    if (!user_iter_has(iter, size))
        return user_iter_put_ranges(iter, from, size);
    size_t n = copy_to_user_some(user_add(iter->range->base, iter->done), from, size);
    user_iter_advance(iter, n);
    return n;
}

static inline size_t user_iter_take(struct user_iter *iter, void *to, size_t size)
{
    if (!user_iter_has(iter, size))
        return user_iter_take_ranges(iter, to, size);
    size_t n = copy_from_user_some(to, user_add(iter->range->base, iter->done), size);
    user_iter_advance(iter, n);
    return n;
}

#endif
