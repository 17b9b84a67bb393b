/* Kernel stacks on the host: one mapping with a slot for each, and an inaccessible guard page below
 * every stack. The kernel's own context_switch() switches between them; the linker puts a wrapper
 * before it that informs AddressSanitizer (--wrap). */
#ifndef UMBRA_HOST_FIBRE_H
#define UMBRA_HOST_FIBRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FIBRE_SLOTS      512
#define FIBRE_STACK_SIZE 0x40000 /* more than in the kernel: sanitized frames are large */

/*
 * Slot 0 stands for the stack of the process, on which the test runs. The kernel boots in slot 1.
 */
#define FIBRE_TEST 0
#define FIBRE_BOOT 1

/* Frees all stacks but the test's. */
void fibres_start(void);

/* The slot of the stack in use. */
unsigned fibre_current(void);

/* The lowest address of a slot's stack; the slot of an address, FIBRE_TEST if it is in none. */
uint64_t fibre_bottom(unsigned slot);
unsigned fibre_of(uint64_t address);

/* True if the address lies in a kernel stack. */
static inline bool fibre_contains(uint64_t address)
{
    return fibre_of(address) != FIBRE_TEST;
}

/* Switches from the test's stack to that of FIBRE_BOOT, where `boot` begins. Returns when
 * fibre_leave() is called on any stack. All stacks but the test's are then freed. */
void fibre_enter(void (*boot)(void));
_Noreturn void fibre_leave(void);

/* Stacks in use, that of FIBRE_BOOT not counted. */
unsigned fibres_in_use(void);

/* The depth to which a stack was used: fibre_fill() fills the memory below the caller's frame with
 * a pattern; fibre_depth() finds the lowest overwritten word, and returns its distance in bytes
 * from the caller of fibre_fill(). */
void fibre_fill(void);
size_t fibre_depth(void);

/* The pattern of fibre_fill() and of new frames. No program may ever read it. */
#define HOST_PATTERN UINT64_C(0xa5a5a5a5a5a5a5a5)

/* Called by entry_return (entry.S) with the frame of a thread that runs for the first time (user.c). */
struct trap_frame;
_Noreturn void host_user(struct trap_frame *frame);

/* The first call on a new stack. A second call does nothing. */
void fibre_begin(void);

#endif
