/* Operations on whole pages. */
#ifndef UMBRA_ARCH_PAGE_H
#define UMBRA_ARCH_PAGE_H

/* page_zero() fills the page at `to` with zeros; page_copy() copies the page at `from` to it. Both
 * take page-aligned kernel addresses. */
void page_zero(void *to);
void page_copy(void *restrict to, const void *restrict from);

#endif
