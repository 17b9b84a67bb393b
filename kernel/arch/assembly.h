/* Macros of the assembly files. A function has a type and a size, so that a backtrace finds its
 * name, and call frame information (DWARF 5, section "Call Frame Information") in the kernel's
 * debug file, so that debuggers unwind from every instruction. Code that moves the stack pointer
 * says so with PUSH and POP, or with directives of its own. */
#ifndef UMBRA_ARCH_ASSEMBLY_H
#define UMBRA_ARCH_ASSEMBLY_H
/* clang-format off */

    .cfi_sections .debug_frame

    .macro FUNCTION name
    .balign 16
    .globl \name
    .type \name, @function
\name:
    .cfi_startproc
    .endm

    .macro END name
    .cfi_endproc
    .size \name, . - \name
    .endm

    .macro PUSH register
    pushq %\register
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset \register, 0
    .endm

    .macro POP register
    popq %\register
    .cfi_adjust_cfa_offset -8
    .cfi_restore \register
    .endm

#endif
