/* The walk over the program headers: checks rules L2 to L13 and finds the other headers. */
#include "judge.h"

/* A FILE range's segment and kind, in the order of their fields. */
#define FILE_TAG(segment) ((segment) + (uint32_t)ELFPARSE_RANGE_FILE * 65536)

/*
 * L12: size bytes at vaddr, the first file_bytes of them those of the file. A range that does not
 * fit is only counted. Returns where the next one goes.
 */
static inline struct elfparse_range *put_range(struct elfp_judge *judge,
                                               struct elfparse_range *next,
                                               const struct elfp_phdr *phdr, uint32_t tag,
                                               enum elfparse_range_kind kind, uint64_t vaddr,
                                               uint64_t size, uint64_t offset, uint64_t file_bytes)
{
    struct elfparse_range *range = next;

    if (ELFP_RARE(range == judge->limit)) {
        judge->spilled++;
        return next;
    }
    range->vaddr = vaddr;
    range->size = size;
    range->offset = offset;
    range->file_bytes = file_bytes;
    range->prot = phdr->flags;
    range->segment = (uint16_t)tag; /* one store of both for FILE */
    range->kind = (uint16_t)(kind == ELFPARSE_RANGE_FILE ? tag >> 16 : kind);
    return range + 1;
}

/* Whole pages up to end, the last one cut short only by the end of the file. */
static inline struct elfparse_range *put_whole(struct elfp_judge *judge,
                                               struct elfparse_range *next,
                                               const struct elfp_phdr *phdr, uint32_t tag,
                                               uint64_t end, uint64_t page)
{
    uint64_t first = elfp_page_floor(phdr->vaddr, page);
    uint64_t offset = elfp_page_floor(phdr->offset, page);
    uint64_t size = end - first;
    uint64_t left = judge->bounds.file_size - offset;

    return put_range(judge, next, phdr, tag, ELFPARSE_RANGE_FILE, first, size, offset,
                     size < left ? size : left);
}

/*
 * Zeros up to end after the file bytes: the whole pages of the file, the page of the split, and
 * what holds no byte of the file.
 */
static inline struct elfparse_range *put_split(struct elfp_judge *judge,
                                               struct elfparse_range *next,
                                               const struct elfp_phdr *phdr, uint32_t tag,
                                               uint64_t end, uint64_t page)
{
    uint64_t first = elfp_page_floor(phdr->vaddr, page);
    uint64_t offset = elfp_page_floor(phdr->offset, page);
    uint64_t file_end = phdr->vaddr + phdr->filesz;
    uint64_t split = elfp_page_floor(file_end, page);
    uint64_t whole = split - first;

    if (whole != 0)
        next = put_range(judge, next, phdr, tag, ELFPARSE_RANGE_FILE, first, whole, offset, whole);
    if (file_end != split) {
        next = put_range(judge, next, phdr, tag, ELFPARSE_RANGE_SPLIT, split, page, offset + whole,
                         file_end - split);
        split += page;
    }
    if (end != split)
        next = put_range(judge, next, phdr, tag, ELFPARSE_RANGE_ZERO, split, end - split, 0, 0);
    return next;
}

/* What the plan says of all segments together. */
static inline void add_up(struct elfp_judge *judge, struct elfparse_plan *plan,
                          const struct elfp_phdr *phdr, const uint8_t *header, uint64_t end,
                          uint64_t page)
{
    if (ELFP_RARE(plan->end == 0)) {
        plan->start = elfp_page_floor(phdr->vaddr, page);
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
static inline enum elfp_verdict trim(struct elfp_phdr *phdr, uint64_t last_end, uint64_t page)
{
    uint64_t by = last_end - phdr->vaddr;

    phdr->flags &= 7u;
    if (phdr->filesz == 0) {
        phdr->memsz += phdr->vaddr & (page - 1);
        phdr->vaddr = elfp_page_floor(phdr->vaddr, page);
    } else if (elfp_page_floor(phdr->vaddr, page) < last_end) {
        if (by >= phdr->memsz)
            return ELFP_LEAVE;
        phdr->vaddr += by;
        phdr->offset += by;
        phdr->filesz -= by;
        phdr->memsz -= by;
    }
    return ELFP_TAKE;
}

/*
 * Any segment, and pages of any size. After ELFP_TAKE judge->unusual is what is to be mapped of
 * it, up to plan->end.
 */
static ELFP_COLD enum elfp_verdict take_unusual(struct elfp_judge *judge, const uint8_t *header)
{
    struct elfparse_plan *plan = judge->plan;
    struct elfp_phdr *phdr = &judge->unusual;
    uint64_t last_end = plan->end, page = ELFP_PAGE(&judge->bounds);
    enum elfp_verdict verdict = elfp_judge_load(judge, header);

    if (verdict != ELFP_TAKE)
        return verdict;
    add_up(judge, plan, phdr, header, elfp_page_ceil(phdr->vaddr + phdr->memsz, page), page);
    return trim(phdr, last_end, page);
}

/* Its ranges; pages do not have the usual size. */
static ELFP_COLD struct elfparse_range *put_unusual(struct elfp_judge *judge,
                                                    struct elfparse_range *next, uint32_t tag)
{
    const struct elfp_phdr *phdr = &judge->unusual;
    uint64_t page = ELFP_PAGE(&judge->bounds), end = judge->plan->end;

    if (phdr->memsz == phdr->filesz)
        return put_whole(judge, next, phdr, tag, end, page);
    return put_split(judge, next, phdr, tag, end, page);
}

/*
 * One segment; of an ordinary one the pages have the usual size. Returns where the next range goes,
 * or NULL to stop.
 */
static inline struct elfparse_range *walk_load(struct elfp_judge *judge, struct elfparse_plan *plan,
                                               const uint8_t *header, struct elfparse_range *next,
                                               uint32_t tag)
{
    struct elfp_phdr phdr;
    uint64_t end;

    if (ELFP_RARE(!elfp_load_usual(&judge->bounds, header, plan->end, &phdr))) {
        enum elfp_verdict verdict = take_unusual(judge, header);

        if (verdict != ELFP_TAKE)
            return verdict == ELFP_STOP ? NULL : next;
        if (ELFP_PAGE(&judge->bounds) != ELFPARSE_PAGE_SIZE)
            return put_unusual(judge, next, tag);
        phdr = judge->unusual;
        end = plan->end;
    } else {
        end = elfp_page_ceil(phdr.vaddr + phdr.memsz, ELFPARSE_PAGE_SIZE);
        add_up(judge, plan, &phdr, header, end, ELFPARSE_PAGE_SIZE);
    }
    if (phdr.memsz == phdr.filesz)
        return put_whole(judge, next, &phdr, tag, end, ELFPARSE_PAGE_SIZE);
    return put_split(judge, next, &phdr, tag, end, ELFPARSE_PAGE_SIZE);
}

/* A second header of a slot other than that of notes. */
static ELFP_COLD int walk_again(struct elfp_judge *judge, const uint8_t *header, uint32_t slot)
{
    if ((ELFP_ONCE >> slot & 1u) == 0)
        return 0;
    return elfp_raise(judge, ELFP_OF_LOAD, ELFP_LOAD_DUPLICATE, header, NULL);
}

/*
 * Remembers where a header is that is judged once all segments are known (O9: the rest is skipped).
 */
static inline int walk_other(struct elfp_judge *judge, uint64_t *seen, const uint8_t *header,
                             uint32_t type)
{
    uint32_t slot = type;

    if (slot >= ELFP_EH_FRAME) {
        slot -= ELFPARSE_PT_GNU_EH_FRAME;
        if (slot >= ELFP_SLOTS - ELFP_EH_FRAME)
            return 0;
        slot += ELFP_EH_FRAME;
    }
    if ((*seen >> slot & 1u) == 0) {
        *seen |= UINT64_C(1) << slot;
        judge->place[slot] = header;
        return 0;
    }
    if (ELFP_RARE(slot != ELFP_NOTE))
        return walk_again(judge, header, slot);
    judge->last_note = header;
    return 0;
}

/*
 * Each walks on from header, which is of its kind, to the first one that is not, or to end, and
 * returns where it is; NULL to stop.
 */
static inline const uint8_t *walk_loads(struct elfp_judge *judge, const uint8_t *header,
                                        const uint8_t *end, struct elfparse_range **ranges)
{
    struct elfparse_range *next = *ranges;
    uint32_t tag = FILE_TAG(elfp_index(judge, header));

    do {
        next = walk_load(judge, judge->plan, header, next, tag);
        if (ELFP_RARE(next == NULL))
            return NULL;
        tag++;
        header += ELFPARSE_PHDR_SIZE;
    } while (header != end && elfp_le32(header) == ELFPARSE_PT_LOAD);
    *ranges = next;
    return header;
}

static inline const uint8_t *walk_others(struct elfp_judge *judge, const uint8_t *header,
                                         const uint8_t *end, uint64_t *seen)
{
    uint32_t type = elfp_le32(header);

    do {
        if (ELFP_RARE(walk_other(judge, seen, header, type) != 0))
            return NULL;
        header += ELFPARSE_PHDR_SIZE;
        if (header == end)
            break;
        type = elfp_le32(header);
    } while (type != ELFPARSE_PT_LOAD);
    return header;
}

static inline const uint8_t *skip_others(const uint8_t *header, const uint8_t *end)
{
    do {
        header += ELFPARSE_PHDR_SIZE;
    } while (header != end && elfp_le32(header) != ELFPARSE_PT_LOAD);
    return header;
}

int elfp_judge_headers(struct elfp_judge *judge, size_t size)
{
    const uint8_t *header = judge->table;
    struct elfparse_range *next = judge->ranges;
    const uint8_t *end = header + size;
    uint64_t seen = 0;

    judge->first = header;
    judge->last = header;
    do {
        if (elfp_le32(header) == ELFPARSE_PT_LOAD)
            header = walk_loads(judge, header, end, &next);
        else if (judge->policy->contents != 0)
            header = walk_others(judge, header, end, &seen);
        else
            header = skip_others(header, end);
        if (ELFP_RARE(header == NULL))
            return 1;
    } while (header != end);
    judge->seen = (uint32_t)seen;
    judge->plan->range_count = (uint32_t)(next - judge->ranges) + judge->spilled;
    return 0;
}
