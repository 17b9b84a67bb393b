/*
 * The switch from one kernel stack to another. It needs no privilege: the hosted tests use it too.
 */
#include "arch/assembly.h"

    .text
/* void context_switch(uint64_t *save, uint64_t next) */
FUNCTION context_switch
    pushq %rbx
    pushq %rbp
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbp
    popq %rbx
    ret
END context_switch

    .section .note.GNU-stack, "", @progbits
