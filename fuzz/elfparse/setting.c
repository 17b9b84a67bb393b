#include "setting.h"

#include "cases.h"

static struct elfparse_policy exact_policy(uint8_t mode)
{
    struct test_case test = {.policy = mode & SETTING_BARE ? BARE : EXACT};

    if ((mode & SETTING_STRICT) == SETTING_STRICT)
        test.policy = STRICT;
    return (mode & SETTING_STRICT) == SETTING_INTERP ? elfparse_policy_kernel_interp
                                                     : case_policy(&test);
}

struct setting setting_of(uint8_t mode)
{
    struct setting setting = {mode & SETTING_KERNEL ? elfparse_policy_kernel
                                                    : elfparse_policy_linux_compat,
                              SETTING_SCRATCH, SETTING_RANGES};

    switch (mode & SETTING_EXACT) {
    case SETTING_CONTENTS:
        setting.policy.contents = mode >> 4 & 7;
        break;
    case SETTING_LITTLE:
        setting.scratch_size = 128 + (size_t)(mode >> 4) * 64;
        break;
    case SETTING_EXACT:
        setting.policy = exact_policy(mode);
        if (mode & SETTING_TRAIT)
            setting.range_capacity = 2;
        return setting;
    default:
        break;
    }
    if (mode & SETTING_TRAIT)
        setting.policy.refuse ^= 1u << (mode >> 4) % ELFPARSE_TRAIT_COUNT;
    return setting;
}
