/* No program is embedded (see boot/init.h). */
    .section .rodata
    .globl embedded_init_start, embedded_init_end
embedded_init_start:
embedded_init_end:

    .section .note.GNU-stack, "", @progbits
