#include <elfparse/policy.h>

#define MIB (UINT64_C(1) << 20)
#define GIB (UINT64_C(1) << 30)

/* End of the lower half of a 48-bit address space less one page, as Linux has it (TASK_SIZE). */
#define USER_END UINT64_C(0x7ffffffff000)

#define KERNEL_POLICY(refused, read)                                                               \
    {.user_min = ELFPARSE_PAGE_SIZE,                                                               \
     .user_end = USER_END,                                                                         \
     .max_memory = GIB,                                                                            \
     .max_align = GIB,                                                                             \
     .max_tls_size = GIB,                                                                          \
     .max_tls_align = GIB,                                                                         \
     .max_note_bytes = MIB / 16,                                                                   \
     .max_phnum = 128,                                                                             \
     .max_loads = 64,                                                                              \
     .max_interp = 4096,                                                                           \
     .refuse = (refused),                                                                          \
     .contents = (read),                                                                           \
     .machines = ELFPARSE_MACHINE_X86_64,                                                          \
     .page_size = ELFPARSE_PAGE_SIZE}

/*
 * Refused is what isolation asks for: an entry that is not there, an interpreter that depends on
 * the working directory, a stack that can be executed.
 */
const struct elfparse_policy elfparse_policy_kernel =
    KERNEL_POLICY(ELFPARSE_TRAIT_NO_ENTRY | ELFPARSE_TRAIT_INTERP_REL | ELFPARSE_TRAIT_EXEC_STACK,
                  ELFPARSE_READ_ALL);

/* The interpreter of the interpreter and its wishes for the stack are ignored, as Linux does. */
const struct elfparse_policy elfparse_policy_kernel_interp =
    KERNEL_POLICY(ELFPARSE_TRAIT_NO_ENTRY, ELFPARSE_READ_DYNAMIC | ELFPARSE_READ_NOTES);

/* e_phnum: load_elf_phdrs() takes 64 KiB of headers at most. The path: PATH_MAX. */
const struct elfparse_policy elfparse_policy_linux_compat = {
    .user_min = ELFPARSE_PAGE_SIZE,
    .user_end = USER_END,
    .max_memory = USER_END,
    .max_align = UINT64_C(1) << 46,
    .max_tls_size = USER_END,
    .max_tls_align = GIB,
    .max_note_bytes = MIB,
    .max_phnum = 65536 / ELFPARSE_PHDR_SIZE,
    .max_loads = 65536 / ELFPARSE_PHDR_SIZE,
    .max_interp = 4096,
    .refuse = 0,
    .contents = ELFPARSE_READ_ALL,
    .machines = ELFPARSE_MACHINE_X86_64,
    .page_size = ELFPARSE_PAGE_SIZE,
};
