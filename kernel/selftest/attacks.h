/* The attacks. Each does one forbidden thing. If it returns, it was not stopped. */
#ifndef UMBRA_SELFTEST_ATTACKS_H
#define UMBRA_SELFTEST_ATTACKS_H

#include <stddef.h>

struct attack {
    const char *name;
    void (*act)(void);
};

extern const struct attack attacks[];
extern const size_t nr_attacks;

/* Breaks the kernel's page tables in every way that kernel_map_fault() detects, one after the
 * other, and restores them. Prints for each whether it was detected. */
void selftest_kernel_map(void);

#endif
