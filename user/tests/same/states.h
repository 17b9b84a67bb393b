/* Whether processes of the world run, sleep or are dead. */
#ifndef UMBRA_SAME_STATES_H
#define UMBRA_SAME_STATES_H

#include <stdbool.h>

/* The longest that a call may run, in seconds. */
#define HANG_SECONDS 20

/* Waits until nothing moves: every process sleeps, in its loop or inside a call, or is dead. */
void settle(void);

/* Waits for the end of the call; false if it sleeps inside, or the process is dead. */
bool await_call(int slot);

/* Whether the process sleeps inside a call. */
bool is_blocked(int slot);
bool any_blocked(void);

#endif
