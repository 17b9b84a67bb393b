/*
 * Relocation of an object in memory or through a writer.
 *
 * Input: machine, flags and a byte that says how memory is reached and when it changes; the rest
 * changes, by XOR, an object that is in order: tables of relocations, symbols, dynamic entries in
 * its first page, and a writable one.
 * Proves: nothing outside the ranges is read, nothing outside the writable ones is written, and a
 * failure changes nothing, whatever the tables say.
 * Does not prove: that the values are right (unit tests and ld.so's own words are compared).
 * Oracles: the object and its writable page before and after; memory around them.
 * Rate: 50,000/s
 */
#include <stdlib.h>
#include <string.h>

#include <elfparse/relocate.h>

#include "elfparse/invariants.h"

#define BIAS UINT64_C(0x7000000)
#define PAGE 4096u
#define SIZE (2 * PAGE)

/* The words of a table of RELR may stand for 63 others each, whose addends are read. */
#define READS_MAX (16 * SIZE)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct object {
    uint8_t memory[SIZE];
    unsigned reads, change_at; /* 0: never */
    int wrote;
};

static int read_memory(void *ctx, uint64_t address, void *buf, size_t len)
{
    struct object *object = ctx;

    HOLDS(len != 0 && address >= BIAS && len <= SIZE && address - BIAS <= SIZE - len);
    if (++object->reads == object->change_at)
        object->memory[(object->change_at * 7) % SIZE] ^= 0x81;
    memcpy(buf, object->memory + (address - BIAS), len);
    return 0;
}

static int write_memory(void *ctx, uint64_t address, const void *buf, size_t len)
{
    struct object *object = ctx;

    HOLDS(len != 0 && address >= BIAS + PAGE && address - BIAS <= SIZE - len);
    memcpy(object->memory + (address - BIAS), buf, len);
    object->wrote = 1;
    return 0;
}

static void put(uint8_t *memory, unsigned at, uint64_t value, unsigned size)
{
    for (unsigned i = 0; i < size; i++)
        memory[at + i] = (uint8_t)(value >> (8 * i));
}

/* An object with 8 entries of RELA and of REL, RELR, 4 symbols. */
static void fill(uint8_t *memory, uint32_t machine)
{
    unsigned word = machine == ELFPARSE_EM_386 || machine == ELFPARSE_EM_ARM ? 4 : 8;
    unsigned relative = machine == ELFPARSE_EM_AARCH64 ? 1027
                        : machine == ELFPARSE_EM_RISCV ? 3
                        : machine == ELFPARSE_EM_ARM   ? 23
                                                       : 8;
    const uint64_t dynamic[][2] = {
        {7, 0},
        {8, 8 * 3 * word},
        {17, 0x100},
        {18, 8 * 2 * word},
        {36, 0x200},
        {35, word * 2},
        {6, 0x300},
        {4, 0x400},
        {23, 8 * 2 * word},
        {2, 3 * word},
        {20, 7},
        {0, 0},
    };

    for (unsigned i = 0; i < 8; i++) {
        put(memory, i * 3 * word, PAGE + 16 * i, word);
        put(memory, i * 3 * word + word, relative, word);
        put(memory, 0x100 + i * 2 * word, PAGE + 256 + 16 * i, word);
        put(memory, 0x100 + i * 2 * word + word, relative, word);
    }
    put(memory, 0x200, PAGE + 512, word);
    put(memory, 0x200 + word, 0x0f, word);
    put(memory, 0x404, 4, 4);
    for (unsigned i = 0; i < sizeof(dynamic) / sizeof(dynamic[0]); i++) {
        for (unsigned part = 0; part < 2; part++) {
            put(memory, 0x800 + (2 * i + part) * word, dynamic[i][part], word);
            put(memory, PAGE + 0x800 + (2 * i + part) * word, dynamic[i][part], word);
        }
    }
}

static int take(void *ctx, const struct elfparse_relocation *relocation)
{
    (void)ctx;
    HOLDS(relocation->address >= BIAS + PAGE && relocation->size <= PAGE &&
          relocation->address - BIAS <= SIZE - relocation->size);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint32_t machines[] = {ELFPARSE_EM_X86_64, ELFPARSE_EM_AARCH64, ELFPARSE_EM_RISCV,
                                        ELFPARSE_EM_386, ELFPARSE_EM_ARM};
    const struct elfparse_range ranges[] = {
        {BIAS, PAGE, 0, PAGE, ELFPARSE_PF_R, 0, ELFPARSE_RANGE_FILE},
        {BIAS + PAGE, PAGE, 0, PAGE, ELFPARSE_PF_R | ELFPARSE_PF_W, 1, ELFPARSE_RANGE_FILE}};
    static uint8_t before[SIZE];
    static struct object object;
    struct elfparse_image image = {0};
    int code;

    if (size < 3)
        return 0;
    memset(&object, 0, sizeof(object));
    image.machine = machines[data[0] % 5];
    fill(object.memory, image.machine);
    for (size_t i = 0; i < size - 3 && i < SIZE; i++)
        object.memory[i] ^= data[3 + i];
    memcpy(before, object.memory, SIZE);
    image.ranges = ranges;
    image.range_count = 2;
    image.bias = BIAS;
    image.dynamic = BIAS + 0x800 + (data[1] & 1) * PAGE;
    image.special = data[1] & 2 ? take : NULL;
    image.start = BIAS;
    image.size = SIZE;
    image.memory = data[2] & 1 ? NULL : malloc(SIZE);
    image.read = read_memory;
    image.write = write_memory;
    image.ctx = &object;
    object.change_at = data[2] / 2;
    if (image.memory != NULL)
        memcpy(image.memory, object.memory, SIZE);
    code = elfparse_relocate(&image, NULL);
    HOLDS(object.reads <= READS_MAX);
    if (image.memory != NULL) {
        HOLDS(memcmp(image.memory, before, PAGE) == 0);
        HOLDS(code == 0 || code == ELFPARSE_ERELCHANGED || memcmp(image.memory, before, SIZE) == 0);
        free(image.memory);
    } else {
        HOLDS(code == 0 || code == ELFPARSE_ERELCHANGED || !object.wrote);
    }
    return 0;
}
