/*
 * Eva: the formatter and the names of rules, for every error, any code and any rule among them, and
 * buffers of up to ROOM bytes; and the reader over memory.
 */
#include <elfparse/elfparse.h>

#include <string.h>

#include "__fc_builtin.h"

#define ROOM 3

static char buf[ROOM];

int main(void)
{
    struct elfparse_error error;
    struct elfparse_reader reader;
    uint8_t data[ROOM], copy[ROOM];
    size_t size = (size_t)Frama_C_interval(0, ROOM), at, length;
    uint32_t rule = Frama_C_unsigned_int_interval(0, UINT32_MAX);

    //@ split size;
    Frama_C_make_unknown((char *)&error, sizeof(error));
    length = elfparse_error_format(&error, buf + ROOM - size, size);
    if (size == 0 ? length != 0 : length >= size)
        (void)*(volatile char *)0;
    if (*elfparse_rule_name(rule) == '\0' || *elfparse_rule_text(rule) < 0)
        (void)*(volatile char *)0;
    Frama_C_make_unknown((char *)data, sizeof(data));
    reader = elfparse_reader_memory(data, sizeof(data));
    at = (size_t)Frama_C_interval(0, ROOM - 1);
    //@ split at;
    reader.read(reader.ctx, at, copy, ROOM - at);
    return 0;
}
