/* The state of ring 3 beside the general registers: the x87 and SSE state, and the bases of FS and
 * GS. The kernel's own code does not change it. The kernel links arch/user_state.c; the hosted
 * tests link their own version. */
#ifndef UMBRA_ARCH_USER_STATE_H
#define UMBRA_ARCH_USER_STATE_H

#include <stdbool.h>
#include <stdint.h>

#define FPU_STATE_SIZE 512 /* the FXSAVE area (SDM, "FXSAVE") */

struct user_state {
    uint8_t fpu[FPU_STATE_SIZE] __attribute__((aligned(16)));
    uint64_t fs_base, gs_base;
};

/* The state with which a program begins (psABI, "Process Initialization"). */
void user_state_init(struct user_state *state);

/* Stores the processor's state; loads one; or both. */
void user_state_save(struct user_state *state);
void user_state_load(const struct user_state *state);
void user_state_switch(struct user_state *from, const struct user_state *to);

/* The x87 and SSE part alone. Loading a state whose MXCSR has reserved bits set would fault:
 * fpu_state_sanitise() clears them in a state that came from user memory. */
void fpu_state_save(uint8_t fpu[FPU_STATE_SIZE]);
void fpu_state_load(const uint8_t fpu[FPU_STATE_SIZE]);
void fpu_state_sanitise(uint8_t fpu[FPU_STATE_SIZE]);

/* The current base of FS or GS. The address must be canonical; a program may choose any address
 * below the end of user addresses. */
enum user_base { USER_BASE_FS, USER_BASE_GS };
uint64_t user_base_read(enum user_base which);
void user_base_write(enum user_base which, uint64_t address);

#endif
