/* The canary between a function's arrays and its return address (-fstack-protector-strong). The
 * kernel's own code has it. The two libraries do not: they are the same archives that other
 * programs link. */
#ifndef UMBRA_ARCH_STACK_GUARD_H
#define UMBRA_ARCH_STACK_GUARD_H

#include <stdint.h>

/* The value that the compiler's prologues store and its epilogues compare. The lowest byte is 0, so
 * that no string operation copies it. */
extern uint64_t __stack_chk_guard;

/* Makes the canary unpredictable, from RDRAND if the processor has it, and the time-stamp counter.
 * Only a function that never returns may call it. */
void stack_guard_init(void);

/* Makes the canary and all words of stack_guard_word() follow from a number, for machines that are to
 * do the same in each run. Only a function that never returns may call it. */
void stack_guard_repeat(uint64_t seed);

/* Returns a word that is drawn as the canary is, but anew: neither reveals the other. For secrets that
 * are needed before the random number generator is seeded. */
uint64_t stack_guard_word(void);

/* Called by the compiler's epilogues: panics. */
_Noreturn void __stack_chk_fail(void);

#endif
