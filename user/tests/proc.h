/*
 * Starts other programs from a test, by vfork and execve only, so that the tests of a kernel
 * without fork can use it.
 */
#ifndef UMBRA_TESTS_PROC_H
#define UMBRA_TESTS_PROC_H

#include <stddef.h>
#include <sys/types.h>

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

#endif
