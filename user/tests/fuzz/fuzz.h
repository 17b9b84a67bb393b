/*
 * The parts of the fuzzer: a supervisor that starts children, limits their time, ends them and
 * checks the state that must not change; and children that make hostile system calls.
 */
#ifndef UMBRA_FUZZ_FUZZ_H
#define UMBRA_FUZZ_FUZZ_H

#include "random.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define CHILDREN       3    /* at a time */
#define CALLS_OF_CHILD 1500 /* after so many calls a new child begins */
#define NUMBERS        512  /* system calls, also those that do not exist */
#define ARGUMENTS      6
#define FOCUS          10
#define FUZZ_USER      1000
#define PAGE           4096ul

/* Shared by the supervisor and its children: the number of calls that each child made. It lies at a
 * fixed address that no table of arguments contains. */
struct progress {
    volatile uint64_t calls[CHILDREN];
};
#define PROGRESS ((struct progress *)0x0e0000000000)

/* The memory that pointer arguments point to. It is made again now and then. */
#define ARENA       0x100000000000ul
#define ARENA_PAGES 40

/* The state of one process of the fuzzer. */
struct child {
    struct random random;
    unsigned place;    /* in the progress */
    unsigned depth;    /* of forks below the supervisor's child */
    bool root;         /* user 0: dangerous calls are left out */
    bool linux_host;   /* calls with an effect outside the namespaces are left out too */
    pid_t children[4]; /* the last ones */
    unsigned
        focus[FOCUS];  /* calls that it makes most of the time, so that it gets deep into them */
    unsigned focus_fd; /* and a descriptor for them, with its neighbour: a pipe, maybe */
};

struct hostile_call {
    unsigned number;
    uint64_t arguments[ARGUMENTS];
};

/* Draws the few calls that a new child makes most of the time. */
void child_focus(struct child *child);

/* Makes calls until `budget` is used up; forked processes make some too. Never returns. */
_Noreturn void child_run(struct child *child, unsigned budget);

/* After exec: `fuzz child SEED DEPTH PLACE LEFT_OUT`. Never returns. */
_Noreturn void child_again(char **argv);

/* Maps the arena: readable, writable, executable and inaccessible pages, and holes. */
void arena_make(struct random *random);

/* Draws a call: its number, and arguments of the kinds that it takes or of any kind. */
void call_draw(struct child *child, struct hostile_call *call);

/* Draws a value for a kind of argument, which is a letter (see grammar.c). */
uint64_t value_of(struct child *child, char kind);

/* The kinds of a call's arguments, one letter each; NULL for a number that is not in the table. */
const char *kinds_of(unsigned number);

/* Draws the number of a call whose argument kinds are known. */
unsigned known_number(struct random *random);

/* True if the call would end the test without showing a fault: see child.c. */
bool is_dangerous(const struct child *child, const struct hostile_call *call);

/* The numbers of calls that are left out, separated by commas. */
extern const char *left_out;

/*
 * Plays rounds until `count` calls are made. Returns 0, or 1 after printing a message if something
 * changed that must not change.
 */
int supervise(uint64_t seed, uint64_t count, bool root, bool linux_host);

#endif
