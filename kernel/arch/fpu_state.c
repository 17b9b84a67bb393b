/* What is known of the x87, SSE and AVX state without the processor. Runs on the host, too. */
#include "arch/user_state.h"
#include "lib/string.h"

#define FPU_CONTROL  0x037f
#define MXCSR        0x1f80
#define MXCSR_OFFSET 24
#define MXCSR_VALID  0xffffu

static const uint8_t initial[FPU_STATE_SIZE] __attribute__((aligned(64))) = {
    [0] = FPU_CONTROL & 0xff,
    [1] = FPU_CONTROL >> 8,
    [MXCSR_OFFSET] = MXCSR & 0xff,
    [MXCSR_OFFSET + 1] = MXCSR >> 8,
};

void fpu_state_init(uint8_t fpu[FPU_STATE_SIZE])
{
    memcpy(fpu, initial, sizeof(initial));
}

void fpu_state_reset(void)
{
    fpu_state_load(initial);
}
