/* From the first C instruction to init. */
#include <umvfs/path.h>

#include "arch/descriptors.h"
#include "arch/entry.h"
#include "arch/features.h"
#include "arch/stack_guard.h"
#include "lib/cmdline.h"
#include "boot/init.h"
#include "boot/multiboot2.h"
#include "dev/console.h"
#include "dev/power.h"
#include "dev/random.h"
#include "dev/timer.h"
#include "file/tty.h"
#include "file/root.h"
#include "file/unnamed.h"
#include "lib/check.h"
#include "dev/print.h"
#include "lib/variable.h"
#include "mm/aspace.h"
#include "mm/kernel_map.h"
#include "mm/slab.h"
#include "proc/before_user.h"
#include "proc/debug_stop.h"
#include "proc/proc.h"
#include "syscall/calls.h"
#include "task/process.h"
#include "trap/trap.h"

#define EARLY_MAP_END (4ull << 30) /* what boot.S maps */

SEALED static struct boot_info boot_info;

_Noreturn void kernel_main(uint64_t magic, uint64_t info);

static _Noreturn void refuse(const char *what, const char *why)
{
    print("%s: %s", what, why);
    power_off(VERDICT_REFUSED, 0);
}

static void check_processor(void)
{
    const char *missing = features_detect();
    if (missing)
        refuse("this processor lacks what the kernel needs", missing);
}

static void parse_boot_info(uint64_t magic, uint64_t info)
{
    if (magic != MULTIBOOT2_BOOTLOADER_MAGIC)
        panic("not started by a Multiboot2 loader: magic %#lx", magic);
    const char *error = multiboot2_parse(phys_ptr(phys(info)), BOOT_INFO_MAX, &boot_info);
    if (error)
        refuse("boot information", error);
    error = cmdline_init(boot_info.cmdline);
    if (error)
        refuse("boot information", error);
}

/* Excludes from allocation: the image, the boot information, the module, the symbols. */
static void init_memory(uint64_t info)
{
    static struct frame_range reserved[3 + BOOT_SECTIONS_MAX];
    size_t nr = 0;
    reserved[nr++] = kernel_image_range();
    reserved[nr++] = (struct frame_range){info, info + boot_info.size};
    reserved[nr++] = boot_info.initrd;
    nr += boot_sections_reserve(&boot_info.sections, reserved + nr);
    if (!frame_init(boot_info.ram, boot_info.nr_ram, reserved, nr, EARLY_MAP_END))
        panic("no room in RAM for the frame records");
    frame_adopt(reserved[0], FRAME_KERNEL);
    for (size_t i = 1; i < nr; i++)
        frame_adopt(reserved[i], FRAME_BOOT);
    slab_init(stack_guard_word());
    bool wipe = cmdline_number("init_on_free", 0) != 0;
    frame_wipe_freed(wipe);
    slab_wipe_freed(wipe);
}

_Noreturn void kernel_main(uint64_t magic, uint64_t info)
{
    stack_guard_init();
    console_init();
    check_processor();
    parse_boot_info(magic, info);
    if (cmdline_value("seed"))
        stack_guard_repeat(cmdline_number("seed", 0));
    debug_stop_init();
    syscall_init();
    trap_watch_faults();
    descriptors_init();
    init_memory(info);
    kernel_map_init(&boot_info);
    features_enable();
    trap_init();
    backtrace_init(&boot_info);
    timer_init();
    random_init();
    entry_stack_offset = (uint32_t)random_u64();
    processes_init();
    sched_init();
    alarms_init();
    oom_init();
    tty_init();
    print("%zu MiB of memory, %zu KiB free, %s", frame_total() >> 8, frame_count(FRAME_FREE) * 4,
          features_text());
    if (features.processors > 1)
        print("%u processors, of which one is used", features.processors);
    if (aspace_init() != 0)
        panic("no memory for the frame of zeros");
    root_init();
    unnamed_init();
    run_init(&boot_info);
}
