#include "boot/init.h"
#include "lib/cmdline.h"
#include "lib/check.h"
#include "dev/print.h"
#include "lib/string.h"
#include "selftest/attacks.h"

static void selftest_run(void)
{
    const char *name = cmdline_value("attack");
    if (!name)
        return;
    print("selftest: %s", name);
    if (strcmp(name, "kernel-map") == 0) {
        selftest_kernel_map();
        return;
    }
    for (size_t i = 0; i < nr_attacks; i++) {
        if (strcmp(attacks[i].name, name) != 0)
            continue;
        attacks[i].act();
        panic("the attack %s went through", name);
    }
    panic("there is no attack %s", name);
}

BOOT_STEP(selftest_run);
