/* The table of `killable`: the victims and their calls, each longer than the test waits. */
#ifndef UMBRA_TESTS_KILLABLE_H
#define UMBRA_TESTS_KILLABLE_H

#include <sys/types.h>

#define FIFO     "/tmp/killable.fifo"
#define HOLE     "/tmp/killable.hole" /* a file of 1 GB without a byte */
#define NOT_HERE 77 /* the exit status of a victim where the kernel has no such call */

/* A victim calls `act` again and again, which sleeps, runs or stops the process. */
struct victim {
    const char *name;
    void (*act)(void);
    enum victim_kind { SLEEPS, RUNS, STOPS } kind;
};

extern const struct victim victims[]; /* the last has no name */

/* The memory that a test shares with its children. */
struct victim_shared {
    volatile pid_t pid;
    volatile int done; /* set it to end the child of in_vfork */
    volatile int word; /* 7 when that child ends */
};

extern struct victim_shared *victim_shared;
extern int victim_empty[2], victim_full[2]; /* two pipes, one of them full */
extern char victim_bytes[65536];

/* Sleeps as the parent in vfork. */
void in_vfork(void);

#endif
