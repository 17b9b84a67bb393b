#include "arch/stack_guard.h"

#include <stdbool.h>

#include "arch/cpu.h"
#include "lib/check.h"
#include "lib/variable.h"

#define CPUID_1_ECX_RDRAND BIT(30)
#define TRIES              10 /* as Intel's guide recommends */

SEALED uint64_t __stack_chk_guard = 0xaff1edb1a57e5500;
SEALED static bool repeatable;
SEALED static uint64_t state; /* of the words that follow from a seed */

/* Inline, since the canary of stack_guard_init() changes while that runs. */
static inline __attribute__((always_inline)) uint64_t draw(void)
{
    uint64_t word = 0;
    if (repeatable)
        return state = state * 6364136223846793005 + 1442695040888963407;
    bool rdrand = cpu_cpuid(1, 0).ecx & CPUID_1_ECX_RDRAND;
    for (unsigned tries = 0; rdrand && tries < TRIES; tries++)
        if (cpu_rdrand(&word))
            break;
    return word ^ cpu_rdtsc() * 0x9e3779b97f4a7c15; /* spreads the few varying bits over the word */
}

/* Without a stack protector, since its own canary changes while it runs. */
__attribute__((no_stack_protector)) void stack_guard_init(void)
{
    __stack_chk_guard ^= draw() & ~0xffull;
}

__attribute__((no_stack_protector)) void stack_guard_repeat(uint64_t seed)
{
    repeatable = true;
    state = seed;
    __stack_chk_guard = draw() & ~0xffull;
}

uint64_t stack_guard_word(void)
{
    return draw();
}

void __stack_chk_fail(void)
{
    panic("stack smashed: the canary of the function that calls this is overwritten");
}
