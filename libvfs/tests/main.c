#include "tests.h"

int main(void)
{
    static int (*const groups[])(void) = {tree_tests};
    int failures = 0;
    for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++)
        failures += groups[i]();
    return failures != 0;
}
