#include <elfparse/reader.h>

#include "memory.h"

static int read_memory(void *ctx, uint64_t offset, void *buf, size_t len)
{
    memcpy(buf, (const uint8_t *)ctx + offset, len);
    return 0;
}

struct elfparse_reader elfparse_reader_memory(const void *data, size_t size)
{
    struct elfparse_reader reader;

    reader.read = read_memory;
    reader.ctx = (void *)(uintptr_t)data;
    reader.size = size;
    return reader;
}

uint32_t elfparse_version(void)
{
    return ELFPARSE_VERSION;
}
