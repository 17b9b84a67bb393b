/* The entries into ring 0 and the returns to ring 3.
 *
 * With one processor, a global variable holds the kernel stack pointer, so there is no per-CPU base
 * and no SWAPGS: the user's GS base stays loaded in ring 0 and is never used there. Several
 * processors would need SWAPGS as the first instruction of an entry from ring 3 and before each
 * return to it.
 *
 * Until entry_syscall has loaded its stack, RSP is the user's. During these two instructions only
 * NMI, #MC and #DB can arrive, and each has an IST stack of its own (SFMASK disables interrupts).
 *
 * All entries build a struct trap_frame:
 *
 *      high  | ss rsp rflags cs rip | error | vector | rdi rsi rdx rcx rax r8 ... r15 |  low
 *              pushed by the CPU      CPU or   stub    PUSH_REGISTERS
 *              (or entry_syscall)     stub
 *
 * Below the frame, each system call leaves a gap of 0 to 1008 bytes, so that nobody knows how far a variable
 * of one call is from what another one left. The gap is taken from the sum of the time-stamp counters at
 * all earlier calls, of whatever program: one that reads the counter itself learns only what is added for
 * later ones. The sum begins with a random word.
 */
#include "arch/assembly.h"
#include "arch/entry.h"
#include "arch/x86.h"

    .macro PUSH_REGISTERS
    pushq %rdi
    pushq %rsi
    pushq %rdx
    pushq %rcx
    pushq %rax
    pushq %r8
    pushq %r9
    pushq %r10
    pushq %r11
    pushq %rbx
    pushq %rbp
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    .endm

    .macro POP_CALLEE_SAVED
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbp
    popq %rbx
    .endm

    .text
FUNCTION entry_syscall
    movq %rsp, entry_user_rsp(%rip)
    movq entry_kernel_stack(%rip), %rsp
    pushq $SEL_USER_DS
    pushq entry_user_rsp(%rip)
    pushq %r11                        /* SYSCALL put RFLAGS here */
    pushq $SEL_USER_CS
    pushq %rcx                        /* and RIP here */
    pushq %rax                        /* the number, kept as `error` */
    pushq $VEC_SYSCALL
    PUSH_REGISTERS
    movq %rsp, %rdi
    movq %rsp, %rbx
    rdtsc
    xaddl %eax, entry_stack_offset(%rip)
    andl $STACK_OFFSET_MASK, %eax
    subq %rax, %rsp
    xorl %ebp, %ebp                   /* backtraces end here */
    call syscall_dispatch
    movq %rax, FRAME_RAX(%rbx)
    movq %rbx, %rdi
    call syscall_end
    movq %rbx, %rsp

    /* SYSRET if it has the same effect as IRETQ: RCX = RIP and R11 = RFLAGS as at the entry,
     * a canonical RIP (else SYSRET faults in ring 0 on the user's stack), no TF or RF. */
    movq FRAME_RIP(%rsp), %rcx
    movq FRAME_RFLAGS(%rsp), %r11
    testl $0xffff8000, FRAME_RIP + 4(%rsp) /* bits 47 to 63 */
    jnz entry_return
    testl $(RFLAGS_TF | RFLAGS_RF), %r11d
    jnz entry_return
    cmpq $VEC_SYSCALL, FRAME_VECTOR(%rsp)
    jne entry_return                  /* exec or sigreturn changed the frame */
    POP_CALLEE_SAVED
    addq $8, %rsp                     /* R11 */
    popq %r10
    popq %r9
    popq %r8
    popq %rax
    addq $8, %rsp                     /* RCX */
    popq %rdx
    popq %rsi
    popq %rdi
    movq FRAME_RSP - FRAME_VECTOR(%rsp), %rsp
    sysretq
END entry_syscall

/* SYSCALL from compatibility mode: the GDT has no 32-bit segment, but the MSR needs a target. */
FUNCTION entry_syscall32
    movl $-38, %eax
    sysretl
END entry_syscall32

/* #DB has an IST stack for the instructions above. From ring 3 it moves to the thread's own stack:
 * it may end the process and switch to another thread. */
FUNCTION entry_debug
    PUSH_REGISTERS
    testb $3, FRAME_CS(%rsp)
    jz 3f
    movq entry_kernel_stack(%rip), %rdi
    subq $FRAME_SIZE, %rdi
    movq %rdi, %rax
    movq %rsp, %rsi
    movl $(FRAME_SIZE / 8), %ecx
    cld
    rep movsq
    movq %rax, %rsp
    jmp 3f
END entry_debug

FUNCTION entry_common
    PUSH_REGISTERS
3:
    cld
    cmpb $0, entry_has_smap(%rip)
    je 1f
    clac
1:  movq %rsp, %rdi
    testb $3, FRAME_CS(%rsp)
    jz 2f
    xorl %ebp, %ebp                   /* from ring 3: backtraces end here */
2:  call trap_dispatch
END entry_common

    .globl entry_return
    .type entry_return, @function
entry_return:
    POP_CALLEE_SAVED
    popq %r11
    popq %r10
    popq %r9
    popq %r8
    popq %rax
    popq %rcx
    popq %rdx
    popq %rsi
    popq %rdi
    addq $16, %rsp                    /* vector, error */
    iretq
END entry_return

/* The stubs: exceptions 8, 10-14, 17, 21, 29 and 30 push an error code themselves. */
    .macro STUB vector
    .balign 16
entry_\vector:
    .if !(\vector == 8 || (\vector >= 10 && \vector <= 14) || \vector == 17 || \vector == 21 || \vector == 29 || \vector == 30)
    pushq $0
    .endif
    pushq $\vector
    .if \vector == VEC_DB
    jmp entry_debug
    .else
    jmp entry_common
    .endif
    .endm

    .altmacro
    .set i, 0
    .rept ENTRY_VECTORS
    STUB %i
    .set i, i + 1
    .endr

    .section .rodata
    .balign 8
    .globl entry_vectors
    .macro ADDRESS_OF vector
    .quad entry_\vector
    .endm
entry_vectors:
    .set i, 0
    .rept ENTRY_VECTORS
    ADDRESS_OF %i
    .set i, i + 1
    .endr

    .bss
    .balign 8
entry_user_rsp:
    .skip 8
    .globl entry_stack_offset
entry_stack_offset:
    .skip 4

    .section .note.GNU-stack, "", @progbits
