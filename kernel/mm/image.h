/* Symbols of the linker script (boot/kernel.ld). */
#ifndef UMBRA_MM_IMAGE_H
#define UMBRA_MM_IMAGE_H

extern char image_start[], image_end[];
extern char text_start[], text_end[];
extern char rodata_start[], rodata_end[];
extern char sealed_start[], sealed_end[];
extern char data_start[], data_end[];
extern char init_start[], init_end[];
extern char boot_stack[]; /* the last BOOT_STACK_SIZE bytes of init */

#endif
