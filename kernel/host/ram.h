/* The machine's memory on the host: one linear arena that plays physical RAM. A frame that is free
 * is poisoned for AddressSanitizer, and so is what a slab object does not have; the seam is the
 * linker's
 * --wrap (meson.build), the allocators themselves know nothing of it. */
#ifndef UMBRA_HOST_RAM_H
#define UMBRA_HOST_RAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mm/frame.h"

#define RAM_FRAMES_MAX 16384 /* 64 MiB */

enum ram_layout {
    RAM_LINEAR, /* one range: blocks lie side by side, as on a real machine */
    RAM_SPARSE, /* single frames and blocks of eight, each followed by as much that is no RAM and
                 * poisoned: an access past the end of a block is caught */
};

/* Starts a machine with that many frames: frame allocator, slabs, the kernel's page table, the
 * frame of zeros. What an earlier one had is forgotten. */
void ram_start(enum ram_layout layout, size_t frames);

/* The arena alone, all of it accessible, for tests of the frame allocator. */
void ram_arena(size_t frames);

/* True for an address inside the arena, of which `size` bytes are in it. */
bool ram_contains(uint64_t physical, uint64_t size);

/* Frames by kind, to be compared after an operation that must leave everything as it was. */
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

/* How many bytes of each new frame and object are filled with 0xa5: 64, until the next ram_start(). */
void alloc_scribble(size_t bytes);

/* Whether slab objects that are freed wait, poisoned, until 256 others have been freed: off at first. ram_counts()
 * and alloc_flush() give them back at once. */
void alloc_quarantine(bool on);
void alloc_flush(void);

/* Whether slab objects are recorded, so that a double free ends the test where it happens: on at
 * first. Off for tests of the allocator's own checks. */
void alloc_track(bool on);

#endif
