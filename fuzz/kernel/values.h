/* The input of fuzz_syscalls, and the values that it becomes: arguments of calls by the kernel's own
 * table, words of structures. */
#ifndef UMBRA_FUZZ_KERNEL_VALUES_H
#define UMBRA_FUZZ_KERNEL_VALUES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arch/layout.h"
#include "host/machine.h"
#include "syscall/describe.h"

/* Places in the memory of each process. */
#define BUFFER(n) (USER_DATA + 0x8000 + 0x400 * (n)) /* 16 of them */
#define PATHS_AT  (USER_DATA + 0x2000)
#define FIFO_AT   (PATHS_AT + 32 * 5)
#define VECTOR(n) (USER_DATA + 0x3000 + 32 * (n)) /* n strings, up to 3 */
#define AREA      0x10000000ull                   /* what calls map and unmap */
#define EDGE      (USER_DATA + USER_DATA_SIZE)

#define NR_PATHS 25
extern const char *const paths[NR_PATHS]; /* the strings at PATHS_AT, every 32 bytes */

void input_begin(const uint8_t *data, size_t size);
bool input_is_over(void);

/* The next byte of the input; 0 after its end. */
uint8_t take(void);
unsigned take_below(unsigned n);

/* A descriptor that a call has returned: some_descriptor() gives the last ones again. */
void note_descriptor(uint64_t descriptor);

uint64_t some_pointer(void); /* good, half good and bad */
uint64_t some_size(void);
uint64_t some_address(void); /* of pages of AREA */
uint64_t some_vector(void);  /* strings of execve(2) */
uint64_t some_word(void);    /* that a structure may consist of */
uint64_t some_argument(const struct argument *argument);

#endif
