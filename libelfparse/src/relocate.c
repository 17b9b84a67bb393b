#include <elfparse/relocate.h>

#include "bytes.h"
#include "fail.h"
#include "memory.h"
#include "phdr.h"
#include "reloc.h"

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

#define STB_LOCAL 0u
#define STB_WEAK  2u
#define SHN_ABS   0xfff1u

enum pass { CHECK, APPLY, HAND_OVER };

/* Contiguous memory of the ranges. */
struct region {
    uint64_t start;
    uint64_t size;
};

struct table {
    uint64_t address; /* biased */
    uint64_t size;    /* bytes */
    uint32_t entry;   /* bytes of an entry */
    int addends;      /* RELA */
};

struct state {
    const struct elfparse_image *image;
    struct elfparse_error *error;
    enum pass pass;
    uint32_t word;         /* bytes of a word */
    struct region targets; /* where the last target was */
    struct table relr;
    struct table rel;
    struct table rela;
    struct table plt;
    uint64_t symtab;
    uint64_t hash;
    uint64_t gnu_hash;
    uint32_t symbols; /* entries of symtab */
    uint64_t entry;   /* address of the entry that is looked at, for errors */
    uint8_t cache[192];
};

/* One relocation, decoded. */
struct entry {
    uint64_t offset;
    uint32_t type;
    uint32_t symbol;
    uint64_t addend;
};

/* What was wrong before something was applied is wrong; what is so only then was changed. */
ELFP_COLD static int fail(const struct state *state, int code, uint64_t expected, uint64_t found)
{
    if (state->pass != CHECK && code != ELFPARSE_ERELCALL)
        code = ELFPARSE_ERELCHANGED;
    return elfp_fail(state->error, code, ELFPARSE_RULE_NONE, state->entry, expected, found);
}

/* Addresses of machines with 32-bit words wrap there. */
static uint64_t wrap(const struct state *state, uint64_t address)
{
    return state->word == 4 ? (uint32_t)address : address;
}

/*
 * The memory from the range on that has address, as far as ranges with that right follow each other
 * without a hole. 1, or 0 where there is none, or it has not that right.
 */
static int find_region(const struct elfparse_image *image, uint64_t address, uint32_t prot,
                       struct region *region)
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
static int is_readable(const struct state *state, uint64_t address, uint64_t size)
{
    struct region region = {0, 0};

    return find_region(state->image, address, 0, &region) &&
           elfp_reloc_inside(address, size, region.start, region.size);
}

/* The bytes must lie in ranges. */
static int read_bytes(const struct state *state, uint64_t address, void *to, size_t size)
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
    return fail(state, ELFPARSE_ERELCALL, 0, (uint64_t)(int64_t)answer);
}

/* As read_bytes, of any address. */
static int read_checked(const struct state *state, uint64_t address, void *to, size_t size)
{
    if (!is_readable(state, address, size))
        return fail(state, ELFPARSE_ERELTABLE, size, address);
    return read_bytes(state, address, to, size);
}

static uint64_t decode_word(const struct state *state, const uint8_t *bytes)
{
    return state->word == 4 ? elfp_le32(bytes) : elfp_le64(bytes);
}

static void encode(uint8_t *bytes, uint64_t value)
{
    bytes[0] = (uint8_t)value;
    bytes[1] = (uint8_t)(value >> 8);
    bytes[2] = (uint8_t)(value >> 16);
    bytes[3] = (uint8_t)(value >> 24);
    bytes[4] = (uint8_t)(value >> 32);
    bytes[5] = (uint8_t)(value >> 40);
    bytes[6] = (uint8_t)(value >> 48);
    bytes[7] = (uint8_t)(value >> 56);
}

/* Stores the lowest size bytes of value at a target that was checked. */
static int store(const struct state *state, uint64_t address, uint64_t value, size_t size)
{
    const struct elfparse_image *image = state->image;
    uint8_t bytes[8];
    int answer;

    encode(bytes, value);
    if (image->memory != NULL) {
        memcpy((uint8_t *)image->memory + (address - image->start), bytes, size);
        return 0;
    }
    answer = image->write(image->ctx, address, bytes, size);
    if (answer >= 0)
        return 0;
    return fail(state, ELFPARSE_ERELCALL, 0, (uint64_t)(int64_t)answer);
}

/* Checks that a target lies in memory that relocations may change. */
static int check_target(struct state *state, uint64_t address, uint64_t size)
{
    uint32_t prot = (state->image->flags & ELFPARSE_RELOCATE_TEXT) != 0 ? 0 : ELFPARSE_PF_W;

    if (elfp_reloc_inside(address, size, state->targets.start, state->targets.size))
        return 0;
    if (find_region(state->image, address, prot, &state->targets) &&
        elfp_reloc_inside(address, size, state->targets.start, state->targets.size))
        return 0;
    state->targets.size = 0;
    return fail(state, is_readable(state, address, size) ? ELFPARSE_ERELTEXT : ELFPARSE_ERELTARGET,
                size, address);
}

static int read_symbol(const struct state *state, uint32_t index, struct elfparse_symbol *symbol)
{
    uint32_t size = state->word == 4 ? 16 : 24;
    uint8_t bytes[24] = {0};
    int code;

    if (index >= state->symbols)
        return fail(state, ELFPARSE_ERELSYMBOL, state->symbols, index);
    code = read_checked(state, wrap(state, state->symtab + (uint64_t)index * size), bytes, size);
    if (code != 0)
        return code;
    symbol->name = elfp_le32(bytes);
    if (state->word == 4) {
        symbol->value = elfp_le32(bytes + 4);
        symbol->size = elfp_le32(bytes + 8);
    } else {
        symbol->value = elfp_le64(bytes + 8);
        symbol->size = elfp_le64(bytes + 16);
    }
    symbol->info = bytes[state->word == 4 ? 12 : 4];
    symbol->other = bytes[state->word == 4 ? 13 : 5];
    symbol->shndx = (uint16_t)elfp_le16(bytes + (state->word == 4 ? 14 : 6));
    return 0;
}

/* S of the formulas. */
static int resolve(const struct state *state, uint32_t index, const struct elfparse_symbol *symbol,
                   uint64_t *value)
{
    const struct elfparse_image *image = state->image;
    uint32_t binding = symbol->info >> 4;
    int answer;

    *value = 0;
    if (index == 0)
        return 0;
    if (image->resolve != NULL && binding != STB_LOCAL) {
        answer = image->resolve(image->ctx, index, symbol, value);
        if (answer < 0)
            return fail(state, ELFPARSE_ERELCALL, 0, (uint64_t)(int64_t)answer);
        return 0;
    }
    if (symbol->shndx == 0)
        return binding == STB_WEAK ? 0 : fail(state, ELFPARSE_ERELUNDEF, 0, index);
    *value = symbol->value + (symbol->shndx == SHN_ABS ? 0 : image->bias);
    return 0;
}

/* A of an entry without addend: what the target holds. */
static int read_addend(const struct state *state, uint64_t address, uint32_t size, uint64_t *addend)
{
    uint8_t bytes[8] = {0};
    int code = read_bytes(state, address, bytes, size);

    *addend = size == 8 ? elfp_le64(bytes) : (uint64_t)(int64_t)(int32_t)elfp_le32(bytes);
    return code;
}

/* A value in four bytes of a 64-bit machine: signed where it is a distance. */
static int fits(const struct state *state, const struct elfp_reloc_type *type, uint64_t value)
{
    if (state->word == type->size || type->size == 8)
        return 1;
    if (type->formula == ELFP_DISTANCE)
        return value + 0x80000000u <= 0xffffffffu;
    return value <= 0xffffffffu;
}

static int hand_over(const struct state *state, const struct entry *entry,
                     const struct elfp_reloc_type *type, uint64_t address, uint64_t size,
                     const struct elfparse_symbol *symbol)
{
    const struct elfparse_image *image = state->image;
    struct elfparse_relocation relocation;
    int answer;

    if (image->special == NULL || size > UINT32_MAX)
        return fail(state, ELFPARSE_ERELTYPE, 0, entry->type);
    if (state->pass != HAND_OVER)
        return 0;
    relocation.address = address;
    relocation.addend = entry->addend;
    relocation.kind = type->formula - ELFP_SPECIAL;
    relocation.type = entry->type;
    relocation.index = entry->symbol;
    relocation.size = (uint32_t)size;
    relocation.symbol = *symbol;
    answer = image->special(image->ctx, &relocation);
    if (answer < 0)
        return fail(state, ELFPARSE_ERELCALL, 0, (uint64_t)(int64_t)answer);
    return 0;
}

/* A relocation whose value is computed here. */
static int compute(const struct state *state, const struct entry *entry,
                   const struct elfp_reloc_type *type, uint64_t address,
                   const struct elfparse_symbol *symbol)
{
    uint64_t value = 0;
    int code = 0;

    if (state->pass == HAND_OVER)
        return 0;
    if (type->formula != ELFP_RELATIVE)
        code = resolve(state, entry->symbol, symbol, &value);
    if (code != 0)
        return code;
    value = wrap(
        state, elfp_reloc_value(type->formula, value, entry->addend, state->image->bias, address));
    if (!fits(state, type, value))
        return fail(state, ELFPARSE_ERELVALUE, type->size, value);
    return state->pass == APPLY ? store(state, address, value, type->size) : 0;
}

/* Checks an entry, and in the later passes does what it asks for. */
static int relocate_entry(struct state *state, struct entry *entry, int has_addend)
{
    const struct elfp_reloc_type *type = elfp_reloc_type(state->image->machine, entry->type);
    struct elfparse_symbol symbol = {0, 0, 0, 0, 0, 0};
    uint64_t address = wrap(state, state->image->bias + entry->offset);
    uint64_t size;
    int code = 0;

    if (type == NULL)
        return fail(state, ELFPARSE_ERELTYPE, state->image->machine, entry->type);
    if (type->formula == ELFP_NONE)
        return 0;
    if (entry->symbol != 0)
        code = read_symbol(state, entry->symbol, &symbol);
    if (code != 0)
        return code;
    size = type->size != 0 ? type->size : symbol.size;
    code = check_target(state, address, size);
    if (code == 0 && !has_addend && type->size != 0)
        code = read_addend(state, address, size < state->word ? (uint32_t)size : state->word,
                           &entry->addend);
    if (code != 0)
        return code;
    if (type->formula > ELFP_SPECIAL)
        return hand_over(state, entry, type, address, size, &symbol);
    return compute(state, entry, type, address, &symbol);
}

static void decode(const struct state *state, const struct table *table, const uint8_t *bytes,
                   struct entry *entry)
{
    entry->addend = 0;
    if (state->word == 4) {
        uint32_t info = elfp_le32(bytes + 4);

        entry->offset = elfp_le32(bytes);
        entry->type = info & 0xff;
        entry->symbol = info >> 8;
        if (table->addends)
            entry->addend = (uint64_t)(int64_t)(int32_t)elfp_le32(bytes + 8);
        return;
    }
    entry->offset = elfp_le64(bytes);
    entry->type = elfp_le32(bytes + 8);
    entry->symbol = elfp_le32(bytes + 12);
    if (table->addends)
        entry->addend = elfp_le64(bytes + 16);
}

/* Type of the usual relocation of a 64-bit machine, which has no symbol: r_info. */
static uint64_t relative_info(const struct state *state)
{
    switch (state->image->machine) {
    case ELFPARSE_EM_X86_64:
        return 8;
    case ELFPARSE_EM_AARCH64:
        return 1027;
    default:
        return 3;
    }
}

/*
 * Entries of RELA at bytes that are the usual ones, to be checked against the last target's region;
 * stores their values too where memory is not NULL: that of the region. Returns the first entry
 * that needs a closer look.
 */
static const uint8_t *usual_entries(const struct state *state, const uint8_t *bytes,
                                    const uint8_t *end, uint8_t *memory)
{
    const uint64_t info = relative_info(state), bias = state->image->bias;
    const uint64_t start = state->targets.start - bias;
    const uint64_t last = state->targets.size - 8;

    if (state->targets.size < 8)
        return bytes;
    if (memory == NULL) {
        for (; bytes != end; bytes += 24) {
            if (elfp_le64(bytes + 8) != info || elfp_le64(bytes) - start > last)
                break;
        }
        return bytes;
    }
    for (; bytes != end; bytes += 24) {
        uint64_t at = elfp_le64(bytes) - start;

        if (elfp_le64(bytes + 8) != info || at > last)
            break;
        encode(memory + at, bias + elfp_le64(bytes + 16));
    }
    return bytes;
}

/* Goes over entries in a row, as far as these are usual ones; the pass says what is done. */
static const uint8_t *skip_usual(const struct state *state, const struct table *table,
                                 const uint8_t *bytes, const uint8_t *end)
{
    const struct elfparse_image *image = state->image;

    if (!table->addends || state->word != 8 || state->targets.size == 0 ||
        (state->pass == APPLY && image->memory == NULL))
        return bytes;
    return usual_entries(state, bytes, end,
                         state->pass == APPLY
                             ? (uint8_t *)image->memory + (state->targets.start - image->start)
                             : NULL);
}

static int relocate_chunk(struct state *state, const struct table *table, uint64_t address,
                          const uint8_t *bytes, const uint8_t *end)
{
    const uint8_t *at = bytes;
    struct entry entry;
    int code;

    for (;;) {
        at = skip_usual(state, table, at, end);
        if (at == end)
            return 0;
        state->entry = address + (uint64_t)(at - bytes);
        decode(state, table, at, &entry);
        code = relocate_entry(state, &entry, table->addends);
        if (code != 0)
            return code;
        at += table->entry;
    }
}

/* The next bytes of a table: all of it in memory, else as many whole entries as there is room. */
static int next_chunk(struct state *state, const struct table *table, uint64_t done,
                      const uint8_t **bytes, uint64_t *size)
{
    const struct elfparse_image *image = state->image;
    uint64_t room = sizeof(state->cache) / table->entry * table->entry;

    state->entry = table->address + done;
    if (image->memory != NULL) {
        *bytes = (const uint8_t *)image->memory + (table->address - image->start);
        *size = table->size;
        return 0;
    }
    *bytes = state->cache;
    *size = table->size - done < room ? table->size - done : room;
    return read_bytes(state, table->address + done, state->cache, (size_t)*size);
}

static int relocate_table(struct state *state, const struct table *table)
{
    uint64_t done, size;
    const uint8_t *bytes;
    int code;

    for (done = 0; done < table->size; done += size) {
        code = next_chunk(state, table, done, &bytes, &size);
        if (code == 0)
            code = relocate_chunk(state, table, table->address + done, bytes, bytes + size);
        if (code != 0)
            return code;
    }
    return 0;
}

/* Adds the bias to the word at an offset in the object. */
static int relocate_word(struct state *state, uint64_t offset)
{
    uint64_t address = wrap(state, state->image->bias + offset), value;
    int code = check_target(state, address, state->word);

    if (code != 0 || state->pass == CHECK)
        return code;
    code = read_addend(state, address, state->word, &value);
    return code == 0 ? store(state, address, value + state->image->bias, state->word) : code;
}

/* The words that a bitmap of RELR stands for, the first of which is at offset. */
static int relocate_bitmap(struct state *state, uint64_t bitmap, uint64_t offset)
{
    int code = 0;

    for (; bitmap != 0 && code == 0; bitmap >>= 1, offset += state->word) {
        if ((bitmap & 1) != 0)
            code = relocate_word(state, offset);
    }
    return code;
}

static int relocate_relr(struct state *state)
{
    uint64_t next = 0, done, word;
    uint8_t bytes[8] = {0};
    int code = 0;

    for (done = 0; code == 0 && done < state->relr.size; done += state->word) {
        state->entry = state->relr.address + done;
        code = read_bytes(state, state->entry, bytes, state->word);
        if (code != 0)
            return code;
        word = decode_word(state, bytes);
        if ((word & 1) == 0) {
            code = relocate_word(state, word);
            next = word + state->word;
        } else {
            code = relocate_bitmap(state, word >> 1, next);
            next += (uint64_t)(state->word * 8 - 1) * state->word;
        }
    }
    return code;
}

static int run_pass(struct state *state, enum pass pass)
{
    int code = 0;

    state->pass = pass;
    if (pass != HAND_OVER)
        code = relocate_relr(state);
    if (code == 0)
        code = relocate_table(state, &state->rel);
    if (code == 0)
        code = relocate_table(state, &state->rela);
    if (code == 0)
        code = relocate_table(state, &state->plt);
    return code;
}

/* Takes note of a dynamic entry. */
static void take_dynamic(struct state *state, uint64_t tag, uint64_t value)
{
    uint64_t address = wrap(state, state->image->bias + value);

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
static uint32_t entry_size(const struct state *state, uint64_t tag)
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

static int read_dynamic(struct state *state)
{
    uint64_t tag, value;
    uint8_t bytes[16];
    uint32_t i;

    for (i = 0; i < MAX_DYNAMIC; i++) {
        int code;

        state->entry = wrap(state, state->image->dynamic + (uint64_t)i * 2 * state->word);
        code = read_checked(state, state->entry, bytes, (size_t)2 * state->word);
        if (code != 0)
            return code;
        tag = decode_word(state, bytes);
        value = decode_word(state, bytes + state->word);
        if (tag == ELFPARSE_DT_NULL)
            return 0;
        if (entry_size(state, tag) != 0 && entry_size(state, tag) != value)
            return fail(state, ELFPARSE_ERELTABLE, entry_size(state, tag), value);
        take_dynamic(state, tag, value);
    }
    return fail(state, ELFPARSE_ERELTABLE, MAX_DYNAMIC, i);
}

static int check_table(struct state *state, const struct table *table)
{
    state->entry = table->address;
    if (table->size == 0)
        return 0;
    if (table->size % table->entry != 0)
        return fail(state, ELFPARSE_ERELTABLE, table->entry, table->size);
    if (!is_readable(state, table->address, table->size))
        return fail(state, ELFPARSE_ERELTABLE, table->size, table->address);
    return 0;
}

/* The PLT's table may be the last part of the other one: each entry is to be applied once. */
static void cut_plt(const struct state *state, struct table *table)
{
    if (state->plt.size <= table->size && state->plt.size != 0 &&
        state->plt.addends == table->addends &&
        table->address + table->size == state->plt.address + state->plt.size)
        table->size -= state->plt.size;
}

static int read_u32(const struct state *state, uint64_t address, uint32_t *word)
{
    uint8_t bytes[4] = {0};
    int code = read_checked(state, address, bytes, sizeof(bytes));

    *word = elfp_le32(bytes);
    return code;
}

/* The highest of the buckets' first symbols. */
static int highest_bucket(const struct state *state, uint64_t buckets, uint32_t count,
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

/* Entries of the symbol table: up to the end of the last chain of the GNU hash table. */
static int count_by_gnu_hash(struct state *state)
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
    state->symbols = first;
    if (index < first)
        return 0;
    for (at += (uint64_t)buckets * 4; code == 0 && (hash & 1) == 0 && index != UINT32_MAX; index++)
        code = read_u32(state, at + (uint64_t)(index - first) * 4, &hash);
    state->symbols = index;
    return code;
}

static int count_symbols(struct state *state)
{
    state->entry = state->hash != 0 ? state->hash : state->gnu_hash;
    if (state->hash != 0)
        return read_u32(state, state->hash + 4, &state->symbols);
    return state->gnu_hash != 0 ? count_by_gnu_hash(state) : 0;
}

/* Finds the tables and checks where they lie. */
static int find_tables(struct state *state)
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
static int check_memory(const struct state *state)
{
    const struct elfparse_image *image = state->image;
    uint32_t i;

    for (i = 0; image->memory != NULL && i < image->range_count; i++) {
        if (!elfp_inside(image->ranges[i].vaddr - image->start, image->ranges[i].size, image->size))
            return fail(state, ELFPARSE_EARGUMENT, image->size, image->ranges[i].vaddr);
    }
    return 0;
}

int elfparse_relocate(const struct elfparse_image *image, struct elfparse_error *error)
{
    struct state state = {.image = image, .error = error, .pass = CHECK};
    int code;

    state.word = elfp_reloc_word(image->machine);
    if (state.word == 0)
        return fail(&state, ELFPARSE_ERELMACHINE, 0, image->machine);
    state.relr.entry = state.word;
    state.rel.entry = 2 * state.word;
    state.rela.entry = 3 * state.word;
    state.rela.addends = 1;
    code = check_memory(&state);
    if (code != 0 || image->dynamic == 0)
        return code;
    code = find_tables(&state);
    if (code == 0)
        code = run_pass(&state, CHECK);
    if (code == 0)
        code = run_pass(&state, APPLY);
    return code == 0 && image->special != NULL ? run_pass(&state, HAND_OVER) : code;
}
