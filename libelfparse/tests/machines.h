/* The image of the unit tests as each of the machines has it, judged under policies for them. */
#ifndef MACHINES_H
#define MACHINES_H

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cases.h"

#define RANGES 16

static const struct {
    uint32_t bit;
    struct image_form form;
} machines[] = {
    {ELFPARSE_MACHINE_X86_64, {2, 1, 62}},      {ELFPARSE_MACHINE_AARCH64, {2, 1, 183}},
    {ELFPARSE_MACHINE_AARCH64_BE, {2, 2, 183}}, {ELFPARSE_MACHINE_RISCV64, {2, 1, 243}},
    {ELFPARSE_MACHINE_RISCV32, {1, 1, 243}},    {ELFPARSE_MACHINE_LOONGARCH64, {2, 1, 258}},
    {ELFPARSE_MACHINE_I386, {1, 1, 3}},         {ELFPARSE_MACHINE_ARM, {1, 1, 40}},
    {ELFPARSE_MACHINE_ARM_BE, {1, 2, 40}},      {ELFPARSE_MACHINE_PPC64, {2, 2, 21}},
    {ELFPARSE_MACHINE_PPC64LE, {2, 1, 21}},     {ELFPARSE_MACHINE_S390X, {2, 2, 22}},
    {ELFPARSE_MACHINE_MIPS, {1, 2, 8}},         {ELFPARSE_MACHINE_MIPSLE, {1, 1, 8}},
    {ELFPARSE_MACHINE_MIPS64, {2, 2, 8}},       {ELFPARSE_MACHINE_MIPS64LE, {2, 1, 8}},
};

static uint8_t image[IMAGE_MAX];
static struct elfparse_range ranges[RANGES];
static struct elfparse_plan plan;
static struct elfparse_error error;
static unsigned reads;                /* of the last file that was judged */
static unsigned last_read = UINT_MAX; /* this one and those after it fail */

static int read_counted(void *ctx, uint64_t offset, void *buf, size_t len)
{
    if (reads++ >= last_read)
        return -5;
    memcpy(buf, (const uint8_t *)ctx + offset, len);
    return 0;
}

/* The image as another machine has it, once more in a block of its size; scratch likewise. */
static int judge(const struct image_form *form, const struct elfparse_policy *policy,
                 size_t scratch_size)
{
    uint8_t *file = calloc(1, IMAGE_SIZE), *scratch = malloc(scratch_size);
    struct elfparse_storage storage = {scratch, scratch_size, ranges, RANGES};
    struct elfparse_reader reader = {read_counted, file, IMAGE_SIZE};
    int code;

    reads = 0;
    assert_int_equal(image_re_encode(image, IMAGE_SIZE, form, file), 1);
    code = elfparse_plan_make(&reader, policy, &storage, &plan, &error);
    free(scratch);
    free(file);
    return code;
}

/* Without contents, whose byte order is that of x86-64. */
static struct elfparse_policy policy_of(uint32_t accepted)
{
    struct elfparse_policy policy = elfparse_policy_linux_compat;

    policy.machines = accepted;
    policy.contents = ELFPARSE_READ_INTERP;
    return policy;
}

#endif
