/* Kernel stacks on the host: one mapping with a slot for each, an inaccessible guard page below every stack.
 * The kernel's own context_switch() goes from one to another; the linker puts a wrapper before it that tells
 * AddressSanitizer (--wrap). */
#ifndef UMBRA_HOST_FIBRE_H
#define UMBRA_HOST_FIBRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FIBRE_SLOTS      512
#define FIBRE_STACK_SIZE 0x40000 /* more than in the kernel: sanitized frames are large */

/* The test runs in slot 0, which is not one of ours but the stack of the process; the kernel boots in
 * slot 1. */
#define FIBRE_TEST 0
#define FIBRE_BOOT 1

/* Forgets all stacks but the test's. */
void fibres_start(void);

/* The slot of the stack in use. */
unsigned fibre_current(void);

/* The lowest address of a slot's stack, and of which slot an address is; FIBRE_TEST: of none. */
uint64_t fibre_bottom(unsigned slot);
unsigned fibre_of(uint64_t address);

/* Whether an address lies in a kernel stack. */
static inline bool fibre_contains(uint64_t address)
{
    return fibre_of(address) != FIBRE_TEST;
}

/* Leaves the test's stack for that of FIBRE_BOOT, where `boot` begins; returns when somebody calls
 * fibre_leave(), on any stack. All stacks but the test's are then forgotten. */
void fibre_enter(void (*boot)(void));
_Noreturn void fibre_leave(void);

/* Stacks in use, that of FIBRE_BOOT not counted. */
unsigned fibres_in_use(void);

/* The depth to which a stack was used: fibre_fill() fills what lies below the caller's frame with a pattern,
 * fibre_depth() looks how far down that is overwritten, counted in bytes from the caller of
 * fibre_fill(). */
void fibre_fill(void);
size_t fibre_depth(void);

/* What fibre_fill() and new frames are filled with: nothing that a program sees may consist of it. */
#define HOST_PATTERN UINT64_C(0xa5a5a5a5a5a5a5a5)

/* Called by entry_return (entry.S) with the frame of a thread that runs for the first time (user.c). */
struct trap_frame;
_Noreturn void host_user(struct trap_frame *frame);

/* The first thing that a new stack does; a second time it does nothing. */
void fibre_begin(void);

#endif
