/* What stands before the allocators at link time; see ram.h for what tests use of it. */
#ifndef UMBRA_HOST_ALLOC_H
#define UMBRA_HOST_ALLOC_H

/* Forgets all recorded objects and the failure that was asked for. */
void alloc_forget(void);

#endif
