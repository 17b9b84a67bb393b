#include <elfparse/reader.h>

#include "form.h"
#include "headers.h"

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

ELFP_COLD int elfp_fail(struct elfparse_error *error, int code, uint32_t rule, uint64_t offset,
                        uint64_t expected, uint64_t found)
{
    if (error != NULL) {
        error->code = code;
        error->rule = rule;
        error->phdr = ELFPARSE_NO_INDEX;
        error->phdr2 = ELFPARSE_NO_INDEX;
        error->offset = offset;
        error->expected = expected;
        error->found = found;
    }
    return code;
}

int elfp_read(const struct elfparse_reader *reader, uint64_t offset, void *buf, size_t size,
              struct elfparse_error *error)
{
    int answer;

    if (!elfp_inside(offset, size, reader->size))
        return elfp_fail(error, ELFPARSE_EBOUNDS, ELFPARSE_RULE_NONE, offset, reader->size,
                         elfp_end(offset, size));
    answer = reader->read(reader->ctx, offset, buf, size);
    if (answer < 0)
        return elfp_fail(error, ELFPARSE_EREAD, ELFPARSE_RULE_NONE, offset, 0,
                         (uint64_t)(int64_t)answer);
    return 0;
}
