/* arch/user_state.h on the host. The state is only kept, switched and restored; no code computes
 * with it. */
#include "arch/user_state.h"

#include <string.h>

#include "host/fail.h"
#include "lib/errno.h"
#include "mm/usercopy.h"

#define MXCSR_OFFSET 24
#define MXCSR_VALID  0xffffu
#define AVX_OFFSET   (FPU_FXSAVE_SIZE + FPU_HEADER_SIZE)

/* The processor has AVX. */
static struct user_state processor;

uint64_t fpu_features = FPU_X87_SSE | FPU_AVX;

/* As XSAVE does, leaves alone what is not the processor's: 48 bytes, and all of the header but the bits of
 * the components. */
static void fpu_state_save(uint8_t fpu[FPU_STATE_SIZE])
{
    uint64_t present;
    memcpy(fpu, processor.fpu, FPU_AVAILABLE_OFFSET);
    memcpy(&present, fpu + FPU_FXSAVE_SIZE, sizeof(present));
    present |= fpu_features;
    memcpy(fpu + FPU_FXSAVE_SIZE, &present, sizeof(present));
    memcpy(fpu + AVX_OFFSET, processor.fpu + AVX_OFFSET, FPU_AVX_SIZE);
}

/* What makes XRSTOR fault, or NULL. */
static const char *invalid(const uint8_t fpu[FPU_STATE_SIZE])
{
    uint32_t mxcsr;
    uint64_t header[FPU_HEADER_SIZE / 8];
    memcpy(&mxcsr, fpu + MXCSR_OFFSET, sizeof(mxcsr));
    memcpy(header, fpu + FPU_FXSAVE_SIZE, sizeof(header));
    if (mxcsr & ~MXCSR_VALID)
        return "MXCSR";
    if (header[0] & ~fpu_features)
        return "XSTATE_BV";
    for (size_t i = 1; i < FPU_HEADER_SIZE / 8; i++)
        if (header[i])
            return "the rest of the header";
    return NULL;
}

void fpu_state_load(const uint8_t fpu[FPU_STATE_SIZE])
{
    const char *wrong = invalid(fpu);
    if (wrong)
        host_fail("XRSTOR faults in ring 0 for %s", wrong);
    memcpy(processor.fpu, fpu, FPU_STATE_SIZE);
}

/* As usercopy_fpu_save(), with the header's word as XSAVE leaves it. */
int fpu_state_to_user(user_t to, uint64_t components, const struct fpu_around *around)
{
    uint8_t area[FPU_STATE_SIZE + sizeof(around->magic2)] = {0};
    if (to.value % (components ? 64 : 16))
        host_fail("XSAVE to %#llx faults in ring 0", (unsigned long long)to.value);
    memcpy(area + FPU_AVAILABLE_OFFSET, around, offsetof(struct fpu_around, magic2));
    memcpy(area + FPU_STATE_SIZE, &around->magic2, sizeof(around->magic2));
    fpu_state_save(area);
    return copy_to_user(to, area, components ? sizeof(area) : FPU_FXSAVE_SIZE);
}

int fpu_state_from_user(user_t from, uint64_t components)
{
    struct user_state state;
    fpu_state_init(state.fpu);
    if (from.value % (components ? 64 : 16) ||
        copy_from_user(state.fpu, from, FPU_AVAILABLE_OFFSET) != 0 ||
        (components &&
         copy_from_user(state.fpu + FPU_FXSAVE_SIZE, user_ptr(from.value + FPU_FXSAVE_SIZE),
                        FPU_STATE_SIZE - FPU_FXSAVE_SIZE) != 0) ||
        invalid(state.fpu))
        return -EFAULT;
    memcpy(processor.fpu, state.fpu, FPU_AVAILABLE_OFFSET);
    if (components & FPU_AVX)
        memcpy(processor.fpu + AVX_OFFSET, state.fpu + AVX_OFFSET, FPU_AVX_SIZE);
    return 0;
}

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
