/* The wrappers of the allocators; ram.h has the functions for tests. */
#ifndef UMBRA_HOST_ALLOC_H
#define UMBRA_HOST_ALLOC_H

/* Clears the recorded objects and the failure that was requested. */
void alloc_forget(void);

#endif
