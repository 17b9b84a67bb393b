/* The first process. */
#ifndef UMBRA_BOOT_INIT_H
#define UMBRA_BOOT_INIT_H

#include "boot/multiboot2.h"

/* Unpacks the initrd and runs init: init=PATH of the command line, else /init, else /sbin/init, else,
 * said aloud, the program embedded in the kernel if there is one. Without any, the machine
 * stops with the verdict "no init". */
_Noreturn void run_init(const struct boot_info *info);

#endif
