/*
 * The formatter: any error, any buffer; what comes is a string that fits and says no more than
 * promised.
 *
 * Input: an error and the size of a buffer.
 * Proves: the sentence of any error fits every buffer, ends, and is not longer than promised.
 * Does not prove: that the sentence is the right one.
 * Oracles: the same text in a buffer of the exact size.
 * Rate: 180,000/s
 */
#include <stdlib.h>
#include <string.h>

#include <elfparse/error.h>

#include "elfparse/invariants.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct elfparse_error error;
    char whole[ELFPARSE_ERROR_MAX];
    size_t room, length;

    if (size < sizeof(error) + 2)
        return 0;
    memcpy(&error, data, sizeof(error));
    room = ((size_t)data[sizeof(error)] << 8 | data[sizeof(error) + 1]) % 512;
    if (error.code > 0 || error.code < -200)
        error.code = -(error.code & 127);
    length = elfparse_error_format(&error, whole, sizeof(whole));
    HOLDS(length < sizeof(whole) - 1 && strlen(whole) == length);
    char *buf = malloc(room + 1);
    size_t got = elfparse_error_format(&error, buf, room);
    HOLDS(got == (room == 0 ? 0 : length < room ? length : room - 1));
    HOLDS(room == 0 || (memcmp(buf, whole, got) == 0 && buf[got] == '\0'));
    HOLDS(strlen(elfparse_rule_name(error.rule)) < 4);
    free(buf);
    return 0;
}
