#include "judge.h"

/* Where the values of an error come from, if not from the field that is to blame. */
enum source {
    CONSTANT, /* expected: the argument */
    LIMIT32,  /* expected: the policy's field at that byte offset */
    LIMIT64,
    FIELD,         /* expected: the header's 8 bytes at that byte offset */
    PATTERN,       /* expected: the magic number */
    TARGET,        /* expected: of the file's machine or an accepted one; 0: the number, 1: class */
    BY_CLASS,      /* expected: the argument's low byte, of ELF32 its high byte */
    USER_END,      /* expected: the user range's end */
    WRITABLE,      /* expected: the flags, with PF_W */
    PADDING,       /* offset, found: the padding's first byte that is not 0 */
    FILE_END,      /* expected: the file's size; found: end of the 8 bytes at FIELD and p_filesz */
    TABLE_END,     /* the same of the program header table */
    TABLE_ADDRESS, /* expected: where a segment maps the program headers */
    SEGMENT_END,   /* expected: the user range's end; found */
    BEFORE,        /* phdr2: the segment before; expected: its p_vaddr */
    BEFORE_END,    /* its end in memory */
    BEFORE_PAGE,   /* expected: the end of its last page; found: the page */
    TWIN,          /* phdr2: the first header of the kind */
    TOTAL_START,   /* found: the first page; expected: the user range's start */
    TOTAL_SPAN,    /* found: the end of the last page; expected: where it would fit */
    TOTAL_MEMORY,  /* found; expected: the limit */
    TOTAL_LOADS,   /* found; expected: the limit */
    DETAIL         /* what the check says */
};

/* How a fault or a trait is reported. */
struct reason {
    int8_t code;
    uint8_t rule;  /* NONE: that of the header's type */
    uint8_t field; /* byte offset in the header of the field to blame */
    uint8_t size;  /* its bytes, which are found; 0: none */
    uint16_t source;
    uint16_t argument;
};

#define REASON(code, rule, field, size, source, argument)                                          \
    {(int8_t)ELFPARSE_##code, ELFPARSE_RULE_##rule, field, size, source, argument}
#define LIMIT(name) offsetof(struct elfparse_policy, name)

/* Each family has an entry for every bit there is, so that no bit can lead outside. */
static const struct reason reasons[][32] =
    {
        [ELFP_OF_EHDR] =
            {
                REASON(EMAGIC, E1, 0, 4, PATTERN, 0),
                REASON(ECLASS, E2, ELFP_EI_CLASS, 1, TARGET, 1),
                REASON(EDATA, E2, ELFP_EI_DATA, 1, TARGET, 2),
                REASON(EVERSION, E3, ELFP_EI_VERSION, 1, CONSTANT, 1),
                REASON(EVERSION, E3, ELFP_E_VERSION, 4, CONSTANT, 1),
                REASON(ETYPE, E5, ELFP_E_TYPE, 2, CONSTANT, ELFPARSE_ET_DYN),
                REASON(EOBJECT, E5, ELFP_E_TYPE, 2, CONSTANT, ELFPARSE_ET_DYN),
                REASON(ECORE, E5, ELFP_E_TYPE, 2, CONSTANT, ELFPARSE_ET_DYN),
                REASON(EMACHINE, E6, ELFP_E_MACHINE, 2, TARGET, 0),
                REASON(EEHSIZE, E7, ELFP_E_EHSIZE, 2, BY_CLASS,
                       ELFPARSE_EHDR_SIZE | ELFPARSE_EHDR32_SIZE << 8),
                REASON(EPHENTSIZE, E7, ELFP_E_PHENTSIZE, 2, BY_CLASS,
                       ELFPARSE_PHDR_SIZE | ELFPARSE_PHDR32_SIZE << 8),
                REASON(ENOPHDR, E8, ELFP_E_PHNUM, 2, CONSTANT, 1),
                REASON(EXNUM, E8, ELFP_E_PHNUM, 2, CONSTANT, 0xfffe),
                REASON(EPHNUM, E8, ELFP_E_PHNUM, 2, LIMIT32, LIMIT(max_phnum)),
                REASON(EPHOFF, E9, ELFP_E_PHOFF, 8, BY_CLASS,
                       ELFPARSE_EHDR_SIZE | ELFPARSE_EHDR32_SIZE << 8),
                REASON(EPHOFF, E9, ELFP_E_PHOFF, 8, BY_CLASS, 8 | 4 << 8),
                REASON(EPHTABLE, E9, ELFP_E_PHOFF, 8, TABLE_END, 0),
                REASON(ENOLOAD, L1, ELFP_E_PHNUM, 2, CONSTANT, 0),
                REASON(EENTRY, O1, ELFP_E_ENTRY, 8, CONSTANT, 0),
            },
        [ELFP_OF_LOAD] =
            {
                REASON(EFILESZ, L2, ELFP_P_FILESZ, 8, FIELD, ELFP_P_MEMSZ),
                REASON(EOFFSET, L3, ELFP_P_OFFSET, 8, FILE_END, 0),
                REASON(EWRAP, L4, ELFP_P_VADDR, 8, FIELD, ELFP_P_MEMSZ),
                REASON(EALIGN, L5, ELFP_P_ALIGN, 8, CONSTANT, 0),
                REASON(EALIGNLIMIT, L5, ELFP_P_ALIGN, 8, LIMIT64, LIMIT(max_align)),
                REASON(ECONGRUENT, L5, ELFP_P_VADDR, 8, FIELD, ELFP_P_OFFSET),
                REASON(EORDER, L6, ELFP_P_VADDR, 8, BEFORE, 0),
                REASON(EOVERLAP, L6, ELFP_P_VADDR, 8, BEFORE_END, 0),
                REASON(ESHAREDPAGE, L7, ELFP_P_VADDR, 8, BEFORE_PAGE, 0),
                REASON(EWX, L8, ELFP_P_FLAGS, 4, CONSTANT, 0),
                REASON(ESEGFLAGS, L8, ELFP_P_FLAGS, 4, CONSTANT, 0),
                REASON(ERANGE, L9, ELFP_P_VADDR, 8, SEGMENT_END, 0),
                REASON(EZEROPERM, L10, ELFP_P_FLAGS, 4, WRITABLE, 0),
                REASON(ERANGE, L9, ELFP_P_VADDR, 0, TOTAL_START, 0),
                REASON(ERANGE, L9, ELFP_P_VADDR, 0, TOTAL_SPAN, 0),
                REASON(EMEMORY, L11, ELFP_P_MEMSZ, 0, TOTAL_MEMORY, 0),
                REASON(ELOADLIMIT, NONE, ELFP_P_TYPE, 0, TOTAL_LOADS, 0),
                REASON(EDUPLICATE, NONE, ELFP_P_TYPE, 4, TWIN, 0),
                REASON(ERANGE, L13, ELFP_P_VADDR, 8, USER_END, 0),
            },
        [ELFP_OF_OTHER] =
            {
                REASON(EBOUNDS, NONE, ELFP_P_OFFSET, 8, FILE_END, 0),
                REASON(EINTERPSIZE, O2, ELFP_P_FILESZ, 8, CONSTANT, 2),
                REASON(EINTERPSIZE, O2, ELFP_P_FILESZ, 8, LIMIT32, LIMIT(max_interp)),
                REASON(EINTERPNUL, O2, ELFP_P_OFFSET, 0, DETAIL, 0),
                REASON(EPHDR, O3, ELFP_P_VADDR, 8, TABLE_ADDRESS, 0),
                REASON(EOUTSIDE, NONE, ELFP_P_VADDR, 8, CONSTANT, 0),
                REASON(EDYNEND, O4, ELFP_P_OFFSET, 0, DETAIL, 0),
                REASON(ETLSFILESZ, O5, ELFP_P_FILESZ, 8, FIELD, ELFP_P_MEMSZ),
                REASON(ETLSSIZE, O5, ELFP_P_MEMSZ, 8, LIMIT64, LIMIT(max_tls_size)),
                REASON(ETLSALIGN, O5, ELFP_P_ALIGN, 8, CONSTANT, 0),
                REASON(ETLSLIMIT, O5, ELFP_P_ALIGN, 8, LIMIT64, LIMIT(max_tls_align)),
                REASON(ERANGE, O5, ELFP_P_VADDR, 8, USER_END, 0),
                REASON(ERELRO, O7, ELFP_P_VADDR, 8, DETAIL, 0),
                REASON(ERELRO, O7, ELFP_P_MEMSZ, 0, DETAIL, 0),
                REASON(ENOTELIMIT, O8, ELFP_P_FILESZ, 8, LIMIT64, LIMIT(max_note_bytes)),
                REASON(ENOTE, O8, ELFP_P_OFFSET, 0, DETAIL, 0),
                REASON(EPROPERTY, O8, ELFP_P_OFFSET, 0, DETAIL, 0),
            },
        [ELFP_OF_TRAITS] =
            {
                REASON(EOSABI, E4, ELFP_EI_OSABI, 1, CONSTANT, 0),
                REASON(EABIVERSION, E4, ELFP_EI_ABIVERSION, 1, CONSTANT, 0),
                REASON(EPADDING, E4, ELFP_EI_PAD, 1, PADDING, 0),
                REASON(EFLAGS, E6, ELFP_E_FLAGS, 4, CONSTANT, 0),
                REASON(EFIXED, E5, ELFP_E_TYPE, 2, CONSTANT, 0),
                REASON(ESEGFLAGS, L8, ELFP_P_FLAGS, 4, CONSTANT, 0),
                REASON(EUNREADABLE, L8, ELFP_P_FLAGS, 4, CONSTANT, 0),
                REASON(EZEROPERM, L10, ELFP_P_FLAGS, 4, WRITABLE, 0),
                REASON(EEMPTYLOAD, L13, ELFP_P_MEMSZ, 8, CONSTANT, 0),
                REASON(ENOENTRY, O1, ELFP_E_ENTRY, 8, CONSTANT, 0),
                REASON(EINTERP, O2, ELFP_P_FILESZ, 8, CONSTANT, 0),
                REASON(EINTERPORDER, O2, ELFP_P_TYPE, 0, CONSTANT, 0),
                REASON(EINTERPPATH, O2, ELFP_P_OFFSET, 0, CONSTANT, 0),
                REASON(ESTACK, O6, ELFP_P_FLAGS, 4, CONSTANT, 0),
            },
};

/* The rule that speaks of the headers of a slot. */
static const uint8_t rule_of_slot[ELFP_SLOTS + 1] = {
    [ELFP_DYNAMIC] = ELFPARSE_RULE_O4, [ELFP_INTERP] = ELFPARSE_RULE_O2,
    [ELFP_NOTE] = ELFPARSE_RULE_O8,    [ELFP_PHDR] = ELFPARSE_RULE_O3,
    [ELFP_TLS] = ELFPARSE_RULE_O5,     [ELFP_STACK] = ELFPARSE_RULE_O6,
    [ELFP_RELRO] = ELFPARSE_RULE_O7,   [ELFP_PROPERTY] = ELFPARSE_RULE_O8,
};

/* a + b, or all ones where that does not fit. */
static uint64_t saturating_add(uint64_t a, uint64_t b)
{
    return b > UINT64_MAX - a ? UINT64_MAX : a + b;
}

static uint32_t index_of(const struct elfp_judge *judge, const uint8_t *header)
{
    return (uint32_t)((size_t)(header - judge->table) / ELFPARSE_PHDR_SIZE);
}

static uint64_t expected_target(const struct elfp_judge *judge, uint32_t which)
{
    const uint8_t *ehdr = elfp_scratch(judge);
    /* Nothing is converted before the class and byte order are known to be accepted. */
    uint32_t big = which != 0 && ehdr[ELFP_EI_DATA] == ELFPARSE_DATAMSB;
    struct elfp_target target =
        elfp_target_expected(ehdr, elfp_get16(ehdr + ELFP_E_MACHINE, big), judge->policy->machines);

    return which == 0 ? target.machine : which == 1 ? target.elf_class : target.data;
}

/* What the check compared the field with. */
static uint64_t expected_of(const struct elfp_judge *judge, const struct reason *reason,
                            const uint8_t *bytes, uint64_t found)
{
    const struct elfparse_policy *policy = judge->policy;
    const struct elfparse_plan *plan = judge->plan;
    const char *limit = (const char *)policy + reason->argument;

    switch (reason->source) {
    case LIMIT32:
        return *(const uint32_t *)(const void *)limit;
    case LIMIT64:
        return *(const uint64_t *)(const void *)limit;
    case FIELD:
        return elfp_le64(bytes + reason->argument);
    case PATTERN:
        return ELFP_MAGIC;
    case TARGET:
        return expected_target(judge, reason->argument);
    case BY_CLASS:
        return reason->argument >> (elfp_is_narrow(plan) ? 8 : 0) & 0xff;
    case WRITABLE:
        return found | ELFPARSE_PF_W;
    case FILE_END:
    case TABLE_END:
        return judge->reader->size;
    case TABLE_ADDRESS:
        return plan->phdr_vaddr;
    case SEGMENT_END:
    case USER_END:
        return judge->bounds.user_end;
    case BEFORE:
        return elfp_le64(judge->last + ELFP_P_VADDR);
    case BEFORE_END:
        return elfp_le64(judge->last + ELFP_P_VADDR) + elfp_le64(judge->last + ELFP_P_MEMSZ);
    case BEFORE_PAGE:
        return plan->end;
    case TOTAL_START:
        return policy->user_min;
    case TOTAL_SPAN:
        return plan->start + (judge->bounds.user_end - policy->user_min);
    case TOTAL_MEMORY:
        return policy->max_memory;
    case TOTAL_LOADS:
        return policy->max_loads;
    default:
        return reason->argument;
    }
}

/* What is to be said besides the field's value, which is in error->found. */
static void add_found(const struct elfp_judge *judge, enum source source, const uint8_t *bytes,
                      struct elfparse_error *error)
{
    const struct elfparse_plan *plan = judge->plan;
    uint64_t table = (uint64_t)elfp_le16(elfp_scratch(judge) + ELFP_E_PHNUM) * elfp_phdr_size(plan);

    switch (source) {
    case PADDING:
        error->offset = elfp_ehdr_padding(bytes);
        error->found = bytes[error->offset];
        break;
    case FILE_END:
        error->found = saturating_add(error->found, elfp_le64(bytes + ELFP_P_FILESZ));
        break;
    case TABLE_END:
        error->found = saturating_add(error->found, table);
        break;
    case SEGMENT_END:
        error->found += elfp_le64(bytes + ELFP_P_MEMSZ);
        break;
    case BEFORE_PAGE:
        error->found = elfp_page_floor(error->found, ELFP_PAGE(&judge->bounds));
        error->phdr2 = index_of(judge, judge->last);
        break;
    case BEFORE:
    case BEFORE_END:
        error->phdr2 = index_of(judge, judge->last);
        break;
    case TWIN:
        error->phdr2 = index_of(judge, judge->place[elfp_slot(elfp_le32(bytes))]);
        break;
    case TOTAL_START:
        error->found = plan->start;
        break;
    case TOTAL_SPAN:
        error->found = plan->end;
        break;
    case TOTAL_MEMORY:
        error->found = plan->memory;
        break;
    case TOTAL_LOADS:
        error->found = plan->load_count;
        break;
    default:
        break;
    }
}

/* Keeps the first violation, hands each to the caller who asked for them; not 0: stop. */
static ELFP_COLD int finish_error(struct elfp_judge *judge, const struct elfparse_error *error)
{
    if (judge->error.code == 0)
        judge->error = *error;
    return judge->listener == NULL || judge->listener->report(judge->listener->ctx, error) != 0;
}

/* Byte offset in the file's Ehdr or program header of a field that is there in a converted one. */
static uint32_t offset_of(const struct elfp_judge *judge, const uint8_t *header, uint32_t field)
{
    if (!elfp_is_narrow(judge->plan))
        return field;
    if (header != NULL)
        return field == ELFP_P_FLAGS ? 24 : field == ELFP_P_ALIGN ? 28 : field / 2;
    if (field <= ELFP_E_ENTRY)
        return field;
    return field <= ELFP_E_FLAGS ? field / 2 + 12 : field - 12;
}

static int raise_one(struct elfp_judge *judge, const struct reason *reason, const uint8_t *header,
                     const struct elfp_detail *detail)
{
    const uint8_t *bytes = elfp_scratch(judge);
    struct elfparse_error error = {
        reason->code, reason->rule, ELFPARSE_NO_INDEX, ELFPARSE_NO_INDEX, 0, 0, 0};
    uint32_t i;

    error.offset = offset_of(judge, header, reason->field);
    if (header != NULL) {
        bytes = header;
        error.phdr = index_of(judge, header);
        error.offset += judge->phoff + (uint64_t)error.phdr * elfp_phdr_size(judge->plan);
        if (error.rule == ELFPARSE_RULE_NONE)
            error.rule = rule_of_slot[elfp_slot(elfp_le32(header))];
    }
    for (i = reason->size; i > 0; i--)
        error.found = error.found << 8 | bytes[reason->field + i - 1];
    error.expected = expected_of(judge, reason, bytes, error.found);
    add_found(judge, (enum source)reason->source, bytes, &error);
    if (reason->source == DETAIL) {
        error.offset = detail->offset != 0 ? detail->offset : error.offset;
        error.expected = detail->expected;
        error.found = detail->found;
    }
    return finish_error(judge, &error);
}

ELFP_COLD int elfp_raise(struct elfp_judge *judge, enum elfp_family family, uint32_t faults,
                         const uint8_t *header, const struct elfp_detail *detail)
{
    for (; faults != 0; faults &= faults - 1) {
        if (raise_one(judge, &reasons[family][__builtin_ctz(faults)], header, detail) != 0)
            return 1;
    }
    return 0;
}

ELFP_COLD int elfp_raise_traits(struct elfp_judge *judge, uint32_t traits, const uint8_t *header)
{
    judge->plan->traits |= traits;
    return elfp_raise(judge, ELFP_OF_TRAITS, traits & judge->policy->refuse, header, NULL);
}

ELFP_COLD int elfp_raise_stop(struct elfp_judge *judge, int code, uint64_t offset,
                              uint64_t expected, uint64_t found)
{
    struct elfparse_error error = {
        code, ELFPARSE_RULE_NONE, ELFPARSE_NO_INDEX, ELFPARSE_NO_INDEX, offset, expected, found};

    if (code == ELFPARSE_ETRUNCATED)
        error.rule = ELFPARSE_RULE_E1;
    (void)finish_error(judge, &error);
    return 1;
}
