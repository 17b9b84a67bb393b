#include "arch/user_state.h"

#include "arch/cpu.h"
#include "lib/variable.h"
#include "lib/string.h"

SEALED uint64_t fpu_features;

void user_state_init(struct user_state *state)
{
    memset(state, 0, sizeof(*state));
    fpu_state_init(state->fpu);
}

/* With XSTATE_BV 0 XRSTOR makes all components initial; of these MXCSR is loaded in any case. */
void fpu_state_load(const uint8_t fpu[FPU_STATE_SIZE])
{
    if (fpu_features)
        cpu_xrstor(fpu, (uint32_t)fpu_features);
    else
        cpu_fxrstor(fpu);
}

static void save_bases(struct user_state *state)
{
    state->fs_base = cpu_read_msr(MSR_FS_BASE);
    state->gs_base = cpu_read_msr(MSR_GS_BASE);
}

void user_state_save(struct user_state *state)
{
    save_bases(state);
    if (fpu_features)
        cpu_xsave(state->fpu, (uint32_t)fpu_features);
    else
        cpu_fxsave(state->fpu);
}

void user_state_load(const struct user_state *state)
{
    cpu_write_msr(MSR_FS_BASE, state->fs_base);
    cpu_write_msr(MSR_GS_BASE, state->gs_base);
    fpu_state_load(state->fpu);
}

void user_state_switch(struct user_state *from, const struct user_state *to)
{
    save_bases(from);
    if (to->fs_base != from->fs_base) /* writing an MSR takes long */
        cpu_write_msr(MSR_FS_BASE, to->fs_base);
    if (to->gs_base != from->gs_base)
        cpu_write_msr(MSR_GS_BASE, to->gs_base);
    if (fpu_features) {
        cpu_xsave(from->fpu, (uint32_t)fpu_features);
        cpu_xrstor(to->fpu, (uint32_t)fpu_features);
    } else {
        cpu_fxsave(from->fpu);
        cpu_fxrstor(to->fpu);
    }
}

uint64_t user_base_read(enum user_base which)
{
    return cpu_read_msr(which == USER_BASE_FS ? MSR_FS_BASE : MSR_GS_BASE);
}

void user_base_write(enum user_base which, uint64_t address)
{
    cpu_write_msr(which == USER_BASE_FS ? MSR_FS_BASE : MSR_GS_BASE, address);
}
