#include "cases.h"

size_t case_make(const struct test_case *test, uint8_t image[IMAGE_MAX])
{
    image_make(image);
    for (const struct patch *patch = test->patches; patch->bytes != 0; patch++)
        image_put(image, patch->offset, patch->value, patch->bytes);
    return test->size != 0 ? test->size : IMAGE_SIZE;
}

struct elfparse_policy case_policy(const struct test_case *test)
{
    struct elfparse_policy policy = elfparse_policy_kernel;

    if (test->policy == LINUX)
        return elfparse_policy_linux_compat;
    if (test->policy == STRICT) {
        policy = elfparse_policy_linux_compat;
        policy.refuse = ~ELFPARSE_TRAIT_INTERP;
        return policy;
    }
    if (test->policy == INTERP)
        return elfparse_policy_kernel_interp;
    if (test->policy == KERNEL)
        return policy;
    policy.user_min = 0x2000;
    policy.user_end = 0x8000;
    policy.max_memory = 0x2540;
    policy.max_align = 0x4000;
    policy.max_tls_size = 0x40;
    policy.max_tls_align = 16;
    policy.max_note_bytes = 0x44;
    policy.max_phnum = IMAGE_PHNUM;
    policy.max_loads = 4;
    policy.max_interp = 0x1c;
    policy.refuse |= ELFPARSE_TRAIT_NOTES;
    if (test->policy == BARE)
        policy.contents = 0;
    return policy;
}
