/* Ring 3 on the host. A program is a C function that runs on top of the kernel stack of its thread.
 * It accesses its machine through the functions here. Each builds the trap frame that the processor
 * and arch/entry.S would build, calls syscall_dispatch() or trap_dispatch(), and checks the frame
 * that comes back. Then it continues where the frame says: after the call, at the call again, in a
 * signal handler, or in another program. These functions do not return if the process ends or
 * executes another program. */
#ifndef UMBRA_HOST_USER_H
#define UMBRA_HOST_USER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arch/phys.h"

typedef void user_fn(void);
typedef void user_handler(int signal, uint64_t info, uint64_t context);

/* The memory of the tests' programs (machine.c writes their files). */
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

/* clone(2); the child calls `child` and then exits with 0. user_fork() passes SIGCHLD.
 * user_argument() returns `argument` in the child. */
long user_clone(uint64_t flags, uint64_t stack, user_fn *child, uint64_t argument);
long user_fork(user_fn *child, uint64_t argument);
uint64_t user_argument(void);

/* Memory accesses, a page at a time; the kernel handles their faults. In a handler, user_skip()
 * skips the instruction that faulted, if the handler interrupts one. */
void user_read(void *to, uint64_t from, size_t size);
void user_write(uint64_t to, const void *from, size_t size);
void user_fetch(uint64_t at); /* an instruction */
uint64_t user_load(uint64_t at);
void user_store(uint64_t at, uint64_t value);
uint64_t user_string(uint64_t at, const char *text); /* writes it; returns at */
void user_skip(uint64_t context);

/* An exception of an instruction (VEC_*), and interrupts while the program runs: a tick of the
 * timer, 10 ms after the last one, and typed bytes. */
void user_exception_at(unsigned vector, uint64_t error);
void user_tick(void);
void user_tick_in_call(void); /* that came during the program's last call */
void user_type(const char *text);

/* The same for the port that tells the size of the window. */
void user_resize_window(const char *text);

/* The address of a handler, for rt_sigaction(2); user_on_signal() makes that call with SA_SIGINFO. */
uint64_t user_handler_address(user_handler *handler);
long user_on_signal(int signal, user_handler *handler, uint32_t flags, uint64_t mask);

/* Ends the test with file, line and both values unless they are equal. */
#define expect(wanted, value) user_expect(__FILE__, __LINE__, #value, (long)(wanted), (long)(value))
void user_expect(const char *file, int line, const char *text, long wanted, long value);

/* In machine.c: the function of a program's entry, or NULL. */
user_fn *user_program_at(uint64_t entry);

/* Clears handlers and threads. */
void user_start(void);

#endif
