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

/* Prints the part of an argument that is known before the call: the input of the call, also through
 * pointers. A pointer to output of the call is printed only if it is NULL. Reads user memory. */
void decode_before(struct text *text, const struct made_call *call, unsigned index);

/* Prints the rest of the argument after the call, which has returned `result`. `before` is the text
 * of decode_before(). A value that the call has changed is printed as BEFORE => AFTER. */
void decode_after(struct text *text, const struct made_call *call, unsigned index, long result,
                  const char *before);

/* Prints a result: a number, or an error by its name. */
void decode_result(struct text *text, const struct made_call *call, long result);

#endif
