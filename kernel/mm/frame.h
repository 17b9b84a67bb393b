/* Physical memory: a record for each frame of RAM, and a buddy allocator over them. */
#ifndef UMBRA_MM_FRAME_H
#define UMBRA_MM_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/list.h"
#include "arch/phys.h"

/* The owner of a frame. Each frame has exactly one kind; frame_count() counts them. */
enum frame_kind {
    FRAME_RESERVED, /* not RAM, or never given to the allocator */
    FRAME_FREE,
    FRAME_KERNEL, /* the kernel image and the frame records */
    FRAME_BOOT,   /* boot modules and boot information, until they are freed */
    FRAME_TABLE,  /* paging structures */
    FRAME_SLAB,   /* kernel objects */
    FRAME_STACK,  /* kernel stacks */
    FRAME_ANON,   /* user pages without a file: data written, stacks, heaps */
    FRAME_FILE,   /* pages of files in the VFS */
    FRAME_KINDS
};

#define FRAME_MAX_ORDER 10 /* blocks of up to 2^10 frames, 4 MiB */

/* The counters of memory that is charged to one user. */
struct payer {
    size_t pages; /* FRAME_FILE frames that are charged to it, and pages of pipes */
    size_t bytes; /* of objects */
};

struct frame {
    struct list link; /* free: its free list; slab: the partly used slabs; otherwise the owner's */
    uint32_t refs;    /* holders; the frame is freed when the last one puts it */
    uint8_t kind;     /* enum frame_kind */
    uint8_t order;    /* of the block that begins here */
    uint16_t in_use;  /* table: present entries; slab: objects handed out */
    union {
        void *objects;       /* slab: list of free objects */
        struct payer *payer; /* file, large object: the user charged for it, or NULL */
    };
};

struct frame_range {
    uint64_t start, end; /* physical byte addresses, end exclusive */
};

/* Makes all of `ram` available except the ranges in `reserved`. Puts the records into RAM below
 * `mapped_end`, the end of the direct map so far. Frame 0 stays reserved. Returns false if no hole
 * is large enough for the records. */
bool frame_init(const struct frame_range *ram, size_t nr_ram, const struct frame_range *reserved,
                size_t nr_reserved, uint64_t mapped_end);

/* Marks frames of reserved ranges as owned, with one reference each, so that frame_put() can give
 * them to the allocator later. */
void frame_adopt(struct frame_range range, enum frame_kind kind);

/* The number of frames that allocations leave free. The scheduler sets it to the reserve that the
 * current process may not use, so that others can still run and end. 0: none. */
extern size_t frame_floor;

/* The number of frames that are kept back from ordinary users. */
size_t frame_reserve(void);

/* Called when an allocation finds no frame; may be NULL. */
extern void (*frame_on_shortage)(void);

/* Allocates a block of 2^order frames with one reference on its first frame, contents undefined,
 * charged to no user. Returns NULL if there is none above the floor. frame_alloc() allocates one
 * frame. */
struct frame *frame_alloc_block(enum frame_kind kind, unsigned order);
struct frame *frame_alloc(enum frame_kind kind);
struct frame *frame_alloc_zeroed(enum frame_kind kind);

/* Charges a FRAME_FILE frame to a user until it is freed. */
static inline void frame_charge(struct frame *frame, struct payer *payer)
{
    frame->payer = payer;
    payer->pages++;
}

/* Whether frames are overwritten with zeros when they are freed. Called during boot only. */
void frame_wipe_freed(bool wipe);

/* Frees the whole block that begins at a frame with one reference left. */
void frame_free(struct frame *frame);

static inline void frame_get(struct frame *frame)
{
    frame->refs++;
}

/* Drops one reference; the last one frees the whole block. */
static inline void frame_put(struct frame *frame)
{
    if (frame->refs > 1 && frame->kind != FRAME_FREE)
        frame->refs--;
    else
        frame_free(frame);
}

extern struct frame *frame_records;
extern size_t frame_records_size; /* number of records */

static inline struct frame *frame_of(phys_t address)
{
    return &frame_records[address.value >> PAGE_SHIFT];
}

/* True if a record exists for the address. */
static inline bool frame_exists(phys_t address)
{
    return address.value >> PAGE_SHIFT < frame_records_size;
}

static inline phys_t frame_phys(const struct frame *frame)
{
    return phys((uint64_t)(frame - frame_records) << PAGE_SHIFT);
}

static inline void *frame_ptr(const struct frame *frame)
{
    return phys_ptr(frame_phys(frame));
}

static inline struct frame *frame_of_ptr(const void *pointer)
{
    return frame_of(ptr_phys(pointer));
}

/* The current number of frames of a kind. */
size_t frame_count(enum frame_kind kind);
const char *frame_kind_name(enum frame_kind kind);

/* The number of frames that the allocator manages, free and used. */
size_t frame_total(void);

/* Compares the counters with the records, and every free list with the records; panics on a
 * difference. Walks all of RAM: for tests and the end of a debug run. */
void frame_check(void);

#endif
