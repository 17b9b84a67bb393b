#include "form.h"
#include "headers.h"
#include "relocator.h"

/* What was wrong before something was applied is wrong; what is so only then was changed. */
ELFP_COLD int elfp_reloc_fail(const struct elfp_reloc_state *state, int code, uint64_t expected,
                              uint64_t found)
{
    if (state->pass != ELFP_RELOC_CHECK && code != ELFPARSE_ERELCALL)
        code = ELFPARSE_ERELCHANGED;
    return elfp_fail(state->error, code, ELFPARSE_RULE_NONE, state->entry, expected, found);
}

int elfp_reloc_find_region(const struct elfparse_range *range, uint32_t count, uint64_t address,
                           uint32_t prot, struct elfp_reloc_region *region)
{
    const struct elfparse_range *end = range + count;

    while (range < end && address - range->vaddr >= range->size)
        range++;
    if (range == end || (range->prot & prot) != prot)
        return 0;
    region->start = range->vaddr;
    region->size = range->size;
    while (++range < end && (range->prot & prot) == prot &&
           range->vaddr == region->start + region->size)
        region->size += range->size;
    return 1;
}

/*
 * 1 if the bytes lie in ranges and come from the file. No table lies in the zeros of a segment, which
 * a small file may have any number of.
 */
static int is_from_file(const struct elfparse_image *image, uint64_t address, uint64_t size)
{
    const struct elfparse_range *range = image->ranges;
    const struct elfparse_range *end = range + image->range_count;

    for (; size != 0 && range < end; range++) {
        uint64_t into = address - range->vaddr, room = range->file_bytes - into;

        if (into >= range->file_bytes)
            continue;
        if (room > size)
            room = size;
        address += room;
        size -= room;
    }
    return size == 0;
}

static int find_region(const struct elfp_reloc_state *state, uint64_t address, uint32_t prot,
                       struct elfp_reloc_region *region)
{
    return elfp_reloc_find_region(state->image->ranges, state->image->range_count, address, prot,
                                  region);
}

/* 1 if the bytes lie in ranges. */
int elfp_reloc_readable(const struct elfp_reloc_state *state, uint64_t address, uint64_t size)
{
    struct elfp_reloc_region region = {0, 0};

    return find_region(state, address, 0, &region) &&
           elfp_reloc_inside(address, size, region.start, region.size);
}

/* The bytes must lie in ranges. */
int elfp_reloc_read_bytes(const struct elfp_reloc_state *state, uint64_t address, void *to,
                          size_t size)
{
    const struct elfparse_image *image = state->image;
    int answer;

    if (image->memory != NULL) {
        memcpy(to, (const uint8_t *)image->memory + (address - image->start), size);
        return 0;
    }
    answer = image->read(image->ctx, address, to, size);
    if (answer >= 0)
        return 0;
    return elfp_reloc_fail(state, ELFPARSE_ERELCALL, 0, (uint64_t)(int64_t)answer);
}

/* As read_bytes, of a table's bytes at any address. */
int elfp_reloc_read_checked(const struct elfp_reloc_state *state, uint64_t address, void *to,
                            size_t size)
{
    if (!is_from_file(state->image, address, size))
        return elfp_reloc_fail(state, ELFPARSE_ERELTABLE, size, address);
    return elfp_reloc_read_bytes(state, address, to, size);
}

int elfp_reloc_write(const struct elfp_reloc_state *state, uint64_t address, const uint8_t *bytes,
                     size_t size)
{
    const struct elfparse_image *image = state->image;
    int answer;

    if (image->memory != NULL) {
        memcpy((uint8_t *)image->memory + (address - image->start), bytes, size);
        return 0;
    }
    answer = image->write(image->ctx, address, bytes, size);
    if (answer >= 0)
        return 0;
    return elfp_reloc_fail(state, ELFPARSE_ERELCALL, 0, (uint64_t)(int64_t)answer);
}

/* Checks that a target lies in memory that relocations may change. */
int elfp_reloc_check_target(struct elfp_reloc_state *state, uint64_t address, uint64_t size)
{
    uint32_t prot = (state->image->flags & ELFPARSE_RELOCATE_TEXT) != 0 ? 0 : ELFPARSE_PF_W;

    if (elfp_reloc_inside(address, size, state->targets.start, state->targets.size))
        return 0;
    if (find_region(state, address, prot, &state->targets) &&
        elfp_reloc_inside(address, size, state->targets.start, state->targets.size))
        return 0;
    state->targets.size = 0;
    return elfp_reloc_fail(
        state, elfp_reloc_readable(state, address, size) ? ELFPARSE_ERELTEXT : ELFPARSE_ERELTARGET,
        size, address);
}

/* Dynamic entries that only relocation asks for. */
#define DT_RELAENT  9u
#define DT_SYMENT   11u
#define DT_RELENT   19u
#define DT_PLTREL   20u
#define DT_PLTRELSZ 2u
#define DT_JMPREL   23u
#define DT_RELRENT  37u

/* More dynamic entries than any linker writes: the table has no end. */
#define MAX_DYNAMIC 4096u

/* Takes note of a dynamic entry. */
static void take_dynamic(struct elfp_reloc_state *state, uint64_t tag, uint64_t value)
{
    uint64_t address = elfp_reloc_wrap(state, state->image->bias + value);

    switch (tag) {
    case ELFPARSE_DT_RELA:
        state->tables[ELFP_RELOC_RELA].address = address;
        break;
    case ELFPARSE_DT_RELASZ:
        state->tables[ELFP_RELOC_RELA].size = value;
        break;
    case ELFPARSE_DT_REL:
        state->tables[ELFP_RELOC_REL].address = address;
        break;
    case ELFPARSE_DT_RELSZ:
        state->tables[ELFP_RELOC_REL].size = value;
        break;
    case ELFPARSE_DT_RELR:
        state->tables[ELFP_RELOC_RELR].address = address;
        break;
    case ELFPARSE_DT_RELRSZ:
        state->tables[ELFP_RELOC_RELR].size = value;
        break;
    case DT_JMPREL:
        state->tables[ELFP_RELOC_PLT].address = address;
        break;
    case DT_PLTRELSZ:
        state->tables[ELFP_RELOC_PLT].size = value;
        break;
    case DT_PLTREL:
        state->tables[ELFP_RELOC_PLT].addends = value == ELFPARSE_DT_RELA;
        break;
    case ELFPARSE_DT_SYMTAB:
        state->symtab = address;
        break;
    case ELFPARSE_DT_HASH:
        state->hash = address;
        break;
    case ELFPARSE_DT_GNU_HASH:
        state->gnu_hash = address;
        break;
    default:
        break;
    }
}

/* Size of the entries that a tag is about; 0 for other tags. */
static uint32_t entry_size(const struct elfp_reloc_state *state, uint64_t tag)
{
    switch (tag) {
    case DT_RELAENT:
        return state->tables[ELFP_RELOC_RELA].entry;
    case DT_RELENT:
        return state->tables[ELFP_RELOC_REL].entry;
    case DT_RELRENT:
        return elfp_reloc_bytes(state);
    case DT_SYMENT:
        return elfp_reloc_bytes(state) == 4 ? 16 : 24;
    default:
        return 0;
    }
}

static int read_dynamic(struct elfp_reloc_state *state)
{
    uint64_t tag, value;
    uint8_t bytes[16];
    uint32_t i, size;

    for (i = 0; i < MAX_DYNAMIC; i++) {
        int code;

        state->entry = elfp_reloc_wrap(state, state->image->dynamic +
                                                  (uint64_t)i * 2 * elfp_reloc_bytes(state));
        code = elfp_reloc_read_checked(state, state->entry, bytes,
                                       (size_t)2 * elfp_reloc_bytes(state));
        if (code != 0)
            return code;
        tag = elfp_reloc_decode_word(state, bytes);
        value = elfp_reloc_decode_word(state, bytes + elfp_reloc_bytes(state));
        if (tag == ELFPARSE_DT_NULL)
            return 0;
        size = entry_size(state, tag);
        if (size != 0 && size != value)
            return elfp_reloc_fail(state, ELFPARSE_ERELTABLE, size, value);
        take_dynamic(state, tag, value);
    }
    return elfp_reloc_fail(state, ELFPARSE_ERELTABLE, MAX_DYNAMIC, i);
}

static int check_table(struct elfp_reloc_state *state, const struct elfp_reloc_table *table)
{
    state->entry = table->address;
    if (table->size == 0)
        return 0;
    if (table->size % table->entry != 0)
        return elfp_reloc_fail(state, ELFPARSE_ERELTABLE, table->entry, table->size);
    if (!is_from_file(state->image, table->address, table->size))
        return elfp_reloc_fail(state, ELFPARSE_ERELTABLE, table->size, table->address);
    return 0;
}

/*
 * The PLT's table may be the last part of the one with entries of the same kind: each entry is to be
 * applied once.
 */
static void cut_plt(const struct elfp_reloc_table *plt, struct elfp_reloc_table *same)
{
    if (plt->size <= same->size && plt->size != 0 &&
        same->address + same->size == plt->address + plt->size)
        same->size -= plt->size;
}

static int read_u32(const struct elfp_reloc_state *state, uint64_t address, uint32_t *word)
{
    uint8_t bytes[4] = {0};
    int code = elfp_reloc_read_checked(state, address, bytes, sizeof(bytes));

    *word = elfp_le32(bytes);
    return code;
}

/* The highest of the buckets' first symbols. */
static int highest_bucket(const struct elfp_reloc_state *state, uint64_t buckets, uint32_t count,
                          uint32_t *highest)
{
    uint32_t i, index;

    *highest = 0;
    for (i = 0; i < count; i++) {
        int code = read_u32(state, buckets + (uint64_t)i * 4, &index);

        if (code != 0)
            return code;
        *highest = index > *highest ? index : *highest;
    }
    return 0;
}

/*
 * Entries of the symbol table: up to the end of the last chain of the GNU hash table. A table without
 * chains does not say how many there are, since undefined symbols are in none: what memory has room
 * for.
 */
static int count_by_gnu_hash(struct elfp_reloc_state *state)
{
    uint8_t header[12] = {0}; /* buckets, the first symbol, words of the Bloom filter */
    uint32_t buckets, first, index = 0, hash = 0;
    uint64_t at = state->gnu_hash;
    int code = elfp_reloc_read_checked(state, at, header, sizeof(header));

    buckets = elfp_le32(header);
    first = elfp_le32(header + 4);
    at += 16 + (uint64_t)elfp_le32(header + 8) * elfp_reloc_bytes(state);
    if (code == 0)
        code = highest_bucket(state, at, buckets, &index);
    if (code != 0)
        return code;
    state->symbols = UINT32_MAX;
    if (index < first || index == 0)
        return 0;
    for (at += (uint64_t)buckets * 4; code == 0 && (hash & 1) == 0 && index != UINT32_MAX; index++)
        code = read_u32(state, at + (uint64_t)(index - first) * 4, &hash);
    state->symbols = index;
    return code;
}

static int count_symbols(struct elfp_reloc_state *state)
{
    state->entry = state->hash != 0 ? state->hash : state->gnu_hash;
    if (state->hash != 0)
        return read_u32(state, state->hash + 4, &state->symbols);
    return state->gnu_hash != 0 ? count_by_gnu_hash(state) : 0;
}

/* Finds the tables and checks where they lie. */
int elfp_reloc_find_tables(struct elfp_reloc_state *state)
{
    struct elfp_reloc_table *plt = &state->tables[ELFP_RELOC_PLT];
    struct elfp_reloc_table *same = &state->tables[ELFP_RELOC_REL];
    int code = read_dynamic(state);
    uint32_t i;

    if (plt->addends)
        same = &state->tables[ELFP_RELOC_RELA];
    plt->entry = same->entry;
    cut_plt(plt, same);
    for (i = 0; code == 0 && i < ELFP_RELOC_TABLES; i++)
        code = check_table(state, &state->tables[i]);
    return code == 0 ? count_symbols(state) : code;
}

/* The ranges lie in the memory that they are said to be in. */
int elfp_reloc_check_memory(const struct elfp_reloc_state *state)
{
    const struct elfparse_image *image = state->image;
    uint32_t i;

    for (i = 0; image->memory != NULL && i < image->range_count; i++) {
        if (!elfp_inside(image->ranges[i].vaddr - image->start, image->ranges[i].size, image->size))
            return elfp_reloc_fail(state, ELFPARSE_EARGUMENT, image->size, image->ranges[i].vaddr);
    }
    return 0;
}
