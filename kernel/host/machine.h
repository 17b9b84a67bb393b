/* A whole kernel on the host. It boots, runs programs (user.h) and ends, any number of times in a
 * test. All its code is the kernel's own, except what only ring 0 can do (arch/) and the drivers'
 * ports. A finding of a check, a panic, or a machine with no runnable thread ends the test with
 * host_fail(). */
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
#define MACHINE_LINE_WINDOW 3
#define MACHINE_LINE_SERIAL 4

/* A file at a path: an ELF file whose entry leads to the function, or the given contents. */
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
    const void *device_archive; /* another one, in the fw_cfg device; NULL: none */
    size_t device_size;
    bool check_calls;    /* machine_check() after each call and trap */
    bool measure_stacks; /* see machine_stack_of() */
    bool allow_refetch;  /* a call may read a user byte twice */
};

/* The result of a machine. */
struct machine_end {
    enum verdict verdict;
    unsigned value;
    bool reset;
};

/* Boots with `init` as /init, and returns when the machine is switched off. The root has /dev, /tmp
 * and the files of the options. When process 1 ends, all other processes are killed first, even if
 * they sleep, and waited for. Then everything is freed and compared with the start: a remaining
 * frame, object or stack is a host_fail(). options NULL: the defaults. */
struct machine_end machine_run(user_fn *init, const struct machine_options *options);

/* Advances the clock without an interrupt. */
void machine_advance(uint64_t ns);

/* The first is called at each scheduling point (cpu_interrupt_window()). The second is called when
 * no thread is runnable, before the clock advances to the next deadline, and returns true if it has
 * made one runnable. Either may be NULL. */
extern void (*machine_at_point)(void);
extern bool (*machine_at_idle)(void);

/* Raises an interrupt while the kernel runs. */
void machine_interrupt(unsigned line);

/* The most bytes of kernel stack that system call `number` has used since the program began. */
size_t machine_stack_of(unsigned number);

/* user.c calls these around each call and, with UINT32_MAX, each trap. */
void machine_call_begins(unsigned number);
void machine_call_ends(unsigned number);

/* Call it when the stack of a thread that ended in a call is freed. */
void machine_call_forgets(unsigned slot);

#endif
