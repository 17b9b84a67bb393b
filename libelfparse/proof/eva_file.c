/*
 * Eva: opening a file and finding its segments, sections and their bytes has no undefined
 * behaviour. The reader hands out fresh unknown bytes at every call, so that this covers a file
 * that changes all the time.
 */
#include <string.h>

#include <elfparse/file.h>

#include "__fc_builtin.h"

static int read_unknown(void *ctx, uint64_t offset, void *buf, size_t len)
{
    Frama_C_make_unknown((char *)buf, len);
    return Frama_C_interval(-1, 0);
}

int main(void)
{
    struct elfparse_reader reader = {read_unknown, NULL, 0};
    struct elfparse_file file = {0};
    struct elfparse_segment segment = {0};
    struct elfparse_section section = {0};
    struct elfparse_extent extent = {0};
    struct elfparse_error error;
    uint32_t index = Frama_C_unsigned_int_interval(0, UINT32_MAX);
    uint64_t any = Frama_C_unsigned_long_long_interval(0, UINT64_MAX);

    reader.size = Frama_C_unsigned_long_long_interval(0, UINT64_MAX);
    if (elfparse_file_open(&reader, &file, &error) != 0)
        return 0;
    elfparse_segment_get(&file, index, &segment, &error);
    elfparse_section_get(&file, index, &section, &error);
    elfparse_section_find(&file, index, index, &section, &error);
    elfparse_section_extent(&file, &section, &extent, &error);
    elfparse_section_strings(&file, &section, &extent, &error);
    elfparse_section_names(&file, &extent, &error);
    elfparse_extent_at(&file, any, any, &extent, &error);
    return 0;
}
