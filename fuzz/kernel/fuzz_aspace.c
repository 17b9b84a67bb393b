/*
 * Bytes become operations on several address spaces and files over simulated RAM
 * (kernel/tests/script.c says how). After each one the independent page walk is compared with the
 * flat model; at the end every frame and object must have come back.
 *
 * Input: operations on several address spaces and files over simulated RAM.
 * Proves: page tables and areas are what the operations say, and all frames and objects come
 * back.
 * Does not prove: anything about real processors and their TLBs.
 * Oracles: an independent page walk against a flat model after each operation.
 * Rate: 3,000/s
 */
#include <stddef.h>
#include <stdint.h>

#include "host/files.h"
#include "host/ram.h"
#include "tests/model.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc, (void)argv;
    ram_start(RAM_SPARSE, 2048);
    files_start(0);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    script_run(data, size);
    return 0;
}
