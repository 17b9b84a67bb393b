/* The entry of system calls is syscall_dispatch() of arch/entry.h. */
#ifndef UMBRA_SYSCALL_DISPATCH_H
#define UMBRA_SYSCALL_DISPATCH_H

/* Reads the words about traces from the command line (syscall/trace.h). */
void syscall_init(void);

#endif
