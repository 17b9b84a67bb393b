/* Whole pages, in as few instructions as there are. */
#ifndef UMBRA_ARCH_PAGE_H
#define UMBRA_ARCH_PAGE_H

/* Fills the page at `to` with zeros; fills it with the contents of the page at `from`. Both are
 * page-aligned kernel addresses. */
void page_zero(void *to);
void page_copy(void *restrict to, const void *restrict from);

#endif
