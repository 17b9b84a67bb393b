#include "judge.h"
#include "memory.h"

#if (ELFPARSE_MACHINES & (ELFP_MACHINES_NARROW | ELFP_MACHINES_BIG)) != 0

/* The scratch, to be written to. */
static uint8_t *front(const struct elfp_judge *judge)
{
    return judge->storage->scratch;
}

/* The fields behind e_version, in the order of the file (gABI, "ELF Header"). */
struct ehdr {
    uint64_t entry;
    uint64_t phoff;
    uint64_t shoff;
    uint32_t flags;
    uint16_t halves[6]; /* e_ehsize to e_shstrndx */
};

static void decode_ehdr(const uint8_t *from, uint32_t narrow, uint32_t big, struct ehdr *ehdr)
{
    const uint8_t *rest = from + (narrow ? 36 : ELFP_E_FLAGS);
    uint32_t i;

    from += ELFP_E_ENTRY;
    ehdr->entry = narrow ? elfp_get32(from, big) : elfp_get64(from, big);
    ehdr->phoff = narrow ? elfp_get32(from + 4, big) : elfp_get64(from + 8, big);
    ehdr->shoff = narrow ? elfp_get32(from + 8, big) : elfp_get64(from + 16, big);
    ehdr->flags = elfp_get32(rest, big);
    for (i = 0; i < 6; i++)
        ehdr->halves[i] = (uint16_t)elfp_get16(rest + 4 + 2 * i, big);
}

static void put16(uint8_t *p, uint32_t value)
{
    p[0] = (uint8_t)value;
    p[1] = (uint8_t)(value >> 8);
}

/* e_type and e_machine, e_version, and what follows. */
static void encode_ehdr(uint8_t *to, uint32_t big, const struct ehdr *ehdr)
{
    uint32_t i;

    put16(to + ELFP_E_TYPE, elfp_get16(to + ELFP_E_TYPE, big));
    put16(to + ELFP_E_MACHINE, elfp_get16(to + ELFP_E_MACHINE, big));
    elfp_put32(to + ELFP_E_VERSION, elfp_get32(to + ELFP_E_VERSION, big));
    elfp_put64(to + ELFP_E_ENTRY, ehdr->entry);
    elfp_put64(to + ELFP_E_PHOFF, ehdr->phoff);
    elfp_put64(to + ELFP_E_SHOFF, ehdr->shoff);
    elfp_put32(to + ELFP_E_FLAGS, ehdr->flags);
    for (i = 0; i < 6; i++)
        put16(to + ELFP_E_EHSIZE + 2 * i, ehdr->halves[i]);
}

ELFP_WARM int elfp_convert_ehdr(struct elfp_judge *judge)
{
    uint32_t narrow = (uint32_t)elfp_is_narrow(judge->plan);
    uint32_t big = (uint32_t)elfp_is_big(judge->plan);
    uint8_t *to = front(judge);
    struct ehdr ehdr;
    uint64_t phoff;
    size_t size;

    decode_ehdr(to, narrow, big, &ehdr);
    phoff = ehdr.phoff;
    size = (size_t)ehdr.halves[2] * elfp_phdr_size(judge->plan);
    judge->used = ELFPARSE_EHDR_SIZE;
    if (size <= judge->room - ELFPARSE_EHDR_SIZE && size <= judge->head &&
        phoff <= judge->head - size) {
        memmove(to + ELFPARSE_EHDR_SIZE, to + phoff, size);
        judge->used += size;
    }
    judge->head = 0;
    encode_ehdr(to, big, &ehdr);
    if (narrow) {
        if (judge->policy->user_min >= ELFP_ADDRESS32_END)
            return elfp_raise_stop(judge, ELFPARSE_EARGUMENT, 0, ELFP_ADDRESS32_END,
                                   judge->policy->user_min);
        if (judge->bounds.user_end > ELFP_ADDRESS32_END)
            judge->bounds.user_end = ELFP_ADDRESS32_END;
        if (judge->bounds.usual_end > ELFP_ADDRESS32_END)
            judge->bounds.usual_end = ELFP_ADDRESS32_END;
    }
    return 0;
}

/* Converts a program header of ELF32, which lies before the place that it goes to, or there. */
static inline void widen(const uint8_t *from, uint8_t *to, uint32_t big)
{
    uint32_t type = elfp_get32(from, big), offset = elfp_get32(from + 4, big);
    uint32_t vaddr = elfp_get32(from + 8, big), paddr = elfp_get32(from + 12, big);
    uint32_t filesz = elfp_get32(from + 16, big), memsz = elfp_get32(from + 20, big);
    uint32_t flags = elfp_get32(from + 24, big), align = elfp_get32(from + 28, big);

    elfp_put32(to + ELFP_P_TYPE, type);
    elfp_put32(to + ELFP_P_FLAGS, flags);
    elfp_put64(to + ELFP_P_OFFSET, offset);
    elfp_put64(to + ELFP_P_VADDR, vaddr);
    elfp_put64(to + ELFP_P_VADDR + 8, paddr);
    elfp_put64(to + ELFP_P_FILESZ, filesz);
    elfp_put64(to + ELFP_P_MEMSZ, memsz);
    elfp_put64(to + ELFP_P_ALIGN, align);
}

/* Swaps the bytes of one of ELF64, in place. */
static inline void swap(uint8_t *header)
{
    uint32_t at;

    elfp_put32(header + ELFP_P_TYPE, elfp_get32(header + ELFP_P_TYPE, 1));
    elfp_put32(header + ELFP_P_FLAGS, elfp_get32(header + ELFP_P_FLAGS, 1));
    for (at = ELFP_P_OFFSET; at < ELFPARSE_PHDR_SIZE; at += 8)
        elfp_put64(header + at, elfp_get64(header + at, 1));
}

/* From the last one on, since each takes more room than before. */
static inline void convert_headers(struct elfp_judge *judge, uint8_t *table)
{
    uint32_t big = (uint32_t)elfp_is_big(judge->plan), i;

    if (!elfp_is_narrow(judge->plan)) {
        for (i = 0; i < judge->plan->phnum; i++)
            swap(table + (size_t)i * ELFPARSE_PHDR_SIZE);
        return;
    }
    for (i = judge->plan->phnum; i-- > 0;)
        widen(table + (size_t)i * ELFPARSE_PHDR32_SIZE, table + (size_t)i * ELFPARSE_PHDR_SIZE,
              big);
}

ELFP_WARM int elfp_convert_table(struct elfp_judge *judge)
{
    uint8_t *table = front(judge) + ELFPARSE_EHDR_SIZE;
    size_t size = (size_t)judge->plan->phnum * ELFPARSE_PHDR_SIZE;
    size_t raw = (size_t)judge->plan->phnum * elfp_phdr_size(judge->plan);

    if (size > judge->room - ELFPARSE_EHDR_SIZE)
        return elfp_raise_stop(judge, ELFPARSE_ESCRATCH, 0, ELFPARSE_EHDR_SIZE + size + ELFP_VIEW,
                               judge->room + ELFP_VIEW);
    if (judge->used == ELFPARSE_EHDR_SIZE && elfp_fetch_append(judge, judge->phoff, raw) == NULL)
        return 1;
    convert_headers(judge, table);
    judge->used = ELFPARSE_EHDR_SIZE + size;
    judge->table = table;
    return 0;
}

void elfp_convert_view(const struct elfp_judge *judge, size_t size)
{
    uint8_t *word = front(judge) + judge->room;
    uint32_t i;

    for (i = 0; i < 3 && size >= 4; i++, size -= 4, word += 4)
        elfp_put32(word, elfp_get32(word, 1));
}

#endif
