#include "mm/usercopy.h"

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
    return in_user_range(from, size) && usercopy_bytes(to, (const void *)from.value, size) == 0
               ? 0
               : -EFAULT;
}

int copy_to_user(user_t to, const void *from, size_t size)
{
    return in_user_range(to, size) && usercopy_bytes((void *)to.value, from, size) == 0 ? 0
                                                                                        : -EFAULT;
}

int zero_user(user_t to, size_t size)
{
    return in_user_range(to, size) && usercopy_zero((void *)to.value, size) == 0 ? 0 : -EFAULT;
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

uint64_t usercopy_fixup(uint64_t rip)
{
    for (const struct usercopy_fixup *f = extable_start; f < extable_end; f++)
        if (f->at == rip)
            return f->to;
    return 0;
}
