/* How a hosted test ends: the kernel's panics and the models' findings. */
#ifndef UMBRA_HOST_FAIL_H
#define UMBRA_HOST_FAIL_H

#include <stdbool.h>

/* Reports a finding of a model or of the simulated machine: prints it and aborts, or returns from
 * fail_of(). */
_Noreturn void host_fail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* While a machine runs on other stacks than the test's: leaves them, and calls host_fail_end() there. NULL: the
 * test's stack is in use. Called only inside fail_of(): otherwise the failure aborts where it is. */
extern void (*host_fail_leave)(void);
_Noreturn void host_fail_end(void);

/* Calls run(ctx) and returns the text of the panic or finding that ended it, NULL if it returned.
 * The text is valid until the next call. Does not nest. */
const char *fail_of(void (*run)(void *ctx), void *ctx);

/* What the console was given since the last call of console_forget(), the last few KiB of it. */
const char *console_text(void);
void console_forget(void);

/* Input of the console: appends bytes, which console_read_byte() then takes. */
void console_type(const char *text);
bool console_has_input(void);

/* Makes the random numbers repeatable. */
void random_seed(unsigned long long seed);

#endif
