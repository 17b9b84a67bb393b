/* What caches translations. Linked from arch/tlb.c in the kernel; the hosted tests link their own,
 * which checks that no stale translation is ever used. */
#ifndef UMBRA_ARCH_TLB_H
#define UMBRA_ARCH_TLB_H

#include "arch/phys.h"

/* Forgets the translation of one page (SDM, "INVLPG"), and all cached paging-structure entries. */
void tlb_flush_page(virt_t address);

/* Forgets every translation that is not global, by reloading CR3. */
void tlb_flush_all(void);

/* Makes `root` the address space in use and forgets the old one's translations. */
void tlb_switch(phys_t root);

/* The root in use. */
phys_t tlb_current(void);

/* The address whose translation failed last: of the page fault that is being handled (SDM, "CR2"). */
virt_t tlb_fault_address(void);

#endif
