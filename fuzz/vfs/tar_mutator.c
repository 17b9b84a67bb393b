/* Mutates as libFuzzer does, then makes the checksums of tar headers right again, without which no
 * mutation would come further than the first check. */
#include <stdio.h>
#include <string.h>

#include <stddef.h>
#include <stdint.h>

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    size = LLVMFuzzerMutate(data, size, max_size);
    if (seed % 16 == 0)
        return size;
    for (size_t at = 0; at + 512 <= size; at += 512) {
        unsigned sum = 8 * ' ';
        char text[8];
        if (memcmp(data + at + 257, "ustar", 5) != 0)
            continue;
        for (size_t i = 0; i < 512; i++)
            sum += i - 148 < 8 ? 0 : data[at + i];
        snprintf(text, sizeof(text), "%06o", sum & 0777777u);
        memcpy(data + at + 148, text, 7);
        data[at + 155] = ' ';
    }
    return size;
}
