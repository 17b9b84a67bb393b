/* What this processor can do, as CPUID says, and turning it on. */
#ifndef UMBRA_ARCH_FEATURES_H
#define UMBRA_ARCH_FEATURES_H

#include <stdbool.h>

struct features {
    bool nx, global_pages, huge_pages; /* execute disable, PTE_G, 1 GiB pages */
    bool smep, smap, umip;
    bool rdrand;
};

extern struct features features;

/* Reads CPUID. Returns NULL, or the name of what the processor lacks and the kernel needs. */
const char *features_detect(void);

/* Sets CR0.WP, CR4.SMEP, SMAP, UMIP where there, SSE without XSAVE, and EFER.NXE. */
void features_enable(void);

/* Panics unless all that is in CPUID and protects the kernel is in force. */
void features_check(void);

/* One line with what is in force, for the boot messages. */
const char *features_text(void);

#endif
