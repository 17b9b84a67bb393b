/* The only instructions that access user memory. Each that may fault has an entry in .extable: if
 * the page fault handler cannot provide the page, it continues at the fix-up. Where the bytes
 * themselves may be wrong (XRSTOR), that is so for a general protection fault, too.
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
    .macro FIXUP at, to, vectors=PAGE_FAULT
    .pushsection .extable, "a"
    .quad \at, \to, \vectors
    .popsection
    .endm
    .set PAGE_FAULT, 1 << 14
    .set PROTECTION, 1 << 13

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
7:  andl $7, %esi                     /* a quadword faulted: zero single bytes up to the bad one */
    leaq (%rsi, %rcx, 8), %rcx
7000:
    rep stosb
8:  USER_CLOSE
    movq %rcx, %rax
    ret
END usercopy_zero
    FIXUP 5b, 7b
    FIXUP 6b, 8b
    FIXUP 7000b, 8b

/* long usercopy_string(char *to, const char *from, size_t size): length without NUL; size if there is
 * none within size bytes; -1 for a fault. Within `size`, what follows the NUL in `to` is undefined.
 * Eight bytes are copied at a time where they lie in one page. They have a zero among them if a borrow
 * sets the top bit of a byte that did not have it; the lowest such byte is the first zero. */
FUNCTION usercopy_string
    USER_OPEN
    xorl %r8d, %r8d
    movabsq $0x0101010101010101, %r9
10: leaq 8(%r8), %r10
    cmpq %rdx, %r10
    ja 14f
    leaq (%rsi, %r8), %rax
    andl $0xfff, %eax
    cmpl $0xff8, %eax
    ja 14f
11: movq (%rsi, %r8), %rax
    movq %rax, (%rdi, %r8)
    movq %rax, %rcx
    notq %rcx
    subq %r9, %rax
    andq %rcx, %rax
    movq %r9, %rcx
    shlq $7, %rcx
    andq %rcx, %rax
    jnz 12f
    movq %r10, %r8
    jmp 10b
12: bsfq %rax, %rax
    shrl $3, %eax
    addq %rax, %r8
13: USER_CLOSE
    movq %r8, %rax
    ret
14: cmpq %rdx, %r8                    /* a single byte: near the end of the page, or of `size` */
    je 13b
15: movb (%rsi, %r8), %al
    movb %al, (%rdi, %r8)
    testb %al, %al
    jz 13b
    incq %r8
    jmp 10b
16: USER_CLOSE
    movq $-1, %rax
    ret
END usercopy_string
    FIXUP 11b, 16b
    FIXUP 15b, 16b

    .set FPU_AVAILABLE_OFFSET, 464
    .set FPU_STATE_SIZE, 832

/* int usercopy_fpu_save(void *to, uint32_t components, const struct fpu_around *around): first copies `around`
 * to where XSAVE leaves bytes alone or adds to them, and its last word behind the area. If `components` is 0
 * it copies the first 48 bytes only, and stores by FXSAVE. 1 for a fault */
FUNCTION usercopy_fpu_save
    USER_OPEN
    movl %esi, %eax
    movq %rdi, %r8
    addq $FPU_AVAILABLE_OFFSET, %rdi
    movq %rdx, %rsi
    testl %eax, %eax
    jz 18f
    movl $14, %ecx
16: rep movsq
    xorl %edx, %edx
17: xsave64 (%r8)
    movl (%rsi), %eax
1700:
    movl %eax, FPU_STATE_SIZE(%r8)
    USER_CLOSE
    xorl %eax, %eax
    ret
18: movl $6, %ecx
1800:
    rep movsq
1801:
    fxsave64 (%r8)
    USER_CLOSE
    xorl %eax, %eax
    ret
19: USER_CLOSE
    movl $1, %eax
    ret
END usercopy_fpu_save
    FIXUP 16b, 19b
    FIXUP 17b, 19b
    FIXUP 1700b, 19b
    FIXUP 1800b, 19b
    FIXUP 1801b, 19b

/* int usercopy_fpu_load(const void *from, uint32_t components): by XRSTOR, or FXRSTOR if `components` is 0.
 * 1 for a fault, or for bytes that are not a state */
FUNCTION usercopy_fpu_load
    USER_OPEN
    xorl %edx, %edx
    movl %esi, %eax
    testl %eax, %eax
    jz 21f
20: xrstor64 (%rdi)
    USER_CLOSE
    xorl %eax, %eax
    ret
21: fxrstor64 (%rdi)
    USER_CLOSE
    ret
22: USER_CLOSE
    movl $1, %eax
    ret
END usercopy_fpu_load
    FIXUP 20b, 22b, PAGE_FAULT | PROTECTION
    FIXUP 21b, 22b, PAGE_FAULT | PROTECTION

    .section .note.GNU-stack, "", @progbits
