/* The processes of an episode: the state that they share, the director, and the workers. */
#ifndef UMBRA_SAME_WORLD_H
#define UMBRA_SAME_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * The state that the processes of one episode share: their slots, their text, and the inodes seen.
 * It is in a file that is mapped at the same address in all of them, also after exec.
 */

#define SLOTS         12 /* processes that an episode can have, the dead ones included */
#define SLOT_TEXT     12288
#define INODES        512
#define WORLD_ADDRESS ((void *)0x110000000000)

/* The descriptors of a process that the sequences do not use. */
#define WORLD_FD    920
#define CONTROL_FD  900 /* read ends of the control pipes: + slot */
#define COMMAND_FD  940 /* write ends of them, in the director only: + slot */
#define CONSTANT_FD 921 /* a file that nobody changes */
#define WATCH_FD    922 /* of inotify_init1(2) */
#define OWN_FDS     900 /* the first of them */

/* The memory of the sequences, at the same address in every process. */
#define ARENA       0x100000000000ul
#define ARENA_PAGES 24
#define PAGE        4096ul
#define HOLE        0x100001000000ul /* nothing is mapped from here on; two pages are before it */

/* The root and current directory of the processes. */
#define BASE_PATH "/tmp/same-root"
#define WORK_PATH "/w"

enum slot_state {
    SLOT_NEW, /* made, has not answered yet */
    SLOT_ALIVE,
    SLOT_DEAD,
};

struct slot {
    pid_t pid;
    int parent;                      /* the slot that made it, or -1 */
    volatile enum slot_state state;  /* as the director knows */
    volatile bool timed;             /* sleeps for a time that passes by itself */
    volatile unsigned done;          /* calls that it has finished */
    unsigned wanted;                 /* calls that it must make; above `done`: it is inside one */
    unsigned blocked_since, rescues; /* the call that sleeps, and signals sent to get it out */
    volatile unsigned used;          /* of the text */
    char text[SLOT_TEXT];
};

struct world {
    uint64_t seed;
    unsigned episode;
    unsigned index; /* of the call that is made now */
    bool narrow;    /* the upper halves of 32-bit arguments are 0 */
    bool verbose;
    bool has_user_attributes; /* both kernels have them */
    pid_t director;
    uint64_t base_device, work_device, work_inode; /* of the root directory, and of the episode's */
    int born;                                      /* slots in use */
    struct slot slots[SLOTS];
    int inodes;
    struct {
        uint64_t device, number;
    } inode[INODES];
};

#define world ((struct world *)WORLD_ADDRESS)

/* The slot of this process; -1 in the director. */
extern int own_slot;

/* Maps the world from its descriptor. Returns 0 or a positive errno value. */
int world_map(void);

/* The inode's place in the order of first use, from 1; 0 if there are too many, and for inodes of other devices than the
 * episode's: the number of a device may return. */
int inode_ordinal(uint64_t device, uint64_t number);

/* The latest slot that has this process id, or -1. */
int slot_of(pid_t pid);

/*
 * The director: gives the token to one process after the other, waits until all processes sleep,
 * and prints their text.
 */

#define EPISODE_CALLS 250

/* Selects the calls of an episode that are made: those of `only`, or the first `count`. */
struct selection {
    unsigned count;
    const unsigned char *only; /* EPISODE_CALLS truth values, or NULL */
};

/* Makes the world's file and the control pipes. Returns 0 or a positive errno value. */
int director_prepare(void);

/* Plays one episode in a fresh file system. Returns 0, or a positive errno value. */
int director_episode(uint64_t seed, unsigned episode, const struct selection *selection);

/* The output of the director: whole lines, kept until the end of an episode or printed at once. */

/* A line about a slot, with the number of the call before it. */
void print_line(int slot, const char *text);

/* Prints the text of the slot followed by `after` as a line, or nothing if both are empty. */
void print_slot(int slot, const char *after);

/* Writes the lines that are kept. */
void print_flush(void);

/* The states of the processes of the world: running, sleeping or dead. */

/* The longest that a call may run, in seconds. */
#define HANG_SECONDS 20

/* Waits until every process sleeps, in its loop or inside a call, or is dead. */
void settle(void);

/* Waits for the end of the call. Returns false if it sleeps inside, or the process is dead. */
bool await_call(int slot);

/* True if the process sleeps inside a call. */
bool is_blocked(int slot);
bool any_blocked(void);

/* A process that makes the calls: one of the slots of the world. */

/* Runs the first process of an episode, or a new first one if all are dead. Never returns. */
_Noreturn void worker_first(int slot);

/* Runs a child that a slot made. Never returns. */
_Noreturn void worker_child(int slot);

/* Runs the program after execve: `worker ... SLOT`. Returns an exit status only on failure. */
int worker_again(const char *slot);

/* Catches SIGSEGV and SIGBUS, for guarded(). */
void faults_catch(void);

/*
 * Calls the function, which touches memory. Returns 0, or the signal that its access raised, with
 * si_code in *code and si_addr in *address.
 */
int guarded(void (*touch)(void *), void *argument, int *code, unsigned long *address);

/* Prints the state that execve keeps or resets: signals, descriptors, groups. */
void say_state(void);

#endif
