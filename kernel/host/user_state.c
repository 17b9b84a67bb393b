/* arch/user_state.h on the host. The state is only kept, switched and restored; no code computes
 * with it. */
#include "arch/user_state.h"

#include <string.h>

#include "host/fail.h"

#define FPU_CONTROL  0x037f
#define MXCSR        0x1f80
#define MXCSR_OFFSET 24
#define MXCSR_VALID  0xffffu

static struct user_state processor;

void user_state_init(struct user_state *state)
{
    const uint16_t control = FPU_CONTROL;
    const uint32_t mxcsr = MXCSR;
    memset(state, 0, sizeof(*state));
    memcpy(state->fpu, &control, sizeof(control));
    memcpy(state->fpu + MXCSR_OFFSET, &mxcsr, sizeof(mxcsr));
}

void user_state_save(struct user_state *state)
{
    *state = processor;
}

/* FXRSTOR and WRMSR fault in ring 0 if the state is not valid. */
void user_state_load(const struct user_state *state)
{
    user_base_write(USER_BASE_FS, state->fs_base);
    user_base_write(USER_BASE_GS, state->gs_base);
    fpu_state_load(state->fpu);
}

void user_state_switch(struct user_state *from, const struct user_state *to)
{
    user_state_save(from);
    user_state_load(to);
}

void fpu_state_save(uint8_t fpu[FPU_STATE_SIZE])
{
    memcpy(fpu, processor.fpu, FPU_STATE_SIZE);
}

void fpu_state_load(const uint8_t fpu[FPU_STATE_SIZE])
{
    uint32_t mxcsr;
    memcpy(&mxcsr, fpu + MXCSR_OFFSET, sizeof(mxcsr));
    if (mxcsr & ~MXCSR_VALID)
        host_fail("FXRSTOR of MXCSR %#x faults in ring 0", mxcsr);
    memcpy(processor.fpu, fpu, FPU_STATE_SIZE);
}

void fpu_state_sanitise(uint8_t fpu[FPU_STATE_SIZE])
{
    uint32_t mxcsr;
    memcpy(&mxcsr, fpu + MXCSR_OFFSET, sizeof(mxcsr));
    mxcsr &= MXCSR_VALID;
    memcpy(fpu + MXCSR_OFFSET, &mxcsr, sizeof(mxcsr));
}

uint64_t user_base_read(enum user_base which)
{
    return which == USER_BASE_FS ? processor.fs_base : processor.gs_base;
}

void user_base_write(enum user_base which, uint64_t address)
{
    if (address >> 47 != 0 && address >> 47 != 0x1ffff)
        host_fail("WRMSR of base %#llx faults in ring 0", (unsigned long long)address);
    if (which == USER_BASE_FS)
        processor.fs_base = address;
    else
        processor.gs_base = address;
}
