/* The features of this processor, as CPUID reports them, and turning them on. */
#ifndef UMBRA_ARCH_FEATURES_H
#define UMBRA_ARCH_FEATURES_H

#include <stdbool.h>

struct features {
    bool nx, global_pages, huge_pages; /* execute disable, PTE_G, 1 GiB pages */
    bool smep, smap, umip;
    bool rdrand;
    bool avx;                 /* and XSAVE */
    unsigned char processors; /* of the package that this one belongs to */
};

extern struct features features;

/* Reads CPUID. Returns NULL, or the name of a feature that the kernel needs and CPUID lacks. */
const char *features_detect(void);

/*
 * Sets CR0.WP, EFER.NXE, SSE, and CR4.SMEP, SMAP and UMIP and XCR0.AVX if the processor has them.
 */
void features_enable(void);

/* Panics unless every protection that CPUID reports is on. */
void features_check(void);

/* One line with the protections that are on, for the boot messages. */
const char *features_text(void);

#endif
