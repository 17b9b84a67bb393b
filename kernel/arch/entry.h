/* The entries into ring 0 and the returns: the definitions that entry.S and C share. */
#ifndef UMBRA_ARCH_ENTRY_H
#define UMBRA_ARCH_ENTRY_H

/* Offsets in struct trap_frame, checked against it below. */
#define FRAME_RAX    80
#define FRAME_VECTOR 120
#define FRAME_ERROR  128
#define FRAME_RIP    136
#define FRAME_CS     144
#define FRAME_RFLAGS 152
#define FRAME_RSP    160
#define FRAME_SIZE   176

#define STACK_OFFSET_MASK                                                                          \
    0x3f0 /* of the gap that a system call leaves on the kernel stack: 6 bits */

#define ENTRY_VECTORS 48 /* 32 exceptions and 16 interrupt lines */

#ifndef __ASSEMBLER__
#include <stddef.h>
#include <stdint.h>

/* The registers of the interrupted code, at the top of the kernel stack. The order is that of
 * Linux's user_regs_struct. */
struct trap_frame {
    uint64_t r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi;
    uint64_t vector; /* VEC_* */
    uint64_t error;  /* the exception's error code or 0; of a system call: its number */
    uint64_t rip, cs, rflags, rsp, ss;
};

_Static_assert(offsetof(struct trap_frame, rax) == FRAME_RAX, "entry.S");
_Static_assert(offsetof(struct trap_frame, vector) == FRAME_VECTOR, "entry.S");
_Static_assert(offsetof(struct trap_frame, error) == FRAME_ERROR, "entry.S");
_Static_assert(offsetof(struct trap_frame, rip) == FRAME_RIP, "entry.S");
_Static_assert(offsetof(struct trap_frame, cs) == FRAME_CS, "entry.S");
_Static_assert(offsetof(struct trap_frame, rflags) == FRAME_RFLAGS, "entry.S");
_Static_assert(offsetof(struct trap_frame, rsp) == FRAME_RSP, "entry.S");
_Static_assert(sizeof(struct trap_frame) == FRAME_SIZE, "entry.S");

/* Addresses of the stubs of vectors 0 to ENTRY_VECTORS - 1. */
extern const uint64_t entry_vectors[ENTRY_VECTORS];

/* Targets of SYSCALL from 64-bit and from compatibility mode. */
void entry_syscall(void);
void entry_syscall32(void);

/* The current task's kernel stack, loaded by entry_syscall. */
extern uint64_t entry_kernel_stack;

/* The gap of the next system call, in the bits of STACK_OFFSET_MASK. boot/main.c makes it random. */
extern uint32_t entry_stack_offset;

/* Nonzero when the processor has SMAP: then entries from exceptions close it. */
extern uint8_t entry_has_smap;

/* Called by the stubs with the frame on the kernel stack. A system call: what syscall_dispatch() returns is
 * put into the frame's RAX, then syscall_end() is called. Both may replace the frame. */
void trap_dispatch(struct trap_frame *frame);
long syscall_dispatch(struct trap_frame *frame);
void syscall_end(struct trap_frame *frame);

/* Returns to the state in the frame, by IRETQ. It is the first step of a new thread: its stack has
 * a frame and, below it, this function as the return address of context_switch(). */
void entry_return(void);

/* Saves the callee-saved registers and the stack of the running thread in *save and continues with
 * those of another, `next`. Returns when another thread switches back. */
void context_switch(uint64_t *save, uint64_t next);

#endif
#endif
