/*
 * Test points in the Test Anything Protocol, for programs that run on umbra and on Linux alike.
 * Needs of the kernel: write, lseek, and nothing else.
 *
 * A program calls tap_begin, then ok, is or skip once a point, and returns tap_end() from main.
 * Under `run`, points are numbered on from program to program and the plan is printed by `run`;
 * alone, a program numbers from 1 and prints its own plan. See COUNTER_FD for how that works.
 */
#ifndef UMBRA_TAP_H
#define UMBRA_TAP_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Under `run` this descriptor is open, and shared with it: the offset of the shared open file
 * description is the number of points printed so far. It survives whatever becomes of the program,
 * and asks for neither pipes nor writable files. The environment variable says that it is there.
 */
#define COUNTER_FD       9
#define COUNTER_VARIABLE "TAP_COUNTER"

/* Set, to anything, where the tests run on Linux: see on_linux. */
#define ON_LINUX_VARIABLE "UMBRA_TESTS_ON_LINUX"

/* Call first. Remembers the directory that argv[0] lies in for beside(). */
void tap_begin(int argc, char **argv);

/* Prints the plan, unless `run` does. Returns the exit status: 0 if no point failed, else 1. */
int tap_end(void);

/* One point: passes if `good`. The text is its name. Returns `good`. */
bool ok(bool good, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* One point: passes if both numbers are equal; otherwise a comment shows both. */
bool is(long got, long expected, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* One point that cannot be judged here, for this reason; the text is its name. */
void skip(const char *reason, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A comment line. */
void diag(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*
 * The path of a file in the directory of the running program, in one of a few static buffers that
 * are used in turn.
 */
const char *beside(const char *name);

/*
 * True where the tests were started for Linux, by the build, to check the tests themselves. Used
 * only where umbra is stricter on purpose (W and X together, malformed ELF files that Linux runs)
 * or where another system shares the machine (exact counts of free memory). It is told by the
 * environment and not found out by a probe, so that a kernel which loses such a rule fails.
 */
bool on_linux(void);

#endif
