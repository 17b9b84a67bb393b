#include "judge.h"

#if ELFP_CONVERTS

/* The scratch, to be written to. */
static uint8_t *front(const struct elfp_judge *judge)
{
    return judge->storage->scratch;
}

/*
 * Whatever converts is compiled once for each of the three forms: with narrow, 1 for ELF32, and
 * big, 1 for big-endian files, known.
 */
#define FORM ELFP_ALWAYS_INLINE

static void put16(uint8_t *p, uint32_t value)
{
    p[0] = (uint8_t)value;
    p[1] = (uint8_t)(value >> 8);
}

/*
 * The fields after e_version, in the order of the file (gABI, "ELF Header"). Nobody reads those of
 * sections.
 */
struct ehdr {
    uint64_t entry;
    uint64_t phoff;
    uint32_t flags;
    uint32_t ehsize;
    uint32_t phentsize;
    uint32_t phnum;
};

static FORM void decode_ehdr(const uint8_t *ehdr, uint32_t narrow, uint32_t big, struct ehdr *to)
{
    const uint8_t *at = ehdr + ELFP_E_ENTRY;

    to->entry = narrow ? elfp_get32(at, big) : elfp_get64(at, big);
    to->phoff = narrow ? elfp_get32(at + 4, big) : elfp_get64(at + 8, big);
    at = ehdr + (narrow ? 36 : ELFP_E_FLAGS);
    to->flags = elfp_get32(at, big);
    to->ehsize = elfp_get16(at + 4, big);
    to->phentsize = elfp_get16(at + 6, big);
    to->phnum = elfp_get16(at + 8, big);
}

static FORM void encode_ehdr(const struct ehdr *ehdr, uint32_t big, uint8_t *to)
{
    if (big) {
        put16(to + ELFP_E_TYPE, elfp_get16(to + ELFP_E_TYPE, 1));
        put16(to + ELFP_E_MACHINE, elfp_get16(to + ELFP_E_MACHINE, 1));
        elfp_put32(to + ELFP_E_VERSION, elfp_get32(to + ELFP_E_VERSION, 1));
    }
    elfp_put64(to + ELFP_E_ENTRY, ehdr->entry);
    elfp_put64(to + ELFP_E_PHOFF, ehdr->phoff);
    elfp_put32(to + ELFP_E_FLAGS, ehdr->flags);
    put16(to + ELFP_E_EHSIZE, ehdr->ehsize);
    put16(to + ELFP_E_PHENTSIZE, ehdr->phentsize);
    put16(to + ELFP_E_PHNUM, ehdr->phnum);
}

/*
 * Converts a program header of ELF32. Nobody looks at p_paddr.
 */
static FORM void widen(const uint8_t *from, uint8_t *to, uint32_t big)
{
    uint32_t type = elfp_get32(from, big), flags = elfp_get32(from + 24, big);
    uint64_t offset = elfp_get32(from + 4, big), vaddr = elfp_get32(from + 8, big);
    uint64_t filesz = elfp_get32(from + 16, big), memsz = elfp_get32(from + 20, big);
    uint64_t align = elfp_get32(from + 28, big);

    elfp_put32(to + ELFP_P_TYPE, type);
    elfp_put32(to + ELFP_P_FLAGS, flags);
    elfp_put64(to + ELFP_P_OFFSET, offset);
    elfp_put64(to + ELFP_P_VADDR, vaddr);
    elfp_put64(to + ELFP_P_FILESZ, filesz);
    elfp_put64(to + ELFP_P_MEMSZ, memsz);
    elfp_put64(to + ELFP_P_ALIGN, align);
}

/*
 * From the last one on, since each takes more room than before; from lies at to or just before it.
 */
static FORM void widen_all(const uint8_t *from, uint8_t *to, uint32_t count, uint32_t big)
{
    uint8_t *header = to + (size_t)count * ELFPARSE_PHDR_SIZE;

    from += (size_t)count * ELFPARSE_PHDR32_SIZE;
    while (header != to) {
        header -= ELFPARSE_PHDR_SIZE;
        from -= ELFPARSE_PHDR32_SIZE;
        widen(from, header, big);
    }
}

static ELFP_WARM void widen_little(const uint8_t *from, uint8_t *to, uint32_t count)
{
    widen_all(from, to, count, 0);
}

static ELFP_WARM void widen_big(const uint8_t *from, uint8_t *to, uint32_t count)
{
    widen_all(from, to, count, 1);
}

/* p_type and p_flags, which are neighbours; then the others of ELF64. */
static ELFP_WARM void swap_all(uint8_t *header, uint32_t count)
{
    const uint8_t *end = header + (size_t)count * ELFPARSE_PHDR_SIZE;

    for (; header != end; header += ELFPARSE_PHDR_SIZE) {
        uint64_t words = elfp_get64(header + ELFP_P_TYPE, 1);

        elfp_put64(header + ELFP_P_TYPE, words << 32 | words >> 32);
        elfp_put64(header + ELFP_P_OFFSET, elfp_get64(header + ELFP_P_OFFSET, 1));
        elfp_put64(header + ELFP_P_VADDR, elfp_get64(header + ELFP_P_VADDR, 1));
        elfp_put64(header + ELFP_P_FILESZ, elfp_get64(header + ELFP_P_FILESZ, 1));
        elfp_put64(header + ELFP_P_MEMSZ, elfp_get64(header + ELFP_P_MEMSZ, 1));
        elfp_put64(header + ELFP_P_ALIGN, elfp_get64(header + ELFP_P_ALIGN, 1));
    }
}

/* The count headers at from, at the place behind the Ehdr or just before it, go there. */
static FORM void convert_headers(const uint8_t *from, uint8_t *to, uint32_t count, uint32_t narrow,
                                 uint32_t big)
{
    if (!narrow)
        swap_all(to, count);
    else if (big)
        widen_big(from, to, count);
    else
        widen_little(from, to, count);
}

static FORM void convert_ehdr(struct elfp_judge *judge, uint32_t narrow, uint32_t big)
{
    uint8_t *to = front(judge);
    size_t raw, size;
    struct ehdr ehdr;

    decode_ehdr(to, narrow, big, &ehdr);
    raw = (size_t)ehdr.phnum * (narrow ? ELFPARSE_PHDR32_SIZE : ELFPARSE_PHDR_SIZE);
    size = (size_t)ehdr.phnum * ELFPARSE_PHDR_SIZE;
    judge->used = ELFPARSE_EHDR_SIZE;
    judge->rest_end = 0;
    /* First, since of ELF32 the table begins in what the Ehdr is going to be. */
    if (size <= judge->room - ELFPARSE_EHDR_SIZE && elfp_in_head(judge, ehdr.phoff, raw)) {
        const uint8_t *from = to + ehdr.phoff;

        to += ELFPARSE_EHDR_SIZE;
        if (ELFP_RARE(narrow ? from > to : from != to)) {
            memmove(to, from, raw);
            from = to;
        }
        convert_headers(from, to, ehdr.phnum, narrow, big);
        judge->rest = ELFPARSE_EHDR_SIZE + size;
        judge->rest_end = judge->head;
        judge->used = judge->rest > judge->head ? judge->rest : judge->head;
    }
    judge->head = 0;
    encode_ehdr(&ehdr, big, front(judge));
}

/* The addresses of ELF32 are below 4 GiB. */
static int limit_addresses(struct elfp_judge *judge)
{
    if (judge->policy->user_min >= ELFP_ADDRESS32_END)
        return elfp_raise_stop(judge, ELFPARSE_EARGUMENT, 0, ELFP_ADDRESS32_END,
                               judge->policy->user_min);
    if (judge->bounds.user_end > ELFP_ADDRESS32_END)
        judge->bounds.user_end = ELFP_ADDRESS32_END;
    if (judge->bounds.usual_end > ELFP_ADDRESS32_END)
        judge->bounds.usual_end = ELFP_ADDRESS32_END;
    return 0;
}

ELFP_WARM int elfp_convert_ehdr(struct elfp_judge *judge)
{
    if (!elfp_is_narrow(judge->plan)) {
        convert_ehdr(judge, 0, 1);
        return 0;
    }
    if (elfp_is_big(judge->plan))
        convert_ehdr(judge, 1, 1);
    else
        convert_ehdr(judge, 1, 0);
    return limit_addresses(judge);
}

ELFP_COLD int elfp_convert_table(struct elfp_judge *judge)
{
    const struct elfparse_plan *plan = judge->plan;
    size_t size = (size_t)plan->phnum * ELFPARSE_PHDR_SIZE;
    uint8_t *table;

    if (size > judge->room - ELFPARSE_EHDR_SIZE)
        return elfp_raise_stop(judge, ELFPARSE_ESCRATCH, 0, ELFPARSE_EHDR_SIZE + size + ELFP_VIEW,
                               judge->room + ELFP_VIEW);
    table = elfp_fetch_append(judge, judge->phoff, (size_t)plan->phnum * elfp_phdr_size(plan));
    if (table == NULL)
        return 1;
    convert_headers(table, table, plan->phnum, (uint32_t)elfp_is_narrow(plan),
                    (uint32_t)elfp_is_big(plan));
    judge->used = ELFPARSE_EHDR_SIZE + size;
    return 0;
}

#endif
