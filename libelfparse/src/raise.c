#include "judge.h"

/*
 * How a fault or a trait is reported: the code, the rule, and the field to blame. The tables have
 * an entry for every bit there is, so that no bit can lead outside them.
 */
struct reason {
    int8_t code;
    uint8_t rule;
    uint8_t field; /* byte offset in the header */
    uint8_t size;  /* bytes of the field; 0: found is computed */
};

#define REASON(code, rule, field, size)                                                            \
    {                                                                                              \
        (int8_t)ELFPARSE_##code, ELFPARSE_RULE_##rule, field, size                                 \
    }

static const struct reason ehdr_reasons[32] = {
    REASON(EMAGIC, E1, 0, 4),
    REASON(ECLASS, E2, ELFP_EI_CLASS, 1),
    REASON(EDATA, E2, ELFP_EI_DATA, 1),
    REASON(EVERSION, E3, ELFP_EI_VERSION, 1),
    REASON(EVERSION, E3, ELFP_E_VERSION, 4),
    REASON(ETYPE, E5, ELFP_E_TYPE, 2),
    REASON(EOBJECT, E5, ELFP_E_TYPE, 2),
    REASON(ECORE, E5, ELFP_E_TYPE, 2),
    REASON(EMACHINE, E6, ELFP_E_MACHINE, 2),
    REASON(EEHSIZE, E7, ELFP_E_EHSIZE, 2),
    REASON(EPHENTSIZE, E7, ELFP_E_PHENTSIZE, 2),
    REASON(ENOPHDR, E8, ELFP_E_PHNUM, 2),
    REASON(EXNUM, E8, ELFP_E_PHNUM, 2),
    REASON(EPHNUM, E8, ELFP_E_PHNUM, 2),
    REASON(EPHOFF, E9, ELFP_E_PHOFF, 8),
    REASON(EPHOFF, E9, ELFP_E_PHOFF, 8),
    REASON(EPHTABLE, E9, ELFP_E_PHOFF, 0),
    REASON(ENOLOAD, L1, ELFP_E_PHNUM, 2),
    REASON(EENTRY, O1, ELFP_E_ENTRY, 8),
};

/* What the Ehdr's fields should hold, where it does not depend on the policy. */
static const uint32_t ehdr_expected[32] = {
    ELFP_MAGIC, 2, 1, 1, 1, ELFPARSE_ET_DYN, ELFPARSE_ET_DYN, ELFPARSE_ET_DYN, 62,
    ELFPARSE_EHDR_SIZE, ELFPARSE_PHDR_SIZE, 1, 0xfffe, 0, ELFPARSE_EHDR_SIZE, 8, 0, 0, 0,
};

static const struct reason load_reasons[32] = {
    REASON(EFILESZ, L2, ELFP_P_FILESZ, 8),
    REASON(EOFFSET, L3, ELFP_P_OFFSET, 0),
    REASON(EWRAP, L4, ELFP_P_VADDR, 8),
    REASON(EALIGN, L5, ELFP_P_ALIGN, 8),
    REASON(EALIGNLIMIT, L5, ELFP_P_ALIGN, 8),
    REASON(ECONGRUENT, L5, ELFP_P_VADDR, 8),
    REASON(EORDER, L6, ELFP_P_VADDR, 8),
    REASON(EOVERLAP, L6, ELFP_P_VADDR, 8),
    REASON(ESHAREDPAGE, L7, ELFP_P_VADDR, 0),
    REASON(EWX, L8, ELFP_P_FLAGS, 4),
    REASON(ESEGFLAGS, L8, ELFP_P_FLAGS, 4),
    REASON(ERANGE, L9, ELFP_P_VADDR, 0),
    REASON(EZEROPERM, L10, ELFP_P_FLAGS, 4),
    REASON(ERANGE, L9, ELFP_P_VADDR, 0),
    REASON(ERANGE, L9, ELFP_P_VADDR, 0),
    REASON(EMEMORY, L11, ELFP_P_MEMSZ, 0),
    REASON(ELOADLIMIT, NONE, ELFP_P_TYPE, 0),
};

/* Rule NONE: that of the header's type. */
static const struct reason other_reasons[32] = {
    REASON(EBOUNDS, NONE, ELFP_P_OFFSET, 0),
    REASON(EINTERPSIZE, O2, ELFP_P_FILESZ, 8),
    REASON(EINTERPSIZE, O2, ELFP_P_FILESZ, 8),
    REASON(EINTERPNUL, O2, ELFP_P_OFFSET, 0),
    REASON(EPHDR, O3, ELFP_P_OFFSET, 8),
    REASON(EPHDR, O3, ELFP_P_FILESZ, 8),
    REASON(EOUTSIDE, NONE, ELFP_P_VADDR, 8),
    REASON(EDYNSIZE, O4, ELFP_P_FILESZ, 8),
    REASON(EDYNEND, O4, ELFP_P_OFFSET, 0),
    REASON(ETLSSIZE, O5, ELFP_P_FILESZ, 8),
    REASON(ETLSSIZE, O5, ELFP_P_MEMSZ, 8),
    REASON(ETLSALIGN, O5, ELFP_P_ALIGN, 8),
    REASON(ETLSALIGN, O5, ELFP_P_ALIGN, 8),
    REASON(ERANGE, O5, ELFP_P_VADDR, 8),
    REASON(ERELRO, O7, ELFP_P_VADDR, 8),
    REASON(ERELRO, O7, ELFP_P_MEMSZ, 0),
    REASON(ENOTELIMIT, O8, ELFP_P_FILESZ, 8),
    REASON(ENOTE, O8, ELFP_P_OFFSET, 0),
    REASON(EPROPERTY, O8, ELFP_P_OFFSET, 0),
};

/* In the order of the bits ELFPARSE_TRAIT_*. */
static const struct reason trait_reasons[32] = {
    REASON(EOSABI, E4, ELFP_EI_OSABI, 1),
    REASON(EABIVERSION, E4, ELFP_EI_ABIVERSION, 1),
    REASON(EPADDING, E4, ELFP_EI_PAD, 1),
    REASON(EFLAGS, E6, ELFP_E_FLAGS, 4),
    REASON(EFIXED, E5, ELFP_E_TYPE, 2),
    REASON(ESEGFLAGS, L8, ELFP_P_FLAGS, 4),
    REASON(EUNREADABLE, L8, ELFP_P_FLAGS, 4),
    REASON(EZEROPERM, L10, ELFP_P_FLAGS, 4),
    REASON(EEMPTYLOAD, L13, ELFP_P_MEMSZ, 8),
    REASON(ENOENTRY, O1, ELFP_E_ENTRY, 8),
    REASON(EINTERP, O2, ELFP_P_FILESZ, 8),
    REASON(EINTERPORDER, O2, ELFP_P_TYPE, 0),
    REASON(EINTERPPATH, O2, ELFP_P_OFFSET, 0),
    REASON(ESTACK, O6, ELFP_P_FLAGS, 4),
};

/* a + b, or all ones where that does not fit. */
static ELFP_COLD uint64_t saturating_add(uint64_t a, uint64_t b)
{
    return b > UINT64_MAX - a ? UINT64_MAX : a + b;
}

static ELFP_COLD uint64_t field_value(const uint8_t *bytes, const struct reason *reason)
{
    uint64_t value = 0;
    uint32_t i;

    for (i = reason->size; i > 0; i--)
        value = value << 8 | bytes[reason->field + i - 1];
    return value;
}

/* Where the header lies in the file and in the scratch; no index: the Ehdr. */
static ELFP_COLD void begin_error(const struct elfp_judge *judge, const struct reason *reason,
                                  uint32_t index, struct elfparse_error *error)
{
    const uint8_t *bytes = judge->scratch;
    uint64_t base = 0;

    if (index != ELFPARSE_NO_INDEX) {
        bytes = elfp_table_entry(&judge->table, index);
        base = judge->table.phoff + (uint64_t)index * ELFPARSE_PHDR_SIZE;
    }
    error->code = reason->code;
    error->rule = reason->rule;
    error->phdr = index;
    error->phdr2 = ELFPARSE_NO_INDEX;
    error->offset = base + reason->field;
    error->expected = 0;
    error->found = field_value(bytes, reason);
}

/* Keeps the first violation, hands each to the caller who asked for them; not 0: stop. */
static ELFP_COLD int finish_error(struct elfp_judge *judge, const struct elfparse_error *error)
{
    if (judge->error.code == 0)
        judge->error = *error;
    if (judge->report == NULL)
        return 1;
    return judge->report(judge->report_ctx, error);
}

ELFP_COLD int elfp_raise_stop(struct elfp_judge *judge, int code, uint64_t offset,
                              uint64_t expected, uint64_t found)
{
    struct elfparse_error error = {code, ELFPARSE_RULE_NONE, ELFPARSE_NO_INDEX, ELFPARSE_NO_INDEX,
                                   offset, expected, found};

    if (code == ELFPARSE_ETRUNCATED)
        error.rule = ELFPARSE_RULE_E1;
    finish_error(judge, &error);
    return 1;
}

ELFP_COLD int elfp_raise_ehdr(struct elfp_judge *judge, uint32_t faults)
{
    for (; faults != 0; faults &= faults - 1) {
        uint32_t bit = (uint32_t)__builtin_ctz(faults);
        struct elfparse_error error;

        begin_error(judge, &ehdr_reasons[bit], ELFPARSE_NO_INDEX, &error);
        error.expected = ehdr_expected[bit];
        if (error.code == ELFPARSE_EPHNUM) {
            error.expected = judge->policy->max_phnum;
        } else if (error.code == ELFPARSE_EPHTABLE) {
            error.expected = judge->reader->size;
            error.found = saturating_add(elfp_le64(judge->scratch + ELFP_E_PHOFF),
                                         (uint64_t)elfp_le16(judge->scratch + ELFP_E_PHNUM) *
                                             ELFPARSE_PHDR_SIZE);
        }
        if (finish_error(judge, &error) != 0)
            return 1;
    }
    return 0;
}

/* What a segment was compared with. */
static ELFP_COLD void load_values(const struct elfp_judge *judge, uint32_t fault,
                        const struct elfp_phdr *phdr, struct elfparse_error *error)
{
    switch (fault) {
    case ELFP_LOAD_FILESZ:
    case ELFP_LOAD_WRAP:
        error->expected = phdr->memsz;
        break;
    case ELFP_LOAD_OFFSET:
        error->found = saturating_add(phdr->offset, phdr->filesz);
        error->expected = judge->bounds.file_size;
        break;
    case ELFP_LOAD_ALIGN_LIMIT:
        error->expected = judge->bounds.max_align;
        break;
    case ELFP_LOAD_CONGRUENT:
        error->expected = phdr->offset;
        break;
    case ELFP_LOAD_HIGH:
        error->found = phdr->vaddr + phdr->memsz;
        error->expected = judge->bounds.user_end;
        break;
    case ELFP_LOAD_ZEROPERM:
        error->expected = phdr->flags | ELFPARSE_PF_W;
        break;
    default:
        break;
    }
}

/* What all segments together were compared with. */
static ELFP_COLD void loads_values(const struct elfp_judge *judge, uint32_t fault,
                         struct elfparse_error *error)
{
    const struct elfparse_policy *policy = judge->policy;
    const struct elfp_loads *loads = &judge->loads;

    switch (fault) {
    case ELFP_LOAD_LOW:
        error->found = loads->start;
        error->expected = policy->user_min;
        break;
    case ELFP_LOAD_SPAN:
        error->found = loads->end;
        error->expected = loads->start + (policy->user_end - policy->user_min);
        break;
    case ELFP_LOAD_MEMORY:
        error->found = loads->memory;
        error->expected = policy->max_memory;
        break;
    default:
        error->found = loads->count;
        error->expected = policy->max_loads;
        break;
    }
}

/* L6, L7: the segment before it, which is to blame as much. */
static ELFP_COLD void load_neighbour(const struct elfp_judge *judge, uint32_t fault,
                           const struct elfp_phdr *phdr, struct elfparse_error *error)
{
    const struct elfp_loads *loads = &judge->loads;
    uint64_t vaddr = elfp_le64(loads->last + ELFP_P_VADDR);

    error->phdr2 = loads->last_index;
    if (fault == ELFP_LOAD_ORDER) {
        error->expected = vaddr;
    } else if (fault == ELFP_LOAD_OVERLAP) {
        error->expected = vaddr + elfp_le64(loads->last + ELFP_P_MEMSZ);
    } else {
        error->found = elfp_page_floor(phdr->vaddr);
        error->expected = loads->end;
    }
}

ELFP_COLD int elfp_raise_load(struct elfp_judge *judge, uint32_t faults,
                              const struct elfp_phdr *phdr, uint32_t index)
{
    for (; faults != 0; faults &= faults - 1) {
        uint32_t fault = faults & (0u - faults);
        struct elfparse_error error;

        begin_error(judge, &load_reasons[__builtin_ctz(faults)], index, &error);
        if ((fault & (ELFP_LOAD_ORDER | ELFP_LOAD_OVERLAP | ELFP_LOAD_SHARED)) != 0)
            load_neighbour(judge, fault, phdr, &error);
        else if (fault < ELFP_LOAD_LOW)
            load_values(judge, fault, phdr, &error);
        else
            loads_values(judge, fault, &error);
        if (finish_error(judge, &error) != 0)
            return 1;
    }
    return 0;
}

/* The rule that speaks of headers of this type. */
static ELFP_COLD uint32_t rule_of_type(uint32_t type)
{
    switch (type) {
    case ELFPARSE_PT_INTERP:
        return ELFPARSE_RULE_O2;
    case ELFPARSE_PT_PHDR:
        return ELFPARSE_RULE_O3;
    case ELFPARSE_PT_DYNAMIC:
        return ELFPARSE_RULE_O4;
    case ELFPARSE_PT_TLS:
        return ELFPARSE_RULE_O5;
    case ELFPARSE_PT_GNU_STACK:
        return ELFPARSE_RULE_O6;
    case ELFPARSE_PT_GNU_RELRO:
        return ELFPARSE_RULE_O7;
    default:
        return ELFPARSE_RULE_O8;
    }
}

/* What the faults that need no detail were compared with. */
static ELFP_COLD uint64_t other_expected(const struct elfp_judge *judge, uint32_t fault,
                               const uint8_t *header)
{
    const struct elfparse_policy *policy = judge->policy;

    switch (fault) {
    case ELFP_OTHER_INTERP_LOW:
        return 2;
    case ELFP_OTHER_INTERP_HIGH:
        return policy->max_interp;
    case ELFP_OTHER_PHDR_OFFSET:
        return judge->table.phoff;
    case ELFP_OTHER_PHDR_SIZE:
        return (uint64_t)judge->table.phnum * ELFPARSE_PHDR_SIZE;
    case ELFP_OTHER_DYN_SIZE:
        return 16;
    case ELFP_OTHER_TLS_FILESZ:
        return elfp_le64(header + ELFP_P_MEMSZ);
    case ELFP_OTHER_TLS_SIZE:
        return policy->max_tls_size;
    case ELFP_OTHER_TLS_LIMIT:
        return policy->max_tls_align;
    case ELFP_OTHER_TLS_RANGE:
        return policy->user_end;
    case ELFP_OTHER_NOTE_LIMIT:
        return policy->max_note_bytes;
    case ELFP_OTHER_BOUNDS:
        return judge->reader->size;
    default:
        return 0;
    }
}

ELFP_COLD int elfp_raise_other(struct elfp_judge *judge, uint32_t faults, uint32_t index,
                     const struct elfp_detail *detail)
{
    const uint8_t *header = elfp_table_entry(&judge->table, index);

    for (; faults != 0; faults &= faults - 1) {
        uint32_t fault = faults & (0u - faults);
        struct elfparse_error error;

        begin_error(judge, &other_reasons[__builtin_ctz(faults)], index, &error);
        if (error.rule == ELFPARSE_RULE_NONE)
            error.rule = rule_of_type(elfp_le32(header));
        error.expected = other_expected(judge, fault, header);
        if (fault == ELFP_OTHER_BOUNDS) {
            error.found = saturating_add(elfp_le64(header + ELFP_P_OFFSET),
                                         elfp_le64(header + ELFP_P_FILESZ));
        } else if (detail != NULL) {
            error.offset = detail->offset != 0 ? detail->offset : error.offset;
            error.expected = detail->expected;
            error.found = detail->found;
        }
        if (finish_error(judge, &error) != 0)
            return 1;
    }
    return 0;
}

ELFP_COLD int elfp_raise_duplicate(struct elfp_judge *judge, uint32_t index, uint32_t first)
{
    static const struct reason reason = REASON(EDUPLICATE, NONE, ELFP_P_TYPE, 4);
    struct elfparse_error error;

    begin_error(judge, &reason, index, &error);
    error.rule = rule_of_type((uint32_t)error.found);
    error.phdr2 = first;
    return finish_error(judge, &error);
}

ELFP_COLD int elfp_raise_traits(struct elfp_judge *judge, uint32_t traits, uint32_t index)
{
    uint32_t refused = traits & judge->policy->refuse;

    judge->plan->traits |= traits;
    for (; refused != 0; refused &= refused - 1) {
        struct elfparse_error error;

        begin_error(judge, &trait_reasons[__builtin_ctz(refused)], index, &error);
        if (error.code == ELFPARSE_EPADDING) {
            error.offset = elfp_ehdr_padding(judge->scratch);
            error.found = judge->scratch[error.offset];
        } else if (error.code == ELFPARSE_EZEROPERM) {
            error.expected = error.found | ELFPARSE_PF_W;
        }
        if (finish_error(judge, &error) != 0)
            return 1;
    }
    return 0;
}
