/* The memory of processes and users. The memory of processes is counted on demand (when memory is
 * short, or for /proc/umbra-users). Objects that outlive a process are charged to its user at once
 * (task/user.h). */
#ifndef UMBRA_FILE_CHARGE_H
#define UMBRA_FILE_CHARGE_H

#include <stddef.h>

struct process;

struct charge {
    size_t
        own; /* bytes that nothing else is charged for: anonymous pages, tables, areas, stacks, ... */
    size_t
        shared; /* shared anonymous memory that it maps: its user, or another, has been charged */
};

/* A page that n processes share counts as 1/n of a page for each. Walks the page tables. */
void charge_of_process(const struct process *process, struct charge *out);

/* Fills in total, largest and largest_size of all users. Process 1, and a process that is about to
 * end, is never the largest process of a user. */
void charge_users(void);

#endif
