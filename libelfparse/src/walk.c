#include "judge.h"

/* Counts a range that the storage has no room for, and says where nobody looks at it. */
static ELFP_COLD struct elfparse_range *spill_range(struct elfp_judge *judge)
{
    judge->spilled++;
    return &judge->spill;
}

/* The walk so far; what is to be known outside of it is in the judgement and in the plan. */
struct walk {
    struct elfp_judge *judge;
    struct elfparse_plan *plan;
    struct elfparse_range *next; /* where the next range goes */
    uint32_t seen;               /* becomes judge->seen */
    uint32_t segment;            /* index of the PT_LOAD at hand */
};

/* L12: size bytes at vaddr, the first file_bytes of them those of the file. */
static inline void put_range(struct walk *walk, const struct elfp_phdr *phdr,
                             enum elfparse_range_kind kind,
                             uint64_t vaddr, uint64_t size, uint64_t offset, uint64_t file_bytes)
{
    struct elfparse_range *range = walk->next;

    if (ELFP_RARE(range == walk->judge->limit))
        range = spill_range(walk->judge);
    else
        walk->next = range + 1;
    range->vaddr = vaddr;
    range->size = size;
    range->offset = offset;
    range->file_bytes = file_bytes;
    range->prot = phdr->flags;
    range->segment = (uint16_t)walk->segment;
    range->kind = (uint16_t)kind;
}

/* Whole pages up to end, the last one cut short only by the end of the file. */
static inline void put_whole(struct walk *walk, const struct elfp_phdr *phdr,
                             uint64_t end)
{
    uint64_t first = elfp_page_floor(phdr->vaddr), offset = elfp_page_floor(phdr->offset);
    uint64_t size = end - first;
    uint64_t left = walk->judge->bounds.file_size - offset;

    put_range(walk, phdr, ELFPARSE_RANGE_FILE, first, size, offset,
              size < left ? size : left);
}

/*
 * Zeros up to end after the file bytes: the whole pages of the file, the page of the split, and what
 * holds no byte of the file.
 */
static inline void put_split(struct walk *walk, const struct elfp_phdr *phdr,
                             uint64_t end)
{
    uint64_t first = elfp_page_floor(phdr->vaddr), offset = elfp_page_floor(phdr->offset);
    uint64_t file_end = phdr->vaddr + phdr->filesz;
    uint64_t split = elfp_page_floor(file_end);
    uint64_t whole = split - first;

    if (whole != 0)
        put_range(walk, phdr, ELFPARSE_RANGE_FILE, first, whole, offset, whole);
    if (file_end != split) {
        put_range(walk, phdr, ELFPARSE_RANGE_SPLIT, split, ELFPARSE_PAGE_SIZE,
                  offset + whole, file_end - split);
        split += ELFPARSE_PAGE_SIZE;
    }
    if (end != split)
        put_range(walk, phdr, ELFPARSE_RANGE_ZERO, split, end - split, 0, 0);
}

/* What the plan says of all segments together. */
static inline void add_up(struct elfp_judge *judge, struct elfparse_plan *plan,
                          const struct elfp_phdr *phdr, const uint8_t *header, uint64_t end)
{
    if (ELFP_RARE(plan->end == 0)) {
        plan->start = elfp_page_floor(phdr->vaddr);
        judge->first = header;
    }
    judge->last = header;
    plan->end = end;
    plan->memory += phdr->memsz;
    plan->load_count++;
    if (elfp_holds_entry(phdr, plan->entry))
        judge->entry_found = 1;
}

/* Leaves of the segment what is to be mapped: pages before last_end are mapped already. */
static inline enum elfp_verdict trim(struct elfp_phdr *phdr, uint64_t last_end)
{
    uint64_t by = last_end - phdr->vaddr;

    phdr->flags &= 7u;
    if (phdr->filesz == 0) {
        phdr->memsz += phdr->vaddr & (ELFPARSE_PAGE_SIZE - 1);
        phdr->vaddr = elfp_page_floor(phdr->vaddr);
    } else if (elfp_page_floor(phdr->vaddr) < last_end) {
        if (by >= phdr->memsz)
            return ELFP_LEAVE;
        phdr->vaddr += by;
        phdr->offset += by;
        phdr->filesz -= by;
        phdr->memsz -= by;
    }
    return ELFP_TAKE;
}

/* Any segment, which is counted here and mapped by the caller. */
static ELFP_COLD enum elfp_verdict walk_unusual(struct elfp_judge *judge, const uint8_t *header,
                                                struct elfp_phdr *phdr)
{
    uint64_t last_end = judge->plan->end;
    enum elfp_verdict verdict = elfp_judge_load(judge, header);

    if (verdict != ELFP_TAKE)
        return verdict;
    add_up(judge, judge->plan, phdr, header, elfp_page_ceil(phdr->vaddr + phdr->memsz));
    return trim(phdr, last_end);
}

static inline int walk_load(struct walk *walk, const uint8_t *header)
{
    struct elfp_phdr phdr;
    uint64_t end;

    walk->segment = (uint32_t)((size_t)(header - walk->judge->table) / ELFPARSE_PHDR_SIZE);
    elfp_phdr_decode(header, &phdr);
    if (ELFP_RARE(!elfp_load_usual(&walk->judge->bounds, &phdr, walk->plan->end))) {
        struct elfp_phdr left = phdr; /* so that only an unusual one has to be in memory */
        enum elfp_verdict verdict = walk_unusual(walk->judge, header, &left);

        if (verdict != ELFP_TAKE)
            return verdict == ELFP_STOP;
        phdr = left;
        end = elfp_page_ceil(phdr.vaddr + phdr.memsz);
    } else {
        end = elfp_page_ceil(phdr.vaddr + phdr.memsz);
        add_up(walk->judge, walk->plan, &phdr, header, end);
    }
    if (phdr.memsz == phdr.filesz)
        put_whole(walk, &phdr, end);
    else
        put_split(walk, &phdr, end);
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
static inline int walk_other(struct walk *walk, const uint8_t *header, uint32_t type)
{
    uint32_t slot = type;

    if (slot >= ELFP_EH_FRAME) {
        slot -= ELFPARSE_PT_GNU_EH_FRAME;
        if (slot >= ELFP_SLOTS - ELFP_EH_FRAME)
            return 0;
        slot += ELFP_EH_FRAME;
    }
    if ((walk->seen >> slot & 1u) != 0)
        return walk_again(walk->judge, header, slot);
    walk->seen |= 1u << slot;
    walk->judge->place[slot] = header;
    return 0;
}

/* The last header before the next PT_LOAD, or before end. */
static inline const uint8_t *skip_others(const uint8_t *header, const uint8_t *end)
{
    const uint8_t *next = header + ELFPARSE_PHDR_SIZE;

    while (next != end && elfp_le32(next) != ELFPARSE_PT_LOAD)
        next += ELFPARSE_PHDR_SIZE;
    return next - ELFPARSE_PHDR_SIZE;
}

int elfp_judge_headers(struct elfp_judge *judge)
{
    const uint8_t *header = judge->table;
    struct elfparse_plan *plan = judge->plan;
    struct elfparse_range *ranges = judge->storage->ranges;
    const uint8_t *end = header + (size_t)plan->phnum * ELFPARSE_PHDR_SIZE;
    struct walk walk = {judge, plan, ranges, 0, 0};
    uint32_t contents = judge->policy->contents;

    judge->first = header;
    judge->last = header;
    do {
        uint32_t type = elfp_le32(header);

        if (type == ELFPARSE_PT_LOAD) {
            if (ELFP_RARE(walk_load(&walk, header) != 0))
                return 1;
        } else if (contents == 0) {
            header = skip_others(header, end);
        } else if (ELFP_RARE(walk_other(&walk, header, type) != 0)) {
            return 1;
        }
        header += ELFPARSE_PHDR_SIZE;
    } while (header != end);
    judge->seen = walk.seen;
    plan->range_count = (uint32_t)(walk.next - ranges) + judge->spilled;
    return 0;
}
