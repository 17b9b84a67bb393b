/* Kernel objects: slabs of one frame for each of a few sizes, whole blocks of frames above. */
#ifndef UMBRA_MM_SLAB_H
#define UMBRA_MM_SLAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The largest object that one call can give. */
#define SLAB_LIMIT ((size_t)4 << 20)

/* Larger ones are whole frames. */
#define SLAB_SMALL_MAX ((size_t)2048)

/* `random` marks free objects: a word that user code cannot guess. */
void slab_init(uint64_t random);

/* Memory of `size` bytes (more than 0), aligned to 16 and, for sizes that are multiples of it, to 64;
 * contents undefined. NULL if there is none or if size is above SLAB_LIMIT. */
void *slab_alloc(size_t size);
void *slab_alloc_zeroed(size_t size);

/* Whether objects are overwritten with zeros when they are freed, but for the 16 bytes at their beginning that
 * the list of free objects uses. Called during boot only. */
void slab_wipe_freed(bool wipe);

/* Gives an object back; NULL is allowed. */
void slab_free(void *object);

/* Frees the empty slabs, one of each size at most, that slab_free() keeps. For tests, which count frames. */
void slab_trim(void);

#endif
