#include "dev/fw_cfg.h"

/* Offsets in an entry. Numbers are big-endian. */
#define ENTRY_SIZE 0
#define ENTRY_KEY  4
#define ENTRY_NAME 8

static uint32_t read_big_endian(const uint8_t *p, unsigned bytes)
{
    uint32_t value = 0;
    for (unsigned i = 0; i < bytes; i++)
        value = value << 8 | p[i];
    return value;
}

bool fw_cfg_entry_is(const uint8_t *entry, const char *name, struct fw_cfg_file *out)
{
    for (unsigned i = 0; i < FW_CFG_NAME_SIZE; i++) {
        if (entry[ENTRY_NAME + i] != (uint8_t)name[i])
            return false;
        if (name[i] == '\0') {
            *out = (struct fw_cfg_file){read_big_endian(entry + ENTRY_SIZE, 4),
                                        (uint16_t)read_big_endian(entry + ENTRY_KEY, 2)};
            return true;
        }
    }
    return false;
}
