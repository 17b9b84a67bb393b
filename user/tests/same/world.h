/*
 * The state that the processes of one episode share: their slots, their text, and the inodes seen.
 * It is in a file that is mapped at the same address in all of them, also after exec.
 */
#ifndef UMBRA_SAME_WORLD_H
#define UMBRA_SAME_WORLD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define SLOTS         12 /* processes that an episode can have, the dead ones included */
#define SLOT_TEXT     12288
#define INODES        512
#define WORLD_ADDRESS ((void *)0x110000000000)

/* The descriptors of a process that the sequences do not use. */
#define WORLD_FD    920
#define CONTROL_FD  900 /* read ends of the control pipes: + slot */
#define COMMAND_FD  940 /* write ends of them, in the director only: + slot */
#define CONSTANT_FD 921 /* a file that nobody changes */
#define OWN_FDS     900 /* the first of them */

/* The memory of the sequences, at the same address in every process. */
#define ARENA       0x100000000000ul
#define ARENA_PAGES 24
#define PAGE        4096ul

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
    pid_t director;
    int born; /* slots in use */
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

/* The inode's place in the order of first use, from 1; 0 if there are too many. */
int inode_ordinal(uint64_t device, uint64_t number);

/* The latest slot that has this process id, or -1. */
int slot_of(pid_t pid);

#endif
