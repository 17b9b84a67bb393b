#include "proc/fpu_frame.h"

#include "arch/user_state.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/usercopy.h"
#include "task/thread.h"

#define MAGIC1 0x46505853u
#define MAGIC2 0x46505845u

/* struct _fpx_sw_bytes of Linux */
struct mark {
    uint32_t magic1;
    uint32_t frame_size; /* with magic2 */
    uint64_t features;
    uint32_t state_size; /* of the area of XSAVE: magic2 is behind it */
    uint32_t padding[7];
};
_Static_assert(sizeof(struct mark) == FPU_FXSAVE_SIZE - FPU_AVAILABLE_OFFSET, "struct mark");

struct header {
    uint64_t present;   /* XSTATE_BV */
    uint64_t compacted; /* XCOMP_BV */
    uint64_t reserved[6];
};
_Static_assert(sizeof(struct header) == FPU_HEADER_SIZE, "struct header");

bool fpu_frame_is_extended(void)
{
    return fpu_features() != 0;
}

size_t fpu_frame_size(void)
{
    return fpu_frame_is_extended() ? FPU_STATE_SIZE + sizeof(uint32_t) : FPU_FXSAVE_SIZE;
}

int fpu_frame_store(uint64_t address)
{
    struct user_state *user = &current_thread->user;
    const uint32_t magic2 = MAGIC2;
    struct mark mark = {0};
    if (fpu_frame_is_extended())
        mark = (struct mark){.magic1 = MAGIC1,
                             .frame_size = FPU_STATE_SIZE + sizeof(magic2),
                             .features = fpu_features(),
                             .state_size = FPU_STATE_SIZE};
    fpu_state_save(user->fpu);
    memcpy(user->fpu + FPU_AVAILABLE_OFFSET, &mark, sizeof(mark));
    if (copy_to_user(user_ptr(address), user->fpu,
                     fpu_frame_is_extended() ? FPU_STATE_SIZE : FPU_FXSAVE_SIZE) != 0 ||
        (fpu_frame_is_extended() &&
         copy_to_user(user_ptr(address + FPU_STATE_SIZE), &magic2, sizeof(magic2)) != 0))
        return -EFAULT;
    return 0;
}

void fpu_frame_begin(void)
{
    fpu_state_init(current_thread->user.fpu);
    fpu_state_load(current_thread->user.fpu);
}

/* The features that a frame has, with the part of FXSAVE in `fpu`: only that if the marks are not right. */
static int read_marks(uint64_t address, const uint8_t *fpu, uint64_t *features)
{
    struct mark mark;
    uint32_t magic2;
    *features = 0;
    memcpy(&mark, fpu + FPU_AVAILABLE_OFFSET, sizeof(mark));
    if (!fpu_frame_is_extended() || mark.magic1 != MAGIC1 ||
        mark.state_size < FPU_FXSAVE_SIZE + FPU_HEADER_SIZE || mark.state_size > FPU_STATE_SIZE ||
        mark.state_size > mark.frame_size)
        return 0;
    if (copy_from_user(&magic2, user_ptr(address + mark.state_size), sizeof(magic2)) != 0)
        return -EFAULT;
    if (magic2 == MAGIC2)
        *features = mark.features;
    return 0;
}

/* Reads what is behind the part of FXSAVE. */
static int read_extended(uint64_t address, uint8_t *fpu)
{
    struct header header;
    uint64_t place = address + FPU_FXSAVE_SIZE;
    if (copy_from_user(&header, user_ptr(place), sizeof(header)) != 0)
        return -EFAULT;
    if (header.present & ~fpu_features() || header.compacted)
        return -EINVAL;
    for (size_t i = 0; i < sizeof(header.reserved) / sizeof(header.reserved[0]); i++)
        if (header.reserved[i])
            return -EINVAL;
    memcpy(fpu + FPU_FXSAVE_SIZE, &header, sizeof(header));
    if ((header.present & FPU_AVX) &&
        copy_from_user(fpu + FPU_FXSAVE_SIZE + FPU_HEADER_SIZE, user_ptr(place + FPU_HEADER_SIZE),
                       FPU_AVX_SIZE))
        return -EFAULT;
    return 0;
}

static int read_state(uint64_t address, uint8_t *fpu, uint64_t *features)
{
    const uint64_t fxsave = FPU_X87_SSE;
    int error;
    if (copy_from_user(fpu, user_ptr(address), FPU_FXSAVE_SIZE) != 0)
        return -EFAULT;
    error = read_marks(address, fpu, features);
    if (error)
        return error;
    if (*features)
        return read_extended(address, fpu);
    memcpy(fpu + FPU_FXSAVE_SIZE, &fxsave, sizeof(fxsave));
    *features = fxsave;
    return 0;
}

int fpu_frame_load(uint64_t address)
{
    struct user_state *user = &current_thread->user;
    uint64_t features = 0;
    int error = read_state(address, user->fpu, &features);
    /* After an error, too: the thread's area is never one that cannot be loaded. */
    fpu_state_sanitise(user->fpu, features);
    if (!error)
        fpu_state_load(user->fpu);
    return error;
}
