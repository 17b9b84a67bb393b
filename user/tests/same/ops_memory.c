/* Memory: anonymous and file mappings, in an arena with the same addresses on every kernel. */
#include "call.h"
#include "world.h"

#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>

/* umbra refuses W and X together on purpose, so they are never requested together. */
static const struct name protections[] = {
    {"R", PROT_READ},
    {"RW", PROT_READ | PROT_WRITE},
    {"RW", PROT_READ | PROT_WRITE},
    {"RW", PROT_READ | PROT_WRITE},
    {"NONE", PROT_NONE},
    {"RX", PROT_READ | PROT_EXEC},
    {"W", PROT_WRITE},
    {NULL, 0},
};
static const struct name map_flags[] = {
    {"PRIVATE|ANON", MAP_PRIVATE | MAP_ANONYMOUS},
    {"SHARED|ANON", MAP_SHARED | MAP_ANONYMOUS},
    {"PRIVATE", MAP_PRIVATE},
    {"PRIVATE", MAP_PRIVATE},
    {"SHARED", MAP_SHARED},
    {"SHARED", MAP_SHARED},
    {"SHARED", MAP_SHARED},
    {"0", 0},
    {NULL, 0},
};
static const struct name fixed_flags[] = {
    {"FIXED", MAP_FIXED},
    {"FIXED", MAP_FIXED},
    {"FIXED", MAP_FIXED},
    {"NOREPLACE", MAP_FIXED_NOREPLACE},
    {NULL, 0},
};
static const struct name offsets[] = {
    {"0", 0}, {"0", 0}, {"4096", 4096}, {"8192", 8192}, {"65536", 65536}, {"100", 100}, {NULL, 0},
};
static const struct name sync_flags[] = {
    {"MS_SYNC", MS_SYNC},
    {"MS_ASYNC", MS_ASYNC},
    {"MS_INVALIDATE", MS_INVALIDATE},
    {"MS_SYNC|MS_ASYNC", MS_SYNC | MS_ASYNC},
    {"8", 8},
    {NULL, 0},
};
static const struct name advice[] = {
    {"MADV_DONTNEED", MADV_DONTNEED},
    {"MADV_DONTNEED", MADV_DONTNEED},
    {"MADV_NORMAL", MADV_NORMAL},
    {"MADV_WILLNEED", MADV_WILLNEED},
    {"MADV_POPULATE_READ", 22},
    {"MADV_POPULATE_WRITE", 23},
    {"9999", 9999},
    {NULL, 0},
};
static const struct name remap_flags[] = {
    {"0", 0},
    {"MAYMOVE|FIXED", MREMAP_MAYMOVE | MREMAP_FIXED},
    {"MAYMOVE|FIXED", MREMAP_MAYMOVE | MREMAP_FIXED},
    {"FIXED", MREMAP_FIXED},
    {"64", 64},
    {NULL, 0},
};

struct span {
    unsigned long address;
    size_t length;
};

/* Draws a range of the arena, now and then with an odd start or length, or no length. */
static struct span pick_span(struct random *random)
{
    struct span span = {ARENA + random_below(random, ARENA_PAGES) * PAGE,
                        (1 + random_below(random, 5)) * PAGE};

    if (random_once_in(random, 24)) {
        span.address += 100;
    }
    if (random_once_in(random, 24)) {
        span.length = 0;
    } else if (random_once_in(random, 8)) {
        span.length -= 3000;
    }
    return span;
}

static void say_span(struct span span)
{
    say("arena+%#lx, %#zx", span.address - ARENA, span.length);
}

static void say_address(long got)
{
    if (got < 0 && got > -4096) {
        say_result(got);
    } else if ((unsigned long)got - ARENA < ARENA_PAGES * PAGE) {
        say(" = arena+%#lx", (unsigned long)got - ARENA);
    } else {
        say(" = elsewhere");
    }
}

static void op_mmap(struct call *call)
{
    struct span span = pick_span(&call->random);
    long protection = pick_one(&call->random, protections);
    long flags = pick_one(&call->random, map_flags);
    long fixed = pick_one(&call->random, fixed_flags);
    int fd = pick_fd(&call->random);
    long offset = pick_one(&call->random, offsets);

    say("mmap(");
    say_span(span);
    say(", ");
    say_one(protections, protection);
    say(", ");
    say_one(map_flags, flags);
    say("|");
    say_one(fixed_flags, fixed);
    say(", %d, %ld)", fd, offset);
    say_address(
        RAW_SIX(SYS_mmap, span.address, span.length, protection, flags | fixed, fd, offset));
}

/* mmap at an address that the kernel chooses; the mapping is removed again. */
static void op_mmap_anywhere(struct call *call)
{
    struct span span = pick_span(&call->random);
    long flags = pick_one(&call->random, map_flags);
    int fd = pick_fd(&call->random);

    say("mmap(0, %#zx, R, ", span.length);
    say_one(map_flags, flags);
    say(", %d, 0)", fd);
    long got = RAW_SIX(SYS_mmap, 0, span.length, PROT_READ, flags, fd, 0);
    if (got < 0 && got > -4096) {
        say_result(got);
        return;
    }
    say(" = %s", (got & 4095) == 0 ? "a page" : "no page");
    say_result(RAW(SYS_munmap, got, span.length));
}

static void op_munmap(struct call *call)
{
    struct span span = pick_span(&call->random);

    say("munmap(");
    say_span(span);
    say(")");
    say_result(RAW(SYS_munmap, span.address, span.length));
}

static void op_mprotect(struct call *call)
{
    struct span span = pick_span(&call->random);
    long protection = pick_one(&call->random, protections);

    say("mprotect(");
    say_span(span);
    say(", ");
    say_one(protections, protection);
    say(")");
    say_result(RAW(SYS_mprotect, span.address, span.length, protection));
}

static void op_mremap(struct call *call)
{
    struct span from = pick_span(&call->random), to = pick_span(&call->random);
    long flags = pick_one(&call->random, remap_flags);

    say("mremap(");
    say_span(from);
    say(", ");
    say_one(remap_flags, flags);
    say(", ");
    say_span(to);
    say(")");
    say_address(RAW(SYS_mremap, from.address, from.length, to.length, flags, to.address));
}

static void op_msync(struct call *call)
{
    struct span span = pick_span(&call->random);
    long flags = pick_one(&call->random, sync_flags);

    say("msync(");
    say_span(span);
    say(", ");
    say_one(sync_flags, flags);
    say(")");
    say_result(RAW(SYS_msync, span.address, span.length, widen(&call->random, (uint64_t)flags)));
}

static void op_madvise(struct call *call)
{
    struct span span = pick_span(&call->random);
    long what = pick_one(&call->random, advice);

    say("madvise(");
    say_span(span);
    say(", ");
    say_one(advice, what);
    say(")");
    say_result(RAW(SYS_madvise, span.address, span.length, widen(&call->random, (uint64_t)what)));
}

static void touch_store(void *argument)
{
    struct span *span = argument;

    memset((void *)span->address, (int)span->length & 0xff, 64);
}

static void op_store(struct call *call)
{
    struct span span = {ARENA + random_below(&call->random, ARENA_PAGES) * PAGE +
                            random_below(&call->random, 60) * 64,
                        1 + random_below(&call->random, 255)};
    int code = 0;
    unsigned long address = 0;

    say("store(arena+%#lx, %zu)", span.address - ARENA, span.length);
    int number = guarded(touch_store, &span, &code, &address);
    if (number == 0) {
        say(" = 0");
    } else {
        say(" = signal %d code %d at arena+%#lx", number, code, address - ARENA);
    }
}

static unsigned load_sum;

static void touch_load(void *argument)
{
    const volatile unsigned char *bytes = argument;

    for (unsigned i = 0; i < PAGE; i++) {
        load_sum = (load_sum ^ bytes[i]) * 16777619u;
    }
}

/* Prints a digest of all readable pages of the arena, and the list of the others. */
static void op_load(struct call *call)
{
    char map[ARENA_PAGES + 1] = "";

    load_sum = 2166136261u;
    say("load()");
    for (unsigned i = 0; i < ARENA_PAGES; i++) {
        int code = 0;
        unsigned long address = 0;
        int number = guarded(touch_load, (void *)(ARENA + i * PAGE), &code, &address);
        map[i] = number == 0 ? 'r' : number == SIGBUS ? 'B' : code == SEGV_ACCERR ? 'a' : '-';
    }
    say(" = %s %08x", map, load_sum);
    (void)call;
}

/* A read or write whose buffer is in the arena: pages of it may be missing or read-only. */
static void op_transfer(struct call *call)
{
    struct span span = pick_span(&call->random);
    int fd = pick_fd(&call->random);
    bool writes = random_once_in(&call->random, 2);
    long offset = pick_one(&call->random, offsets);

    say("%s(%d, ", writes ? "pwrite64" : "pread64", fd);
    say_span(span);
    say(", %ld)", offset);
    long got = RAW(writes ? SYS_pwrite64 : SYS_pread64, fd, span.address, span.length, offset);
    say_result(got);
    if (writes) {
        say_size_after_fault(fd, got);
    }
}

const struct op ops_memory[] = {
    {"mmap", 44, 0, {{0, 0}}, op_mmap, 0, 0},
    {"mmap anywhere", 6, 0, {{0, 0}}, op_mmap_anywhere, 0, 0},
    {"munmap", 10, 0, {{0, 0}}, op_munmap, 0, 0},
    {"mprotect", 14, 0, {{0, 0}}, op_mprotect, 0, 0},
    {"mremap", 12, 0, {{0, 0}}, op_mremap, 0, 0},
    {"msync", 4, 0, {{0, 0}}, op_msync, 0, 0},
    {"madvise", 8, 0, {{0, 0}}, op_madvise, 0, 0},
    {"store", 30, 0, {{0, 0}}, op_store, 0, 0},
    {"load", 14, 0, {{0, 0}}, op_load, 0, 0},
    {"transfer", 16, 0, {{0, 0}}, op_transfer, 0, 0},
    {0, 0, 0, {{0, 0}}, 0, 0, 0},
};

/* Futexes, by words of the arena. */

enum {
    FUTEX_WAIT,
    FUTEX_WAKE,
    FUTEX_REQUEUE = 3,
    FUTEX_CMP_REQUEUE,
    FUTEX_WAIT_BITSET = 9,
    FUTEX_WAKE_BITSET,
    FUTEX_PRIVATE = 128,
};

static const struct name futex_operations[] = {
    {"WAIT", FUTEX_WAIT},
    {"WAIT", FUTEX_WAIT},
    {"WAIT_BITSET", FUTEX_WAIT_BITSET},
    {"WAKE", FUTEX_WAKE},
    {"WAKE", FUTEX_WAKE},
    {"WAKE_BITSET", FUTEX_WAKE_BITSET},
    {"REQUEUE", FUTEX_REQUEUE},
    {"CMP_REQUEUE", FUTEX_CMP_REQUEUE},
    {"99", 99},
    {NULL, 0},
};

/* Mostly one of few words, so that calls meet. */
static uint64_t pick_word(struct random *random)
{
    static const unsigned pages[] = {10, 10, 10, 16, 0};
    unsigned page = random_once_in(random, 6) ? random_below(random, ARENA_PAGES)
                                              : pages[random_below(random, 5)];
    unsigned within = random_below(random, 40);

    return ARENA + page * PAGE + (within == 0 ? 2 : within % 2 * 4);
}

struct word {
    uint64_t at;
    uint32_t value;
};

static void load_word(void *argument)
{
    struct word *word = argument;

    word->value = *(const volatile uint32_t *)word->at;
}

static uint32_t value_at(uint64_t at)
{
    struct word word = {at, 0};
    unsigned long address;
    int code;

    guarded(load_word, &word, &code, &address);
    return word.value;
}

static void op_futex(struct call *call)
{
    uint64_t at = pick_word(&call->random), to = pick_word(&call->random);
    long operation = pick_one(&call->random, futex_operations);
    unsigned count = random_below(&call->random, 4), moved = random_below(&call->random, 4);
    bool is_private = random_once_in(&call->random, 3), is_timed = random_once_in(&call->random, 3);
    uint32_t value = value_at(at) ^ random_once_in(&call->random, 8);
    uint32_t bits = random_below(&call->random, 6);
    bool waits = operation == FUTEX_WAIT || operation == FUTEX_WAIT_BITSET;
    struct timespec time = {0, waits ? 1000000 : 0};
    uint64_t fourth = waits ? (is_timed ? (uint64_t)&time : 0) : moved;

    say("futex(%#lx, ", (unsigned long)(at - ARENA));
    say_one(futex_operations, operation);
    say("%s, ", is_private ? " private" : "");
    if (waits) {
        say("%s, %u)", is_timed ? "1 ms" : "null", bits);
    } else {
        say("%u, %u, %#lx, %u)", count, moved, (unsigned long)(to - ARENA), bits);
    }
    world->slots[own_slot].timed = waits && is_timed;
    long got =
        RAW_SIX(SYS_futex, at,
                widen(&call->random, (uint64_t)(operation | (is_private ? FUTEX_PRIVATE : 0))),
                widen(&call->random, waits ? value : count), fourth, to,
                operation == FUTEX_WAIT_BITSET || operation == FUTEX_WAKE_BITSET ? bits : value);
    world->slots[own_slot].timed = false;
    say_result(got);
}

const struct op ops_futexes[] = {
    {"futex", 20, 0, {{0, 0}}, op_futex, 0, OP_SETTLES},
    {0, 0, 0, {{0, 0}}, 0, 0, 0},
};

/* Memory of other processes, and what is in memory. */

#define VECTOR_PARTS 3

static const struct name residences[] = {
    {"0", 0}, {"MCL_FUTURE", MCL_FUTURE}, {"MCL_ONFAULT", 4}, {"8", 8}, {NULL, 0},
};

/* Parts of the arena of the other process, or the pages before one that is missing of this one. */
static void pick_parts(struct random *random, struct iovec *parts, bool own)
{
    for (unsigned i = 0; i < VECTOR_PARTS; i++) {
        struct span span = pick_span(random);
        unsigned within = random_below(random, 4) == 0 ? random_below(random, 5000) : 0;
        if (own) {
            span.address = HOLE - 2 * PAGE + within;
        } else {
            span.address += within;
        }
        span.length -=
            random_once_in(random, 2) ? random_below(random, (unsigned)span.length / 2 + 1) : 0;
        parts[i] = (struct iovec){(void *)span.address, span.length};
        if (random_once_in(random, 40)) {
            parts[i].iov_base = (void *)pick_bad_pointer(random);
        }
        if (random_once_in(random, 60)) {
            parts[i].iov_len = own || random_once_in(random, 2) ? SIZE_MAX : INT64_MAX;
        }
        if (own) {
            say(" %ld:%zu", (long)((unsigned long)parts[i].iov_base - HOLE), parts[i].iov_len);
        } else {
            say(" %#lx:%zu", (unsigned long)parts[i].iov_base - ARENA, parts[i].iov_len);
        }
    }
}

static void op_process_memory(struct call *call)
{
    static const long counts[] = {3, 3, 2, 1, 1, 0, 1025, -1};
    static const long few[] = {3, 2, 1, 1};
    struct iovec own[VECTOR_PARTS], other[VECTOR_PARTS];
    long pid = pick_pid(&call->random);
    bool writes = random_once_in(&call->random, 2), odd = random_once_in(&call->random, 4);
    long own_count =
        odd ? counts[random_below(&call->random, 8)] : few[random_below(&call->random, 4)];
    long other_count =
        odd ? counts[random_below(&call->random, 8)] : few[random_below(&call->random, 4)];
    unsigned flags = random_once_in(&call->random, 30);

    if (writes) {
        random_fill(&call->random, (void *)(HOLE - 2 * PAGE), 2 * PAGE);
    } else {
        memset((void *)(HOLE - 2 * PAGE), 0xa5, 2 * PAGE);
    }
    say("process_vm_%sv(", writes ? "write" : "read");
    call->values[0] = (uint64_t)pid;
    kind_pid.show(call, 0, NULL);
    say(",");
    pick_parts(&call->random, own, true);
    say(", %ld,", own_count);
    pick_parts(&call->random, other, false);
    say(", %ld, %u", other_count, flags);
    uint64_t own_at = pick_pointer(&call->random, own);
    uint64_t other_at = pick_pointer(&call->random, other);
    say(")");
    say_result(RAW_SIX(writes ? SYS_process_vm_writev : SYS_process_vm_readv,
                       widen(&call->random, (uint64_t)pid), own_at, own_count, other_at,
                       other_count, flags));
    if (!writes) {
        say(" ");
        say_bytes((void *)(HOLE - 2 * PAGE), 2 * PAGE);
    }
}

static void op_lock_memory(struct call *call)
{
    static const char *const texts[] = {"mlock", "munlock", "mlock2", "mlockall", "munlockall"};
    static const int numbers[] = {SYS_mlock, SYS_munlock, SYS_mlock2, SYS_mlockall, SYS_munlockall};
    struct span span = pick_span(&call->random);
    unsigned dice = random_below(&call->random, 12);
    unsigned which = dice < 5 ? 0 : dice < 8 ? 1 : dice < 10 ? 2 : dice - 7;
    unsigned flags = random_below(&call->random, 3);
    long all = pick_one(&call->random, residences);

    say("%s(", texts[which]);
    if (which >= 3) {
        say(which == 3 ? "%ld)" : ")", all);
        say_result(RAW(numbers[which], widen(&call->random, (uint64_t)all)));
        return;
    }
    say_span(span);
    say(which == 2 ? ", %u)" : ")", flags);
    say_result(RAW(numbers[which], span.address, span.length, widen(&call->random, flags)));
}

/* Which pages are in memory is the kernel's choice, so that only the number of the answers is printed. */
static void op_mincore(struct call *call)
{
    struct span span = pick_span(&call->random);
    unsigned count = 0;

    memset(out_buffer, 0x5a, 32);
    say("mincore(");
    say_span(span);
    uint64_t at = pick_pointer(&call->random, out_buffer);
    say(")");
    long got = RAW(SYS_mincore, span.address, span.length, at);
    say_result(got);
    for (; count < 32 && out_buffer[count] != 0x5a; count++) {
    }
    say(" %u", count);
}

const struct op ops_transfers[] = {
    {"process_vm", 24, 0, {{0, 0}}, op_process_memory, 0, 0},
    {"mlock", 14, 0, {{0, 0}}, op_lock_memory, 0, 0},
    {"mincore", 5, 0, {{0, 0}}, op_mincore, 0, 0},
    {0, 0, 0, {{0, 0}}, 0, 0, 0},
};
