#include "judge.h"

/* Reads size bytes at offset to stay after used; the error says how much scratch would do. */
ELFP_COLD uint8_t *elfp_fetch_append(struct elfp_judge *judge, uint64_t offset, size_t size)
{
    uint8_t *to;

    if (size > judge->room - judge->used) {
        elfp_raise_stop(judge, ELFPARSE_ESCRATCH, 0, judge->used + size + ELFP_VIEW,
                        judge->room + ELFP_VIEW);
        return NULL;
    }
    to = (uint8_t *)judge->storage->scratch + judge->used;
    judge->used += size;
    return elfp_fetch(judge, offset, to, size) == 0 ? to : NULL;
}

ELFP_COLD int elfp_fetch_table(struct elfp_judge *judge)
{
    size_t size = (size_t)judge->plan->phnum * ELFPARSE_PHDR_SIZE;

    if (elfp_is_converted(judge->plan)) /* table points behind the Ehdr, where it goes */
        return judge->used == ELFPARSE_EHDR_SIZE && elfp_convert_table(judge) != 0;
    if (elfp_in_head(judge, judge->phoff, size)) {
        judge->table = elfp_scratch(judge) + judge->phoff;
        return 0;
    }
    /* What else came with the first read is forgotten, so that nothing is judged from two copies.
     */
    judge->head = ELFPARSE_EHDR_SIZE;
    judge->used = ELFPARSE_EHDR_SIZE;
    judge->table = elfp_fetch_append(judge, judge->phoff, size);
    return judge->table == NULL;
}

/* Forgets what came with the first read besides the headers, and closes the gap. */
static void compact(struct elfp_judge *judge)
{
    size_t size = (size_t)judge->plan->phnum * ELFPARSE_PHDR_SIZE;
    uint8_t *to = (uint8_t *)judge->storage->scratch + ELFPARSE_EHDR_SIZE;
    ptrdiff_t by = to - judge->table;
    uint32_t slot;

    memmove(to, judge->table, size);
    judge->table = to;
    if (ELFP_CONVERTS && judge->head == 0) /* headers were converted */
        judge->rest_end = 0;
    else
        judge->head = ELFPARSE_EHDR_SIZE;
    judge->used = ELFPARSE_EHDR_SIZE + size;
    for (slot = 0; slot < ELFP_SLOTS; slot++) {
        if ((judge->seen >> slot & 1u) != 0)
            judge->place[slot] += by;
    }
    if (judge->last_note != NULL)
        judge->last_note += by;
    if (judge->plan->load_count != 0) { /* else they are not in the table */
        judge->first += by;
        judge->last += by;
    }
}

ELFP_COLD const uint8_t *elfp_fetch_keep(struct elfp_judge *judge, uint64_t offset, size_t size)
{
    if (size > judge->room - judge->used)
        compact(judge);
    return elfp_fetch_append(judge, offset, size);
}

ELFP_FOREIGN const uint8_t *elfp_fetch_view(struct elfp_judge *judge, uint64_t offset, size_t size)
{
    return elfp_view_inlined(judge, offset, size);
}

#if !ELFP_CONVERTS
ELFP_COLD uint32_t elfp_fetch_bounds(const struct elfp_judge *judge, const uint8_t *header)
{
    return elfp_bounds_inlined(judge, header);
}
#endif
