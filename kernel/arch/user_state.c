#include "arch/user_state.h"

#include "arch/cpu.h"
#include "lib/string.h"

#define FPU_CONTROL  0x037f
#define MXCSR        0x1f80
#define MXCSR_OFFSET 24
#define MXCSR_VALID  0xffffu

void user_state_init(struct user_state *state)
{
    const uint16_t control = FPU_CONTROL;
    const uint32_t mxcsr = MXCSR;
    memset(state, 0, sizeof(*state));
    memcpy(state->fpu, &control, sizeof(control));
    memcpy(state->fpu + MXCSR_OFFSET, &mxcsr, sizeof(mxcsr));
}

static inline void save(struct user_state *state)
{
    cpu_fxsave(state->fpu);
    state->fs_base = cpu_read_msr(MSR_FS_BASE);
    state->gs_base = cpu_read_msr(MSR_GS_BASE);
}

static inline void load(const struct user_state *state)
{
    cpu_write_msr(MSR_FS_BASE, state->fs_base);
    cpu_write_msr(MSR_GS_BASE, state->gs_base);
    cpu_fxrstor(state->fpu);
}

void user_state_save(struct user_state *state)
{
    save(state);
}

void user_state_load(const struct user_state *state)
{
    load(state);
}

void user_state_switch(struct user_state *from, const struct user_state *to)
{
    save(from);
    if (to->fs_base != from->fs_base) /* writing an MSR takes long */
        cpu_write_msr(MSR_FS_BASE, to->fs_base);
    if (to->gs_base != from->gs_base)
        cpu_write_msr(MSR_GS_BASE, to->gs_base);
    cpu_fxrstor(to->fpu);
}

void fpu_state_save(uint8_t fpu[FPU_STATE_SIZE])
{
    cpu_fxsave(fpu);
}

void fpu_state_load(const uint8_t fpu[FPU_STATE_SIZE])
{
    cpu_fxrstor(fpu);
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
    return cpu_read_msr(which == USER_BASE_FS ? MSR_FS_BASE : MSR_GS_BASE);
}

void user_base_write(enum user_base which, uint64_t address)
{
    cpu_write_msr(which == USER_BASE_FS ? MSR_FS_BASE : MSR_GS_BASE, address);
}
