#include "mm/usercopy.h"

#include "arch/usercopy.h"
#include "lib/errno.h"

static int in_user_range(virt_t start, size_t size)
{
    return start <= USER_END && size <= USER_END - start;
}

size_t copy_from_user_some(void *to, virt_t from, size_t size)
{
    if (!in_user_range(from, size))
        return 0;
    return size - usercopy_bytes(to, (const void *)from, size);
}

size_t copy_to_user_some(virt_t to, const void *from, size_t size)
{
    if (!in_user_range(to, size))
        return 0;
    return size - usercopy_bytes((void *)to, from, size);
}

int copy_from_user(void *to, virt_t from, size_t size)
{
    return in_user_range(from, size) && usercopy_bytes(to, (const void *)from, size) == 0 ? 0
                                                                                          : -EFAULT;
}

int copy_to_user(virt_t to, const void *from, size_t size)
{
    return in_user_range(to, size) && usercopy_bytes((void *)to, from, size) == 0 ? 0 : -EFAULT;
}

int zero_user(virt_t to, size_t size)
{
    return in_user_range(to, size) && usercopy_zero((void *)to, size) == 0 ? 0 : -EFAULT;
}

long copy_string_from_user(char *to, virt_t from, size_t size)
{
    if (from >= USER_END)
        return -EFAULT;
    size_t most = USER_END - from < size ? USER_END - from : size;
    long length = usercopy_string(to, (const char *)from, most);
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
