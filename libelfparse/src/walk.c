#include "judge.h"

/* A place for the next range; beyond the storage's capacity one that nobody looks at. */
static inline struct elfparse_range *next_range(struct elfp_judge *judge)
{
    uint32_t n = judge->plan->range_count++;

    return ELFP_RARE(n >= judge->storage->range_capacity) ? &judge->spill
                                                          : &judge->storage->ranges[n];
}

/* The ranges of one segment have these in common. */
struct mapping {
    struct elfp_judge *judge;
    uint64_t delta; /* address less file offset */
    uint32_t prot;
    uint16_t segment;
};

/* L12: size bytes at vaddr, the first file_bytes of them those of the file. */
static inline void put_range(const struct mapping *mapping, enum elfparse_range_kind kind,
                             uint64_t vaddr, uint64_t size, uint64_t file_bytes)
{
    struct elfparse_range *range = next_range(mapping->judge);

    range->vaddr = vaddr;
    range->size = size;
    range->offset = kind == ELFPARSE_RANGE_ZERO ? 0 : vaddr - mapping->delta;
    range->file_bytes = file_bytes;
    range->prot = mapping->prot;
    range->segment = mapping->segment;
    range->kind = (uint16_t)kind;
}

/* Whole pages, the last one cut short only by the end of the file. */
static inline void put_whole(const struct mapping *mapping, uint64_t first, uint64_t end)
{
    uint64_t left = mapping->judge->reader->size - (first - mapping->delta);
    uint64_t size = end - first;

    if (ELFP_RARE(end <= first))
        return; /* all in the page that it shares with the segment before it */
    put_range(mapping, ELFPARSE_RANGE_FILE, first, size, size < left ? size : left);
}

/*
 * A segment that goes on with zeros after its file bytes, which end at file_end: the whole pages of
 * the file, the page of the split, and what holds no byte of the file.
 */
static inline void put_split(const struct mapping *mapping, uint64_t first, uint64_t file_end,
                             uint64_t end)
{
    uint64_t split = elfp_page_floor(file_end);

    if (split > first)
        put_range(mapping, ELFPARSE_RANGE_FILE, first, split - first, split - first);
    if (file_end != split) {
        put_range(mapping, ELFPARSE_RANGE_SPLIT, split, ELFPARSE_PAGE_SIZE, file_end - split);
        split += ELFPARSE_PAGE_SIZE;
    }
    if (end > split)
        put_range(mapping, ELFPARSE_RANGE_ZERO, split, end - split, 0);
}

/* What nearly every segment passes at once; elfp_judge_load looks closely at those that do not. */
static inline int is_ordinary(const struct elfp_judge *judge, const struct elfp_phdr *phdr)
{
    uint64_t end = phdr->vaddr + phdr->memsz;

    return phdr->align == judge->usual_align &&
           ((phdr->vaddr - phdr->offset) & (ELFPARSE_PAGE_SIZE - 1)) == 0 &&
           phdr->flags - ELFPARSE_PF_R <= ELFPARSE_PF_W &&
           phdr->offset <= judge->reader->size &&
           phdr->filesz <= judge->reader->size - phdr->offset && end >= phdr->vaddr &&
           end <= judge->policy->user_end && elfp_page_floor(phdr->vaddr) >= judge->plan->end &&
           phdr->filesz != 0 &&
           (phdr->memsz == phdr->filesz ||
            (phdr->memsz > phdr->filesz && phdr->flags == (ELFPARSE_PF_R | ELFPARSE_PF_W)));
}

/* Takes in a segment without faults, from its page first on. */
static inline void take_load(struct elfp_judge *judge, const struct elfp_phdr *phdr,
                             const uint8_t *header, uint32_t index, uint64_t first)
{
    struct elfparse_plan *plan = judge->plan;
    uint64_t end = elfp_page_ceil(phdr->vaddr + phdr->memsz);
    struct mapping mapping = {judge, phdr->vaddr - phdr->offset, phdr->flags & 7u,
                              (uint16_t)index};

    if (phdr->filesz == phdr->memsz)
        put_whole(&mapping, first, end);
    else
        put_split(&mapping, first, phdr->filesz != 0 ? phdr->vaddr + phdr->filesz : first, end);
    if (plan->load_count++ == 0) {
        plan->start = first;
        judge->first = header;
    }
    judge->last = header;
    plan->end = end;
    plan->memory += phdr->memsz;
    if ((phdr->flags & ELFPARSE_PF_X) != 0 && plan->entry - phdr->vaddr < phdr->filesz)
        judge->entry_found = 1;
}

/* One PT_LOAD; the page before its first may be one that it shares, which is mapped already. */
static inline int walk_load(struct elfp_judge *judge, const uint8_t *header, uint32_t index)
{
    struct elfp_phdr phdr;
    uint64_t first;

    elfp_phdr_decode(header, &phdr);
    first = elfp_page_floor(phdr.vaddr);
    if (ELFP_RARE(!is_ordinary(judge, &phdr))) {
        enum elfp_verdict verdict = elfp_judge_load(judge, header);

        if (verdict != ELFP_TAKE)
            return verdict == ELFP_STOP;
        if (first < judge->plan->end)
            first = judge->plan->end;
    }
    take_load(judge, &phdr, header, index, first);
    return 0;
}

/* A second header of a slot. */
static ELFP_COLD int walk_again(struct elfp_judge *judge, const uint8_t *header, uint32_t slot)
{
    if ((ELFP_ONCE >> slot & 1u) != 0)
        return elfp_raise(judge, ELFP_OF_LOAD, ELFP_LOAD_DUPLICATE, header, NULL);
    if (slot == ELFP_NOTE)
        judge->last_note = header;
    return 0;
}

/* Remembers where a header is that is judged once all segments are known (O9: the rest is skipped).
 */
static inline int walk_other(struct elfp_judge *judge, const uint8_t *header, uint32_t type)
{
    uint32_t slot = elfp_slot(type);

    if (ELFP_RARE(slot == ELFP_SLOTS))
        return 0;
    if (ELFP_RARE((judge->seen >> slot & 1u) != 0))
        return walk_again(judge, header, slot);
    judge->seen |= 1u << slot;
    judge->place[slot] = header;
    return 0;
}

int elfp_judge_headers(struct elfp_judge *judge)
{
    const uint8_t *header = judge->table;
    uint32_t phnum = judge->plan->phnum;
    uint32_t contents = judge->policy->contents;
    uint32_t i;

    for (i = 0; i < phnum; i++, header += ELFPARSE_PHDR_SIZE) {
        uint32_t type = elfp_le32(header);

        if (type == ELFPARSE_PT_LOAD) {
            if (ELFP_RARE(walk_load(judge, header, i) != 0))
                return 1;
        } else if (contents != 0) {
            if (ELFP_RARE(walk_other(judge, header, type) != 0))
                return 1;
        }
    }
    return 0;
}
