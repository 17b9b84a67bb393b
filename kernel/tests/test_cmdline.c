/* The kernel's command line: words, quotes, backslashes, limits. */
#include "test.h"

#include "lib/cmdline.h"

static void words_are_split_and_unquoted(void **state)
{
    (void)state;
    static const struct {
        const char *line, *value; /* of the word "x" */
    } cases[] = {
        {"", NULL},
        {"   ", NULL},
        {"x", ""},
        {"x=", ""},
        {"x=1", "1"},
        {"  x=1   y=2 ", "1"},
        {"x=1 x=2", "2"},
        {"x=1 x", ""},
        {"xy=1", NULL},
        {"ax=1", NULL},
        {"x=\"a b\"", "a b"},
        {"\"x=a b\"", "a b"},
        {"x=a\" \"b", "a b"},
        {"x=\"\"", ""},
        {"x=a\\ b", "a b"},
        {"x=a\\\"b", "a\"b"},
        {"x=\"a\\\"b c\"", "a\"b c"},
        {"x=a\\\\b", "a\\b"},
        {"x=a\\", "a\\"},
        {"x=\"open end", "open end"},
        {"x=1 -- x=2", "1"},
        {"-- x=2", NULL},
        {"x=a=b", "a=b"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_null(cmdline_init(cases[i].line));
        const char *value = cmdline_value("x");
        if (!cases[i].value) {
            assert_null(value);
            continue;
        }
        if (!value)
            fail_msg("%s: no value", cases[i].line);
        assert_string_equal(value, cases[i].value);
    }
}

static void arguments_of_init_follow_two_dashes(void **state)
{
    (void)state;
    unsigned count;
    assert_null(cmdline_init("a b -- c \"d e\" -- f"));
    const char *const *args = cmdline_init_args(&count);
    assert_int_equal(count, 4);
    assert_string_equal(args[0], "c");
    assert_string_equal(args[1], "d e");
    assert_string_equal(args[2], "--");
    assert_string_equal(args[3], "f");
    assert_null(args[4]);
    assert_null(cmdline_init("a b"));
    args = cmdline_init_args(&count);
    assert_int_equal(count, 0);
    assert_null(args[0]);
    assert_null(cmdline_init("--"));
    cmdline_init_args(&count);
    assert_int_equal(count, 0);
}

static void numbers_are_decimal_and_whole(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        uint64_t number;
    } cases[] = {
        {"", 7},       {"n", 7},
        {"n=", 7},     {"n=0", 0},
        {"n=12", 12},  {"n=12x", 7},
        {"n=-1", 7},   {"n=18446744073709551615", UINT64_MAX},
        {"n= 1", 7},   {"n=18446744073709551616", 7},
        {"n=0x10", 7}, {"n=99999999999999999999", 7},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_null(cmdline_init(cases[i].line));
        assert_true(cmdline_number("n", 7) == cases[i].number);
    }
}

static void lists_have_whole_items(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        bool listed; /* exec in show */
    } cases[] = {
        {"", false},           {"show", false},           {"show=exec", true},
        {"show=exe", false},   {"show=execs", false},     {"show=a,exec", true},
        {"show=exec,b", true}, {"show=a,execs,b", false}, {"show=,,exec", true},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_null(cmdline_init(cases[i].line));
        assert_int_equal(cmdline_lists("show", "exec"), cases[i].listed);
    }
}

/* Strings are at the end of blocks of their size, so that a read past them is detected. */
static char *filled(size_t length)
{
    char *text = malloc(length + 1);
    assert_non_null(text);
    memset(text, 'x', length);
    text[length] = '\0';
    return text;
}

static void length_limit(void **state)
{
    (void)state;
    for (size_t length = CMDLINE_MAX - 2; length <= CMDLINE_MAX; length++) {
        char *text = filled(length);
        const char *error = cmdline_init(text);
        if (length < CMDLINE_MAX)
            assert_null(error);
        else
            assert_string_equal(error, "command line is too long");
        free(text);
    }
}

static void word_limit(void **state)
{
    (void)state;
    for (unsigned n = CMDLINE_WORDS_MAX - 1; n <= CMDLINE_WORDS_MAX + 1; n++) {
        char *text = filled(2 * n);
        unsigned count;
        for (unsigned i = 0; i < n; i++)
            text[2 * i + 1] = ' ';
        text[0] = text[1] = '-';
        text[2] = ' '; /* "-- x x ..." has one word less */
        const char *error = cmdline_init(text);
        free(text);
        if (n - 1 > CMDLINE_WORDS_MAX) {
            assert_non_null(error);
            continue;
        }
        assert_null(error);
        cmdline_init_args(&count);
        assert_true(count <= CMDLINE_WORDS_MAX);
    }
    char *text = filled(2 * CMDLINE_WORDS_MAX + 2);
    for (unsigned i = 0; i <= CMDLINE_WORDS_MAX; i++)
        text[2 * i + 1] = ' ';
    assert_string_equal(cmdline_init(text), "command line has too many words");
    text[2 * CMDLINE_WORDS_MAX] = '\0';
    assert_null(cmdline_init(text));
    free(text);
}

static void other_words_are_init_s_environment(void **state)
{
    (void)state;
    unsigned at = 0;
    assert_null(
        cmdline_init("A=1 init=/x noaslr plain seed=3 seeds=4 mod.x=5 =6 E= \"F=a b\" -- G=7"));
    const char *const wanted[] = {"A=1", "seeds=4", "E=", "F=a b"};
    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
        assert_string_equal(cmdline_environment(&at), wanted[i]);
    assert_null(cmdline_environment(&at));
    assert_null(cmdline_environment(&at));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_are_split_and_unquoted),
        cmocka_unit_test(arguments_of_init_follow_two_dashes),
        cmocka_unit_test(numbers_are_decimal_and_whole),
        cmocka_unit_test(lists_have_whole_items),
        cmocka_unit_test(other_words_are_init_s_environment),
        cmocka_unit_test(length_limit),
        cmocka_unit_test(word_limit),
    };
    return cmocka_run_group_tests_name("cmdline", tests, NULL, NULL);
}
