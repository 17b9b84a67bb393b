/* The user memory of a read or write: one range, or the ranges of a vector (readv(2)). */
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

/* A position in it. All functions advance the position by the size that they return. */
struct user_iter {
    const struct user_range *range; /* the current one */
    size_t done;                    /* bytes of it before the position */
    size_t left;                    /* bytes from the position to the end of the last range */
    const uint8_t *kernel;          /* not NULL: kernel memory is the source instead */
};

/* Kernel memory as the source of a write. user_iter_current() must not be used with it. */
struct user_iter user_iter_from_kernel(const void *from, size_t size);

/* Stores the address of the position in *base and returns the size of the rest of the current
 * range; 0 at the end. user_iter_advance() advances within it. */
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

/* Copy or zero at most `size` bytes. Return the number of bytes: fewer at the end of the last
 * range, or if user memory faults. */
static inline size_t user_iter_put(struct user_iter *iter, const void *from, size_t size);
static inline size_t user_iter_take(struct user_iter *iter, void *to, size_t size);
size_t user_iter_zero(struct user_iter *iter, size_t size);

/* The general case of both, if the size spans more than one range. */
size_t user_iter_put_ranges(struct user_iter *iter, const void *from, size_t size);
size_t user_iter_take_ranges(struct user_iter *iter, void *to, size_t size);

/* True if the current range has at least `size` bytes; `size` is not 0. */
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
