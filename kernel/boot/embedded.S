/* The program that run_init() falls back to; EMBEDDED_INIT is its path, or undefined. */
    .section .rodata
    .globl embedded_init_start, embedded_init_end
embedded_init_start:
#ifdef EMBEDDED_INIT
    .incbin EMBEDDED_INIT
#endif
embedded_init_end:

    .section .note.GNU-stack, "", @progbits
