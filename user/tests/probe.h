/*
 * Memory accesses that may fault, made in a child of fork so that the test itself survives.
 */
#ifndef UMBRA_TESTS_PROBE_H
#define UMBRA_TESTS_PROBE_H

#include <stddef.h>

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

/* The free memory of the machine in bytes. */
long free_memory(void);

#define RET_INSTRUCTION 0xc3
#endif
