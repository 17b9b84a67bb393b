#include "selftest/selftest.h"

void selftest_run(void)
{
}
