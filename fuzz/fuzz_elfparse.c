/*
 * The plan: whatever the file, the library stays in its storage, and what it accepts has the
 * invariants. Input: a file, and after it one byte that chooses the policy, the storage and which
 * oracle is asked.
 */
#include <stdlib.h>
#include <string.h>

#include <elfparse/elfparse.h>

#include "elfparse/invariants.h"
#include "elfparse/mutator.h"

#define RANGES 128

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed);

/* libFuzzer's own mutations. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max);

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed)
{
    if (size < 2 || max < 2)
        return LLVMFuzzerMutate(data, size, max);
    uint8_t mode = seed % 16 == 0 ? (uint8_t)(seed >> 4) : data[size - 1];

    size = elf_mutate(data, size - 1, max - 1, seed);
    data[size] = mode;
    return size + 1;
}

struct outcome {
    int code;
    struct elfparse_plan plan;
    struct elfparse_error error;
};

static struct elfparse_range ranges[2][RANGES];
static uint8_t scratch[2][8192];

static struct elfparse_policy choose_policy(uint8_t mode)
{
    struct elfparse_policy policy =
        mode & 1 ? elfparse_policy_kernel : elfparse_policy_linux_compat;

    if (mode & 2)
        policy.refuse ^= 1u << (mode >> 4) % ELFPARSE_TRAIT_COUNT;
    if ((mode & 12) == 4)
        policy.contents = mode >> 4 & 7;
    return policy;
}

/* Outputs and scratch begin as poison, and must end the same whatever it was. */
static void judge(const uint8_t *file, size_t size, const struct elfparse_policy *policy,
                  size_t scratch_size, int which, struct outcome *outcome)
{
    int poison = which ? 0x5a : 0xa5;
    struct elfparse_storage storage = {scratch[which], scratch_size, ranges[which], RANGES};
    struct elfparse_reader reader = elfparse_reader_memory(file, size);

    memset(outcome, poison, sizeof(*outcome));
    memset(ranges[which], poison, sizeof(struct elfparse_range) * 8);
    memset(scratch[which], poison, 256);
    outcome->code =
        elfparse_plan_make(&reader, policy, &storage, &outcome->plan, &outcome->error);
}

static void check_same(const struct outcome *a, const struct outcome *b)
{
    static const struct elfparse_plan cleared;

    HOLDS(a->code == b->code);
    if (a->code != 0) {
        HOLDS(memcmp(&a->error, &b->error, sizeof(a->error)) == 0);
        HOLDS(memcmp(&a->plan, &cleared, sizeof(cleared)) == 0);
        HOLDS(memcmp(&b->plan, &cleared, sizeof(cleared)) == 0);
        return;
    }
    HOLDS(a->plan.entry == b->plan.entry && a->plan.traits == b->plan.traits);
    HOLDS(a->plan.features == b->plan.features && a->plan.align == b->plan.align);
    HOLDS(memcmp(&a->plan.tls, &b->plan.tls, sizeof(a->plan.tls)) == 0);
    HOLDS(memcmp(&a->plan.build_id, &b->plan.build_id, sizeof(a->plan.build_id)) == 0);
    HOLDS(a->plan.range_count == b->plan.range_count);
    HOLDS(memcmp(a->plan.ranges, b->plan.ranges,
                 sizeof(struct elfparse_range) * a->plan.range_count) == 0);
}

/* More bytes at the end, and a program is still the same program. */
static void check_longer(const uint8_t *file, size_t size, const struct elfparse_policy *policy,
                         const struct outcome *accepted)
{
    struct outcome longer;
    uint8_t *copy = malloc(size + 100);

    memcpy(copy, file, size);
    memset(copy + size, 0xff, 100);
    judge(copy, size + 100, policy, sizeof(scratch[1]), 1, &longer);
    HOLDS(longer.code == 0 && longer.plan.range_count == accepted->plan.range_count);
    HOLDS(longer.plan.entry == accepted->plan.entry && longer.plan.end == accepted->plan.end);
    check_plan(&longer.plan, policy, copy, size + 100);
    free(copy);
}

static void check_bias(struct elfparse_plan *plan, const struct elfparse_policy *policy,
                       uint64_t bias)
{
    struct elfparse_storage storage = {scratch[0], sizeof(scratch[0]), ranges[0], RANGES};
    uint64_t start = plan->start, entry = plan->entry;

    if (elfparse_plan_apply_bias(plan, &storage, policy, bias, NULL) != 0) {
        HOLDS(plan->start == start && plan->bias == 0);
        return;
    }
    HOLDS(plan->start == start + bias && plan->start >= policy->user_min);
    HOLDS(plan->end <= policy->user_end && plan->ranges[0].vaddr == plan->start);
    HOLDS(plan->entry == (entry ? entry + bias : 0));
}

static int count(void *ctx, const struct elfparse_error *error)
{
    char text[ELFPARSE_ERROR_MAX];

    HOLDS(elfparse_error_format(error, text, sizeof(text)) < sizeof(text));
    return ++*(unsigned *)ctx == 500;
}

/* The collecting of all violations finds at least one where there is one, and none where there is
 * none. */
static void check_diagnosis(const uint8_t *file, size_t size, const struct elfparse_policy *policy,
                            int code)
{
    struct elfparse_storage storage = {scratch[1], sizeof(scratch[1]), ranges[1], RANGES};
    struct elfparse_reader reader = elfparse_reader_memory(file, size);
    struct elfparse_plan plan;
    unsigned found = 0;

    HOLDS(elfparse_plan_diagnose(&reader, policy, &storage, &plan, count, &found) == code);
    HOLDS((found != 0) == (code != 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    uint8_t mode = data[--size];
    struct elfparse_policy policy = choose_policy(mode);
    size_t scratch_size = mode & 8 ? 128 + (size_t)(mode >> 4) * 64 : sizeof(scratch[0]);
    struct outcome first, second;

    judge(data, size, &policy, scratch_size, 0, &first);
    if (first.code == 0)
        check_plan(&first.plan, &policy, data, size);
    switch (mode >> 6) {
    case 0:
        judge(data, size, &policy, scratch_size, 1, &second);
        check_same(&first, &second);
        break;
    case 1:
        if (first.code != ELFPARSE_ESCRATCH)
            check_diagnosis(data, size, &policy, first.code);
        break;
    case 2:
        if (first.code == 0)
            check_longer(data, size, &policy, &first);
        break;
    default:
        if (first.code == 0)
            check_bias(&first.plan, &policy, (uint64_t)(mode & 63) << 12);
    }
    return 0;
}
