#include "invariants.h"

#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE ((uint64_t)page)

static uint32_t page; /* of the policy at hand */

void invariant_failed(const char *expression, const char *file, int line)
{
    fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, expression);
    abort();
}

int plan_byte(const struct elfparse_plan *plan, const uint8_t *file, uint64_t addr)
{
    for (uint32_t i = 0; i < plan->range_count; i++) {
        const struct elfparse_range *r = &plan->ranges[i];

        if (addr - r->vaddr < r->size)
            return addr - r->vaddr < r->file_bytes ? file[r->offset + (addr - r->vaddr)] : 0;
    }
    return -1;
}

static void check_range(const struct elfparse_range *r, uint64_t above, size_t size)
{
    HOLDS(r->vaddr % PAGE == 0 && r->size % PAGE == 0 && r->offset % PAGE == 0);
    HOLDS(r->size != 0 && r->vaddr >= above && r->vaddr + r->size > r->vaddr);
    HOLDS((r->prot & ~7u) == 0 && (r->prot & 3) != 3);
    HOLDS(r->file_bytes <= r->size && r->file_bytes <= size);
    HOLDS(r->file_bytes == 0 || r->offset <= size - r->file_bytes);
    switch (r->kind) {
    case ELFPARSE_RANGE_FILE:
        HOLDS(r->file_bytes != 0);
        HOLDS(r->file_bytes == r->size || r->offset + r->file_bytes == size);
        HOLDS(r->file_bytes > r->size - PAGE);
        break;
    case ELFPARSE_RANGE_SPLIT:
        HOLDS(r->size == PAGE && r->file_bytes != 0 && r->file_bytes < PAGE);
        break;
    case ELFPARSE_RANGE_ZERO:
        HOLDS(r->file_bytes == 0 && r->offset == 0);
        break;
    default:
        HOLDS(!"a known kind");
    }
}

static Elf64_Phdr phdr_at(const uint8_t *file, uint32_t index)
{
    Elf64_Ehdr ehdr;
    Elf64_Phdr phdr;

    memcpy(&ehdr, file, sizeof(ehdr));
    memcpy(&phdr, file + ehdr.e_phoff + index * sizeof(phdr), sizeof(phdr));
    return phdr;
}

/* At the places where a segment's contents change kind, the plan has what the file's header asks
 * for. */
static void check_segment(const struct elfparse_plan *plan, const Elf64_Phdr *phdr,
                          const uint8_t *file)
{
    uint64_t file_end = phdr->p_vaddr + phdr->p_filesz;
    uint64_t end = phdr->p_vaddr + phdr->p_memsz;
    uint64_t page_end = (end + PAGE - 1) & ~(PAGE - 1);

    if (phdr->p_filesz != 0) {
        HOLDS(plan_byte(plan, file, phdr->p_vaddr) == file[phdr->p_offset]);
        HOLDS(plan_byte(plan, file, file_end - 1) == file[phdr->p_offset + phdr->p_filesz - 1]);
        uint64_t middle = phdr->p_filesz / 2;
        HOLDS(plan_byte(plan, file, phdr->p_vaddr + middle) == file[phdr->p_offset + middle]);
    }
    if (phdr->p_memsz != phdr->p_filesz) {
        HOLDS(plan_byte(plan, file, file_end) == 0);
        HOLDS(plan_byte(plan, file, end - 1) == 0);
        HOLDS(plan_byte(plan, file, page_end - 1) == 0);
    }
    HOLDS(plan_byte(plan, file, page_end - 1) >= 0);
}

static uint32_t prot_at(const struct elfparse_plan *plan, uint64_t addr)
{
    for (uint32_t i = 0; i < plan->range_count; i++) {
        if (addr - plan->ranges[i].vaddr < plan->ranges[i].size)
            return plan->ranges[i].prot;
    }
    return 0;
}

/* No page too many: each range lies in the pages of the segment that it names. */
static void check_segments(const struct elfparse_plan *plan, const uint8_t *file)
{
    for (uint32_t i = 0; i < plan->phnum; i++) {
        Elf64_Phdr phdr = phdr_at(file, i);

        if (phdr.p_type != PT_LOAD || phdr.p_memsz == 0)
            continue;
        check_segment(plan, &phdr, file);
        HOLDS(prot_at(plan, phdr.p_vaddr) == (phdr.p_flags & 7));
    }
    for (uint32_t i = 0; i < plan->range_count; i++) {
        const struct elfparse_range *r = &plan->ranges[i];
        Elf64_Phdr phdr = phdr_at(file, r->segment);

        HOLDS(phdr.p_type == PT_LOAD && r->prot == (phdr.p_flags & 7));
        HOLDS(r->vaddr >= (phdr.p_vaddr & ~(PAGE - 1)));
        HOLDS(r->vaddr + r->size <= ((phdr.p_vaddr + phdr.p_memsz + PAGE - 1) & ~(PAGE - 1)));
    }
}

/*
 * PT_DYNAMIC's table ends with DT_NULL, if it was read, and the template is where its offset says.
 */
static void check_table(const struct elfparse_plan *plan, const struct elfparse_policy *policy,
                        const uint8_t *file, size_t size)
{
    uint64_t last = plan->dynamic.vaddr + plan->dynamic.size - 16;

    if (plan->dynamic.size >= 16 && policy->contents & ELFPARSE_READ_DYNAMIC) {
        for (uint64_t at = last; at < last + 8; at++)
            HOLDS(plan_byte(plan, file, at) == 0);
    }
    if (policy->contents != 0 && plan->tls.filesz != 0) {
        HOLDS(plan->tls.offset + plan->tls.filesz <= size);
        HOLDS(plan_byte(plan, file, plan->tls.vaddr) == file[plan->tls.offset]);
    }
}

static void check_places(const struct elfparse_plan *plan, const struct elfparse_policy *policy,
                         const uint8_t *file, size_t size)
{
    Elf64_Ehdr ehdr;

    memcpy(&ehdr, file, sizeof(ehdr));
    if (plan->entry != 0) {
        HOLDS((prot_at(plan, plan->entry) & PF_X) != 0);
        HOLDS(plan_byte(plan, file, plan->entry) >= 0);
    }
    if (plan->phdr_vaddr != 0) {
        uint64_t last = plan->phnum * sizeof(Elf64_Phdr) - 1;

        HOLDS(plan_byte(plan, file, plan->phdr_vaddr) == file[ehdr.e_phoff]);
        HOLDS(plan_byte(plan, file, plan->phdr_vaddr + last) == file[ehdr.e_phoff + last]);
    }
    if (plan->interp.path != NULL) {
        HOLDS(plan->interp.size >= 2 && plan->interp.offset + plan->interp.size <= size);
        HOLDS(memcmp(plan->interp.path, file + plan->interp.offset, plan->interp.size) == 0);
        HOLDS(plan->interp.path[0] != '\0' && plan->interp.path[plan->interp.size - 1] == '\0');
    }
    check_table(plan, policy, file, size);
    HOLDS(plan->tls.memsz <= policy->max_tls_size && plan->tls.filesz <= plan->tls.memsz);
    if (plan->relro.size != 0)
        HOLDS(prot_at(plan, plan->relro.vaddr) & PF_W &&
              prot_at(plan, plan->relro.vaddr + plan->relro.size - 1) & PF_W);
    HOLDS(plan->build_id.size == 0 || plan->build_id.offset + plan->build_id.size <= size);
}

void check_plan(const struct elfparse_plan *plan, const struct elfparse_policy *policy,
                const uint8_t *file, size_t size)
{
    uint64_t above = plan->type == ELFPARSE_ET_EXEC ? policy->user_min : 0;

    page = policy->page_size;
    HOLDS(plan->range_count != 0 && plan->load_count != 0);
    HOLDS(plan->ranges[0].vaddr == plan->start);
    for (uint32_t i = 0; i < plan->range_count; i++) {
        check_range(&plan->ranges[i], above, size);
        above = plan->ranges[i].vaddr + plan->ranges[i].size;
    }
    HOLDS(above == plan->end && plan->end <= policy->user_end);
    HOLDS(plan->end - plan->start <= policy->user_end - policy->user_min);
    HOLDS(plan->memory <= policy->max_memory);
    HOLDS(plan->align >= PAGE && (plan->align & (plan->align - 1)) == 0);
    HOLDS((plan->traits & policy->refuse) == 0);
    check_segments(plan, file);
    check_places(plan, policy, file, size);
}

/* What AddressSanitizer is told where ASAN_OPTIONS says nothing else: memory that was freed comes
 * back soon, so that it is still in the caches, and frames that were left are not kept. The replay
 * of the corpora, and who looks into a crash, asks for more. */

const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "quarantine_size_mb=8:malloc_context_size=4:detect_stack_use_after_return=0";
}
