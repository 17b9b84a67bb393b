#include "exec/args.h"

#include "lib/errno.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "mm/usercopy.h"

#define POINT_STRINGS 8192 /* between two points, at most */
#define POINT_BYTES   (64 * PAGE_SIZE)

struct exec_args *exec_args_create(void)
{
    struct exec_args *args = slab_alloc_zeroed(sizeof(*args));
    if (args)
        exec_args_limit_stack(args, UINT64_MAX);
    return args;
}

void exec_args_limit_stack(struct exec_args *args, uint64_t limit)
{
    uint64_t quarter = limit / 4, whole = page_floor(limit);
    args->stack_limit = limit;
    args->total_max = quarter > ARG_TOTAL_MAX   ? ARG_TOTAL_MAX
                      : quarter < ARG_TOTAL_MIN ? ARG_TOTAL_MIN
                                                : quarter;
    args->strings_max = (whole > PAGE_SIZE ? whole : PAGE_SIZE) - sizeof(uint64_t);
}

void exec_args_do_not_limit(struct exec_args *args)
{
    args->total_max = args->strings_max = SIZE_MAX;
}

/* The bytes that strings may still have. */
static size_t bytes_left(const struct exec_args *args)
{
    size_t total = args->used + (args->argc + args->envc) * sizeof(uint64_t);
    size_t of_total = total < args->total_max ? args->total_max - total : 0;
    size_t of_strings = args->used < args->strings_max ? args->strings_max - args->used : 0;
    return of_total < of_strings ? of_total : of_strings;
}

int exec_args_count_path(struct exec_args *args, const char *path)
{
    size_t size = strlen(path) + 1;
    if (size > bytes_left(args))
        return -E2BIG;
    args->total_max -= size;
    args->strings_max -= size;
    return 0;
}

void exec_args_free(struct exec_args *args)
{
    if (!args)
        return;
    for (size_t i = 0; i <= args->used / PAGE_SIZE; i++)
        if (args->pages[i])
            frame_put(args->pages[i]);
    slab_free(args);
}

/* Finds the address of the next byte, and the room after it in its page. */
static int reserve(struct exec_args *args, uint8_t **to, size_t *room)
{
    size_t page = args->used / PAGE_SIZE, offset = args->used % PAGE_SIZE;
    size_t left = bytes_left(args);
    if (left == 0 || page == sizeof(args->pages) / sizeof(args->pages[0]))
        return -E2BIG;
    if (!args->pages[page]) {
        args->pages[page] = frame_alloc_zeroed(FRAME_ANON);
        if (!args->pages[page])
            return -ENOMEM;
    }
    *to = (uint8_t *)frame_ptr(args->pages[page]) + offset;
    *room = PAGE_SIZE - offset < left ? PAGE_SIZE - offset : left;
    return 0;
}

static int append(struct exec_args *args, const void *data, size_t size)
{
    const uint8_t *from = data;
    while (size > 0) {
        uint8_t *to;
        size_t room;
        int error = reserve(args, &to, &room);
        if (error)
            return error;
        size_t n = size < room ? size : room;
        memcpy(to, from, n);
        args->used += n;
        from += n;
        size -= n;
    }
    return 0;
}

int exec_args_append(struct exec_args *args, const void *data, size_t size, size_t *offset)
{
    size_t at = args->used;
    int error = append(args, data, size);
    if (!error)
        *offset = at;
    return error;
}

int exec_args_add(struct exec_args *args, const char *string)
{
    size_t size = strlen(string) + 1;
    return size > ARG_STRING_MAX ? -E2BIG : append(args, string, size);
}

static int add_user_string(struct exec_args *args, uint64_t from)
{
    size_t before = args->used;
    for (;;) {
        uint8_t *to;
        size_t room;
        int error = reserve(args, &to, &room);
        if (error)
            return error;
        long n = copy_string_from_user((char *)to, user_ptr(from), room);
        if (n >= 0) {
            args->used += (size_t)n + 1;
            return args->used - before > ARG_STRING_MAX ? -E2BIG : 0;
        }
        if (n != -ENAMETOOLONG)
            return (int)n;
        args->used += room;
        from += room;
        if (args->used - before >= ARG_STRING_MAX)
            return -E2BIG;
    }
}

int exec_args_add_user(struct exec_args *args, uint64_t array, size_t *count)
{
    size_t last_point = args->used;
    for (*count = 0; array; (*count)++) {
        uint64_t string;
        int error = 0;
        if (*count % POINT_STRINGS == POINT_STRINGS - 1 || args->used - last_point > POINT_BYTES) {
            last_point = args->used;
            error = exec_args_point(args);
        }
        if (!error)
            error =
                copy_from_user(&string, user_ptr(array + *count * sizeof(string)), sizeof(string));
        if (error)
            return error;
        if (!string)
            break;
        error = add_user_string(args, string);
        if (error)
            return error;
    }
    return 0;
}

size_t exec_args_next(const struct exec_args *args, size_t offset)
{
    for (;;) {
        const uint8_t *page = frame_ptr(args->pages[offset / PAGE_SIZE]);
        const uint8_t *byte = page + offset % PAGE_SIZE, *end = page + PAGE_SIZE;
        while (byte < end && *byte)
            byte++;
        offset = page_floor(offset) + (size_t)(byte - page);
        if (byte < end)
            return offset + 1;
    }
}

/* Appends `from`'s bytes from `start` on. */
static int append_block(struct exec_args *args, const struct exec_args *from, size_t start)
{
    while (start < from->used) {
        size_t offset = start % PAGE_SIZE, n = PAGE_SIZE - offset;
        if (n > from->used - start)
            n = from->used - start;
        const uint8_t *page = frame_ptr(from->pages[start / PAGE_SIZE]);
        int error = append(args, page + offset, n);
        if (error)
            return error;
        start += n;
    }
    return 0;
}

/* Both stay valid, so that b can free the pages that it gets. */
static void swap_contents(struct exec_args *a, struct exec_args *b)
{
    size_t used = a->used;
    for (size_t i = 0; i < sizeof(a->pages) / sizeof(a->pages[0]); i++) {
        struct frame *page = a->pages[i];
        a->pages[i] = b->pages[i];
        b->pages[i] = page;
    }
    a->used = b->used;
    b->used = used;
    a->total_max = b->total_max;
    a->argc = b->argc;
    a->envc = b->envc;
}

int exec_args_replace_first(struct exec_args *args, const char *const *strings, size_t count)
{
    struct exec_args *made = exec_args_create();
    size_t skip = args->argc > 0 ? exec_args_next(args, 0) : 0;
    int error = made ? 0 : -ENOMEM;
    if (error)
        return error;
    made->argc = count + (args->argc > 0 ? args->argc - 1 : 0);
    made->envc = args->envc;
    /* as on Linux, the interpreter's pointers do not count */
    made->total_max = args->total_max + (made->argc - args->argc) * sizeof(uint64_t);
    made->strings_max = args->strings_max;
    for (size_t i = 0; i < count && !error; i++)
        error = exec_args_add(made, strings[i]);
    if (!error)
        error = append_block(made, args, skip);
    if (!error)
        swap_contents(args, made);
    exec_args_free(made);
    return error;
}
