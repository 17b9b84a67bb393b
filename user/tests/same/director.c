#include "world.h"
#include "call.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define RESCUE_CALLS 12 /* a call that sleeps for so many other calls gets SIGALRM, then SIGKILL */

/* Ends a call that sleeps too long: by a signal that can be handled, then by SIGKILL. */
static void rescue(int slot)
{
    struct slot *s = &world->slots[slot];
    bool kills = s->rescues++ > 0;

    kill(s->pid, kills ? SIGKILL : SIGALRM);
    settle();
    print_slot(slot, "");
    print_line(slot, kills ? "was killed out of its call" : "was sent SIGALRM");
}

/* Lets only one process sleep at a time, for some calls, so that it is clear which one is woken. */
static void rescue_sleepers(int newest)
{
    for (int i = 0; i < world->born; i++) {
        struct slot *slot = &world->slots[i];
        if (!is_blocked(i)) {
            continue;
        }
        if (i != newest && newest >= 0) {
            slot->rescues = 1;
            rescue(i);
        } else if (world->index >= slot->blocked_since + RESCUE_CALLS * (slot->rescues + 1)) {
            rescue(i);
        }
    }
}

static void begin_slot(void)
{
    int slot = world->born++;

    world->slots[slot].parent = -1;
    pid_t pid = fork();
    if (pid == 0) {
        worker_first(slot);
    }
    world->slots[slot].pid = pid;
    settle();
    print_slot(slot, "");
    print_line(slot, "begins");
}

/* Chooses the process that makes the next call: one that does not sleep, or else a new one. */
static int choose_slot(struct random *random)
{
    unsigned drawn = (unsigned)(random_next(random) >> 40);

    for (;;) {
        unsigned count = 0;
        int awake[SLOTS], sleeper = -1;
        for (int i = 0; i < world->born; i++) {
            if (is_blocked(i)) {
                sleeper = i;
            } else if (world->slots[i].state == SLOT_ALIVE) {
                awake[count++] = i;
            }
        }
        if (count > 0) {
            return awake[drawn % count];
        }
        if (sleeper >= 0) {
            rescue(sleeper);
        } else if (world->born < SLOTS) {
            begin_slot();
        } else {
            return -1;
        }
    }
}

/* Makes one call in one process. Returns false if no process is left. */
static bool step(void)
{
    struct random random = random_start(world->seed, world->episode, world->index);
    int slot = choose_slot(&random);

    if (slot < 0) {
        return false;
    }
    struct slot *s = &world->slots[slot];
    const struct op *op = call_choose(&random);
    if (world->verbose) {
        print_line(slot, op->name);
    }
    s->wanted++;
    s->rescues = 0;
    s->blocked_since = world->index;
    if (write(COMMAND_FD + slot, "", 1) != 1) {
        return false;
    }
    bool finished = await_call(slot);
    if (!finished || (op->flags & OP_SETTLES) != 0 || any_blocked()) {
        settle();
    }
    print_slot(slot, s->state == SLOT_DEAD ? " dies" : is_blocked(slot) ? " sleeps" : "");
    for (int i = 0; i < world->born; i++) {
        print_slot(i, "");
    }
    rescue_sleepers(is_blocked(slot) ? slot : -1);
    return true;
}

static void end_all(void)
{
    for (int i = 0; i < world->born; i++) {
        if (world->slots[i].state != SLOT_DEAD) {
            kill(world->slots[i].pid, SIGKILL);
        }
    }
    settle();
}

/* Empties the control pipes of processes that were killed before they read them. */
static void drain_controls(void)
{
    char byte;

    for (int i = 0; i < SLOTS; i++) {
        struct pollfd control = {.fd = CONTROL_FD + i, .events = POLLIN};
        while (poll(&control, 1, 0) == 1 && read(CONTROL_FD + i, &byte, 1) == 1) {
        }
    }
}

static int note_devices(void)
{
    struct stat base, work;

    if (stat(BASE_PATH, &base) != 0 || stat(BASE_PATH WORK_PATH, &work) != 0) {
        return errno;
    }
    world->base_device = base.st_dev;
    world->work_device = work.st_dev;
    world->work_inode = work.st_ino;
    return 0;
}

int director_episode(uint64_t seed, unsigned episode, const struct selection *selection)
{
    const char *options = episode % 2 == 0 ? "mode=777,size=256m" : "mode=1777,size=256m";
    bool narrow = world->narrow, verbose = world->verbose, has_user = world->has_user_attributes;

    memset(world, 0, sizeof *world);
    world->seed = seed;
    world->episode = episode;
    world->narrow = narrow;
    world->has_user_attributes = has_user;
    world->verbose = verbose;
    world->director = getpid();
    if (sethostname("same", 4) != 0 || setdomainname("same", 4) != 0 ||
        mount("same", BASE_PATH WORK_PATH, "tmpfs", 0, options) != 0) {
        return errno;
    }
    int error = note_devices();
    if (error != 0) {
        return error;
    }
    lseek(CONSTANT_FD, 0, SEEK_SET);
    for (unsigned i = 0; i < selection->count; i++) {
        world->index = i;
        if ((selection->only == NULL || selection->only[i]) && !step()) {
            print_line(0, "nobody is left");
            break;
        }
    }
    end_all();
    drain_controls();
    print_flush();
    return umount2(BASE_PATH WORK_PATH, MNT_DETACH) == 0 ? 0 : errno;
}

static int make_controls(void)
{
    for (int i = 0; i < SLOTS; i++) {
        int ends[2];
        if (pipe(ends) != 0 || dup2(ends[0], CONTROL_FD + i) < 0 ||
            dup2(ends[1], COMMAND_FD + i) < 0) {
            return errno;
        }
        close(ends[0]);
        close(ends[1]);
    }
    return 0;
}

int director_prepare(void)
{
    struct rlimit files = {1024, 1024}, core = {0, 0};
    int fd = open("/tmp/same-world", O_RDWR | O_CREAT | O_TRUNC, 0666);

    if (fd < 0 || ftruncate(fd, (off_t)sizeof *world) != 0 ||
        setrlimit(RLIMIT_NOFILE, &files) != 0 || setrlimit(RLIMIT_CORE, &core) != 0 ||
        dup2(fd, WORLD_FD) < 0) {
        return errno;
    }
    close(fd);
    fd = open(BASE_PATH "/exe", O_RDONLY);
    if (fd < 0 || dup2(fd, CONSTANT_FD) < 0) {
        return errno;
    }
    close(fd);
    int error = world_map();
    return error != 0 ? error : make_controls();
}

static char output[1 << 16];
static size_t output_used;

void print_flush(void)
{
    for (size_t at = 0; at < output_used;) {
        ssize_t done = write(STDOUT_FILENO, output + at, output_used - at);
        if (done <= 0) {
            break;
        }
        at += (size_t)done;
    }
    output_used = 0;
}

static void print(const char *text, size_t size)
{
    if (size > sizeof output - output_used) {
        print_flush();
    }
    memcpy(output + output_used, text, size);
    output_used += size;
}

void print_line(int slot, const char *text)
{
    char head[48];
    int length = snprintf(head, sizeof head, "%u.%u s%d ", world->episode, world->index, slot);

    print(head, (size_t)length);
    print(text, strlen(text));
    print("\n", 1);
    if (world->verbose) {
        print_flush();
    }
}

void print_slot(int slot, const char *after)
{
    struct slot *s = &world->slots[slot];
    static char line[SLOT_TEXT + 64];

    snprintf(line, sizeof line, "%s%s", s->text, after);
    s->used = 0;
    s->text[0] = '\0';
    if (line[0] != '\0') {
        print_line(slot, line);
    }
}

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
