/* The machine's memory on the host: one linear arena that represents physical RAM. Free frames, and
 * memory around slab objects, are poisoned for AddressSanitizer. The linker wraps the allocators
 * for that (--wrap, see meson.build); they need no changes. */
#ifndef UMBRA_HOST_RAM_H
#define UMBRA_HOST_RAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mm/frame.h"

#define RAM_FRAMES_MAX 20480 /* 80 MiB */

enum ram_layout {
    RAM_LINEAR, /* one range: blocks lie side by side, as on a real machine */
    RAM_SPARSE, /* single frames and blocks of eight, each followed by as much that is no RAM and
                 * poisoned: an access past the end of a block is caught */
};

/* Starts a machine with that many frames: frame allocator, slabs, the kernel's page table, the
 * frame of zeros. Discards an earlier machine. */
void ram_start(enum ram_layout layout, size_t frames);

/* Memory for the kernel on the host, at addresses that no program gets, so that one of them in a
 * program's register is a leak. `count` times an inaccessible page and the bytes, then a last page. */
uint8_t *host_map(size_t count, size_t bytes);

/* The arena alone, all of it accessible, for tests of the frame allocator. */
void ram_arena(size_t frames);

/* True if `size` bytes from the address are inside the arena. */
bool ram_contains(uint64_t physical, uint64_t size);

/* Frames by kind, for the comparison after an operation that must change nothing. */
struct ram_counts {
    size_t of[FRAME_KINDS];
};
struct ram_counts ram_counts(void);

/* Compares two counts; writes the first difference as text into buf, "" if there is none. */
const char *ram_difference(const struct ram_counts *before, const struct ram_counts *after,
                           char *buf, size_t size);

/* Failing allocations: the n-th call from now on (1: the next) of frame_alloc*() and slab_alloc*()
 * finds no memory, with `after` every later one too. 0: none fails. */
void alloc_fail_at(uint64_t n, bool after);

/* Calls since the last alloc_fail_at(), and how many of them failed on purpose. */
uint64_t alloc_calls(void);
uint64_t alloc_failed(void);

/* Slab objects in use, of those that are recorded. */
size_t alloc_objects(void);

/* Sets how many bytes of each new frame and object are filled with 0xa5, until the next
 * ram_start(). 64 at first. */
void alloc_scribble(size_t bytes);

/* Sets whether freed slab objects stay poisoned until 256 others have been freed. Off at first.
 * ram_counts() and alloc_flush() give them back at once. */
void alloc_quarantine(bool on);
void alloc_flush(void);

/* Switches the recording of slab objects, which ends the test at a double free. On at first; off
 * for tests of the allocator's own checks. */
void alloc_track(bool on);

/* Clears the recorded objects and the failure that was requested. */
void alloc_forget(void);

/* Whether the frame was filled with the pattern when it was allocated, and nobody has asked since. */
bool alloc_take_scribbled(uint64_t physical);

#endif
