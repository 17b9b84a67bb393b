#include "judge.h"

/* Counts a range that the storage has no room for, and says where nobody looks at it. */
static ELFP_COLD struct elfparse_range *spill_range(struct elfp_judge *judge)
{
    judge->spilled++;
    return &judge->spill;
}

/* A segment on its way into the plan: from page first on, which lies at offset in the file. */
struct mapping {
    uint64_t first;
    uint64_t end; /* the end of its last page */
    uint64_t offset;
    uint32_t prot;
    uint32_t segment;
};

/* L12: size bytes at vaddr, the first file_bytes of them those of the file. */
static inline void put_range(struct elfp_judge *judge, const struct mapping *mapping,
                             enum elfparse_range_kind kind, uint64_t vaddr, uint64_t size,
                             uint64_t offset, uint64_t file_bytes)
{
    struct elfparse_range *range = judge->next;

    if (ELFP_RARE(range == judge->limit))
        range = spill_range(judge);
    else
        judge->next = range + 1;
    range->vaddr = vaddr;
    range->size = size;
    range->offset = offset;
    range->file_bytes = file_bytes;
    range->prot = mapping->prot;
    range->segment = (uint16_t)mapping->segment;
    range->kind = (uint16_t)kind;
}

/* Whole pages, the last one cut short only by the end of the file. */
static inline void put_whole(struct elfp_judge *judge, const struct mapping *mapping)
{
    uint64_t size = mapping->end - mapping->first;
    uint64_t left = judge->file_size - mapping->offset;

    put_range(judge, mapping, ELFPARSE_RANGE_FILE, mapping->first, size, mapping->offset,
              size < left ? size : left);
}

/*
 * Zeros after the file bytes, which end at file_end: the whole pages of the file, the page of the
 * split, and what holds no byte of the file.
 */
static inline void put_split(struct elfp_judge *judge, const struct mapping *mapping,
                             uint64_t file_end)
{
    uint64_t split = elfp_page_floor(file_end);
    uint64_t whole = split - mapping->first;

    if (whole != 0)
        put_range(judge, mapping, ELFPARSE_RANGE_FILE, mapping->first, whole, mapping->offset,
                  whole);
    if (file_end != split) {
        put_range(judge, mapping, ELFPARSE_RANGE_SPLIT, split, ELFPARSE_PAGE_SIZE,
                  mapping->offset + whole, file_end - split);
        split += ELFPARSE_PAGE_SIZE;
    }
    if (mapping->end != split)
        put_range(judge, mapping, ELFPARSE_RANGE_ZERO, split, mapping->end - split, 0, 0);
}

/* What the plan says of all segments together. */
static inline void add_up(struct elfp_judge *judge, const struct elfp_phdr *phdr,
                          const uint8_t *header, const struct mapping *mapping)
{
    struct elfparse_plan *plan = judge->plan;

    if (ELFP_RARE(plan->end == 0)) {
        plan->start = mapping->first;
        judge->first = header;
    }
    judge->last = header;
    plan->end = mapping->end;
    plan->memory += phdr->memsz;
    plan->load_count++;
    if ((phdr->flags & ELFPARSE_PF_X) != 0 && plan->entry - phdr->vaddr < phdr->filesz)
        judge->entry_found = 1;
}

/* Any segment; the page before its first may be one that it shares, which is mapped already. */
static ELFP_COLD int walk_unusual(struct elfp_judge *judge, const uint8_t *header, uint32_t index)
{
    uint64_t last_end = judge->plan->end;
    struct mapping mapping;
    struct elfp_phdr phdr;
    enum elfp_verdict verdict = elfp_judge_load(judge, header);

    if (verdict != ELFP_TAKE)
        return verdict == ELFP_STOP;
    elfp_phdr_decode(header, &phdr);
    mapping.first = elfp_page_floor(phdr.vaddr);
    if (mapping.first < last_end)
        mapping.first = last_end;
    mapping.end = elfp_page_ceil(phdr.vaddr + phdr.memsz);
    mapping.offset = mapping.first - (phdr.vaddr - phdr.offset);
    mapping.prot = phdr.flags & 7u;
    mapping.segment = index;
    if (phdr.filesz != phdr.memsz)
        put_split(judge, &mapping, phdr.filesz != 0 ? phdr.vaddr + phdr.filesz : mapping.first);
    else if (mapping.end > mapping.first)
        put_whole(judge, &mapping);
    add_up(judge, &phdr, header, &mapping);
    return 0;
}

/* What nearly every segment passes at once, whether it goes on with zeros or not. */
static inline int is_usual(const struct elfp_judge *judge, const struct elfp_phdr *phdr)
{
    uint64_t all = phdr->vaddr | phdr->memsz | phdr->offset | phdr->filesz;

    /* Without the highest bit no sum of two wraps. */
    return all >> 63 == 0 && phdr->vaddr + phdr->memsz <= judge->user_end &&
           phdr->offset + phdr->filesz <= judge->file_size && phdr->align == judge->usual_align &&
           ((phdr->vaddr ^ phdr->offset) & (ELFPARSE_PAGE_SIZE - 1)) == 0 && phdr->filesz != 0 &&
           elfp_page_floor(phdr->vaddr) >= judge->plan->end;
}

static inline int walk_load(struct elfp_judge *judge, const uint8_t *header, uint32_t index)
{
    struct mapping mapping;
    struct elfp_phdr phdr;

    elfp_phdr_decode(header, &phdr);
    if (ELFP_RARE(!is_usual(judge, &phdr)))
        return walk_unusual(judge, header, index);
    mapping.first = elfp_page_floor(phdr.vaddr);
    mapping.end = elfp_page_ceil(phdr.vaddr + phdr.memsz);
    mapping.offset = elfp_page_floor(phdr.offset);
    mapping.prot = phdr.flags;
    mapping.segment = index;
    if (phdr.memsz == phdr.filesz) {
        if (ELFP_RARE(phdr.flags - ELFPARSE_PF_R > ELFPARSE_PF_W))
            return walk_unusual(judge, header, index);
        put_whole(judge, &mapping);
    } else {
        if (ELFP_RARE(phdr.flags != (ELFPARSE_PF_R | ELFPARSE_PF_W)) ||
            ELFP_RARE(phdr.memsz < phdr.filesz))
            return walk_unusual(judge, header, index);
        put_split(judge, &mapping, phdr.vaddr + phdr.filesz);
    }
    add_up(judge, &phdr, header, &mapping);
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
    uint32_t slot = type;

    if (slot >= ELFP_EH_FRAME) {
        slot -= ELFPARSE_PT_GNU_EH_FRAME;
        if (slot >= ELFP_SLOTS - ELFP_EH_FRAME)
            return 0;
        slot += ELFP_EH_FRAME;
    }
    if ((judge->seen >> slot & 1u) != 0)
        return walk_again(judge, header, slot);
    judge->seen |= 1u << slot;
    judge->place[slot] = header;
    return 0;
}

int elfp_judge_headers(struct elfp_judge *judge)
{
    const uint8_t *header = judge->table;
    struct elfparse_plan *plan = judge->plan;
    uint32_t phnum = plan->phnum, contents = judge->policy->contents;
    uint32_t i = 0;

    judge->first = header;
    judge->last = header;
    do {
        uint32_t type = elfp_le32(header);

        if (type == ELFPARSE_PT_LOAD) {
            if (ELFP_RARE(walk_load(judge, header, i) != 0))
                return 1;
        } else if (contents != 0) {
            if (ELFP_RARE(walk_other(judge, header, type) != 0))
                return 1;
        }
        header += ELFPARSE_PHDR_SIZE;
    } while (++i < phnum);
    plan->range_count = (uint32_t)(judge->next - plan->ranges) + judge->spilled;
    return 0;
}
