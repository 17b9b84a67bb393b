/* The attacks: each does one forbidden thing. One that returns was not stopped. */
#ifndef UMBRA_SELFTEST_ATTACKS_H
#define UMBRA_SELFTEST_ATTACKS_H

#include <stddef.h>

struct attack {
    const char *name;
    void (*act)(void);
};

extern const struct attack attacks[];
extern const size_t nr_attacks;

/* Breaks the kernel's page tables in every way that kernel_map_fault() knows, one after the other, and
 * puts them right again; says for each whether it was noticed. */
void selftest_kernel_map(void);

#endif
