#include <elfparse/policy.h>

#define MIB (UINT64_C(1) << 20)
#define GIB (UINT64_C(1) << 30)

/* End of the lower half of a 48-bit address space less one page, as Linux has it (TASK_SIZE). */
#define USER_END UINT64_C(0x7ffffffff000)

/* What a program on this kernel has no business with. */
#define KERNEL_REFUSES                                                                             \
    (ELFPARSE_TRAIT_OSABI | ELFPARSE_TRAIT_ABIVERSION | ELFPARSE_TRAIT_PADDING |                   \
     ELFPARSE_TRAIT_EFLAGS | ELFPARSE_TRAIT_SEGFLAGS | ELFPARSE_TRAIT_UNREADABLE |                 \
     ELFPARSE_TRAIT_ZERO_RO | ELFPARSE_TRAIT_NO_ENTRY | ELFPARSE_TRAIT_INTERP_LATE |               \
     ELFPARSE_TRAIT_INTERP_REL | ELFPARSE_TRAIT_EXEC_STACK)

#define KERNEL_POLICY(refused)                                                                     \
    {                                                                                              \
        .user_min = ELFPARSE_PAGE_SIZE, .user_end = USER_END, .max_memory = GIB,                   \
        .max_align = GIB, .max_tls_size = 16 * MIB, .max_tls_align = ELFPARSE_PAGE_SIZE,           \
        .max_note_bytes = MIB / 16, .max_phnum = 128, .max_loads = 64, .max_interp = 4096,         \
        .refuse = (refused), .contents = ELFPARSE_READ_ALL                                         \
    }

const struct elfparse_policy elfparse_policy_kernel = KERNEL_POLICY(KERNEL_REFUSES);

const struct elfparse_policy elfparse_policy_kernel_interp =
    KERNEL_POLICY(KERNEL_REFUSES | ELFPARSE_TRAIT_FIXED | ELFPARSE_TRAIT_INTERP);

/* e_phnum: load_elf_phdrs() takes 64 KiB of headers at most. The path: PATH_MAX. */
const struct elfparse_policy elfparse_policy_linux_compat = {
    .user_min = ELFPARSE_PAGE_SIZE,
    .user_end = USER_END,
    .max_memory = USER_END,
    .max_align = UINT64_C(1) << 46,
    .max_tls_size = USER_END,
    .max_tls_align = GIB,
    .max_note_bytes = 16 * MIB,
    .max_phnum = 65536 / ELFPARSE_PHDR_SIZE,
    .max_loads = 65536 / ELFPARSE_PHDR_SIZE,
    .max_interp = 4096,
    .refuse = 0,
    .contents = ELFPARSE_READ_ALL,
};
