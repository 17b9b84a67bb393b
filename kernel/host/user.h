/* Ring 3 on the host. A program is a C function that runs on top of the kernel stack of its thread, where the
 * kernel believes the program's registers to be. What it does to its machine it does through the functions
 * here: each builds the trap frame that the processor and arch/entry.S would build, calls
 * syscall_dispatch() or trap_dispatch(), and checks the frame that comes back before it goes on where
 * the frame says: after the call, at the call again, in a signal handler, in another program.
 * A function of these does not return if the process ends or runs another program. */
#ifndef UMBRA_HOST_USER_H
#define UMBRA_HOST_USER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arch/phys.h"

typedef void user_fn(void);
typedef void user_handler(int signal, virt_t info, virt_t context);

/* Where programs of the tests have their memory (machine.c writes the files). */
#define USER_TEXT      0x400000ull
#define USER_DATA      0x402000ull /* readable and writable */
#define USER_DATA_SIZE 0x20000ull
#define USER_ENTRY     (USER_TEXT + 0x200) /* of the n-th program: 16 * n further on */
#define USER_HANDLER   (USER_TEXT + 0x400) /* of the n-th handler: 16 * n further on */
#define USER_RESTORER  (USER_TEXT + 0x800)
#define USER_SITE                                                                                  \
    (USER_TEXT + 0x900)    /* the instruction, 16 bytes further on in each nested handler */
#define USER_INSTRUCTION 2 /* bytes */

/* A system call; arguments that are left out are 0. Returns RAX. */
struct user_args {
    uint64_t a[6];
};
long user_call(unsigned number, struct user_args args);
#define sys(number, ...) user_call(number, (struct user_args){{__VA_ARGS__}})

/* clone(2), whose child begins with `child` and exits with 0 after it; user_fork() with SIGCHLD. The child finds
 * `argument` in user_argument(). */
long user_clone(uint64_t flags, uint64_t stack, user_fn *child, uint64_t argument);
long user_fork(user_fn *child, uint64_t argument);
uint64_t user_argument(void);

/* Memory accesses, a page at a time; faults are the kernel's to serve. user_skip() in a handler lets the
 * instruction that faulted be left out. */
void user_read(void *to, virt_t from, size_t size);
void user_write(virt_t to, const void *from, size_t size);
void user_fetch(virt_t at); /* an instruction */
uint64_t user_load(virt_t at);
void user_store(virt_t at, uint64_t value);
virt_t user_string(virt_t at, const char *text); /* writes it; returns at */
void user_skip(virt_t context);

/* An exception of an instruction (VEC_*), and interrupts that come while the program runs: a tick of the timer,
 * 10 ms after the last one, and bytes that somebody types. */
void user_exception_at(unsigned vector, uint64_t error);
void user_tick(void);
void user_type(const char *text);

/* The address of a handler, for rt_sigaction(2); user_on_signal() makes that call with SA_SIGINFO. */
virt_t user_handler_address(user_handler *handler);
long user_on_signal(int signal, user_handler *handler, uint32_t flags, uint64_t mask);

/* Ends the test with file, line and both values unless they are the same. */
#define expect(wanted, value) user_expect(__FILE__, __LINE__, #value, (long)(wanted), (long)(value))
void user_expect(const char *file, int line, const char *text, long wanted, long value);

/* Of machine.c: what the entry of a program leads to, NULL: no program of ours. */
user_fn *user_program_at(virt_t entry);

/* Forgets handlers and threads. */
void user_start(void);

#endif
