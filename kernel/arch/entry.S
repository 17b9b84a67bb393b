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
    PUSH rdi
    PUSH rsi
    PUSH rdx
    PUSH rcx
    PUSH rax
    PUSH r8
    PUSH r9
    PUSH r10
    PUSH r11
    PUSH rbx
    PUSH rbp
    PUSH r12
    PUSH r13
    PUSH r14
    PUSH r15
    .endm

    .macro POP_CALLEE_SAVED
    POP r15
    POP r14
    POP r13
    POP r12
    POP rbp
    POP rbx
    .endm

    /* The call frame information of an entry: the frame address (CFA) is the end of struct
     * trap_frame, `pushed` bytes above RSP; the CPU stored RIP and RSP below it. */
    .macro FRAME_PUSHED pushed
    .cfi_signal_frame
    .cfi_def_cfa rsp, \pushed
    .cfi_offset rip, FRAME_RIP - FRAME_SIZE
    .cfi_offset rsp, FRAME_RSP - FRAME_SIZE
    .endm

    /* The same for a complete frame at RSP. */
    .macro FRAME_COMPLETE
    FRAME_PUSHED FRAME_SIZE
    .cfi_offset rdi, FRAME_VECTOR - 8 - FRAME_SIZE
    .cfi_offset rsi, FRAME_VECTOR - 16 - FRAME_SIZE
    .cfi_offset rdx, FRAME_VECTOR - 24 - FRAME_SIZE
    .cfi_offset rcx, FRAME_VECTOR - 32 - FRAME_SIZE
    .cfi_offset rax, FRAME_RAX - FRAME_SIZE
    .cfi_offset r8, FRAME_RAX - 8 - FRAME_SIZE
    .cfi_offset r9, FRAME_RAX - 16 - FRAME_SIZE
    .cfi_offset r10, FRAME_RAX - 24 - FRAME_SIZE
    .cfi_offset r11, FRAME_RAX - 32 - FRAME_SIZE
    .cfi_offset rbx, 40 - FRAME_SIZE
    .cfi_offset rbp, 32 - FRAME_SIZE
    .cfi_offset r12, 24 - FRAME_SIZE
    .cfi_offset r13, 16 - FRAME_SIZE
    .cfi_offset r14, 8 - FRAME_SIZE
    .cfi_offset r15, -FRAME_SIZE
    .endm

    /* RSP is the user's, and its RIP is in RCX, as SYSCALL leaves it and SYSRET takes it. */
    .macro FRAME_OF_SYSCALL
    .cfi_def_cfa rsp, 0
    .cfi_same_value rsp
    .cfi_register rip, rcx
    .endm

    .text
FUNCTION entry_syscall
    .cfi_signal_frame
    FRAME_OF_SYSCALL
    movq %rsp, entry_user_rsp(%rip)
    movq entry_kernel_stack(%rip), %rsp
    .cfi_undefined rsp                /* for two instructions: it is in memory only */
    pushq $SEL_USER_DS
    .cfi_adjust_cfa_offset 8
    pushq entry_user_rsp(%rip)
    .cfi_adjust_cfa_offset 8
    .cfi_offset rsp, FRAME_RSP - FRAME_SIZE
    pushq %r11                        /* SYSCALL put RFLAGS here */
    .cfi_adjust_cfa_offset 8
    pushq $SEL_USER_CS
    .cfi_adjust_cfa_offset 8
    pushq %rcx                        /* and RIP here */
    .cfi_adjust_cfa_offset 8
    .cfi_offset rip, FRAME_RIP - FRAME_SIZE
    pushq %rax                        /* the number, kept as `error` */
    .cfi_adjust_cfa_offset 8
    pushq $VEC_SYSCALL
    .cfi_adjust_cfa_offset 8
    PUSH_REGISTERS
    movq %rsp, %rdi
    movq %rsp, %rbx
    .cfi_def_cfa_register rbx
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
    .cfi_def_cfa_register rsp

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
    .cfi_adjust_cfa_offset -8
    .cfi_restore r11
    POP r10
    POP r9
    POP r8
    POP rax
    addq $8, %rsp                     /* RCX */
    .cfi_adjust_cfa_offset -8
    .cfi_restore rcx
    POP rdx
    POP rsi
    POP rdi
    movq FRAME_RSP - FRAME_VECTOR(%rsp), %rsp
    FRAME_OF_SYSCALL
    sysretq
END entry_syscall

/* SYSCALL from compatibility mode: the GDT has no 32-bit segment, but the MSR needs a target. */
FUNCTION entry_syscall32
    .cfi_signal_frame
    FRAME_OF_SYSCALL
    movl $-38, %eax
    sysretl
END entry_syscall32

/* #DB has an IST stack for the instructions above. From ring 3 it moves to the thread's own stack:
 * it may end the process and switch to another thread. */
FUNCTION entry_debug
    FRAME_PUSHED (FRAME_SIZE-FRAME_VECTOR)
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
    FRAME_PUSHED (FRAME_SIZE-FRAME_VECTOR)
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
    .cfi_startproc
    FRAME_COMPLETE
    POP_CALLEE_SAVED
    POP r11
    POP r10
    POP r9
    POP r8
    POP rax
    POP rcx
    POP rdx
    POP rsi
    POP rdi
    addq $16, %rsp                    /* vector, error */
    .cfi_adjust_cfa_offset -16
    iretq
END entry_return

/* The stubs: exceptions 8, 10-14, 17, 21, 29 and 30 push an error code themselves. */
    .macro STUB vector
    .balign 16
entry_\vector:
    .cfi_startproc
    .if !(\vector == 8 || (\vector >= 10 && \vector <= 14) || \vector == 17 || \vector == 21 || \vector == 29 || \vector == 30)
    FRAME_PUSHED (FRAME_SIZE-FRAME_RIP)
    pushq $0
    .cfi_adjust_cfa_offset 8
    .else
    FRAME_PUSHED (FRAME_SIZE-FRAME_ERROR)
    .endif
    pushq $\vector
    .cfi_adjust_cfa_offset 8
    .if \vector == VEC_DB
    jmp entry_debug
    .else
    jmp entry_common
    .endif
    .cfi_endproc
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
