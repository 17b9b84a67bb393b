/* The call stacks of the allocation and the free of each frame. */
#ifndef UMBRA_SANITIZE_FRAMES_H
#define UMBRA_SANITIZE_FRAMES_H

#include "mm/frame.h"
#include "sanitize/calls.h"

/* The table's address: an array with an element for each frame record. shadow.c maps it. */
#define FRAME_CALLS 0xffffe00000000000ull

struct frame_calls {
    struct calls allocated, freed;
};

/* From now on the table exists. */
void frames_record_calls(void);

/* The element of a frame, or NULL before the table exists. */
struct frame_calls *frame_calls_of(const struct frame *frame);

#endif
