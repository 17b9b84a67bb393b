/*
 * The switch from one kernel stack to another. It needs no privilege: the hosted tests use it too.
 */
#include "arch/assembly.h"

    .text
/* void context_switch(uint64_t *save, uint64_t next) */
FUNCTION context_switch
    PUSH rbx
    PUSH rbp
    PUSH r12
    PUSH r13
    PUSH r14
    PUSH r15
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    POP r15
    POP r14
    POP r13
    POP r12
    POP rbp
    POP rbx
    ret
END context_switch

    .section .note.GNU-stack, "", @progbits
