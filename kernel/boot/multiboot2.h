/* The boot information of a Multiboot2 loader (Multiboot2 specification, "Boot information
 * format"), in the kernel's own form. */
#ifndef UMBRA_BOOT_MULTIBOOT2_H
#define UMBRA_BOOT_MULTIBOOT2_H

#include <stddef.h>
#include <stdint.h>

#include "mm/boot_info.h"

#define MULTIBOOT2_BOOTLOADER_MAGIC 0x36d76289

#define BOOT_INFO_MAX (1u << 20) /* bytes of boot information; GRUB's has a few thousand */

/* Reads the information at `info`, at most `limit` bytes of it. Returns NULL and fills *out, or
 * returns a message about the error and leaves *out unchanged. The pointers in *out point into
 * info. The initrd is the module whose name begins with "initr", or else the first module. */
const char *multiboot2_parse(const void *info, size_t limit, struct boot_info *out);

/* Stores in `out` the physical ranges of the sections that the loader put outside the image
 * (symbols). `out` has room for BOOT_SECTIONS_MAX. Returns their number. */
size_t boot_sections_reserve(const struct boot_sections *sections, struct frame_range *out);

#endif
