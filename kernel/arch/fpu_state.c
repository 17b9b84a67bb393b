/* What is known of the x87, SSE and AVX state without the processor. Runs on the host, too. */
#include "arch/user_state.h"
#include "lib/string.h"

#define FPU_CONTROL  0x037f
#define MXCSR        0x1f80
#define MXCSR_OFFSET 24
#define MXCSR_VALID  0xffffu

void fpu_state_init(uint8_t fpu[FPU_STATE_SIZE])
{
    const uint16_t control = FPU_CONTROL;
    const uint32_t mxcsr = MXCSR;
    memset(fpu, 0, FPU_STATE_SIZE);
    memcpy(fpu, &control, sizeof(control));
    memcpy(fpu + MXCSR_OFFSET, &mxcsr, sizeof(mxcsr));
}

void fpu_state_sanitise(uint8_t fpu[FPU_STATE_SIZE], uint64_t components)
{
    uint32_t mxcsr;
    uint64_t present;
    memcpy(&mxcsr, fpu + MXCSR_OFFSET, sizeof(mxcsr));
    mxcsr &= MXCSR_VALID;
    memcpy(fpu + MXCSR_OFFSET, &mxcsr, sizeof(mxcsr));
    memcpy(&present, fpu + FPU_FXSAVE_SIZE, sizeof(present));
    present &= components & fpu_features();
    memset(fpu + FPU_FXSAVE_SIZE, 0, FPU_HEADER_SIZE);
    memcpy(fpu + FPU_FXSAVE_SIZE, &present, sizeof(present));
}
