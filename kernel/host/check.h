/*
 * Checks of a whole kernel from outside: whether its records agree, and which memory its calls
 * copy.
 */
#ifndef UMBRA_HOST_CHECK_H
#define UMBRA_HOST_CHECK_H

#include <stdbool.h>

#include "host/walk.h"

struct file;
struct machine_options;
struct process;

/* Installs the checks, and removes them. */
void machine_checks_start(const struct machine_options *options);
void machine_checks_stop(void);

/* Recomputes from the roots (processes, tables, mappings) the counts of holders of every process,
 * thread, table, open file, context, image, address space and signal table. They must be equal to
 * the stored ones; while a thread sleeps in a call, it may hold more. The same is checked for
 * frames and pipes (below). Lists must be consistent, each live process must have a thread, no
 * page may be writable and executable, and a process may have changed only as history_check() allows. */
void machine_check(void);

/* What may not have happened to a process since the last check. */

void history_start(void);

/* For each process of a check that follows a call, or a trap (UINT32_MAX). Fails with host_fail() if the process
 * is a zombie for which nobody can wait, if an orphan would send process 1 a signal of its own choice, if what
 * exec must copy is shared after it, or if the limits were set by a process that may not. */
void history_check(const struct process *process, unsigned call);

/* Counts that are made anew from what a check finds: frames from mappings and pipes, pipes from their open ends:
 * begin, one call for each thing that is found, end. */

/* When a machine starts: the tables that belong to no process. */
void recount_start(void);

void recount_begin(void);
void recount_leaf(const struct walk_leaf *leaf);
void recount_table(void);
void recount_file(const struct file *file); /* once for each open description */

/* exact: no thread is in a call, which may hold more than its records say. A difference is a host_fail(). */
void recount_end(bool exact);

#endif
