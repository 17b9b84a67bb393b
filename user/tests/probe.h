/*
 * Trying what memory allows, in a child of fork, so that the test itself survives.
 */
#ifndef UMBRA_TESTS_PROBE_H
#define UMBRA_TESTS_PROBE_H

#include <stddef.h>

#define PAGE     4096UL
#define USER_END 0x00007ffffffff000UL /* of what a program may map */

/* Runs act(argument) in a child of fork, which ends with what it returns. Gives the wait status. */
int in_child(int (*act)(void *argument), void *argument);

/*
 * What becomes of a process that reads a byte there, writes one, or calls the address (where a
 * RET instruction must stand): 0 if it goes on, else the number of the signal that ended it.
 */
int read_signal(const volatile void *address);
int write_signal(volatile void *address);
int call_signal(const void *address);

/* True if every byte of the range is `value`. */
int all_are(const void *start, size_t size, unsigned char value);

/* Opens a new file for reading and writing in /tmp that has no name any more; -1 on failure. */
int temporary_file(size_t size);

/* The file's byte at every offset of temporary_file. */
unsigned char file_byte(size_t offset);

/* The free memory of the machine in bytes. */
long free_memory(void);

#define RET_INSTRUCTION 0xc3
#endif
