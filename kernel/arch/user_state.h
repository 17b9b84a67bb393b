/* The state of ring 3 beside the general registers: the x87, SSE and AVX state, and the bases of FS and
 * GS. The kernel's own code does not change it. The kernel links arch/user_state.c; the hosted
 * tests link their own version. */
#ifndef UMBRA_ARCH_USER_STATE_H
#define UMBRA_ARCH_USER_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The areas of FXSAVE and, on a processor with AVX, of XSAVE in its standard form (SDM, "FXSAVE", "XSAVE
 * Area"). Components above AVX are off: programs that ask the processor do not use them. */
#define FPU_FXSAVE_SIZE      512
#define FPU_HEADER_SIZE      64 /* behind that: XSTATE_BV, and zeros */
#define FPU_AVX_SIZE         256
#define FPU_STATE_SIZE       (FPU_FXSAVE_SIZE + FPU_HEADER_SIZE + FPU_AVX_SIZE)
#define FPU_AVAILABLE_OFFSET 464 /* of 48 bytes that the processor neither reads nor writes */
#define FPU_X87_SSE          3u  /* bits of XSTATE_BV and XCR0 */
#define FPU_AVX              4u

/* What is around the processor's state in a signal frame: Linux's struct _fpx_sw_bytes, where XSAVE leaves bytes alone;
 * the header, to which it only adds bits; and a mark behind the area. */
struct fpu_around {
    uint32_t magic1;
    uint32_t frame_size; /* magic2 included */
    uint64_t features;
    uint32_t state_size; /* of the area of XSAVE */
    uint32_t padding[7];
    uint64_t header[FPU_HEADER_SIZE / 8];
    uint32_t magic2;
};
_Static_assert(offsetof(struct fpu_around, header) == FPU_FXSAVE_SIZE - FPU_AVAILABLE_OFFSET,
               "the header is behind the area of FXSAVE");
_Static_assert(offsetof(struct fpu_around, magic2) == 14 * 8 && FPU_AVAILABLE_OFFSET == 464 &&
                   FPU_STATE_SIZE == 832,
               "arch/usercopy.S");

struct user_state {
    uint8_t fpu[FPU_STATE_SIZE] __attribute__((aligned(64)));
    uint64_t fs_base, gs_base;
};

/* The bits of XCR0, which say what a program may use; 0 if there is FXSAVE only. Set by features_enable(). */
extern uint64_t fpu_features;

/* The state with which a program begins (psABI, "Process Initialization"). */
void user_state_init(struct user_state *state);
void fpu_state_init(uint8_t fpu[FPU_STATE_SIZE]);

/* Gives the processor a valid x87, SSE and AVX state; or that with which a program begins. */
void fpu_state_load(const uint8_t fpu[FPU_STATE_SIZE]);
void fpu_state_reset(void);

/* Stores the processor's state; loads one; or both. The bytes of a state that the processor does not store
 * (the header's zeros) must have been zero before. */
void user_state_save(struct user_state *state);
void user_state_load(const struct user_state *state);
void user_state_switch(struct user_state *from, const struct user_state *to);

/* The current base of FS or GS. The address must be canonical; a program may choose any address
 * below the end of user addresses. */
enum user_base { USER_BASE_FS, USER_BASE_GS };
uint64_t user_base_read(enum user_base which);
void user_base_write(enum user_base which, uint64_t address);

#endif
