/* Failures of hosted tests: panics of the kernel and findings of the models. */
#ifndef UMBRA_HOST_FAIL_H
#define UMBRA_HOST_FAIL_H

#include <stdbool.h>

/* Reports a finding of a model or of the simulated machine: prints it and aborts, or returns from
 * fail_of(). */
_Noreturn void host_fail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Set while a machine runs on other stacks than the test's: switches to the test's stack and calls
 * host_fail_end() there. NULL: the test's stack is in use. Used only inside fail_of(); elsewhere a
 * failure aborts at once. */
extern void (*host_fail_leave)(void);
_Noreturn void host_fail_end(void);

/* Calls run(ctx) and returns the text of the panic or finding that ended it, NULL if it returned.
 * The text is valid until the next call. Does not nest. */
const char *fail_of(void (*run)(void *ctx), void *ctx);

/* The last few KiB of the console's output since console_forget(). Of the carriage returns that the console puts before
 * line feeds itself it has none, unless this says so. */
extern bool console_shows_returns;
const char *console_text(void);
void console_forget(void);

/* Input of the console: appends bytes, which console_read_byte() then takes. */
void console_type(const char *text);

/* The bytes that window_port_read() then takes, in place of those of the last call. */
void window_type(const char *text);

bool console_has_input(void);

/* Makes the random numbers repeatable. */
void random_seed(unsigned long long seed);

#endif
