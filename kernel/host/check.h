/* Checks of a whole kernel from outside: what its records say of each other, what it copies. Of machine.c. */
#ifndef UMBRA_HOST_CHECK_H
#define UMBRA_HOST_CHECK_H

struct machine_options;

/* Hooks the checks in, and out again. */
void machine_checks_start(const struct machine_options *options);
void machine_checks_stop(void);

/* Recomputes from the roots (processes, tables, mappings) the counts of holders of every process, thread, table,
 * open file, context, image, address space and signal table, and compares: equal, unless a thread sleeps in a
 * call, which may hold more. The same for frames and pipes (recount.h). Lists lead there and back;
 * each live process has a thread; no page is writable and executable; what has happened since the last check
 * may happen (history.h). */
void machine_check(void);

#endif
