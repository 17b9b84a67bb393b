/* The entry of system calls is syscall_dispatch() of arch/entry.h. */
#ifndef UMBRA_SYSCALL_DISPATCH_H
#define UMBRA_SYSCALL_DISPATCH_H

/* Reads the command line: whether calls are traced (syscall/trace.h) and measured (task/bound.h). */
void syscall_init(void);

#endif
