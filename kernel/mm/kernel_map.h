/* The kernel half of every address space, and the kernel stacks in it. */
#ifndef UMBRA_MM_KERNEL_MAP_H
#define UMBRA_MM_KERNEL_MAP_H

#include <stdint.h>

#include "mm/boot_info.h"

/* Pages of a kernel stack. Below each stack is a guard page that is never mapped. */
#ifndef KSTACK_PAGES
#define KSTACK_PAGES 4
#endif
#define KSTACK_SIZE (KSTACK_PAGES * PAGE_SIZE)

/* Builds the final tables and switches to them: the direct map (RW, NX, large pages; without the
 * frames of text, rodata and sealed data, so that these have no writable alias), the kernel image
 * (text R-X, rodata R--, data RW-), and the area of the stacks. The low half is empty afterwards.
 * */

void kernel_map_init(const struct boot_info *info);

/* Makes the data that only boot writes (lib/variable.h) read-only. */
void kernel_map_seal(void);

/* Walks the kernel half as the processor does. Returns NULL, or a message about the first faulty
 * page and its address in *address. Faults are: writable and executable; accessible to user code;
 * executable outside text; a writable alias of text, rodata or sealed data; a mapped guard page; a
 * remaining page of the init part; not RAM; a mapping in the low half of the kernel's own tables.
 * Holds after kernel_map_seal() and kernel_map_free_init(). kernel_map_check() panics with the
 * message. */
const char *kernel_map_fault(uint64_t *address);
void kernel_map_check(void);

/* Frees the frames of the image's init part. Its code must not run any more. */
void kernel_map_free_init(void);

/* Allocates a kernel stack. Returns the address just above it, or 0 if memory is short. */
uint64_t kstack_alloc(void);
void kstack_free(uint64_t top);

/* True if the address lies in the guard page of a stack slot, or below the boot stack. */
bool kstack_is_guard(uint64_t address);

/* The image's sections (linker script), for tests and messages. */
struct image_section {
    const char *name;
    uint64_t start, end;
    uint64_t bits; /* PTE_RW, PTE_XD */
};
extern const struct image_section image_sections[];
#define IMAGE_SECTIONS 4

/* True for an address in the kernel's text. */
bool kernel_text_contains(uint64_t address);

/* The kernel image in physical memory. */
struct frame_range kernel_image_range(void);

/* Symbols of the linker script (boot/kernel.ld). */

extern char image_start[], image_end[];
extern char text_start[], text_end[];
extern char rodata_start[], rodata_end[];
extern char sealed_start[], sealed_end[];
extern char data_start[], data_end[];
extern char init_start[], init_end[];
extern char boot_stack[]; /* the last BOOT_STACK_SIZE bytes of init */

#endif
