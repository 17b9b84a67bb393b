#include "proc/fpu_frame.h"

#include "arch/user_state.h"
#include "lib/errno.h"
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

_Static_assert(offsetof(struct user_state, fpu_mark) == FPU_STATE_SIZE, "one copy for both");

struct header {
    uint64_t present;   /* XSTATE_BV */
    uint64_t compacted; /* XCOMP_BV */
    uint64_t reserved[6];
};
_Static_assert(sizeof(struct header) == FPU_HEADER_SIZE, "struct header");

bool fpu_frame_is_extended(void)
{
    return fpu_features != 0;
}

size_t fpu_frame_size(void)
{
    return fpu_frame_is_extended() ? FPU_STATE_SIZE + sizeof(uint32_t) : FPU_FXSAVE_SIZE;
}

int fpu_frame_store(uint64_t address)
{
    struct user_state *user = &current_thread->user;
    struct mark *mark = (struct mark *)(user->fpu + FPU_AVAILABLE_OFFSET);
    fpu_state_save(user->fpu);
    *mark = (struct mark){0};
    if (fpu_frame_is_extended())
        *mark = (struct mark){.magic1 = MAGIC1,
                              .frame_size = FPU_STATE_SIZE + sizeof(user->fpu_mark),
                              .features = fpu_features,
                              .state_size = FPU_STATE_SIZE};
    user->fpu_mark = MAGIC2;
    return copy_to_user(user_ptr(address), user->fpu, fpu_frame_size()) != 0 ? -EFAULT : 0;
}

void fpu_frame_begin(void)
{
    fpu_state_reset();
}

/* Reads a frame, or its first parts if it ends where memory ends. Returns how many bytes were read. */
static size_t read_parts(uint64_t address, struct user_state *user)
{
    const size_t less[] = {FPU_FXSAVE_SIZE + FPU_HEADER_SIZE, FPU_FXSAVE_SIZE};
    if (copy_from_user(user->fpu, user_ptr(address), fpu_frame_size()) == 0)
        return fpu_frame_size();
    user->fpu_mark = 0;
    for (size_t i = 0; i < sizeof(less) / sizeof(less[0]); i++)
        if (copy_from_user(user->fpu, user_ptr(address), less[i]) == 0)
            return less[i];
    return 0;
}

/* The components that the marks name; 0 if they are not right. */
static int read_marks(uint64_t address, const struct user_state *user, uint64_t *features)
{
    const struct mark *mark = (const struct mark *)(user->fpu + FPU_AVAILABLE_OFFSET);
    uint32_t magic2 = user->fpu_mark;
    *features = 0;
    if (!fpu_frame_is_extended() || mark->magic1 != MAGIC1 ||
        mark->state_size < FPU_FXSAVE_SIZE + FPU_HEADER_SIZE || mark->state_size > FPU_STATE_SIZE ||
        mark->state_size > mark->frame_size)
        return 0;
    if (mark->state_size != FPU_STATE_SIZE &&
        copy_from_user(&magic2, user_ptr(address + mark->state_size), sizeof(magic2)) != 0)
        return -EFAULT;
    if (magic2 == MAGIC2)
        *features = mark->features;
    return 0;
}

/* What is behind FXSAVE's part must be of the standard form, and have been read. */
static int check_header(const uint8_t *fpu, size_t size)
{
    const struct header *header = (const struct header *)(fpu + FPU_FXSAVE_SIZE);
    uint64_t reserved = header->compacted;
    if (size < FPU_FXSAVE_SIZE + FPU_HEADER_SIZE)
        return -EFAULT;
    for (size_t i = 0; i < sizeof(header->reserved) / sizeof(header->reserved[0]); i++)
        reserved |= header->reserved[i];
    if (header->present & ~fpu_features || reserved)
        return -EINVAL;
    return (header->present & FPU_AVX) && size < FPU_STATE_SIZE ? -EFAULT : 0;
}

static int read_state(uint64_t address, struct user_state *user, uint64_t *features)
{
    struct header *header = (struct header *)(user->fpu + FPU_FXSAVE_SIZE);
    size_t size = read_parts(address, user);
    int error = size > 0 ? read_marks(address, user, features) : -EFAULT;
    if (!error && *features)
        error = check_header(user->fpu, size);
    else if (!error)
        header->present = *features = FPU_X87_SSE;
    return error;
}

int fpu_frame_load(uint64_t address)
{
    struct user_state *user = &current_thread->user;
    uint64_t features = 0;
    int error = read_state(address, user, &features);
    /* After an error, too: the thread's area is never one that cannot be loaded. */
    fpu_state_sanitise(user->fpu, features);
    if (!error)
        fpu_state_load(user->fpu);
    return error;
}
