#include "effort.h"

#include <stdlib.h>
#include <string.h>

/* AddressSanitizer asks for this. What is freed need not be remembered for longer than an input,
 * and the replay switches on what is slow. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "quarantine_size_mb=8:malloc_context_size=4:detect_stack_use_after_return=0";
}

bool all_effort(void)
{
    static int all = -1;
    if (all < 0) {
        const char *effort = getenv("VFS_FUZZ_EFFORT");
        all = effort && strcmp(effort, "all") == 0;
    }
    return all;
}

bool worth_every_step(const uint8_t *data, size_t size)
{
    uint32_t hash = 2166136261u;
    if (all_effort())
        return true;
    for (size_t i = 0; i < size && i < 64; i++)
        hash = (hash ^ data[i]) * 16777619u;
    return hash >> 27 == 0;
}
