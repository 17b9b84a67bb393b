#include "states.h"

#include "output.h"
#include "world.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Reads a file of /proc about a process. Returns the length, or -1. */
static ssize_t read_about(pid_t pid, const char *name, char *text, size_t size)
{
    char path[48];

    snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : read(fd, text, size - 1);
    if (fd >= 0) {
        close(fd);
    }
    text[got > 0 ? got : 0] = '\0';
    return got;
}

/*
 * Returns the state letter of /proc/PID/stat, 0 if there is none. Linux shows S also for a process
 * that is about to sleep but still runs; /proc/PID/syscall, if it exists, tells the difference.
 */
static char state_of(pid_t pid)
{
    char text[128];

    if (read_about(pid, "stat", text, sizeof text) <= 0) {
        return 0;
    }
    const char *name_end = strrchr(text, ')');
    char state = name_end == NULL || name_end[1] == '\0' ? 0 : name_end[2];
    if (state == 'S' && read_about(pid, "syscall", text, sizeof text) > 0 && text[0] == 'r') {
        return 'R';
    }
    return state;
}

static bool is_dead(char state)
{
    return state == 0 || state == 'Z' || state == 'X';
}

static int64_t seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

/*
 * Waits until the process sleeps (in its loop or inside a call), or is dead. Returns its state;
 * `H` if it runs for too long.
 */
static char settled_state(int slot)
{
    int64_t deadline = seconds() + HANG_SECONDS;

    for (unsigned turn = 1;; turn++) {
        char state = state_of(world->slots[slot].pid);
        if (is_dead(state) || (state == 'S' && !world->slots[slot].timed)) {
            return state;
        }
        if (turn % 256 == 0 && seconds() > deadline) {
            return 'H';
        }
        sched_yield();
    }
}

void settle(void)
{
    for (bool again = true; again;) {
        again = false;
        for (int i = 0; i < world->born; i++) {
            struct slot *slot = &world->slots[i];
            if (slot->state == SLOT_DEAD) {
                continue;
            }
            bool dead = is_dead(settled_state(i));
            again = again || dead; /* the parent gets a signal */
            slot->state = dead ? SLOT_DEAD : SLOT_ALIVE;
        }
    }
    while (waitpid(-1, NULL, WNOHANG) > 0) {
    }
}

bool is_blocked(int slot)
{
    const struct slot *s = &world->slots[slot];

    return s->state == SLOT_ALIVE && s->done != s->wanted;
}

bool any_blocked(void)
{
    for (int i = 0; i < world->born; i++) {
        if (is_blocked(i)) {
            return true;
        }
    }
    return false;
}

bool await_call(int slot)
{
    struct slot *s = &world->slots[slot];
    int64_t deadline = seconds() + HANG_SECONDS;

    for (unsigned turn = 1; s->done != s->wanted; turn++) {
        sched_yield();
        if (turn % 16 != 0) {
            continue;
        }
        char state = state_of(s->pid);
        if (is_dead(state) || (state == 'S' && !s->timed && s->done != s->wanted)) {
            return s->done == s->wanted;
        }
        if (turn % 4096 == 0 && seconds() > deadline) {
            print_slot(slot, " hangs");
            kill(s->pid, SIGKILL);
            deadline = seconds() + HANG_SECONDS;
        }
    }
    return true;
}
