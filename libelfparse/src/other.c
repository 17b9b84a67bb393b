#include "other.h"

/* The bytes that a header names lie in the file; an empty part may lie anywhere. */
static inline uint32_t check_bounds(const struct elfp_table *table, const uint8_t *header)
{
    uint64_t filesz = elfp_le64(header + ELFP_P_FILESZ);

    if (ELFP_RARE(filesz > table->file_size))
        return ELFP_OTHER_BOUNDS;
    if (ELFP_RARE(elfp_le64(header + ELFP_P_OFFSET) > table->file_size - filesz) && filesz != 0)
        return ELFP_OTHER_BOUNDS;
    return 0;
}

/* One PT_LOAD's file bytes hold all that the header names, at the same place in file and memory. */
static int inside_load(const struct elfp_table *table, const uint8_t *header)
{
    uint64_t vaddr = elfp_le64(header + ELFP_P_VADDR);
    uint64_t offset = elfp_le64(header + ELFP_P_OFFSET);
    uint64_t size = elfp_le64(header + ELFP_P_FILESZ);
    uint32_t i;

    for (i = table->first_load; i <= table->last_load; i++) {
        const uint8_t *load = elfp_table_entry(table, i);
        uint64_t into = vaddr - elfp_le64(load + ELFP_P_VADDR);
        uint64_t filesz = elfp_le64(load + ELFP_P_FILESZ);

        if (into <= filesz && size <= filesz - into &&
            offset - elfp_le64(load + ELFP_P_OFFSET) == into &&
            elfp_le32(load) == ELFPARSE_PT_LOAD)
            return 1;
    }
    return 0;
}

struct elfp_finding elfp_interp_check(const struct elfp_table *table,
                                      const struct elfparse_policy *policy,
                                      const uint8_t *header, uint32_t index)
{
    struct elfp_finding finding = {check_bounds(table, header), ELFPARSE_TRAIT_INTERP};
    uint64_t filesz = elfp_le64(header + ELFP_P_FILESZ);

    if (ELFP_RARE(filesz < 2))
        finding.faults += ELFP_OTHER_INTERP_LOW;
    if (ELFP_RARE(filesz > policy->max_interp))
        finding.faults += ELFP_OTHER_INTERP_HIGH;
    if (ELFP_RARE(index > table->first_load))
        finding.traits += ELFPARSE_TRAIT_INTERP_LATE;
    return finding;
}

struct elfp_finding elfp_phdr_check(const struct elfp_table *table, const uint8_t *header)
{
    struct elfp_finding finding = {0, 0};

    if (ELFP_RARE(elfp_le64(header + ELFP_P_OFFSET) != table->phoff))
        finding.faults += ELFP_OTHER_PHDR_OFFSET;
    if (ELFP_RARE(elfp_le64(header + ELFP_P_FILESZ) != (uint64_t)table->phnum * ELFPARSE_PHDR_SIZE))
        finding.faults += ELFP_OTHER_PHDR_SIZE;
    if (ELFP_RARE(!inside_load(table, header)))
        finding.faults += ELFP_OTHER_OUTSIDE;
    return finding;
}

struct elfp_finding elfp_dynamic_check(const struct elfp_table *table, const uint8_t *header)
{
    struct elfp_finding finding = {check_bounds(table, header), 0};
    uint64_t filesz = elfp_le64(header + ELFP_P_FILESZ);

    if (ELFP_RARE(!inside_load(table, header)))
        finding.faults += ELFP_OTHER_OUTSIDE;
    if (ELFP_RARE(filesz == 0) || ELFP_RARE((filesz & 15) != 0))
        finding.faults += ELFP_OTHER_DYN_SIZE;
    return finding;
}

struct elfp_finding elfp_tls_check(const struct elfp_table *table,
                                   const struct elfparse_policy *policy, const uint8_t *header)
{
    struct elfp_finding finding = {check_bounds(table, header), 0};
    uint64_t filesz = elfp_le64(header + ELFP_P_FILESZ);
    uint64_t memsz = elfp_le64(header + ELFP_P_MEMSZ);
    uint64_t align = elfp_le64(header + ELFP_P_ALIGN);

    if (filesz != 0 && ELFP_RARE(!inside_load(table, header)))
        finding.faults += ELFP_OTHER_OUTSIDE;
    if (ELFP_RARE(filesz > memsz))
        finding.faults += ELFP_OTHER_TLS_FILESZ;
    if (ELFP_RARE(memsz > policy->max_tls_size))
        finding.faults += ELFP_OTHER_TLS_SIZE;
    if (ELFP_RARE((align & (align - 1)) != 0))
        finding.faults += ELFP_OTHER_TLS_ALIGN;
    else if (ELFP_RARE(align > policy->max_tls_align))
        finding.faults += ELFP_OTHER_TLS_LIMIT;
    if (ELFP_RARE(elfp_le64(header + ELFP_P_VADDR) > policy->user_end))
        finding.faults += ELFP_OTHER_TLS_RANGE;
    return finding;
}

struct elfp_finding elfp_relro_check(const struct elfp_table *table, const uint8_t *header,
                                     uint64_t *limit)
{
    struct elfp_finding finding = {0, 0};
    uint64_t start = elfp_le64(header + ELFP_P_VADDR);
    uint32_t i;

    *limit = 0;
    for (i = table->first_load; i <= table->last_load; i++) {
        const uint8_t *load = elfp_table_entry(table, i);
        uint64_t vaddr = elfp_le64(load + ELFP_P_VADDR);
        uint64_t memsz = elfp_le64(load + ELFP_P_MEMSZ);

        if (start - vaddr < memsz && elfp_le32(load) == ELFPARSE_PT_LOAD &&
            (elfp_le32(load + ELFP_P_FLAGS) & ELFPARSE_PF_W) != 0) {
            *limit = elfp_page_ceil(vaddr + memsz);
            break;
        }
    }
    if (ELFP_RARE(*limit == 0))
        finding.faults = ELFP_OTHER_RELRO_START;
    else if (ELFP_RARE(elfp_le64(header + ELFP_P_MEMSZ) > *limit - start))
        finding.faults = ELFP_OTHER_RELRO_END;
    return finding;
}

struct elfp_finding elfp_note_check(const struct elfp_table *table,
                                    const struct elfparse_policy *policy,
                                    const uint8_t *header)
{
    struct elfp_finding finding = {check_bounds(table, header), 0};

    if (ELFP_RARE(elfp_le64(header + ELFP_P_FILESZ) > policy->max_note_bytes))
        finding.faults += ELFP_OTHER_NOTE_LIMIT;
    return finding;
}

uint64_t elfp_table_vaddr(const struct elfp_table *table)
{
    uint64_t size = (uint64_t)table->phnum * ELFPARSE_PHDR_SIZE;
    uint32_t i;

    for (i = table->first_load; i <= table->last_load; i++) {
        const uint8_t *load = elfp_table_entry(table, i);
        uint64_t into = table->phoff - elfp_le64(load + ELFP_P_OFFSET);
        uint64_t filesz = elfp_le64(load + ELFP_P_FILESZ);

        if (into <= filesz && size <= filesz - into && elfp_le32(load) == ELFPARSE_PT_LOAD)
            return elfp_le64(load + ELFP_P_VADDR) + into;
    }
    return 0;
}
