/* QEMU's fw_cfg device: files that the host passes to the guest (QEMU documentation, "QEMU Firmware
 * Configuration (fw_cfg) Device"). Other machines have none. */
#ifndef UMBRA_DEV_FW_CFG_H
#define UMBRA_DEV_FW_CFG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arch/phys.h"

#define FW_CFG_NAME_SIZE  56 /* with the closing NUL */
#define FW_CFG_ENTRY_SIZE 64 /* of the directory */

/* A file of the device. */
struct fw_cfg_file {
    uint32_t size;
    uint16_t key;
};

/* Reads an entry of the device's directory, FW_CFG_ENTRY_SIZE bytes. Returns true and fills *out if
 * it has this name. */
bool fw_cfg_entry_is(const uint8_t *entry, const char *name, struct fw_cfg_file *out);

/* Finds a file and selects it for fw_cfg_read(). Returns false if there is no such device, if it
 * has no DMA, or if it has no file of this name. */
bool fw_cfg_open(const char *name, struct fw_cfg_file *out);

/* Reads the next bytes of the selected file into memory at `to`. Returns 0, or -EIO if the device
 * reports an error. */
int fw_cfg_read(phys_t to, uint32_t size);

#endif
