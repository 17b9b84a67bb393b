/* The return to ring 3 on the host: it calls a function that acts as the program. */
#include "arch/assembly.h"

    .text
/* As arch/entry.S: a new thread comes here with RSP at its trap frame. */
FUNCTION entry_return
    movq %rsp, %rdi
    xorl %ebp, %ebp
    call host_user
    ud2
END entry_return

/* trap/trap.c compares an address with it. */
FUNCTION entry_syscall
    ud2
END entry_syscall

/* No program is embedded, and boot has no further steps (boot/init.h). */
    .section .rodata
    .balign 8
    .globl embedded_init_start, embedded_init_end, boot_steps_start, boot_steps_end
embedded_init_start:
embedded_init_end:
boot_steps_start:
boot_steps_end:
    .quad 0

    .section .note.GNU-stack, "", @progbits
