/* The entry of system calls is syscall_dispatch() of arch/entry.h. */
#ifndef UMBRA_SYSCALL_DISPATCH_H
#define UMBRA_SYSCALL_DISPATCH_H

/* Reads the words about traces (syscall/trace.h) and about measuring (task/bound.h) from the command line. */
void syscall_init(void);

#endif
