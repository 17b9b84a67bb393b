/* The TLB. The kernel links arch/tlb.c; the hosted tests link their own version, which checks that
 * no stale translation is ever used. */
#ifndef UMBRA_ARCH_TLB_H
#define UMBRA_ARCH_TLB_H

#include "arch/phys.h"

/* Removes the translation of one page (SDM, "INVLPG"), and all cached paging-structure entries. */
void tlb_flush_page(virt_t address);

/* Removes every translation that is not global, by reloading CR3. */
void tlb_flush_all(void);

/* Makes `root` the root table in use and removes the translations of the old one. */
void tlb_switch(phys_t root);

/* The root table in use. */
phys_t tlb_current(void);

/* The address of the page fault that is being handled (SDM, "CR2"). */
virt_t tlb_fault_address(void);

#endif
