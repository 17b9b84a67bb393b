/* A process that makes the calls: one of the slots of the world. */
#ifndef UMBRA_SAME_WORKER_H
#define UMBRA_SAME_WORKER_H

/* Runs the first process of an episode, or a new first one if all are dead. Never returns. */
_Noreturn void worker_first(int slot);

/* Runs a child that a slot made. Never returns. */
_Noreturn void worker_child(int slot);

/* Runs the program after execve: `worker ... SLOT`. Returns an exit status only on failure. */
int worker_again(const char *slot);

/* Catches SIGSEGV and SIGBUS, for guarded(). */
void faults_catch(void);

/*
 * Calls the function, which touches memory. Returns 0, or the signal that its access raised, with
 * si_code in *code and si_addr in *address.
 */
int guarded(void (*touch)(void *), void *argument, int *code, unsigned long *address);

/* Prints the state that execve keeps or resets: signals, descriptors, groups. */
void say_state(void);

#endif
