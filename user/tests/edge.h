/*
 * Helpers for the tests of edge cases: calls with exact registers, children that end or are killed
 * in bounded time, and a check whether a process sleeps.
 */
#ifndef UMBRA_TESTS_EDGE_H
#define UMBRA_TESTS_EDGE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define USER      1000 /* the user and group that owns nothing */
#define TIMED_OUT (-2) /* the status of a child that did not end in time */

/*
 * Executes SYSCALL with exactly these registers. Returns RAX: a value or the negative errno value.
 * RAW fills missing arguments with 0 and takes pointers as well as numbers.
 */
long raw_call(unsigned long number, const unsigned long arguments[6]);
#define RAW(...) RAW_PADDED(__VA_ARGS__, 0, 0, 0, 0, 0, 0, 0)
#define RAW_PADDED(number, a, b, c, d, e, f, ...)                                                  \
    raw_call((unsigned long)(number),                                                              \
             (const unsigned long[6]){(unsigned long)(a), (unsigned long)(b), (unsigned long)(c),  \
                                      (unsigned long)(d), (unsigned long)(e), (unsigned long)(f)})

/* Converts the result of a libc function: -errno if it returned -1, else the result itself. */
long result_of(long returned);

bool is_root(void);

/* Becomes USER, with no other groups. Ends the process with 99 on failure. */
void drop_to_user(void);

void sleep_ms(unsigned milliseconds);

/* Forks a child that exits with the result of act. Returns its process id, or -1. */
pid_t begin(int (*act)(void *argument), void *argument);

/*
 * Waits at most so long for the child. Returns its status, TIMED_OUT, or NOT_RUN without a child.
 */
int finish(pid_t pid, unsigned milliseconds);

/* The same, but kills and reaps a child that did not end in time. */
int finish_or_kill(pid_t pid, unsigned milliseconds);

/* Runs act in a child, as USER if asked, for at most ten seconds. Returns its status. */
int run_child(int (*act)(void *argument), void *argument, bool as_user);

/* The state letter of /proc/PID/stat; 0 if there is no such process. */
char state_of(pid_t pid);

/* Waits until the process sleeps in a call and stays asleep. Returns false after five seconds. */
bool falls_asleep(pid_t pid);

/* The next number of a sequence that depends on the seed alone; 31 bits. */
uint32_t next_random(uint64_t *state);

#endif
