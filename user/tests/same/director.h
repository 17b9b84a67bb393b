/*
 * The director: gives the token to one process after the other, waits until all processes sleep,
 * and prints their text.
 */
#ifndef UMBRA_SAME_DIRECTOR_H
#define UMBRA_SAME_DIRECTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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

#endif
