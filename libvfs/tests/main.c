#include "tests.h"

int main(void)
{
    static int (*const groups[])(void) = {
        tree_tests,    walk_tests,    perm_tests,   file_tests,    page_tests,
        limit_tests,   mount_tests,   fail_tests,   archive_tests, tar_tests,
        foreign_tests, refusal_tests, import_tests, index_tests,   initramfs_tests,
        lock_tests,    event_tests,   sparse_tests, trees_tests};
    int failures = 0;
    for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++)
        failures += groups[i]();
    return failures != 0;
}
