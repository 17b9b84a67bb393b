/* Kernel objects: slabs of one frame for each of a few sizes, whole blocks of frames above. */
#ifndef UMBRA_MM_SLAB_H
#define UMBRA_MM_SLAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The size of the largest object. */
#define SLAB_LIMIT ((size_t)4 << 20)

/* Larger objects are whole frames. */
#define SLAB_SMALL_MAX ((size_t)2048)

/* `random` is a word that user code cannot guess; it marks free objects. */
void slab_init(uint64_t random);

/* Allocates `size` bytes (more than 0), aligned to 16 and, if size is a multiple of 64, to 64;
 * contents undefined. Returns NULL if memory is short or size is above SLAB_LIMIT. */
void *slab_alloc(size_t size);
void *slab_alloc_zeroed(size_t size);

/* Sets whether objects are overwritten with zeros when they are freed, except for the first 16 bytes,
 * which the list of free objects uses. Called only during boot. */
void slab_wipe_freed(bool wipe);

/* Frees an object; NULL is allowed. */
void slab_free(void *object);

/* Frees the empty slabs, at most one of each size, that slab_free() keeps. For tests that count
 * frames. */
void slab_trim(void);

#endif
