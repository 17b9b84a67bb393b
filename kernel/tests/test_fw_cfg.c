/* fw_cfg_entry_is(): names of any length, numbers in big-endian. */
#include "test.h"

#include "dev/fw_cfg.h"

static bool entry_is(const char *stored, const char *name, struct fw_cfg_file *out)
{
    uint8_t *exact = calloc(1, FW_CFG_ENTRY_SIZE); /* a read beyond it is detected */
    static const uint8_t head[] = {0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc, 0xff, 0xff};
    assert_non_null(exact);
    memcpy(exact, head, sizeof(head));
    for (size_t i = 0; i < FW_CFG_NAME_SIZE && stored[i]; i++)
        exact[sizeof(head) + i] = (uint8_t)stored[i];
    bool is = fw_cfg_entry_is(exact, name, out);
    free(exact);
    return is;
}

static void an_entry_is_read(void **state)
{
    struct fw_cfg_file file = {0};
    (void)state;
    assert_true(entry_is("opt/umbra/initrd", "opt/umbra/initrd", &file));
    assert_int_equal(file.size, 0x12345678);
    assert_int_equal(file.key, 0x9abc);
}

static void another_name_leaves_the_output(void **state)
{
    static const char *const others[] = {"", "opt/umbra/initr", "opt/umbra/initrds",
                                         "opt/umbra/initre"};
    struct fw_cfg_file file = {1, 2};
    (void)state;
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        assert_false(entry_is(others[i], "opt/umbra/initrd", &file));
    assert_int_equal(file.size, 1);
    assert_int_equal(file.key, 2);
}

static void a_name_without_end_matches_nothing(void **state)
{
    char longest[FW_CFG_NAME_SIZE + 2];
    struct fw_cfg_file file = {1, 2};
    (void)state;
    memset(longest, 'x', sizeof(longest));
    longest[sizeof(longest) - 1] = '\0';
    assert_false(entry_is(longest, longest, &file));
    longest[FW_CFG_NAME_SIZE - 1] = '\0';
    assert_true(entry_is(longest, longest, &file));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_entry_is_read),
        cmocka_unit_test(another_name_leaves_the_output),
        cmocka_unit_test(a_name_without_end_matches_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
