/*
 * Helpers for the tests: test points, other programs, memory accesses that may fault, and calls and
 * children of edge cases. The programs run on umbra and on Linux.
 */
#ifndef UMBRA_TESTS_TEST_H
#define UMBRA_TESTS_TEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * Test points in the Test Anything Protocol, for programs that run on umbra and on Linux. They need
 * only the system calls write and lseek.
 *
 * A program calls tap_begin, then ok, is or skip once a point, and returns tap_end() from main.
 * Under `run`, the numbers of points continue from program to program and `run` prints the plan;
 * alone, a program counts from 1 and prints its own plan. See COUNTER_FD for how that works.
 */

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/*
 * Under `run` this descriptor is open, and shared with it: the offset of the shared open file
 * description is the number of points printed so far. The count survives any end of the program,
 * and needs neither pipes nor writable files. The environment variable says that it is there.
 */
#define COUNTER_FD       9
#define COUNTER_VARIABLE "TAP_COUNTER"

/* Set, to any value, if the tests run on Linux: see on_linux. */

/* Call this first. Stores the directory of argv[0] for beside(). */
void tap_begin(int argc, char **argv);

/*
 * For tests that execute programs as another user: on Linux the build may be where that one does not get, as in user
 * 0's home. Then the directory stays open, with a high number, also for the programs that they execute.
 */
void keep_directory(void);

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
 * True on Linux, where the tests themselves are checked. Used only where umbra is stricter on purpose (W and X
 * together, malformed ELF files that Linux runs) or where other programs share the machine (exact counts of free
 * memory, tests that use all of it). The release that uname(2) tells decides; a probe of the rule would let a kernel
 * that lost it pass.
 */
bool on_linux(void);

/*
 * Starts other programs from a test, by vfork and execve only, so that the tests of a kernel
 * without fork can use it.
 */

/* A wait status that no process can end with: the program could not be started or waited for. */
#define NOT_RUN (-1)

/*
 * Starts `path`. On success stores the process id and returns 0. When execve fails, the child has
 * been waited for, and the errno value is returned; when vfork fails, its errno value.
 */
int spawn(pid_t *pid, const char *path, char *const argv[], char *const envp[]);

/*
 * Runs the program `name` from the directory of the test, with up to three arguments (NULL for
 * none). Returns its wait status, or NOT_RUN.
 */
int run(const char *name, const char *first, const char *second, const char *third);

/* Starts the same and does not wait. Returns the process id, or the negative errno value. */
pid_t start(const char *name, const char *first, const char *second, const char *third);

/* Waits for that child. Returns its status, or NOT_RUN. */
int wait_for(pid_t pid);

/* "exit 3", "signal 11" or "not run", in a static buffer. */
const char *status_text(int status);

/* The status that waitpid stores for exit(code), and for an end by a signal. */
#define EXITED(code)   (((code) & 0xff) << 8)
#define KILLED(number) (number)

/* A status without the bit that says whether a core was dumped. */
#define WITHOUT_CORE(status) ((status) == NOT_RUN ? NOT_RUN : (status) & ~0x80)

/*
 * Memory accesses that may fault, made in a child of fork so that the test itself survives.
 */

#define PAGE     4096UL
#define USER_END 0x00007ffffffff000UL /* of what a program may map */

/* Runs act(argument) in a child of fork, which exits with its result. Returns the wait status. */
int in_child(int (*act)(void *argument), void *argument);

/*
 * Read, write or call the address in a child (a call needs a RET instruction there). Return 0 if
 * the child goes on, else the number of the signal that ended it.
 */
int read_signal(const volatile void *address);
int write_signal(volatile void *address);
int call_signal(const void *address);

/* True if every byte of the range is `value`. */
int all_are(const void *start, size_t size, unsigned char value);

/* Opens a new file in /tmp, already unlinked, for reading and writing. Returns -1 on failure. */
int temporary_file(size_t size);

/* The byte that temporary_file stores at this offset. */
unsigned char file_byte(size_t offset);

/*
 * The free memory of the machine in bytes. The pages of the stack below it are there afterwards: they are not among
 * what the caller takes until it asks again. (Where a stack begins is random, so one page more now and then was.)
 */
long free_memory(void);

#define RET_INSTRUCTION 0xc3

/*
 * Helpers for the tests of edge cases: calls with exact registers, children that end or are killed
 * in bounded time, and a check whether a process sleeps.
 */

#define USER      1000 /* the user and group that owns nothing */
#define TIMED_OUT (-2) /* the status of a child that did not end in time */

/*
 * Executes SYSCALL with exactly these registers. Returns RAX: a value or the negative errno value.
 * RAW fills missing arguments with 0 and takes pointers as well as numbers.
 */
long raw_call(unsigned long number, const unsigned long arguments[6]);
#define RAW(...) RAW_PADDED(__VA_ARGS__, 0, 0, 0, 0, 0, 0, 0)
#define RAW_PADDED(number, a, b, c, d, e, f, ...)                                                  \
    raw_call((unsigned long)(number),                                                              \
             (const unsigned long[6]){(unsigned long)(a), (unsigned long)(b), (unsigned long)(c),  \
                                      (unsigned long)(d), (unsigned long)(e), (unsigned long)(f)})

/* Converts the result of a libc function: -errno if it returned -1, else the result itself. */
long result_of(long returned);

bool is_root(void);

/* Becomes USER, with no other groups. Ends the process with 99 on failure. */
void drop_to_user(void);

void sleep_ms(unsigned milliseconds);

/* Forks a child that exits with the result of act. Returns its process id, or -1. */
pid_t begin(int (*act)(void *argument), void *argument);

/*
 * Waits at most so long for the child. Returns its status, TIMED_OUT, or NOT_RUN without a child.
 */
int finish(pid_t pid, unsigned milliseconds);

/* The same, but kills and reaps a child that did not end in time. */
int finish_or_kill(pid_t pid, unsigned milliseconds);

/* Runs act in a child, as USER if asked, for at most ten seconds. Returns its status. */
int run_child(int (*act)(void *argument), void *argument, bool as_user);

/* The state letter of /proc/PID/stat; 0 if there is no such process. */
char state_of(pid_t pid);

/* Waits until the process sleeps in a call and stays asleep. Returns false after five seconds. */
bool falls_asleep(pid_t pid);

/* The next number of a sequence that depends on the seed alone; 31 bits. */
uint32_t next_random(uint64_t *state);

#endif
