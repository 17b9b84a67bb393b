/*
 * The plan: whatever the file, the library stays in its storage, and what it accepts has the
 * invariants.
 *
 * Input: an ELF file, and after it one byte that chooses the policy, the storage and the oracle;
 * a mutator repairs what a byte flip breaks.
 * Proves: the library stays in its storage, and every plan is in the file, in range, page-disjoint,
 * never W and X, with an executable entry.
 * Does not prove: that a refused file is wrong.
 * Oracles: the plan's invariants; the same verdict from poisoned outputs, with bytes appended, by
 * diagnosis and with a bias; for one accepted file in 64, which its contents choose, libelf's
 * headers.
 * Rate: 75,000/s
 */
#include <stdlib.h>
#include <string.h>

#ifdef HAVE_LIBELF
#include <libelf.h>
#endif

#include <elfparse/elfparse.h>

#include "elfparse/invariants.h"
#include "elfparse/mutator.h"
#include "elfparse/setting.h"

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

static struct elfparse_range ranges[2][SETTING_RANGES];
static uint8_t scratch[2][SETTING_SCRATCH];

/* Outputs and scratch begin as poison, and must end the same whatever it was. */
static void judge(const uint8_t *file, size_t size, const struct setting *setting, int which,
                  struct outcome *outcome)
{
    int poison = which ? 0x5a : 0xa5;
    struct elfparse_storage storage = {scratch[which], setting->scratch_size, ranges[which],
                                       setting->range_capacity};
    struct elfparse_reader reader = elfparse_reader_memory(file, size);

    memset(outcome, poison, sizeof(*outcome));
    memset(ranges[which], poison, sizeof(struct elfparse_range) * 8);
    memset(scratch[which], poison, 256);
    outcome->code =
        elfparse_plan_make(&reader, &setting->policy, &storage, &outcome->plan, &outcome->error);
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
static void check_longer(const uint8_t *file, size_t size, const struct setting *setting,
                         const struct outcome *accepted)
{
    struct outcome longer;
    uint8_t *copy = malloc(size + 100);

    memcpy(copy, file, size);
    memset(copy + size, 0xff, 100);
    judge(copy, size + 100, setting, 1, &longer);
    HOLDS(longer.code == 0 && longer.plan.range_count == accepted->plan.range_count);
    HOLDS(longer.plan.entry == accepted->plan.entry && longer.plan.end == accepted->plan.end);
    check_plan(&longer.plan, &setting->policy, copy, size + 100);
    free(copy);
}

static void check_bias(struct elfparse_plan *plan, const struct elfparse_policy *policy,
                       uint64_t bias)
{
    struct elfparse_storage storage = {scratch[0], sizeof(scratch[0]), ranges[0], SETTING_RANGES};
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
static void check_diagnosis(const uint8_t *file, size_t size, const struct setting *setting,
                            int code)
{
    struct elfparse_storage storage = {scratch[1], setting->scratch_size, ranges[1],
                                       setting->range_capacity};
    struct elfparse_reader reader = elfparse_reader_memory(file, size);
    struct elfparse_plan plan;
    unsigned found = 0;

    HOLDS(elfparse_plan_diagnose(&reader, &setting->policy, &storage, &plan, count, &found) ==
          code);
    HOLDS((found != 0) == (code != 0));
}

#ifdef HAVE_LIBELF
static uint64_t get(const uint8_t *bytes, unsigned count)
{
    uint64_t value = 0;

    while (count-- > 0)
        value = value << 8 | bytes[count];
    return value;
}

/*
 * What was accepted libelf reads as well, and finds the same headers in it. It costs many times as
 * much as all the rest, so that only one in 64 of the files is put to it, chosen by its contents.
 * The copy has no section header table: libelf counts sections when it opens a file (e_shnum 0 means
 * sh_size of section 0) and refuses a count that it cannot have, the loader never reads sections.
 */
static void check_libelf(const uint8_t *file, size_t size)
{
    uint64_t hash = 0;

    for (size_t i = 24; i + 8 <= size && i < 120; i += 8)
        hash = (hash ^ get(file + i, 8)) * UINT64_C(0x9e3779b97f4a7c15);
    if (hash >> 58 != 0)
        return;
    uint8_t *copy = malloc(size);

    memcpy(copy, file, size);
    memset(copy + offsetof(Elf64_Ehdr, e_shoff), 0, sizeof(Elf64_Off));
    memset(copy + offsetof(Elf64_Ehdr, e_shnum), 0, sizeof(Elf64_Half));
    elf_version(EV_CURRENT);
    Elf *elf = elf_memory((char *)copy, size);
    const Elf64_Ehdr *ehdr = elf64_getehdr(elf);
    const Elf64_Phdr *phdr = elf64_getphdr(elf);
    size_t phnum = 0;

    HOLDS(elf != NULL && ehdr != NULL && phdr != NULL && elf_getphdrnum(elf, &phnum) == 0);
    HOLDS(ehdr->e_type == get(file + 16, 2) && ehdr->e_entry == get(file + 24, 8));
    HOLDS(ehdr->e_phoff == get(file + 32, 8) && phnum == get(file + 56, 2));
    HOLDS(memcmp(phdr, file + ehdr->e_phoff, phnum * sizeof(*phdr)) == 0);
    elf_end(elf);
    free(copy);
}
#else
static void check_libelf(const uint8_t *file, size_t size)
{
}
#endif

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    uint8_t mode = data[--size];
    struct setting setting = setting_of(mode);
    struct outcome first, second;

    judge(data, size, &setting, 0, &first);
    if (first.code == 0) {
        check_plan(&first.plan, &setting.policy, data, size);
        check_libelf(data, size);
    }
    switch (mode >> 6) {
    case 0:
        judge(data, size, &setting, 1, &second);
        check_same(&first, &second);
        break;
    case 1:
        if (first.code != ELFPARSE_ESCRATCH)
            check_diagnosis(data, size, &setting, first.code);
        break;
    case 2:
        if (first.code == 0)
            check_longer(data, size, &setting, &first);
        break;
    default:
        if (first.code == 0)
            check_bias(&first.plan, &setting.policy, (uint64_t)(mode & 63) << 12);
    }
    return 0;
}
