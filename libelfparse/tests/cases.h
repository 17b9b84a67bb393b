/* The rules' cases: how the image is bent, under which policy, and what is to come of it. */
#ifndef CASES_H
#define CASES_H

#include "image.h"

struct patch {
    uint32_t offset;
    uint32_t bytes; /* 0: end of the list */
    uint64_t value;
};

enum which_policy {
    KERNEL, /* elfparse_policy_kernel */
    LINUX,  /* elfparse_policy_linux_compat */
    INTERP, /* elfparse_policy_kernel_interp */
    EXACT,  /* limits that the image meets exactly */
    BARE,   /* EXACT, but only the Ehdr and PT_LOAD */
    STRICT  /* LINUX, but with every trait refused but that there is an interpreter */
};

struct expectation {
    int32_t code;
    uint32_t rule;
    uint32_t phdr;
    uint32_t phdr2;
    uint64_t offset;
    uint64_t expected;
    uint64_t found;
};

struct test_case {
    const char *name; /* begins with its rule's number */
    enum which_policy policy;
    uint32_t size; /* of the file; 0: IMAGE_SIZE */
    struct patch patches[12];
    struct expectation expect;
    uint32_t traits; /* of an accepted file, beyond ELFPARSE_TRAIT_INTERP */
};

extern const struct test_case ehdr_cases[];
extern const size_t ehdr_case_count;
extern const struct test_case load_cases[];
extern const size_t load_case_count;
extern const struct test_case other_cases[];
extern const size_t other_case_count;

/* Makes the case's file in image and returns its size. */
size_t case_make(const struct test_case *test, uint8_t image[IMAGE_MAX]);

/* The policy that the case asks for. */
struct elfparse_policy case_policy(const struct test_case *test);

#define NONE ELFPARSE_NO_INDEX

/* Shorthands of the tables: a refusal blamed on the Ehdr, on one header, on two. */
#define ACCEPT {0, 0, 0, 0, 0, 0, 0}
#define EHDR(code, rule, offset, expected, found)                                                  \
    {ELFPARSE_##code, ELFPARSE_RULE_##rule, NONE, NONE, offset, expected, found}
#define AT(code, rule, index, field, expected, found)                                              \
    {ELFPARSE_##code, ELFPARSE_RULE_##rule, index, NONE, PH(index, field), expected, found}
#define INSIDE(code, rule, index, offset, expected, found)                                         \
    {ELFPARSE_##code, ELFPARSE_RULE_##rule, index, NONE, offset, expected, found}
#define BOTH(code, rule, index, other, field, expected, found)                                     \
    {ELFPARSE_##code, ELFPARSE_RULE_##rule, index, other, PH(index, field), expected, found}

#endif
