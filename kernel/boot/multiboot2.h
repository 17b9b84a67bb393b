/* The boot information that a Multiboot2 loader hands over (Multiboot2 specification, "Boot information
 * format"), as the kernel needs it. */
#ifndef UMBRA_BOOT_MULTIBOOT2_H
#define UMBRA_BOOT_MULTIBOOT2_H

#include <stddef.h>
#include <stdint.h>

#include "mm/boot_info.h"

#define MULTIBOOT2_BOOTLOADER_MAGIC 0x36d76289

#define BOOT_INFO_MAX (1u << 20) /* bytes of boot information; GRUB's has a few thousand */

/* Reads the information at `info`, of which `limit` bytes may be looked at. Returns NULL and fills
 * *out, or returns what is wrong and leaves *out alone. The pointers in *out point into info. The
 * initrd is the module whose name begins with "initr", else the first one. */
const char *multiboot2_parse(const void *info, size_t limit, struct boot_info *out);

/* Physical ranges of the sections that the loader put into memory apart from the image (symbols): fills
 * `out`, which has room for BOOT_SECTIONS_MAX, and returns how many. */
size_t boot_sections_reserve(const struct boot_sections *sections, struct frame_range *out);

#endif
