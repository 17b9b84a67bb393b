/* Deliberate violations of the kernel's own protection, in an image of their own (the build option
 * kernel_selftest): the ordinary image links selftest/none.c instead. */
#ifndef UMBRA_SELFTEST_SELFTEST_H
#define UMBRA_SELFTEST_SELFTEST_H

#include <stdint.h>

/* Does what attack=NAME of the command line names. Runs on the first task's kernel stack, with its
 * address space in use, before the task's first instruction. Nothing in the ordinary image. */
void selftest_run(void);

#endif
