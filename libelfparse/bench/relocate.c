/*
 * relocate WAY N: applies 10,000 relative relocations N times: by a bare loop, by elfparse_relocate
 * in memory, or by it through callbacks. For instructions.sh's way of counting.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <elfparse/relocate.h>

#define COUNT 10000u
#define BIAS  UINT64_C(0x40000000)
#define TABLE 0x1000u
#define DATA  0x40000u
#define SIZE  0x60000u

static uint8_t memory[SIZE];

static void put(uint64_t at, uint64_t value)
{
    memcpy(memory + at, &value, 8);
}

static void fill(void)
{
    const uint64_t dynamic[] = {7, TABLE, 8, COUNT * 24, 0, 0};

    memcpy(memory, dynamic, sizeof(dynamic));
    for (uint64_t i = 0; i < COUNT; i++) {
        put(TABLE + i * 24, DATA + i * 8);
        put(TABLE + i * 24 + 8, 8);
        put(TABLE + i * 24 + 16, i);
    }
}

struct entry {
    uint64_t offset, info, addend;
};

/* As a static-PIE's start code does it. */
__attribute__((noinline)) static int bare(const struct entry *entry, const struct entry *end)
{
    for (; entry != end; entry++) {
        if (entry->info != 8)
            return -1;
        *(uint64_t *)(void *)(memory + entry->offset) = BIAS + entry->addend;
    }
    return 0;
}

static int read_memory(void *ctx, uint64_t address, void *buf, size_t len)
{
    (void)ctx;
    memcpy(buf, memory + (address - BIAS), len);
    return 0;
}

static int write_memory(void *ctx, uint64_t address, const void *buf, size_t len)
{
    (void)ctx;
    memcpy(memory + (address - BIAS), buf, len);
    return 0;
}

int main(int argc, char **argv)
{
    static const struct elfparse_range ranges[] = {
        {BIAS, DATA, 0, DATA, ELFPARSE_PF_R, 0, ELFPARSE_RANGE_FILE},
        {BIAS + DATA, SIZE - DATA, DATA, SIZE - DATA, ELFPARSE_PF_R | ELFPARSE_PF_W, 1,
         ELFPARSE_RANGE_FILE}};
    struct elfparse_image image = {.machine = ELFPARSE_EM_X86_64,
                                   .ranges = ranges,
                                   .range_count = 2,
                                   .bias = BIAS,
                                   .dynamic = BIAS,
                                   .memory = memory,
                                   .start = BIAS,
                                   .size = SIZE,
                                   .read = read_memory,
                                   .write = write_memory};
    int error = 0;

    if (argc != 3)
        return 2;
    fill();
    if (strcmp(argv[1], "callback") == 0)
        image.memory = NULL;
    for (int n = atoi(argv[2]); n > 0 && error == 0; n--) {
        if (strcmp(argv[1], "bare") == 0)
            error = bare((const struct entry *)(const void *)(memory + TABLE),
                         (const struct entry *)(const void *)(memory + TABLE) + COUNT);
        else
            error = elfparse_relocate(&image, NULL);
    }
    return error != 0;
}
