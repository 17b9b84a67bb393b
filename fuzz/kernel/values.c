#include "values.h"

#include <string.h>

static const uint8_t *input;
static size_t input_left;
/* The last descriptors that calls have returned, in any process. */
#define NR_RETURNED 4
static uint64_t returned[NR_RETURNED];
static unsigned nr_returned;

void input_begin(const uint8_t *data, size_t size)
{
    input = data;
    input_left = size;
    nr_returned = 0;
    memset(returned, 0, sizeof(returned));
}

bool input_is_over(void)
{
    return input_left == 0;
}

void note_descriptor(uint64_t descriptor)
{
    returned[nr_returned++ % NR_RETURNED] = descriptor;
}

uint8_t take(void)
{
    if (input_left == 0)
        return 0;
    input_left--;
    return *input++;
}

unsigned take_below(unsigned n)
{
    return take() % n;
}

const char *const paths[NR_PATHS] = {
    "/tmp",
    "/tmp/a",
    "/tmp/b",
    "a",
    "/tmp/d/e",
    "/tmp/fifo",
    "/dev/null",
    "/dev/zero",
    "/dev/console",
    "/dev/tty",
    "/proc/self/maps",
    "/proc/self/fd/3",
    "/proc/1/fd",
    "/proc/self/exe",
    "/proc/mounts",
    "/other",
    "/init",
    "/script",
    "..",
    "",
    "/",
    "/proc/3/fd/0",
    "tmpfs",
    "proc",
    "/dev/none",
};

uint64_t some_pointer(void)
{
    static const uint64_t edges[] = {0,
                                     8,
                                     USER_TEXT,
                                     EDGE - 1,
                                     EDGE - 8,
                                     EDGE,
                                     USER_END - 4,
                                     USER_END,
                                     0x800000000000,
                                     DIRECT_MAP,
                                     KERNEL_BASE,
                                     UINT64_MAX - 7,
                                     UINT64_MAX,
                                     AREA,
                                     AREA + 0xffc,
                                     AREA + 0x3000};
    uint8_t choice = take();
    return choice < 200 ? BUFFER(choice % 16) + (choice / 16 % 2) * 8
                        : edges[choice % (sizeof(edges) / sizeof(edges[0]))];
}

static uint64_t some_number(void)
{
    static const uint64_t numbers[] = {0,
                                       1,
                                       2,
                                       3,
                                       4,
                                       5,
                                       7,
                                       8,
                                       10,
                                       16,
                                       64,
                                       100,
                                       128,
                                       255,
                                       256,
                                       1000,
                                       4095,
                                       4096,
                                       4097,
                                       8192,
                                       65535,
                                       65536,
                                       1u << 20,
                                       0x7fffffff,
                                       0x80000000,
                                       0xffffffff,
                                       1ull << 32,
                                       1ull << 47,
                                       INT64_MAX,
                                       1ull << 63,
                                       UINT64_MAX - 1,
                                       UINT64_MAX};
    uint8_t choice = take();
    return choice < 96 ? choice % 16 : numbers[choice % (sizeof(numbers) / sizeof(numbers[0]))];
}

uint64_t some_size(void)
{
    static const uint64_t sizes[] = {
        0,    1,    4,    8,     16,      24,       100,        128,       1024,       4095,
        4096, 4097, 9000, 65536, 0x20000, 1u << 20, UINT32_MAX, INT64_MAX, UINT64_MAX, 3};
    uint8_t choice = take();
    return choice < 180 ? sizes[choice % 15] : sizes[choice % (sizeof(sizes) / sizeof(sizes[0]))];
}

uint64_t some_address(void)
{
    uint8_t choice = take();
    if (choice >= 230)
        return some_pointer();
    return choice < 30 ? 0 : AREA + (uint64_t)(choice % 24) * PAGE_SIZE + (choice > 200 ? 8 : 0);
}

/* Few numbers, so that calls meet: those at the start, those that a call has returned, any low one. */
static uint64_t some_descriptor(void)
{
    uint8_t choice = take();
    if (choice < 80)
        return returned[choice % NR_RETURNED];
    if (choice < 224)
        return choice % 12;
    return choice < 240 ? UINT64_MAX : choice < 250 ? (uint64_t)-100 : choice % 2 ? 1023 : 1u << 31;
}

static uint64_t some_flags(const struct name_set *names)
{
    uint64_t flags = 0;
    uint8_t choice = take();
    if (choice < 8)
        return some_number();
    for (unsigned i = choice % 4; i > 0 && names->count > 0; i--)
        flags |= names->name[take_below(names->count)].value;
    return flags;
}

static uint64_t some_name(const struct name_set *names)
{
    uint8_t choice = take();
    if (choice >= 248 || names->count == 0)
        return some_number();
    return names->name[choice % names->count].value;
}

static uint64_t some_path(void)
{
    uint8_t choice = take();
    if (choice >= 240)
        return some_pointer();
    return PATHS_AT + 32 * (choice % NR_PATHS);
}

uint64_t some_vector(void)
{
    uint8_t choice = take();
    return choice < 192 ? VECTOR(choice % 4) : some_pointer();
}

uint64_t some_argument(const struct argument *argument)
{
    switch ((enum meaning)argument->meaning) {
    case MEANS_SIZE: /* of a set of signals only one is right */
        if (strcmp(argument->name, "sigsetsize") == 0 && take() % 16 != 0)
            return sizeof(uint64_t);
        return some_size();
    case MEANS_COUNT:
        return some_size();
    case MEANS_ADDRESS:
        return some_address();
    case MEANS_SIGNAL:
        return take() % 70;
    case MEANS_PID: {
        uint8_t choice = take();
        return choice < 200 ? choice % 9 : (uint64_t)-(int64_t)(choice % 9);
    }
    case MEANS_FD:
    case MEANS_DIRFD:
        return some_descriptor();
    case MEANS_FLAGS:
        return some_flags(argument->names);
    case MEANS_NAMED:
        return some_name(argument->names);
    case MEANS_PATH:
    case MEANS_STRING:
        return some_path();
    case MEANS_UNION:
        return take() % 2 ? some_pointer() : some_number();
    case MEANS_STRINGS:
    case MEANS_ENVIRONMENT:
        return some_vector();
    case MEANS_POINTER:
    case MEANS_OUT_STRING:
    case MEANS_BYTES_IN:
    case MEANS_BYTES_OUT:
    case MEANS_IN:
    case MEANS_OUT:
    case MEANS_INOUT:
        return some_pointer();
    default:
        return some_number();
    }
}

uint64_t some_word(void)
{
    uint64_t descriptor;
    switch (take() % 6) {
    case 0:
        return some_number();
    case 1:
        return some_pointer();
    case 2:
        return some_path();
    case 3:
        descriptor = some_descriptor();
        return descriptor | (uint64_t)(take() % 32) << 32;
    default:
        return take() % 64;
    }
}
