/* format() against the C library's snprintf(), and lines of the console. */
#include "test.h"

#include "dev/print.h"

#define AGREE(...)                                                                                 \
    do {                                                                                           \
        char ours[128], theirs[128];                                                               \
        for (size_t size = 0; size <= 20; size++) {                                                \
            memset(ours, '!', sizeof(ours));                                                       \
            memset(theirs, '!', sizeof(theirs));                                                   \
            assert_int_equal(format(ours, size, __VA_ARGS__),                                      \
                             snprintf(theirs, size, __VA_ARGS__));                                 \
            assert_memory_equal(ours, theirs, sizeof(ours));                                       \
        }                                                                                          \
        format(ours, sizeof(ours), __VA_ARGS__);                                                   \
        snprintf(theirs, sizeof(theirs), __VA_ARGS__);                                             \
        assert_string_equal(ours, theirs);                                                         \
    } while (0)

#pragma GCC diagnostic ignored "-Wformat-truncation"

static void numbers(void **state)
{
    (void)state;
    AGREE("%d|%i|%d", 0, -1, INT32_MIN);
    AGREE("%u %u", 0u, UINT32_MAX);
    AGREE("%ld %lld", INT64_MIN, (long long)INT64_MAX);
    AGREE("%lu %zu", UINT64_MAX, (size_t)12);
    AGREE("%x %#x %lx", 0xbeefu, 0xbeefu, UINT64_MAX);
    AGREE("%o %05o %lo", 0755u, 8u, UINT64_MAX);
    AGREE("%08x|%-8x|%8x", 0xau, 0xau, 0xau);
    AGREE("%05d|%-5d|%5d|%05d", -12, -12, -12, 12);
    AGREE("%016lx", 0x123456789abcul);
    AGREE("%#010x", 0x1234u);
}

static void strings(void **state)
{
    (void)state;
    AGREE("%s", "");
    AGREE("%s and %s", "this", "that");
    AGREE("%10s|%-10s|", "ab", "ab");
    AGREE("%.3s|%.0s|%.9s", "abcdef", "abcdef", "ab");
    AGREE("%.*s", 2, "abc");
    AGREE("%c%c%%", 'x', 'y');
    AGREE("%3c|%-3c|", 'x', 'y');
}

static void precision_bounds_an_unterminated_string(void **state)
{
    (void)state;
    char *raw = malloc(3), out[8];
    memcpy(raw, "abc", 3);
    assert_int_equal(format(out, sizeof(out), "%.3s", raw), 3);
    assert_string_equal(out, "abc");
    free(raw);
}

static void a_line_is_cut_at_its_limit(void **state)
{
    (void)state;
    char text[PRINT_MAX + 10];
    memset(text, 'x', sizeof(text));
    for (size_t length = PRINT_MAX - 2; length <= PRINT_MAX + 1; length++) {
        text[length] = '\0';
        console_forget();
        print("%s", text);
        size_t shown = length < PRINT_MAX ? length : PRINT_MAX - 1;
        assert_int_equal(strlen(console_text()), 7 + shown + 1);
        text[length] = 'x';
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers),
        cmocka_unit_test(strings),
        cmocka_unit_test(precision_bounds_an_unterminated_string),
        cmocka_unit_test(a_line_is_cut_at_its_limit),
    };
    return cmocka_run_group_tests_name("format", tests, NULL, NULL);
}
