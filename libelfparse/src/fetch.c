#include "judge.h"
#include "memory.h"

/* One read of this size brings in all headers, the interpreter's path and the notes of most files.
 */
#define HEAD_BYTES 1024u

static int fetch(struct elfp_judge *judge, uint64_t offset, uint8_t *to, size_t size)
{
    int answer = judge->reader->read(judge->reader->ctx, offset, to, size);

    if (ELFP_RARE(answer < 0))
        return elfp_raise_stop(judge, ELFPARSE_EREAD, offset, 0, (uint64_t)(int64_t)answer);
    return 0;
}

/* Forgets what came with the first read besides the headers, and closes the gap. */
static ELFP_COLD void compact(struct elfp_judge *judge)
{
    size_t size = (size_t)judge->table.phnum * ELFPARSE_PHDR_SIZE;

    memmove(judge->scratch + ELFPARSE_EHDR_SIZE, judge->table.bytes, size);
    judge->table.bytes = judge->scratch + ELFPARSE_EHDR_SIZE;
    judge->head = ELFPARSE_EHDR_SIZE;
    judge->used = ELFPARSE_EHDR_SIZE + size;
}

int elfp_fetch_head(struct elfp_judge *judge, size_t scratch_size)
{
    uint64_t size = judge->reader->size;

    if (ELFP_RARE(scratch_size < ELFPARSE_EHDR_SIZE + ELFP_VIEW))
        return elfp_raise_stop(judge, ELFPARSE_ESCRATCH, 0, ELFPARSE_SCRATCH_SIZE(1, 0),
                               scratch_size);
    if (ELFP_RARE(size < ELFPARSE_EHDR_SIZE))
        return elfp_raise_stop(judge, ELFPARSE_ETRUNCATED, 0, ELFPARSE_EHDR_SIZE, size);
    judge->room = scratch_size - ELFP_VIEW;
    judge->head = judge->room < HEAD_BYTES ? judge->room : HEAD_BYTES;
    if (size < judge->head)
        judge->head = (size_t)size;
    judge->used = judge->head;
    return fetch(judge, 0, judge->scratch, judge->head);
}

/* Reads size bytes at offset to stay after used; the error says how much scratch would do. */
static int append(struct elfp_judge *judge, uint64_t offset, size_t size, const uint8_t **bytes)
{
    uint8_t *to = judge->scratch + judge->used;

    if (ELFP_RARE(size > judge->room - judge->used))
        return elfp_raise_stop(judge, ELFPARSE_ESCRATCH, 0, judge->used + size + ELFP_VIEW,
                               judge->room + ELFP_VIEW);
    judge->used += size;
    *bytes = to;
    return fetch(judge, offset, to, size);
}

int elfp_fetch_table(struct elfp_judge *judge)
{
    size_t size = (size_t)judge->table.phnum * ELFPARSE_PHDR_SIZE;
    uint64_t phoff = judge->table.phoff;

    if (elfp_in_head(judge, phoff, size)) {
        judge->table.bytes = judge->scratch + phoff;
        return 0;
    }
    /* What else came with the first read is forgotten, so that nothing is judged from two copies.
     */
    judge->head = ELFPARSE_EHDR_SIZE;
    judge->used = ELFPARSE_EHDR_SIZE;
    return append(judge, phoff, size, &judge->table.bytes);
}

int elfp_fetch_keep(struct elfp_judge *judge, uint64_t offset, size_t size, const uint8_t **bytes)
{
    if (elfp_in_head(judge, offset, size)) {
        *bytes = judge->scratch + offset;
        return 0;
    }
    if (size > judge->room - judge->used)
        compact(judge);
    return append(judge, offset, size, bytes);
}

int elfp_fetch_view(struct elfp_judge *judge, uint64_t offset, size_t size, const uint8_t **bytes)
{
    uint8_t *to = judge->scratch + judge->room;

    *bytes = to;
    return fetch(judge, offset, to, size);
}
