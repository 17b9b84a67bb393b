/* Reference counts. A function that uses an object over a sleep or a callback takes a reference
 * first and drops it afterwards. A count that reaches REF_SATURATED stays there and the object is
 * never freed, so that the count cannot wrap to 0 while the object is in use. */
#ifndef UMBRA_LIB_REF_H
#define UMBRA_LIB_REF_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/check.h"

#define REF_SATURATED 0x80000000u

struct ref {
    uint32_t count;
};

/* An object with one holder. */
#define REF_ONE ((struct ref){1})

static inline void ref_get(struct ref *ref)
{
    DEBUG_CHECK(ref->count > 0, "a freed object is held");
    if (ref->count < REF_SATURATED)
        ref->count++;
}

/* Drops one reference. Returns true if it was the last one: the caller frees the object. */
static inline bool ref_put(struct ref *ref)
{
    CHECK(ref->count > 0, "an object has more puts than references");
    if (ref->count >= REF_SATURATED)
        return false;
    return --ref->count == 0;
}

#endif
