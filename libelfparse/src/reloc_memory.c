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

/*
 * The memory from the range on that has address, as far as ranges with that right follow each other
 * without a hole. 1, or 0 where there is none, or it has not that right.
 */
static int find_region(const struct elfparse_image *image, uint64_t address, uint32_t prot,
                       struct elfp_reloc_region *region)
{
    const struct elfparse_range *range = image->ranges, *end = range + image->range_count;

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

/* 1 if the bytes lie in ranges. */
int elfp_reloc_readable(const struct elfp_reloc_state *state, uint64_t address, uint64_t size)
{
    struct elfp_reloc_region region = {0, 0};

    return find_region(state->image, address, 0, &region) &&
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

/* As read_bytes, of any address. */
int elfp_reloc_read_checked(const struct elfp_reloc_state *state, uint64_t address, void *to,
                            size_t size)
{
    if (!elfp_reloc_readable(state, address, size))
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
    if (find_region(state->image, address, prot, &state->targets) &&
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
        state->rela.address = address;
        break;
    case ELFPARSE_DT_RELASZ:
        state->rela.size = value;
        break;
    case ELFPARSE_DT_REL:
        state->rel.address = address;
        break;
    case ELFPARSE_DT_RELSZ:
        state->rel.size = value;
        break;
    case ELFPARSE_DT_RELR:
        state->relr.address = address;
        break;
    case ELFPARSE_DT_RELRSZ:
        state->relr.size = value;
        break;
    case DT_JMPREL:
        state->plt.address = address;
        break;
    case DT_PLTRELSZ:
        state->plt.size = value;
        break;
    case DT_PLTREL:
        state->plt.addends = value == ELFPARSE_DT_RELA;
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
        return state->rela.entry;
    case DT_RELENT:
        return state->rel.entry;
    case DT_RELRENT:
        return state->word;
    case DT_SYMENT:
        return state->word == 4 ? 16 : 24;
    default:
        return 0;
    }
}

static int read_dynamic(struct elfp_reloc_state *state)
{
    uint64_t tag, value;
    uint8_t bytes[16];
    uint32_t i;

    for (i = 0; i < MAX_DYNAMIC; i++) {
        int code;

        state->entry =
            elfp_reloc_wrap(state, state->image->dynamic + (uint64_t)i * 2 * state->word);
        code = elfp_reloc_read_checked(state, state->entry, bytes, (size_t)2 * state->word);
        if (code != 0)
            return code;
        tag = elfp_reloc_decode_word(state, bytes);
        value = elfp_reloc_decode_word(state, bytes + state->word);
        if (tag == ELFPARSE_DT_NULL)
            return 0;
        if (entry_size(state, tag) != 0 && entry_size(state, tag) != value)
            return elfp_reloc_fail(state, ELFPARSE_ERELTABLE, entry_size(state, tag), value);
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
    if (!elfp_reloc_readable(state, table->address, table->size))
        return elfp_reloc_fail(state, ELFPARSE_ERELTABLE, table->size, table->address);
    return 0;
}

/* The PLT's table may be the last part of the other one: each entry is to be applied once. */
static void cut_plt(const struct elfp_reloc_state *state, struct elfp_reloc_table *table)
{
    if (state->plt.size <= table->size && state->plt.size != 0 &&
        state->plt.addends == table->addends &&
        table->address + table->size == state->plt.address + state->plt.size)
        table->size -= state->plt.size;
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
    uint32_t buckets = 0, first = 0, bloom = 0, index = 0, hash = 0;
    uint64_t at = state->gnu_hash;
    int code = read_u32(state, at, &buckets);

    if (code == 0)
        code = read_u32(state, at + 4, &first);
    if (code == 0)
        code = read_u32(state, at + 8, &bloom);
    at += 16 + (uint64_t)bloom * state->word;
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
    int code = read_dynamic(state);

    state->plt.entry = state->plt.addends ? state->rela.entry : state->rel.entry;
    if (code != 0)
        return code;
    cut_plt(state, &state->rel);
    cut_plt(state, &state->rela);
    code = check_table(state, &state->relr);
    if (code == 0)
        code = check_table(state, &state->rel);
    if (code == 0)
        code = check_table(state, &state->rela);
    if (code == 0)
        code = check_table(state, &state->plt);
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
