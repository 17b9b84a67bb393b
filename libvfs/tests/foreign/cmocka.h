/* What the unit tests use of cmocka, for machines for which there is no cmocka: a failed assertion
 * ends the program. */
#ifndef UMVFS_TESTS_FOREIGN_CMOCKA_H
#define UMVFS_TESTS_FOREIGN_CMOCKA_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct CMUnitTest {
    const char *name;
    void (*run)(void **state);
};

#define cmocka_unit_test(function) {#function, function}

#define fail_msg(...)                                                                              \
    (printf("%s:%d: ", __FILE__, __LINE__), printf(__VA_ARGS__), printf("\n"), exit(1))
#define assert_true(condition)         ((condition) ? (void)0 : fail_msg("%s", #condition))
#define assert_false(condition)        assert_true(!(condition))
#define assert_null(pointer)           assert_true((pointer) == NULL)
#define assert_non_null(pointer)       assert_true((pointer) != NULL)
#define assert_ptr_equal(a, b)         assert_true((const void *)(a) == (const void *)(b))
#define assert_string_equal(a, b)      assert_true(strcmp((a), (b)) == 0)
#define assert_string_not_equal(a, b)  assert_true(strcmp((a), (b)) != 0)
#define assert_memory_equal(a, b, len) assert_true(memcmp((a), (b), (len)) == 0)
#define assert_in_range(a, low, high)  assert_true((a) >= (low) && (a) <= (high))
#define assert_int_not_equal(a, b)     assert_true((long long)(a) != (long long)(b))
#define assert_int_equal(a, b)                                                                     \
    ((long long)(a) == (long long)(b)                                                              \
         ? (void)0                                                                                 \
         : fail_msg("%s is %lld, not %lld", #a, (long long)(a), (long long)(b)))

static inline int run_tests(const char *group, const struct CMUnitTest *tests, size_t count)
{
    for (size_t i = 0; i < count; i++)
        tests[i].run(NULL);
    printf("%s: %zu tests\n", group, count);
    fflush(stdout);
    return 0;
}
#define cmocka_run_group_tests_name(group, tests, begin, end)                                      \
    run_tests(group, tests, sizeof(tests) / sizeof((tests)[0]))

#endif
