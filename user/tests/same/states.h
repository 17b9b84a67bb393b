/* The states of the processes of the world: running, sleeping or dead. */
#ifndef UMBRA_SAME_STATES_H
#define UMBRA_SAME_STATES_H

#include <stdbool.h>

/* The longest that a call may run, in seconds. */
#define HANG_SECONDS 20

/* Waits until every process sleeps, in its loop or inside a call, or is dead. */
void settle(void);

/* Waits for the end of the call. Returns false if it sleeps inside, or the process is dead. */
bool await_call(int slot);

/* True if the process sleeps inside a call. */
bool is_blocked(int slot);
bool any_blocked(void);

#endif
