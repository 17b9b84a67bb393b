#include <elfparse/elfparse.h>

#include "mm/boot_info.h"
#include "dev/print.h"
#include "lib/variable.h"
#include "lib/string.h"
#include "mm/frame.h"
#include "mm/kernel_map.h"
#include "trap/trap.h"

#define BACKTRACE_MAX 32
#define SHDR_ADDR     16 /* offsets in an Elf64_Shdr (gABI, "Section Header") */
#define SHDR_OFFSET   24

/* The symbols of the kernel as an ELF file. The loader put every section into physical memory and
 * passed the section headers. With sh_offset set to the physical address, physical memory itself is
 * the file; it lacks only an ELF header at offset 0. */
SEALED static uint8_t elf_header[ELFPARSE_EHDR_SIZE] = {
    0x7f,      'E',      'L',       'F',       2,        1, 1, [16] = ELFPARSE_ET_EXEC,
    [18] = 62, [20] = 1, [52] = 64, [54] = 56, [58] = 64};
SEALED static struct elfparse_reader symbols;

static int read_symbols(void *ctx, uint64_t offset, void *buf, size_t size)
{
    (void)ctx;
    if (offset < sizeof(elf_header) && size <= sizeof(elf_header) - offset)
        memcpy(buf, elf_header + offset, size);
    else
        memcpy(buf, phys_ptr(phys(offset)), size);
    return 0;
}

static void put16(uint8_t *p, uint32_t value)
{
    p[0] = (uint8_t)value;
    p[1] = (uint8_t)(value >> 8);
}

void backtrace_init(const struct boot_info *info)
{
    const struct boot_sections *s = &info->sections;
    if (!s->headers)
        return;
    uint8_t *headers = phys_ptr(ptr_phys(s->headers));
    for (size_t i = 0; i < s->count; i++)
        memcpy(headers + i * s->entry_size + SHDR_OFFSET, headers + i * s->entry_size + SHDR_ADDR,
               8);
    uint64_t table = ptr_phys(headers).value;
    memcpy(elf_header + 40, &table, sizeof(table)); /* e_shoff */
    put16(elf_header + 60, s->count);
    put16(elf_header + 62, s->names_index);
    symbols =
        (struct elfparse_reader){read_symbols, NULL, (uint64_t)frame_records_size << PAGE_SHIFT};
}

/* Prints an address and its symbol. A return address is after its call, and after the end of the
 * function if the callee never returns: so the symbol is that of the address minus `before`. */
static void print_address(unsigned number, uint64_t address, unsigned before)
{
    char name[64];
    struct elfparse_location location;
    if (symbols.read &&
        elfparse_symbolize(&symbols, address - before, name, sizeof(name), &location, NULL) == 0)
        print("backtrace: #%u %016lx %s+%#lx", number, address, name, location.offset + before);
    else
        print("backtrace: #%u %016lx", number, address);
}

/* True if the frame pointer can be followed: in a kernel stack or the image, above the last one. */
static bool plausible(uint64_t rbp, uint64_t last)
{
    return rbp > last && rbp >= KERNEL_BASE && rbp % 8 == 0 && !kstack_is_guard(rbp) &&
           !kstack_is_guard(rbp + 8);
}

void backtrace_print(uint64_t rip, uint64_t rbp)
{
    uint64_t last = 0;
    print_address(0, rip, 0);
    for (unsigned n = 1; n < BACKTRACE_MAX && plausible(rbp, last); n++) {
        const uint64_t *frame = (const uint64_t *)rbp;
        if (!kernel_text_contains(frame[1]))
            return;
        print_address(n, frame[1], 1);
        last = rbp;
        rbp = frame[0];
    }
}
