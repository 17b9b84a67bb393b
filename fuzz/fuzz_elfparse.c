/*
 * The plan: whatever the file, the library stays in its storage, and what it accepts has the
 * invariants.
 *
 * Input: an ELF file, and after it one byte that chooses the policy, the storage and the oracle;
 * a mutator repairs what a byte flip breaks.
 * Proves: the library stays in its storage, and every plan is in the file, in range, page-disjoint,
 * never W and X, with an executable entry.
 * Does not prove: that a refused file is wrong.
 * Oracles: the plan's invariants, also with larger pages; the same verdict from poisoned outputs,
 * with bytes appended, by diagnosis, with a bias, and as a file of another class and byte order;
 * for one accepted file in 64, which its contents choose, libelf's headers. Rate: 75,000/s
 */
#include <stdlib.h>
#include <string.h>

#include <elf.h>

#ifdef HAVE_LIBELF
#include <libelf.h>
#endif

#include <elfparse/elfparse.h>

#include "elfparse/invariants.h"
#include "elfparse/mutator.h"
#include "elfparse/setting.h"

#include "image.h"

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
    /* If PT_DYNAMIC was empty and its table not there, new bytes may be a table without an end. */
    if (longer.code != 0 && longer.error.rule == ELFPARSE_RULE_O4 &&
        accepted->plan.dynamic.vaddr == 0) {
        free(copy);
        return;
    }
    HOLDS(longer.code == 0 && longer.plan.range_count == accepted->plan.range_count);
    HOLDS(longer.plan.entry == accepted->plan.entry && longer.plan.end == accepted->plan.end);
    check_plan(&longer.plan, &setting->policy, copy, size + 100);
    free(copy);
}

/* The file's PT_INTERP lies in its headers, which another form of the file has differently. */
static int path_in_headers(const uint8_t *file, size_t size)
{
    Elf64_Ehdr ehdr;
    Elf64_Phdr phdr;

    memcpy(&ehdr, file, sizeof(ehdr));
    for (unsigned i = 0; i < ehdr.e_phnum; i++) {
        uint64_t at = ehdr.e_phoff + i * sizeof(phdr);

        if (at > size || size - at < sizeof(phdr))
            break;
        memcpy(&phdr, file + at, sizeof(phdr));
        if (phdr.p_type == PT_INTERP &&
            (phdr.p_offset < sizeof(ehdr) ||
             (phdr.p_offset + phdr.p_filesz > ehdr.e_phoff &&
              phdr.p_offset < ehdr.e_phoff + ehdr.e_phnum * sizeof(phdr))))
            return 1;
    }
    return 0;
}

/* In ELF32 headers and dynamic entries are smaller, so that more of them fits. */
static int depends_on_class(int code)
{
    switch (code) {
    case ELFPARSE_EEHSIZE:
    case ELFPARSE_EPHENTSIZE:
    case ELFPARSE_EPHOFF:
    case ELFPARSE_EPHTABLE:
    case ELFPARSE_EPHDR:
    case ELFPARSE_EOUTSIDE:
        return 1;
    default:
        return 0;
    }
}

static void check_alike(const struct outcome *native, const struct outcome *other, int narrow)
{
    const struct elfparse_error *e = &native->error, *f = &other->error;
    const struct elfparse_plan *p = &native->plan, *q = &other->plan;

    if (narrow && (depends_on_class(native->code) || depends_on_class(other->code)))
        return;
    HOLDS(native->code == other->code);
    if (native->code != 0) {
        HOLDS(e->rule == f->rule && e->phdr == f->phdr && e->phdr2 == f->phdr2);
        HOLDS(e->found == f->found && e->expected == f->expected);
        HOLDS(narrow || e->offset == f->offset);
        return;
    }
    HOLDS(p->entry == q->entry && p->start == q->start && p->end == q->end);
    HOLDS(p->align == q->align && p->memory == q->memory && p->range_count == q->range_count);
    HOLDS(((p->traits ^ q->traits) & ~ELFPARSE_TRAIT_EFLAGS) == 0);
    HOLDS(memcmp(&p->tls, &q->tls, sizeof(p->tls)) == 0);
    HOLDS(memcmp(&p->relro, &q->relro, sizeof(p->relro)) == 0);
    /* An empty PT_DYNAMIC is there if an entry is, which is shorter in ELF32. */
    HOLDS((narrow && p->dynamic.size == 0 && q->dynamic.size == 0) ||
          p->dynamic.vaddr == q->dynamic.vaddr);
    HOLDS(narrow || p->phdr_vaddr == q->phdr_vaddr);
    HOLDS(memcmp(p->ranges, q->ranges, sizeof(struct elfparse_range) * p->range_count) == 0);
}

/* The same program for another machine has the same verdict. Contents but the path are not read. */
static void check_re_encoded(const uint8_t *file, size_t size, struct setting setting)
{
    static const struct {
        struct image_form form;
        uint32_t machine;
    } forms[] = {
        {{ELFPARSE_CLASS64, ELFPARSE_DATAMSB, ELFPARSE_EM_S390}, ELFPARSE_MACHINE_S390X},
        {{ELFPARSE_CLASS32, ELFPARSE_DATALSB, ELFPARSE_EM_386}, ELFPARSE_MACHINE_I386},
        {{ELFPARSE_CLASS32, ELFPARSE_DATAMSB, ELFPARSE_EM_MIPS}, ELFPARSE_MACHINE_MIPS},
    };
    unsigned which = size < 64 ? 0 : (unsigned)(file[24] + file[size / 2] + size) % 3;
    int narrow = forms[which].form.elf_class == ELFPARSE_CLASS32;
    struct outcome native, other;
    uint8_t *copy = malloc(size);

    setting.scratch_size = SETTING_SCRATCH;
    setting.policy.refuse &= ~ELFPARSE_TRAIT_EFLAGS; /* MIPS has flags */
    if (size >= 64 && setting.policy.contents != 0)
        setting.policy.contents = path_in_headers(file, size) ? 8 : ELFPARSE_READ_INTERP;
    if (narrow && setting.policy.user_end > UINT64_C(1) << 32)
        setting.policy.user_end = UINT64_C(1) << 32;
    judge(file, size, &setting, 0, &native);
    if (native.code != ELFPARSE_EMACHINE && native.code != ELFPARSE_EDATA &&
        native.code != ELFPARSE_ECLASS && image_re_encode(file, size, &forms[which].form, copy)) {
        setting.policy.machines = forms[which].machine;
        judge(copy, size, &setting, 1, &other);
        check_alike(&native, &other, narrow);
    }
    free(copy);
}

/* With larger pages the plan of what is accepted has the same properties. */
static void check_pages(const uint8_t *file, size_t size, struct setting setting, uint32_t page)
{
    struct outcome outcome;

    setting.policy.page_size = page;
    setting.policy.user_min = page;
    setting.policy.user_end &= ~(uint64_t)(page - 1);
    if (setting.policy.user_end < page)
        return;
    judge(file, size, &setting, 1, &outcome);
    HOLDS(outcome.code != ELFPARSE_EARGUMENT);
    if (outcome.code == 0)
        check_plan(&outcome.plan, &setting.policy, file, size);
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
 * The copy has no section header table: libelf counts sections when it opens a file (e_shnum 0
 * means sh_size of section 0) and refuses a count that it cannot have, the loader never reads
 * sections.
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
        check_re_encoded(data, size, setting);
        break;
    case 1:
        if (first.code != ELFPARSE_ESCRATCH)
            check_diagnosis(data, size, &setting, first.code);
        break;
    case 2:
        if (first.code == 0)
            check_longer(data, size, &setting, &first);
        check_pages(data, size, setting, (mode & 16) != 0 ? 16384 : 65536);
        break;
    default:
        if (first.code == 0)
            check_bias(&first.plan, &setting.policy, (uint64_t)(mode & 63) << 12);
    }
    return 0;
}
