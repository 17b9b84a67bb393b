/* Macros of the assembly files. A function has a type and a size, so that a backtrace finds its
 * name. */
#ifndef UMBRA_ARCH_ASSEMBLY_H
#define UMBRA_ARCH_ASSEMBLY_H
/* clang-format off */

    .macro FUNCTION name
    .balign 16
    .globl \name
    .type \name, @function
\name:
    .endm

    .macro END name
    .size \name, . - \name
    .endm

#endif
