#include <elfparse/file.h>

#include "fail.h"
#include "form.h"

/* Bytes that are looked at in one read. */
#define CHUNK 64u

/* Reads the next bytes of the table's part that begins at at; *size becomes their number. */
static int read_chunk(const struct elfparse_file *file, const struct elfparse_extent *strings,
                      uint64_t at, uint8_t *chunk, size_t *size, struct elfparse_error *error)
{
    uint64_t left = strings->size - at;

    *size = left < CHUNK ? (size_t)left : CHUNK;
    return elfp_read(file->reader, strings->offset + at, chunk, *size, error);
}

/* Index of the first NUL of the size bytes at chunk, or size. */
static size_t find_nul(const uint8_t *chunk, size_t size)
{
    size_t i = 0;

    while (i < size && chunk[i] != 0)
        i++;
    return i;
}

/* Copies what the buffer has room for; total bytes went before. */
static void copy_part(char *buf, size_t size, uint64_t total, const uint8_t *chunk, size_t length)
{
    size_t i;

    for (i = 0; i < length && total + i < size - 1; i++)
        buf[total + i] = (char)chunk[i];
}

int elfparse_string_get(const struct elfparse_file *file, const struct elfparse_extent *strings,
                        uint64_t offset, char *buf, size_t size, size_t *length,
                        struct elfparse_error *error)
{
    uint8_t chunk[CHUNK] = {0};
    uint64_t total = 0;

    if (size == 0)
        return elfp_fail(error, ELFPARSE_EBUFFER, ELFPARSE_RULE_NONE, 0, 1, 0);
    while (offset < strings->size && total < strings->size - offset) {
        size_t got, used;
        int code = read_chunk(file, strings, offset + total, chunk, &got, error);

        if (code != 0)
            return code;
        used = find_nul(chunk, got);
        copy_part(buf, size, total, chunk, used);
        total += used;
        if (used < got) {
            buf[total < size ? total : size - 1] = '\0';
            if (length != NULL)
                *length = (size_t)total;
            return 0;
        }
    }
    buf[0] = '\0';
    return elfp_fail(error, ELFPARSE_ESTRING, ELFPARSE_RULE_NONE, strings->offset + offset,
                     strings->size, offset);
}

int elfp_string_equal(const struct elfparse_file *file, const struct elfparse_extent *strings,
                      uint64_t offset, const char *name, struct elfparse_error *error)
{
    uint8_t chunk[CHUNK] = {0};

    while (offset < strings->size) {
        size_t got, i;
        int code = read_chunk(file, strings, offset, chunk, &got, error);

        if (code != 0)
            return code;
        for (i = 0; i < got; i++, name++) {
            if (chunk[i] != (uint8_t)*name)
                return 0;
            if (*name == '\0')
                return 1;
        }
        offset += got;
    }
    return elfp_fail(error, ELFPARSE_ESTRING, ELFPARSE_RULE_NONE, strings->offset, strings->size,
                     offset);
}
