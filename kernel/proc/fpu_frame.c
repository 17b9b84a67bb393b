#include "proc/fpu_frame.h"

#include "arch/user_state.h"
#include "lib/errno.h"
#include "lib/uninitialized.h"
#include "mm/usercopy.h"

#define MAGIC1 0x46505853u
#define MAGIC2 0x46505845u

static const struct fpu_around extended = {.magic1 = MAGIC1,
                                           .frame_size = FPU_STATE_SIZE + sizeof(uint32_t),
                                           .features = FPU_X87_SSE | FPU_AVX,
                                           .state_size = FPU_STATE_SIZE,
                                           .magic2 = MAGIC2};
static const struct fpu_around plain;

bool fpu_frame_is_extended(void)
{
    return fpu_features != 0;
}

size_t fpu_frame_size(void)
{
    return fpu_frame_is_extended() ? FPU_STATE_SIZE + sizeof(extended.magic2) : FPU_FXSAVE_SIZE;
}

int fpu_frame_store(uint64_t address)
{
    return fpu_state_to_user(user_ptr(address), fpu_features,
                             fpu_frame_is_extended() ? &extended : &plain);
}

void fpu_frame_begin(void)
{
    fpu_state_reset();
}

/* The components that the marks name; 0, for the part of FXSAVE, if they are not right. */
static int read_marks(uint64_t address, uint64_t *components)
{
    UNINITIALIZED struct fpu_around mark; /* copy_from_user(), as far as it is used */
    uint32_t magic2;
    *components = 0;
    if (!fpu_frame_is_extended())
        return 0;
    if (copy_from_user(&mark, user_ptr(address + FPU_AVAILABLE_OFFSET),
                       offsetof(struct fpu_around, padding)) != 0)
        return -EFAULT;
    if (mark.magic1 != MAGIC1 || mark.state_size < FPU_FXSAVE_SIZE + FPU_HEADER_SIZE ||
        mark.state_size > FPU_STATE_SIZE || mark.state_size > mark.frame_size)
        return 0;
    if (copy_from_user(&magic2, user_ptr(address + mark.state_size), sizeof(magic2)) != 0)
        return -EFAULT;
    if (magic2 == MAGIC2)
        *components = mark.features & fpu_features;
    return 0;
}

int fpu_frame_load(uint64_t address)
{
    uint64_t components;
    int error = read_marks(address, &components);
    if (!error && components != fpu_features)
        fpu_state_reset(); /* those that are not in the frame */
    if (!error)
        error = fpu_state_from_user(user_ptr(address), components);
    if (error)
        fpu_state_reset();
    return error;
}
