/*
 * Checks of a whole kernel from outside: whether its records agree, and which memory its calls
 * copy.
 */
#ifndef UMBRA_HOST_CHECK_H
#define UMBRA_HOST_CHECK_H

struct machine_options;

/* Installs the checks, and removes them. */
void machine_checks_start(const struct machine_options *options);
void machine_checks_stop(void);

/* Recomputes from the roots (processes, tables, mappings) the counts of holders of every process,
 * thread, table, open file, context, image, address space and signal table. They must be equal to
 * the stored ones; while a thread sleeps in a call, it may hold more. The same is checked for
 * frames and pipes (recount.h). Lists must be consistent, each live process must have a thread, no
 * page may be writable and executable, and a process may have changed only as history.h allows. */
void machine_check(void);

#endif
