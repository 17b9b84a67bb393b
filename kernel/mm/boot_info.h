/*
 * The data of a boot loader: memory, the command line, the initial archive, the kernel's symbols.
 */
#ifndef UMBRA_MM_BOOT_INFO_H
#define UMBRA_MM_BOOT_INFO_H

#include <stddef.h>
#include <stdint.h>

#include "mm/frame.h"

#define BOOT_RAM_MAX      64 /* memory map entries that are RAM; real machines have under 20 */
#define BOOT_SECTIONS_MAX 256

/* The kernel's sections that the loader put into memory (ELF symbols tag). */
struct boot_sections {
    const uint8_t *headers; /* Elf64_Shdr array inside the boot information; NULL: none */
    uint32_t count, entry_size, names_index;
};

struct boot_info {
    const char *cmdline; /* NUL-terminated, "" if the loader gave none */
    struct frame_range ram[BOOT_RAM_MAX];
    size_t nr_ram;
    struct frame_range initrd; /* empty: no module */
    const char *initrd_name;   /* its name in the loader's configuration */
    size_t nr_modules;
    struct boot_sections sections;
    size_t size; /* of the whole boot information in bytes */
};

#endif
