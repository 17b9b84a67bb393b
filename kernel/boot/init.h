/* The first process. */
#ifndef UMBRA_BOOT_INIT_H
#define UMBRA_BOOT_INIT_H

#include "boot/multiboot2.h"

/* A step that an image adds. It runs on the first thread's kernel stack, in its address space,
 * before the first instruction of init. The linker script collects the steps. */
typedef void (*boot_step)(void);
#define BOOT_STEP(function)                                                                        \
    __attribute__((section(".boot_steps"), used)) static const boot_step function##_step = function
extern const boot_step boot_steps_start[], boot_steps_end[];

/* Unpacks the initrd and runs init: init=PATH of the command line, else /init, else /sbin/init,
 * else, with a message, the program embedded in the kernel if there is one. Its arguments are the
 * words after "--", then the strings of the file init_args=PATH, which is removed. If no program can
 * be run, the machine stops with the verdict "no init". */
_Noreturn void run_init(const struct boot_info *info);

/* A program that the build may put into the kernel, for a boot without an init program. Empty
 * unless the option kernel_embedded_init names a file. */

extern const char embedded_init_start[], embedded_init_end[];

#endif
