#include "arch/entry.h"
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
    if (strcmp(name, "stack-offset") == 0)
        return;
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

#define CALLS_COUNTED 4096

/* attack=stack-offset does nothing forbidden: it looks how far below the frame each of the first system
 * calls begins. This function stands between the entry and the dispatcher (selftest/meson.build). */
long __real_syscall_dispatch(struct trap_frame *frame);
long __wrap_syscall_dispatch(struct trap_frame *frame);

long __wrap_syscall_dispatch(struct trap_frame *frame)
{
    static unsigned calls, times[STACK_OFFSET_MASK / 16 + 1];
    const char *name = cmdline_value("attack");
    if (!name || strcmp(name, "stack-offset") != 0 || calls == CALLS_COUNTED)
        return __real_syscall_dispatch(frame);
    uint64_t called = (uint64_t)__builtin_frame_address(0) + 16; /* RBP and the return address */
    uint64_t offset = (uint64_t)frame - called;
    CHECK((offset & ~(uint64_t)STACK_OFFSET_MASK) == 0, "a gap of %lu bytes", offset);
    times[offset / 16]++;
    if (++calls < CALLS_COUNTED)
        return __real_syscall_dispatch(frame);
    unsigned places = 0, most = 0;
    for (unsigned i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
        places += times[i] > 0;
        most = times[i] > most ? times[i] : most;
    }
    print("selftest: %u calls began at %u places, at most %u at one", calls, places, most);
    return __real_syscall_dispatch(frame);
}
