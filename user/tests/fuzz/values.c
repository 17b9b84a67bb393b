/*
 * Values by kind:
 *   f descriptor   p pointer       s path          l length       i small number or flags
 *   o offset       d process       g signal        a page of the arena   m memory protection
 *   q any 64 bits  u user or group
 */
#include "fuzz.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define WHOLE_PAGES         26 /* of the arena, without a hole: more than a pipe holds */
#define COUNT(array)        ((unsigned)(sizeof(array) / sizeof(array)[0]))
#define PICK(random, array) ((array)[random_below((random), COUNT(array))])

static const uint64_t pointers[] = {
    0,
    1,
    0xfff,
    0x1000,
    0x400000,
    0x401000,
    0x7ffffffff000,
    0x7fffffffeff8,
    0x7fffffffffff,
    0x800000000000,
    0x8000000000000000,
    0xffff800000000000,
    0xffff800000100000,
    0xffffffff80200000,
    0xffffffffc0000000,
    0xffffffffffffff00,
    UINT64_MAX,
};
static const char *const paths[] = {
    "a",
    "b",
    "c",
    "d",
    "d/a",
    "d/b",
    "d/../a",
    "/tmp/fuzz",
    "/tmp/fuzz/d",
    ".",
    "..",
    "/",
    "",
    "a/b",
    "link",
    "loop",
    "/dev/null",
    "/dev/zero",
    "/proc/self/exe",
    "/proc/self/maps",
    "/proc/self/fd/3",
    "/proc/self/fd/0",
    "/proc/self/cwd",
    "/proc/self/root",
    "/proc/1/maps",
    "/proc/1/cwd",
    "/proc/1/root/tmp",
    "/proc/meminfo",
    "/proc",
    "/proc/self",
    "/proc/self/mem",
    "/test/fuzz",
    "/proc/umbra-frames",
    "fifo",
    "/etc/passwd",
    "/proc/self/stat",
    "/proc/mounts",
    "d/e/f",
    "new",
    "new/",
    "./a",
};
static const uint64_t lengths[] = {
    0,
    1,
    2,
    8,
    16,
    24,
    144,
    511,
    512,
    4095,
    4096,
    4097,
    8192,
    16384,
    65536,
    65537,
    1u << 20,
    (1u << 31) - 1,
    1u << 31,
    UINT32_MAX,
    (1ul << 32) + 8,
    1ul << 40,
    1ul << 47,
    INT64_MAX,
    1ul << 63,
    UINT64_MAX - 4095,
    UINT64_MAX,
};
static const int descriptors[] = {-1, AT_FDCWD, 1023, 1024, 4096, INT_MAX, INT_MIN, 63, 255};
static const int small_numbers[] = {-1, INT_MAX, INT_MIN, 0x80000, 0x800, 0x1000, 0x100, 17};

static uint64_t pointer(struct random *random)
{
    unsigned dice = random_below(random, 20);
    uint64_t page = ARENA + random_below(random, ARENA_PAGES) * PAGE;

    if (dice < 10) {
        return ARENA + random_below(random, 4) * PAGE + random_below(random, 64) * 16;
    }
    if (dice < 13) {
        return page + PAGE - random_below(random, 24);
    }
    if (dice < 15) {
        return page + random_below(random, PAGE);
    }
    if (dice == 15) {
        return (uint64_t)&page; /* the stack */
    }
    return dice == 16 ? random_next(random) : PICK(random, pointers);
}

static uint64_t path(struct random *random)
{
    static char text[4200];
    unsigned dice = random_below(random, 24);

    if (dice == 0) {
        return pointer(random);
    }
    if (dice == 1) {
        memset(text, random_once_in(random, 2) ? 'x' : '/', sizeof text - 1);
        text[random_below(random, sizeof text)] = '\0';
        return (uint64_t)text;
    }
    return (uint64_t)PICK(random, paths);
}

static uint64_t number(struct random *random)
{
    unsigned dice = random_below(random, 10);

    if (dice < 4) {
        return random_below(random, 16);
    }
    if (dice < 7) {
        uint64_t bits = 0;
        for (unsigned left = 1 + random_below(random, 3); left > 0; left--) {
            bits |= (uint64_t)1 << random_below(random, dice == 4 ? 64 : 24);
        }
        return bits;
    }
    return dice == 7 ? random_next(random) : (uint64_t)PICK(random, small_numbers);
}

static uint64_t process(struct child *child)
{
    static const int odd[] = {0, -1, INT_MAX, INT_MIN, 1, 2};
    unsigned dice = random_below(&child->random, 8);

    if (dice < 4) {
        return (uint64_t)child->children[dice];
    }
    if (dice == 4) {
        return (uint64_t)-child->children[0];
    }
    return dice == 5 ? (uint64_t)getpid() : (uint64_t)PICK(&child->random, odd);
}

static uint64_t descriptor(struct child *child)
{
    struct random *random = &child->random;

    if (random_once_in(random, 2)) {
        return child->focus_fd ^ random_below(random, 2);
    }
    return random_once_in(random, 8) ? (uint64_t)PICK(random, descriptors)
                                     : random_below(random, 16);
}

static uint64_t signal_number(struct random *random)
{
    return random_once_in(random, 8) ? number(random) : 1 + random_below(random, 64);
}

uint64_t value_of(struct child *child, char kind)
{
    struct random *random = &child->random;

    switch (kind) {
    case 'f':
        return descriptor(child);
    case 'p':
        return pointer(random);
    case 's':
        return path(random);
    case 'l':
        return random_once_in(random, 3) ? random_below(random, 300) : PICK(random, lengths);
    case 'o':
        return random_once_in(random, 2) ? random_below(random, 20000) : PICK(random, lengths);
    case 'd':
        return process(child);
    case 'g':
        return signal_number(random);
    case 'a':
        return random_once_in(random, 6) ? pointer(random)
                                         : ARENA + random_below(random, ARENA_PAGES) * PAGE;
    case 'm':
        return random_once_in(random, 8) ? number(random) : random_below(random, 8);
    case 'u':
        return random_once_in(random, 2) ? FUZZ_USER : number(random);
    case 'q':
        return random_next(random);
    default:
        return number(random);
    }
}

/* Fills the first pages: words that look like pointers, lengths and times, and random bytes. */
static void fill(struct child *child, uint64_t *words, unsigned count)
{
    static const char kinds[] = "plpiofdqsiii";

    for (unsigned i = 0; i < count; i++) {
        words[i] = value_of(child, kinds[random_below(&child->random, sizeof kinds - 1)]);
    }
}

void arena_make(struct random *random)
{
    static const int protections[] = {1, 0, 3, -1, 3, 5, 3, 3, -1, 3, 1, 3};
    struct child values = {.random = *random};

    munmap((void *)ARENA, ARENA_PAGES * PAGE);
    for (unsigned i = 0; i < ARENA_PAGES; i++) {
        int flags = MAP_FIXED | MAP_ANONYMOUS | (i % 5 == 3 ? MAP_SHARED : MAP_PRIVATE);
        int protection = i < WHOLE_PAGES ? 3 : protections[i % COUNT(protections)];
        if (protection >= 0) {
            mmap((void *)(ARENA + i * PAGE), PAGE, protection, flags, -1, 0);
        }
    }
    fill(&values, (uint64_t *)ARENA, 4 * PAGE / sizeof(uint64_t));
    *random = values.random;
}
