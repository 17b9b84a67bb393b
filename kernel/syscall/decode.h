/* System calls as text, as strace(1) prints them. */
#ifndef UMBRA_SYSCALL_DECODE_H
#define UMBRA_SYSCALL_DECODE_H

#include "file/text.h"
#include "syscall/describe.h"

/* A call that was made: its arguments as the registers had them. */
struct made_call {
    const struct call_info *info;
    uint64_t value[ARGUMENTS_MAX];
};

/* Prints an argument as far as it is known before the call: what the caller passes, also by way of
 * pointers. Nothing for a pointer to what the call is going to fill in, except NULL. Reads user
 * memory. */
void decode_before(struct text *text, const struct made_call *call, unsigned index);

/* Prints the rest of it after the call, which has returned `result`. `before` is what
 * decode_before() printed: what a call changed is printed as BEFORE => AFTER. */
void decode_after(struct text *text, const struct made_call *call, unsigned index, long result,
                  const char *before);

/* Prints a result: a number, or an error by its name. */
void decode_result(struct text *text, const struct made_call *call, long result);

#endif
