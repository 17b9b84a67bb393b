/* A program that the build may put into the kernel, for a boot without an init program. Empty
 * unless the option kernel_embedded_init names a file. */
#ifndef UMBRA_BOOT_EMBEDDED_H
#define UMBRA_BOOT_EMBEDDED_H

extern const char embedded_init_start[], embedded_init_end[];

#endif
