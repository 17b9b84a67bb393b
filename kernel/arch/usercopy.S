/* The only instructions that access user memory. Each that may fault has an entry in .extable: if
 * the page fault handler cannot provide the page, it continues at the fix-up.
 * SMAP is open (AC set) only between STAC and CLAC here. */
#include "arch/assembly.h"

    .macro USER_OPEN
    cmpb $0, entry_has_smap(%rip)
    je 9f
    stac
9:
    .endm
    .macro USER_CLOSE
    cmpb $0, entry_has_smap(%rip)
    je 9f
    clac
9:
    .endm
    .macro FIXUP at, to
    .pushsection .extable, "a"
    .quad \at, \to
    .popsection
    .endm

    .text
/* size_t usercopy_bytes(void *to, const void *from, size_t size): bytes that were not copied */
FUNCTION usercopy_bytes
    USER_OPEN
    movq %rdx, %rcx
    shrq $3, %rcx
1:  rep movsq
    movl %edx, %ecx
    andl $7, %ecx
2:  rep movsb
    USER_CLOSE
    xorl %eax, %eax
    ret
3:  andl $7, %edx                     /* a quadword faulted: copy single bytes up to the bad one */
    leaq (%rdx, %rcx, 8), %rcx
2000:
    rep movsb
4:  USER_CLOSE
    movq %rcx, %rax
    ret
END usercopy_bytes
    FIXUP 1b, 3b
    FIXUP 2b, 4b
    FIXUP 2000b, 4b

/* size_t usercopy_zero(void *to, size_t size): bytes that were not zeroed */
FUNCTION usercopy_zero
    USER_OPEN
    xorl %eax, %eax
    movq %rsi, %rcx
    shrq $3, %rcx
5:  rep stosq
    movl %esi, %ecx
    andl $7, %ecx
6:  rep stosb
    USER_CLOSE
    ret
7:  andl $7, %esi
    leaq (%rsi, %rcx, 8), %rcx
8:  USER_CLOSE
    movq %rcx, %rax
    ret
END usercopy_zero
    FIXUP 5b, 7b
    FIXUP 6b, 8b

/* long usercopy_string(char *to, const char *from, size_t size): length without NUL; size if there
 * is none within size bytes; -1 for a fault */
FUNCTION usercopy_string
    USER_OPEN
    xorl %eax, %eax
    movq %rax, %r8
10: cmpq %rdx, %r8
    je 12f
11: movb (%rsi, %r8), %al
    movb %al, (%rdi, %r8)
    testb %al, %al
    jz 12f
    incq %r8
    jmp 10b
12: USER_CLOSE
    movq %r8, %rax
    ret
13: USER_CLOSE
    movq $-1, %rax
    ret
END usercopy_string
    FIXUP 11b, 13b

    .section .note.GNU-stack, "", @progbits
