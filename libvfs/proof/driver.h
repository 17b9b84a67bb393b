/* An embedder for the proofs: memory from a fixed store that is never reused and may run out at any
 * time, and unknown values. */
#ifndef VFS_PROOF_DRIVER_H
#define VFS_PROOF_DRIVER_H

#include <vfs/vfs.h>

struct vfs_config proof_config(void);
/* Any value from low to high. */
int proof_between(int low, int high);
/* Any byte. */
char proof_byte(void);

#endif
