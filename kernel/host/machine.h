/* A whole kernel on the host: it boots, runs programs (user.h) and ends, as often as a test likes. Everything
 * is the kernel's own code but for what only ring 0 can do (arch/) and the drivers' ports. A finding of a
 * check, a panic, or a machine on which nothing can run ends the test with host_fail(). */
#ifndef UMBRA_HOST_MACHINE_H
#define UMBRA_HOST_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dev/power.h"
#include "host/fail.h"
#include "host/ram.h"
#include "host/user.h"

#define MACHINE_TICK_NS     10000000ull
#define MACHINE_LINE_SERIAL 4

/* A program at a path: an ELF file whose entry leads to the function, or the given contents. */
struct machine_file {
    const char *path;
    user_fn *program;
    const void *data; /* if program is NULL */
    size_t size;
    uint32_t mode; /* 0: 0755 */
};

struct machine_options {
    enum ram_layout layout;
    size_t frames;       /* 0: 4096 */
    const char *cmdline; /* NULL: "" */
    const struct machine_file *files;
    size_t nr_files;
    const void *archive; /* an initial archive; NULL: none */
    size_t archive_size;
    bool check_calls;    /* machine_check() after each call and trap */
    bool measure_stacks; /* see machine_stack_of() */
    bool allow_refetch;  /* a call may read a user byte twice */
};

/* How a machine ended. */
struct machine_end {
    enum verdict verdict;
    unsigned value;
    bool reset;
};

/* Boots with /init running `init`, and returns when the machine is switched off. The root has /dev, /tmp and
 * the files of the options. When process 1 ends, all other processes are ended first, whatever they sleep
 * in, and waited for. Then everything is given back, and compared with what there was before: a frame, an
 * object or a stack that is left is a host_fail(). options NULL: the defaults. */
struct machine_end machine_run(user_fn *init, const struct machine_options *options);

/* Turns the clock; the interrupt is not part of it. */
void machine_advance(uint64_t ns);

/* Called at each scheduling point of the kernel (cpu_interrupt_window()), and when nothing can run, before the clock
 * is turned to the next deadline; the second returns whether it has made something runnable. NULL: nothing. */
extern void (*machine_at_point)(void);
extern bool (*machine_at_idle)(void);

/* An interrupt while the kernel runs. */
void machine_interrupt(unsigned line);

/* The deepest that the kernel stack was used in system call `number` since the program began. */
size_t machine_stack_of(unsigned number);

/* Of user.c: around each call; the second after each trap, too, with UINT32_MAX. */
void machine_call_begins(unsigned number);
void machine_call_ends(unsigned number);

/* The stack of a thread that ended in a call is freed. */
void machine_call_forgets(unsigned slot);

#endif
