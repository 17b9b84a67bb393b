/* What the last byte of an input chooses, for the target, the seeds and the replay. */
#ifndef SETTING_H
#define SETTING_H

#include <elfparse/elfparse.h>

#define SETTING_RANGES  128u
#define SETTING_SCRATCH 8192u

/*
 * The byte's bits: 0: the kernel's policy rather than linux-compat; 1: one trait is judged the other
 * way; 2 and 3: 1: chosen contents, 2: little scratch, 3: limits that the unit tests' image meets
 * exactly; 4 and 5: which of these; 6 and 7: which oracle is asked.
 */
enum {
    SETTING_KERNEL = 1,
    SETTING_TRAIT = 2,
    SETTING_CONTENTS = 4,
    SETTING_LITTLE = 8,
    SETTING_EXACT = 12,
    SETTING_BARE = 16, /* with EXACT: the Ehdr and PT_LOAD alone */
    SETTING_INTERP =
        32,             /* with EXACT: instead of the limits the kernel's policy for interpreters */
    SETTING_STRICT = 48 /* with EXACT: instead of the limits every trait is refused */
};

struct setting {
    struct elfparse_policy policy;
    size_t scratch_size;
    uint32_t range_capacity;
};

struct setting setting_of(uint8_t mode);

#endif
