/* Faults planted on purpose: a kernel built with -DUMBRA_PLANT=PLANT_... misbehaves in one known
 * way, and a test must notice. An ordinary build has none, and the compiler drops the branches. */
#ifndef UMBRA_LIB_PLANTED_H
#define UMBRA_LIB_PLANTED_H

#include <stdbool.h>

enum plant {
    PLANT_NONE,
    PLANT_NX_LEFT_OUT,          /* user data is executable */
    PLANT_TEXT_WRITABLE,        /* user text is writable as well */
    PLANT_PAGE_MISSING,         /* the last page of each file range is not mapped by populate */
    PLANT_PAGE_EXTRA,           /* the stack's guard page is mapped */
    PLANT_KERNEL_USER_BIT,      /* a kernel page is accessible from ring 3 */
    PLANT_KERNEL_TEXT_ALIAS,    /* the direct map shows the kernel's text, writable */
    PLANT_FORK_SHARES_WRITABLE, /* fork leaves private pages writable in both */
    PLANT_COW_COPIES_NOTHING,   /* a copy-on-write fault makes the shared frame writable */
    PLANT_UNMAP_LEAVES_PAGE,    /* munmap leaves the first page in the page table */
    PLANT_EXIT_LEAKS_TABLE,     /* an address space's root table is not freed */
    PLANT_PROTECT_IGNORED,      /* mprotect changes the area only, not the page tables */
    PLANT_FORK_COUNTS_NOTHING,  /* fork shares pages without a reference for the child */
    PLANT_COW_COPY_CUT,         /* a copy-on-write copy lacks the first bytes */
    PLANT_ZEROS_WRITABLE,       /* a read of untouched memory maps the frame of zeros writable */
    PLANT_PRIVATE_WRITES_FILE,  /* a write to a private file mapping goes to the file's page */
    PLANT_SHARED_HOLE_ZEROS,    /* a read of a hole in shared memory maps the frame of zeros */
    PLANT_GROWN_EXECUTABLE,     /* pages of a grown stack are executable */
    PLANT_MOVE_LOSES_PAGE,      /* mremap leaves a page behind when it moves */
    PLANT_DISCARD_IGNORED,      /* madvise(MADV_DONTNEED) keeps the pages */
    PLANT_TLB_NOT_FLUSHED,      /* after mprotect the processor keeps the old entries in its TLB */
};

#ifndef UMBRA_PLANT
#define UMBRA_PLANT PLANT_NONE
#endif

static inline bool planted(enum plant plant)
{
    return plant != PLANT_NONE && plant == UMBRA_PLANT;
}

#endif
