/* A process that makes the calls: one of the slots of the world. */
#ifndef UMBRA_SAME_WORKER_H
#define UMBRA_SAME_WORKER_H

/* The first process of an episode, or one that follows when all are dead: never returns. */
_Noreturn void worker_first(int slot);

/* A child that a slot made: goes to its loop and never returns. */
_Noreturn void worker_child(int slot);

/* The program again, after execve: `worker ... SLOT`. Returns an exit status only if it fails. */
int worker_again(const char *slot);

/* Catches SIGSEGV and SIGBUS, for guarded(). */
void faults_catch(void);

/*
 * Calls the function, which touches memory. Returns 0, or the signal that its access raised, with
 * si_code in *code and si_addr in *address.
 */
int guarded(void (*touch)(void *), void *argument, int *code, unsigned long *address);

/* Prints what execve must keep or reset: signals, descriptors, groups. */
void say_state(void);

#endif
