#include "mm/usercopy.h"

#include "arch/user_state.h"
#include "arch/usercopy.h"
#include "lib/errno.h"

static int in_user_range(user_t start, size_t size)
{
    return start.value <= USER_END && size <= USER_END - start.value;
}

size_t copy_from_user_some(void *to, user_t from, size_t size)
{
    if (!in_user_range(from, size))
        return 0;
    return size - usercopy_bytes(to, (const void *)from.value, size);
}

size_t copy_to_user_some(user_t to, const void *from, size_t size)
{
    if (!in_user_range(to, size))
        return 0;
    return size - usercopy_bytes((void *)to.value, from, size);
}

int copy_from_user(void *to, user_t from, size_t size)
{
    if (!in_user_range(from, size))
        return size > 0 ? -EFAULT : 0;
    return usercopy_bytes(to, (const void *)from.value, size) == 0 ? 0 : -EFAULT;
}

int copy_to_user(user_t to, const void *from, size_t size)
{
    if (!in_user_range(to, size))
        return size > 0 ? -EFAULT : 0;
    return usercopy_bytes((void *)to.value, from, size) == 0 ? 0 : -EFAULT;
}

size_t zero_user_some(user_t to, size_t size)
{
    if (!in_user_range(to, size))
        return 0;
    return size - usercopy_zero((void *)to.value, size);
}

long copy_string_from_user(char *to, user_t from, size_t size)
{
    if (from.value >= USER_END)
        return -EFAULT;
    size_t most = USER_END - from.value < size ? USER_END - from.value : size;
    long length = usercopy_string(to, (const char *)from.value, most);
    if (length < 0 || ((size_t)length == most && most < size))
        return -EFAULT;
    return (size_t)length == most ? -ENAMETOOLONG : length;
}

static size_t fpu_size(uint64_t components)
{
    return components ? FPU_STATE_SIZE + sizeof(uint32_t) : FPU_FXSAVE_SIZE;
}

int fpu_state_to_user(user_t to, uint64_t components, const struct fpu_around *around)
{
    return in_user_range(to, fpu_size(components)) &&
                   usercopy_fpu_save((void *)to.value, (uint32_t)components, around) == 0
               ? 0
               : -EFAULT;
}

int fpu_state_from_user(user_t from, uint64_t components)
{
    return in_user_range(from, fpu_size(components)) &&
                   usercopy_fpu_load((const void *)from.value, (uint32_t)components) == 0
               ? 0
               : -EFAULT;
}

uint64_t usercopy_fixup(uint64_t rip, uint64_t vector)
{
    for (const struct usercopy_fixup *f = extable_start; f < extable_end; f++)
        if (f->at == rip && (f->vectors >> vector & 1))
            return f->to;
    return 0;
}
