#include "file/user_iter.h"

#include "lib/string.h"

/* The next piece of a transfer that has `rest` bytes left. */
static size_t next_piece(struct user_iter *iter, size_t rest, user_t *base)
{
    size_t size = user_iter_current(iter, base);
    return size < rest ? size : rest;
}

size_t user_iter_put_ranges(struct user_iter *iter, const void *from, size_t size)
{
    size_t done = 0, n;
    user_t base;
    while (done < size && (n = next_piece(iter, size - done, &base)) > 0) {
        size_t copied = copy_to_user_some(base, (const uint8_t *)from + done, n);
        user_iter_advance(iter, copied);
        done += copied;
        if (copied < n)
            break;
    }
    return done;
}

/* Without a range, so that each step uses the functions for several ranges. */
struct user_iter user_iter_from_kernel(const void *from, size_t size)
{
    static const struct user_range none;
    return (struct user_iter){&none, 0, size, from};
}

static size_t take_from_kernel(struct user_iter *iter, void *to, size_t size)
{
    size_t n = size < iter->left ? size : iter->left;
    memcpy(to, iter->kernel, n);
    iter->kernel += n;
    iter->left -= n;
    return n;
}

size_t user_iter_take_ranges(struct user_iter *iter, void *to, size_t size)
{
    size_t done = 0, n;
    user_t base;
    if (iter->kernel)
        return take_from_kernel(iter, to, size);
    while (done < size && (n = next_piece(iter, size - done, &base)) > 0) {
        size_t copied = copy_from_user_some((uint8_t *)to + done, base, n);
        user_iter_advance(iter, copied);
        done += copied;
        if (copied < n)
            break;
    }
    return done;
}

size_t user_iter_zero(struct user_iter *iter, size_t size)
{
    size_t done = 0, n;
    user_t base;
    while (done < size && (n = next_piece(iter, size - done, &base)) > 0) {
        size_t zeroed = zero_user_some(base, n);
        user_iter_advance(iter, zeroed);
        done += zeroed;
        if (zeroed < n)
            break;
    }
    return done;
}
