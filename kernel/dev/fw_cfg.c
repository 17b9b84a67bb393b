#include "dev/fw_cfg.h"

#include "arch/cpu.h"
#include "arch/phys.h"
#include "lib/errno.h"

#define PORT_SELECTOR 0x510
#define PORT_DATA     0x511
#define PORT_DMA_HIGH 0x514 /* upper half of the address of a struct dma, big-endian */
#define PORT_DMA_LOW  0x518 /* lower half; writing it starts the transfer */

#define KEY_SIGNATURE 0x00
#define KEY_FEATURES  0x01
#define KEY_DIRECTORY 0x19

#define FEATURE_DMA 0x02

#define ENTRIES_MAX 1024 /* a device has some dozens */

#define DMA_ERROR 0x01
#define DMA_READ  0x02

/* A transfer; all fields are big-endian. */
struct dma {
    uint32_t control, length;
    uint64_t address;
} __attribute__((aligned(16))); /* so that it does not cross a page */

static void read_bytes(uint8_t *to, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        to[i] = cpu_inb(PORT_DATA);
}

static bool has_dma(void)
{
    uint8_t bytes[4];
    cpu_outw(PORT_SELECTOR, KEY_SIGNATURE);
    read_bytes(bytes, sizeof(bytes));
    if (bytes[0] != 'Q' || bytes[1] != 'E' || bytes[2] != 'M' || bytes[3] != 'U')
        return false;
    cpu_outw(PORT_SELECTOR, KEY_FEATURES);
    read_bytes(bytes, sizeof(bytes));
    return bytes[0] & FEATURE_DMA; /* this one number is little-endian */
}

bool fw_cfg_open(const char *name, struct fw_cfg_file *out)
{
    uint8_t count[4], entry[FW_CFG_ENTRY_SIZE];
    if (!has_dma())
        return false;
    cpu_outw(PORT_SELECTOR, KEY_DIRECTORY);
    read_bytes(count, sizeof(count));
    unsigned entries = (unsigned)count[2] << 8 | count[3];
    for (unsigned i = 0; i < entries && i < ENTRIES_MAX; i++) {
        read_bytes(entry, sizeof(entry));
        if (!fw_cfg_entry_is(entry, name, out))
            continue;
        cpu_outw(PORT_SELECTOR, out->key);
        return true;
    }
    return false;
}

int fw_cfg_read(phys_t to, uint32_t size)
{
    static struct dma dma;
    volatile struct dma *transfer = &dma; /* the device reads and writes it */
    uint64_t address = (uint64_t)&dma - KERNEL_BASE;
    transfer->control = __builtin_bswap32(DMA_READ);
    transfer->length = __builtin_bswap32(size);
    transfer->address = __builtin_bswap64(to.value);
    cpu_outl(PORT_DMA_HIGH, __builtin_bswap32((uint32_t)(address >> 32)));
    cpu_outl(PORT_DMA_LOW, __builtin_bswap32((uint32_t)address));
    while (transfer->control & __builtin_bswap32(~(uint32_t)DMA_ERROR))
        ;
    return transfer->control ? -EIO : 0;
}
