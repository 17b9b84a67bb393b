/* memcpy, memmove, memset: whole quadwords by one string instruction, the rest by bytes. Under
 * Bochs and on processors without fast short strings the byte forms cost eight times as much. */
    .text
    .globl memcpy, memmove, memset
    .balign 16
/* rdi to, rsi from, rdx size -> rax to */
memcpy:
    movq %rdi, %rax
    movq %rdx, %rcx
    shrq $3, %rcx
    rep movsq
    movl %edx, %ecx
    andl $7, %ecx
    jz 1f
    rep movsb
1:  ret

    .balign 16
memmove:
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

    .balign 16
/* rdi to, esi byte, rdx size -> rax to */
memset:
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

    .section .note.GNU-stack, "", @progbits
