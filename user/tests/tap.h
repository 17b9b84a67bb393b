/*
 * Test points in the Test Anything Protocol, for programs that run on umbra and on Linux. They need
 * only the system calls write and lseek.
 *
 * A program calls tap_begin, then ok, is or skip once a point, and returns tap_end() from main.
 * Under `run`, the numbers of points continue from program to program and `run` prints the plan;
 * alone, a program counts from 1 and prints its own plan. See COUNTER_FD for how that works.
 */
#ifndef UMBRA_TAP_H
#define UMBRA_TAP_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Under `run` this descriptor is open, and shared with it: the offset of the shared open file
 * description is the number of points printed so far. The count survives any end of the program,
 * and needs neither pipes nor writable files. The environment variable says that it is there.
 */
#define COUNTER_FD       9
#define COUNTER_VARIABLE "TAP_COUNTER"

/* Set, to any value, if the tests run on Linux: see on_linux. */
#define ON_LINUX_VARIABLE "UMBRA_TESTS_ON_LINUX"

/* Call this first. Stores the directory of argv[0] for beside(). */
void tap_begin(int argc, char **argv);

/* Prints the plan, unless `run` does. Returns the exit status: 0 if no point failed, else 1. */
int tap_end(void);

/* One point: passes if `good`. The text is its name. Returns `good`. */
bool ok(bool good, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* One point: passes if both numbers are equal; otherwise a comment shows both. */
bool is(long got, long expected, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* One point that cannot be tested here, with the reason; the text is its name. */
void skip(const char *reason, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A comment line. */
void diag(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*
 * The path of a file in the directory of the running program, in one of a few static buffers that
 * are used in turn.
 */
const char *beside(const char *name);

/*
 * True if the build has started the tests on Linux, to check the tests themselves. Used only where
 * umbra is stricter on purpose (W and X together, malformed ELF files that Linux runs) or where
 * other programs share the machine (exact counts of free memory). The environment tells it; a
 * probe would let a kernel that lost such a rule pass.
 */
bool on_linux(void);

#endif
