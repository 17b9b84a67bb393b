/* memcpy, memmove, memset: whole quadwords by one string instruction, the rest by bytes. Under
 * Bochs and on processors without fast short strings the byte instructions take eight times as
 * long. */
#include "arch/assembly.h"

    .text
/* rdi to, rsi from, rdx size -> rax to */
FUNCTION memcpy
    movq %rdi, %rax
    movq %rdx, %rcx
    shrq $3, %rcx
    rep movsq
    movl %edx, %ecx
    andl $7, %ecx
    jz 1f
    rep movsb
1:  ret
END memcpy

FUNCTION memmove
    movq %rdi, %rax
    movq %rdi, %rcx
    subq %rsi, %rcx
    cmpq %rdx, %rcx                   /* to - from, wrapped: not below size means no overlap ahead */
    jae memcpy
    leaq -1(%rdi, %rdx), %rdi
    leaq -1(%rsi, %rdx), %rsi
    movq %rdx, %rcx
    std
    rep movsb
    cld
    ret
END memmove

/* rdi to, esi byte, rdx size -> rax to */
FUNCTION memset
    movq %rdi, %r8
    movzbl %sil, %eax
    movabsq $0x0101010101010101, %rcx
    imulq %rcx, %rax
    movq %rdx, %rcx
    shrq $3, %rcx
    rep stosq
    movl %edx, %ecx
    andl $7, %ecx
    jz 2f
    rep stosb
2:  movq %r8, %rax
    ret
END memset

/* rdi to */
FUNCTION page_zero
    movl $512, %ecx
    xorl %eax, %eax
    rep stosq
    ret
END page_zero

/* rdi to, rsi from */
FUNCTION page_copy
    movl $512, %ecx
    rep movsq
    ret
END page_copy

    .section .note.GNU-stack, "", @progbits
