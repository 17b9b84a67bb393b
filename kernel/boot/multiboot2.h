/* The boot information that a Multiboot2 loader hands over (Multiboot2 specification, "Boot information
 * format"), as the kernel needs it. */
#ifndef UMBRA_BOOT_MULTIBOOT2_H
#define UMBRA_BOOT_MULTIBOOT2_H

#include <stddef.h>
#include <stdint.h>

#include "mm/frame.h"

#define MULTIBOOT2_BOOTLOADER_MAGIC 0x36d76289

#define BOOT_RAM_MAX      64 /* memory map entries that are RAM; real machines have under 20 */
#define BOOT_INFO_MAX     (1u << 20) /* bytes of boot information; GRUB's has a few thousand */
#define BOOT_CMDLINE_MAX  4096
#define BOOT_SECTIONS_MAX 256

/* What is left of a section that the loader put into memory for us (ELF symbols tag). */
struct boot_sections {
    const uint8_t *headers; /* Elf64_Shdr array inside the boot information; NULL: none */
    uint32_t count, entry_size, names_index;
};

struct boot_info {
    const char *cmdline; /* NUL-terminated, "" if the loader gave none */
    struct frame_range ram[BOOT_RAM_MAX];
    size_t nr_ram;
    struct frame_range initrd; /* empty: no module */
    const char *initrd_name;   /* what the loader's configuration calls it */
    size_t nr_modules;
    struct boot_sections sections;
    size_t size; /* of the whole boot information in bytes */
};

/* Reads the information at `info`, of which `limit` bytes may be looked at. Returns NULL and fills
 * *out, or returns what is wrong and leaves *out alone. The pointers in *out point into info. The
 * initrd is the module whose name begins with "initr", else the first one. */
const char *multiboot2_parse(const void *info, size_t limit, struct boot_info *out);

/* Physical ranges of the sections that the loader put into memory apart from the image (symbols): fills
 * `out`, which has room for BOOT_SECTIONS_MAX, and returns how many. */
size_t boot_sections_reserve(const struct boot_sections *sections, struct frame_range *out);

#endif
