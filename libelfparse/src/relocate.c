#include "relocator.h"

#define STB_LOCAL 0u
#define STB_WEAK  2u
#define SHN_ABS   0xfff1u

/* One relocation, decoded. */
struct entry {
    uint64_t offset;
    uint32_t type;
    uint32_t symbol;
    uint64_t addend;
};

static int read_symbol(const struct elfp_reloc_state *state, uint32_t index,
                       struct elfparse_symbol *symbol)
{
    uint32_t size = elfp_reloc_bytes(state) == 4 ? 16 : 24;
    uint8_t bytes[24] = {0};
    int code;

    if (index >= state->symbols)
        return elfp_reloc_fail(state, ELFPARSE_ERELSYMBOL, state->symbols, index);
    code = elfp_reloc_read_checked(
        state, elfp_reloc_wrap(state, state->symtab + (uint64_t)index * size), bytes, size);
    if (code != 0)
        return code;
    symbol->name = elfp_le32(bytes);
    if (elfp_reloc_bytes(state) == 4) {
        symbol->value = elfp_le32(bytes + 4);
        symbol->size = elfp_le32(bytes + 8);
    } else {
        symbol->value = elfp_le64(bytes + 8);
        symbol->size = elfp_le64(bytes + 16);
    }
    symbol->info = bytes[elfp_reloc_bytes(state) == 4 ? 12 : 4];
    symbol->other = bytes[elfp_reloc_bytes(state) == 4 ? 13 : 5];
    symbol->shndx = (uint16_t)elfp_le16(bytes + (elfp_reloc_bytes(state) == 4 ? 14 : 6));
    return 0;
}

/* S of the formulas. */
static int resolve(const struct elfp_reloc_state *state, uint32_t index,
                   const struct elfparse_symbol *symbol, uint64_t *value)
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
            return elfp_reloc_fail(state, ELFPARSE_ERELCALL, 0, (uint64_t)(int64_t)answer);
        return 0;
    }
    if (symbol->shndx == 0)
        return binding == STB_WEAK ? 0 : elfp_reloc_fail(state, ELFPARSE_ERELUNDEF, 0, index);
    *value = symbol->value + (symbol->shndx == SHN_ABS ? 0 : image->bias);
    return 0;
}

/* Stores the lowest size bytes of value at a target that was checked. */
static int store(const struct elfp_reloc_state *state, uint64_t address, uint64_t value,
                 size_t size)
{
    uint8_t bytes[8];

    elfp_put64(bytes, value);
    return elfp_reloc_write(state, address, bytes, size);
}

/* A of an entry without addend: what the target holds. */
static int read_addend(const struct elfp_reloc_state *state, uint64_t address, uint32_t size,
                       uint64_t *addend)
{
    uint8_t bytes[8] = {0};
    int code = elfp_reloc_read_bytes(state, address, bytes, size);

    *addend = size == 8 ? elfp_le64(bytes) : (uint64_t)(int64_t)(int32_t)elfp_le32(bytes);
    return code;
}

/* A value in four bytes of a 64-bit machine: signed where it is a distance. */
static int fits(const struct elfp_reloc_state *state, const struct elfp_reloc_type *type,
                uint64_t value)
{
    if (elfp_reloc_bytes(state) == type->size)
        return 1;
    if (type->formula == ELFP_DISTANCE)
        return value + 0x80000000u <= 0xffffffffu;
    return value <= 0xffffffffu;
}

/* What the caller does. size: bytes of the target, which may be too large for one. */
static int hand_over(const struct elfp_reloc_state *state,
                     const struct elfparse_relocation *relocation, uint64_t size)
{
    const struct elfparse_image *image = state->image;
    int answer;

    if (image->special == NULL || size > UINT32_MAX)
        return elfp_reloc_fail(state, ELFPARSE_ERELTYPE, 0, relocation->type);
    if (state->pass != ELFP_RELOC_HAND_OVER)
        return 0;
    answer = image->special(image->ctx, relocation);
    if (answer < 0)
        return elfp_reloc_fail(state, ELFPARSE_ERELCALL, 0, (uint64_t)(int64_t)answer);
    return 0;
}

/* As resolve, by the callback that is told of the relocation. */
static int bind(const struct elfp_reloc_state *state, const struct elfparse_relocation *relocation,
                uint64_t *value)
{
    const struct elfparse_image *image = state->image;
    int answer;

    if (image->bind == NULL || relocation->symbol.info >> 4 == STB_LOCAL)
        return resolve(state, relocation->index, &relocation->symbol, value);
    answer = image->bind(image->ctx, relocation, value);
    if (answer < 0)
        return elfp_reloc_fail(state, ELFPARSE_ERELCALL, 0, (uint64_t)(int64_t)answer);
    return 0;
}

/* A relocation whose value is computed here. */
static int compute(const struct elfp_reloc_state *state, const struct elfp_reloc_type *type,
                   const struct elfparse_relocation *relocation)
{
    uint64_t value = 0;
    int code = 0;

    if (state->pass == ELFP_RELOC_HAND_OVER)
        return 0;
    if (type->formula != ELFP_RELATIVE)
        code = bind(state, relocation, &value);
    if (code != 0)
        return code;
    value = elfp_reloc_wrap(state, elfp_reloc_value(type->formula, value, relocation->addend,
                                                    state->image->bias, relocation->address));
    if (!fits(state, type, value))
        return elfp_reloc_fail(state, ELFPARSE_ERELVALUE, type->size, value);
    return state->pass == ELFP_RELOC_APPLY ? store(state, relocation->address, value, type->size)
                                           : 0;
}

/* Checks an entry, and in the later passes does what it asks for. */
static int relocate_entry(struct elfp_reloc_state *state, const struct entry *entry, int has_addend)
{
    const struct elfp_reloc_type *type = elfp_reloc_type(state->image->machine, entry->type);
    struct elfparse_relocation relocation = {
        .addend = entry->addend, .type = entry->type, .index = entry->symbol};
    uint64_t size;
    int code = 0;

    if (type == NULL)
        return elfp_reloc_fail(state, ELFPARSE_ERELTYPE, state->image->machine, entry->type);
    if (type->formula == ELFP_NONE)
        return 0;
    if (entry->symbol != 0)
        code = read_symbol(state, entry->symbol, &relocation.symbol);
    if (code != 0)
        return code;
    size = type->size != 0 ? type->size : relocation.symbol.size;
    relocation.address = elfp_reloc_wrap(state, state->image->bias + entry->offset);
    relocation.size = (uint32_t)size;
    code = elfp_reloc_check_target(state, relocation.address, size);
    if (code == 0 && !has_addend && type->size != 0)
        code =
            read_addend(state, relocation.address,
                        size < elfp_reloc_bytes(state) ? (uint32_t)size : elfp_reloc_bytes(state),
                        &relocation.addend);
    if (code != 0)
        return code;
    if (type->formula <= ELFP_SPECIAL)
        return compute(state, type, &relocation);
    relocation.kind = (uint32_t)type->formula - ELFP_SPECIAL;
    return hand_over(state, &relocation, size);
}

static void decode(const struct elfp_reloc_state *state, const struct elfp_reloc_table *table,
                   const uint8_t *bytes, struct entry *entry)
{
    entry->addend = 0;
    if (elfp_reloc_bytes(state) == 4) {
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
static uint64_t relative_info(const struct elfp_reloc_state *state)
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
static const uint8_t *usual_entries(const struct elfp_reloc_state *state, const uint8_t *bytes,
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
        elfp_put64(memory + at, bias + elfp_le64(bytes + 16));
    }
    return bytes;
}

/*
 * Entries of RELA at the cache's bytes at, usual ones whose targets are words that follow each
 * other: their values replace them at the front of the cache. Returns how many they are.
 */
static size_t gather_usual(struct elfp_reloc_state *state, const uint8_t *at, const uint8_t *end)
{
    const uint64_t info = relative_info(state), bias = state->image->bias;
    const uint64_t room = (state->targets.size - (bias + elfp_le64(at) - state->targets.start)) / 8;
    uint64_t offset = elfp_le64(at);
    uint8_t *word = state->cache;

    if ((uint64_t)(end - at) / 24 > room)
        end = at + room * 24;
    for (; at != end && elfp_le64(at + 8) == info && elfp_le64(at) == offset; at += 24) {
        elfp_put64(word, bias + elfp_le64(at + 16));
        word += 8;
        offset += 8;
    }
    return (size_t)(word - state->cache) / 8;
}

/*
 * As usual_entries, but writes through the callback: words that follow each other in one call. *at,
 * in the cache, becomes the first entry that needs a closer look.
 */
static int write_usual(struct elfp_reloc_state *state, const uint8_t **at, const uint8_t *end)
{
    const uint64_t start = state->targets.start, size = state->targets.size;

    while (*at != end) {
        uint64_t first = state->image->bias + elfp_le64(*at);
        size_t count = first - start < size ? gather_usual(state, *at, end) : 0;
        int code;

        if (count == 0)
            return 0;
        code = elfp_reloc_write(state, first, state->cache, count * 8);
        if (code != 0)
            return code;
        *at += count * 24;
    }
    return 0;
}

/* Goes over entries in a row, as far as these are usual ones; the pass says what is done. */
static const uint8_t *skip_usual(const struct elfp_reloc_state *state,
                                 const struct elfp_reloc_table *table, const uint8_t *bytes,
                                 const uint8_t *end)
{
    const struct elfparse_image *image = state->image;

    if (!table->addends || elfp_reloc_bytes(state) != 8 || state->targets.size == 0 ||
        (state->pass == ELFP_RELOC_APPLY && image->memory == NULL))
        return bytes;
    return usual_entries(state, bytes, end,
                         state->pass == ELFP_RELOC_APPLY
                             ? (uint8_t *)image->memory + (state->targets.start - image->start)
                             : NULL);
}

static int relocate_chunk(struct elfp_reloc_state *state, const struct elfp_reloc_table *table,
                          uint64_t address, const uint8_t *bytes, const uint8_t *end)
{
    const uint8_t *at = bytes;
    struct entry entry;
    int code;

    for (;;) {
        if (state->pass == ELFP_RELOC_APPLY && state->image->memory == NULL && table->addends &&
            elfp_reloc_bytes(state) == 8 && state->targets.size >= 8) {
            code = write_usual(state, &at, end);
            if (code != 0)
                return code;
        }
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
static int next_chunk(struct elfp_reloc_state *state, const struct elfp_reloc_table *table,
                      uint64_t done, const uint8_t **bytes, uint64_t *size)
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
    return elfp_reloc_read_bytes(state, table->address + done, state->cache, (size_t)*size);
}

static int relocate_table(struct elfp_reloc_state *state, const struct elfp_reloc_table *table)
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
static int relocate_word(struct elfp_reloc_state *state, uint64_t offset)
{
    uint64_t address = elfp_reloc_wrap(state, state->image->bias + offset), value;
    int code = elfp_reloc_check_target(state, address, elfp_reloc_bytes(state));

    if (code != 0 || state->pass == ELFP_RELOC_CHECK)
        return code;
    code = read_addend(state, address, elfp_reloc_bytes(state), &value);
    return code == 0 ? store(state, address, value + state->image->bias, elfp_reloc_bytes(state))
                     : code;
}

/* The words that a bitmap of RELR stands for, the first of which is at offset. */
static int relocate_bitmap(struct elfp_reloc_state *state, uint64_t bitmap, uint64_t offset)
{
    int code = 0;

    for (; bitmap != 0 && code == 0; bitmap >>= 1, offset += elfp_reloc_bytes(state)) {
        if ((bitmap & 1) != 0)
            code = relocate_word(state, offset);
    }
    return code;
}

static int relocate_relr(struct elfp_reloc_state *state)
{
    uint64_t next = 0, done, word;
    uint8_t bytes[8] = {0};
    int code = 0;

    for (done = 0; code == 0 && done < state->tables[ELFP_RELOC_RELR].size;
         done += elfp_reloc_bytes(state)) {
        state->entry = state->tables[ELFP_RELOC_RELR].address + done;
        code = elfp_reloc_read_bytes(state, state->entry, bytes, elfp_reloc_bytes(state));
        if (code != 0)
            return code;
        word = elfp_reloc_decode_word(state, bytes);
        if ((word & 1) == 0) {
            code = relocate_word(state, word);
            next = word + elfp_reloc_bytes(state);
        } else {
            code = relocate_bitmap(state, word >> 1, next);
            next += (uint64_t)(elfp_reloc_bytes(state) * 8 - 1) * elfp_reloc_bytes(state);
        }
    }
    return code;
}

static int run_pass(struct elfp_reloc_state *state, enum elfp_reloc_pass pass)
{
    uint32_t i;
    int code = 0;

    state->pass = pass;
    if (pass != ELFP_RELOC_HAND_OVER)
        code = relocate_relr(state);
    for (i = ELFP_RELOC_REL; code == 0 && i < ELFP_RELOC_TABLES; i++)
        code = relocate_table(state, &state->tables[i]);
    return code;
}

int elfparse_relocate(const struct elfparse_image *image, struct elfparse_error *error)
{
    struct elfp_reloc_state state = {.image = image, .error = error, .pass = ELFP_RELOC_CHECK};
    int code;

    state.word = elfp_reloc_word(image->machine);
    if (state.word == 0)
        return elfp_reloc_fail(&state, ELFPARSE_ERELMACHINE, 0, image->machine);
    state.tables[ELFP_RELOC_RELR].entry = state.word;
    state.tables[ELFP_RELOC_REL].entry = 2 * state.word;
    state.tables[ELFP_RELOC_RELA].entry = 3 * state.word;
    state.tables[ELFP_RELOC_RELA].addends = 1;
    code = elfp_reloc_check_memory(&state);
    if (code != 0 || image->dynamic == 0)
        return code;
    code = elfp_reloc_find_tables(&state);
    if (code == 0 && (image->flags & ELFPARSE_RELOCATE_CHECKED) == 0)
        code = run_pass(&state, ELFP_RELOC_CHECK);
    if (code == 0 && (image->flags & ELFPARSE_RELOCATE_CHECK) == 0)
        code = run_pass(&state, ELFP_RELOC_APPLY);
    return code == 0 && image->special != NULL ? run_pass(&state, ELFP_RELOC_HAND_OVER) : code;
}

#define SPECIAL(kind) (ELFP_SPECIAL + (int)ELFPARSE_SPECIAL_##kind)

/* x86-64 psABI, "Relocation Types" */
static const struct elfp_reloc_type of_x86_64[] = {
    {0, ELFP_NONE, 0},
    {1, ELFP_ABSOLUTE, 8},
    {2, ELFP_DISTANCE, 4},
    {5, SPECIAL(COPY), 0},
    {6, ELFP_SYMBOL, 8},
    {7, ELFP_SYMBOL, 8},
    {8, ELFP_RELATIVE, 8},
    {10, ELFP_ABSOLUTE, 4},
    {16, SPECIAL(TLS_MODULE), 8},
    {17, SPECIAL(TLS_OFFSET), 8},
    {18, SPECIAL(TLS_POINTER), 8},
    {24, ELFP_DISTANCE, 8},
    {36, SPECIAL(TLS_DESC), 16},
    {37, SPECIAL(IRELATIVE), 8},
    {38, ELFP_RELATIVE, 8},
};

/* ELF for the Arm 64-bit Architecture, "Dynamic relocations" */
static const struct elfp_reloc_type of_aarch64[] = {
    {0, ELFP_NONE, 0},
    {256, ELFP_NONE, 0},
    {257, ELFP_ABSOLUTE, 8},
    {1024, SPECIAL(COPY), 0},
    {1025, ELFP_ABSOLUTE, 8},
    {1026, ELFP_ABSOLUTE, 8},
    {1027, ELFP_RELATIVE, 8},
    {1028, SPECIAL(TLS_MODULE), 8},
    {1029, SPECIAL(TLS_OFFSET), 8},
    {1030, SPECIAL(TLS_POINTER), 8},
    {1031, SPECIAL(TLS_DESC), 16},
    {1032, SPECIAL(IRELATIVE), 8},
};

/* RISC-V ELF psABI, "Relocations" */
static const struct elfp_reloc_type of_riscv[] = {
    {0, ELFP_NONE, 0},           {2, ELFP_ABSOLUTE, 8},         {3, ELFP_RELATIVE, 8},
    {4, SPECIAL(COPY), 0},       {5, ELFP_ABSOLUTE, 8},         {7, SPECIAL(TLS_MODULE), 8},
    {9, SPECIAL(TLS_OFFSET), 8}, {11, SPECIAL(TLS_POINTER), 8}, {12, SPECIAL(TLS_DESC), 16},
    {58, SPECIAL(IRELATIVE), 8},
};

/* i386 psABI, "Relocation Types" */
static const struct elfp_reloc_type of_i386[] = {
    {0, ELFP_NONE, 0},
    {1, ELFP_ABSOLUTE, 4},
    {2, ELFP_DISTANCE, 4},
    {5, SPECIAL(COPY), 0},
    {6, ELFP_SYMBOL, 4},
    {7, ELFP_SYMBOL, 4},
    {8, ELFP_RELATIVE, 4},
    {14, SPECIAL(TLS_POINTER), 4},
    {35, SPECIAL(TLS_MODULE), 4},
    {36, SPECIAL(TLS_OFFSET), 4},
    {41, SPECIAL(TLS_DESC), 8},
    {42, SPECIAL(IRELATIVE), 4},
};

/* ELF for the Arm Architecture, "Dynamic relocations" */
static const struct elfp_reloc_type of_arm[] = {
    {0, ELFP_NONE, 0},
    {2, ELFP_ABSOLUTE, 4},
    {3, ELFP_DISTANCE, 4},
    {13, SPECIAL(TLS_DESC), 8},
    {17, SPECIAL(TLS_MODULE), 4},
    {18, SPECIAL(TLS_OFFSET), 4},
    {19, SPECIAL(TLS_POINTER), 4},
    {20, SPECIAL(COPY), 0},
    {21, ELFP_SYMBOL, 4},
    {22, ELFP_SYMBOL, 4},
    {23, ELFP_RELATIVE, 4},
    {160, SPECIAL(IRELATIVE), 4},
};

static const struct elfp_reloc_type *find(const struct elfp_reloc_type *types, size_t count,
                                          uint32_t type)
{
    size_t i;

    for (i = 0; i < count; i++) {
        if (types[i].type == type)
            return &types[i];
    }
    return NULL;
}

#define FIND(types, type) find(types, sizeof(types) / sizeof((types)[0]), type)

/* The machine is that, and was not left out. */
#define IS(machine, name)                                                                          \
    ((ELFPARSE_MACHINES & ELFPARSE_MACHINE_##name) != 0 && (machine) == EM_##name)
#define EM_X86_64  ELFPARSE_EM_X86_64
#define EM_AARCH64 ELFPARSE_EM_AARCH64
#define EM_RISCV64 ELFPARSE_EM_RISCV
#define EM_I386    ELFPARSE_EM_386
#define EM_ARM     ELFPARSE_EM_ARM

const struct elfp_reloc_type *elfp_reloc_type(uint32_t machine, uint32_t type)
{
    if (IS(machine, X86_64))
        return FIND(of_x86_64, type);
    if (IS(machine, AARCH64))
        return FIND(of_aarch64, type);
    if (IS(machine, RISCV64))
        return FIND(of_riscv, type);
    if (IS(machine, I386))
        return FIND(of_i386, type);
    if (IS(machine, ARM))
        return FIND(of_arm, type);
    return NULL;
}

uint32_t elfp_reloc_word(uint32_t machine)
{
    if (IS(machine, X86_64) || IS(machine, AARCH64) || IS(machine, RISCV64))
        return 8;
    return IS(machine, I386) || IS(machine, ARM) ? 4 : 0;
}
