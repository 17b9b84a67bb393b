/* How much memory processes and users have. What processes have is counted from the roots when somebody
 * asks (memory is short, /proc/umbra-users); what outlives them is charged to the user at once
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

/* A page that several processes share counts for each by its part. Walks the page tables. */
void charge_of_process(const struct process *process, struct charge *out);

/* Fills total, largest and largest_size of all users. Process 1, and what is about to end anyway, is
 * nobody's largest process. */
void charge_users(void);

#endif
