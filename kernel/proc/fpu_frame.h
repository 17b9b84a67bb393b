/* The x87, SSE and AVX state in a signal frame, as Linux lays it out: the area of XSAVE, with a mark in the 48
 * bytes that the processor leaves alone, and a second mark behind the area; or the area of FXSAVE. */
#ifndef UMBRA_PROC_FPU_FRAME_H
#define UMBRA_PROC_FPU_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of the state in a frame, of which the address must be a multiple of FPU_FRAME_ALIGNMENT. */
#define FPU_FRAME_ALIGNMENT 64
size_t fpu_frame_size(void);

/* True if a frame has the area of XSAVE (UC_FP_XSTATE). */
bool fpu_frame_is_extended(void);

/* Stores the current thread's state at the address. Returns -EFAULT if it cannot be written. */
int fpu_frame_store(uint64_t address);

/* Gives the current thread the state with which a handler begins: the initial one. */
void fpu_frame_begin(void);

/* Loads what is at the address, which may be anything. Without both marks only the part of FXSAVE is read, and
 * the rest becomes initial. Returns -EFAULT if it cannot be read, or is not a state that the processor takes: it
 * has bits of components that are not on, reserved bits of MXCSR, or another form. The state is the initial one
 * then. */
int fpu_frame_load(uint64_t address);

#endif
