/* The rules' cases without cmocka, for machines that have no more than a C library. */
#include <stdio.h>

#include "cases.h"

static int wrong(const struct test_case *test)
{
    static uint8_t image[IMAGE_MAX], scratch[ELFPARSE_SCRATCH_USUAL];
    static struct elfparse_range ranges[16];
    struct elfparse_storage storage = {scratch, sizeof(scratch), ranges, 16};
    size_t size = case_make(test, image);
    struct elfparse_policy policy = case_policy(test);
    struct elfparse_reader reader = elfparse_reader_memory(image, size);
    const struct expectation *e = &test->expect;
    struct elfparse_error error = {0, 0, 0, 0, 0, 0, 0};
    struct elfparse_plan plan;
    int code = elfparse_plan_make(&reader, &policy, &storage, &plan, &error);

    if (code == e->code && error.rule == e->rule && error.phdr == e->phdr &&
        error.phdr2 == e->phdr2 && error.offset == e->offset && error.expected == e->expected &&
        error.found == e->found)
        return 0;
    printf("%s: code %d\n", test->name, code);
    return 1;
}

static int run(const struct test_case *cases, size_t count)
{
    int failed = 0;

    for (size_t i = 0; i < count; i++)
        failed += wrong(&cases[i]);
    return failed;
}

int main(void)
{
    int failed = run(ehdr_cases, ehdr_case_count) + run(load_cases, load_case_count) +
                 run(other_cases, other_case_count);

    printf("%zu cases, %d wrong, %zu-bit\n", ehdr_case_count + load_case_count + other_case_count,
           failed, sizeof(void *) * 8);
    return failed != 0;
}
