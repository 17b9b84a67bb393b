/* arch/user_state.h on the host. The state is only kept, switched and restored; no code computes
 * with it. */
#include "arch/user_state.h"

#include <string.h>

#include "host/fail.h"

#define MXCSR_OFFSET 24
#define MXCSR_VALID  0xffffu

/* The processor has AVX. */
static struct user_state processor;

uint64_t fpu_features = FPU_X87_SSE | FPU_AVX;

void user_state_init(struct user_state *state)
{
    memset(state, 0, sizeof(*state));
    fpu_state_init(state->fpu);
}

void user_state_save(struct user_state *state)
{
    fpu_state_save(state->fpu);
    state->fs_base = processor.fs_base;
    state->gs_base = processor.gs_base;
}

/* XRSTOR and WRMSR fault in ring 0 if the state is not valid. */
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

/* As XSAVE does, leaves alone what is not the processor's: 48 bytes, and all of the header but the bits of
 * the components. */
void fpu_state_save(uint8_t fpu[FPU_STATE_SIZE])
{
    const size_t avx = FPU_FXSAVE_SIZE + FPU_HEADER_SIZE;
    uint64_t present;
    memcpy(fpu, processor.fpu, FPU_AVAILABLE_OFFSET);
    memcpy(&present, fpu + FPU_FXSAVE_SIZE, sizeof(present));
    present = (present & ~fpu_features) | fpu_features;
    memcpy(fpu + FPU_FXSAVE_SIZE, &present, sizeof(present));
    memcpy(fpu + avx, processor.fpu + avx, FPU_AVX_SIZE);
}

void fpu_state_load(const uint8_t fpu[FPU_STATE_SIZE])
{
    uint32_t mxcsr;
    uint64_t header[FPU_HEADER_SIZE / 8];
    memcpy(&mxcsr, fpu + MXCSR_OFFSET, sizeof(mxcsr));
    memcpy(header, fpu + FPU_FXSAVE_SIZE, sizeof(header));
    if (mxcsr & ~MXCSR_VALID)
        host_fail("XRSTOR of MXCSR %#x faults in ring 0", mxcsr);
    if (header[0] & ~fpu_features)
        host_fail("XRSTOR of XSTATE_BV %#llx faults in ring 0", (unsigned long long)header[0]);
    for (size_t i = 1; i < FPU_HEADER_SIZE / 8; i++)
        if (header[i])
            host_fail("XRSTOR with word %zu of the header not 0 faults in ring 0", i);
    memcpy(processor.fpu, fpu, FPU_STATE_SIZE);
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
