/* Eva: cutting a name out of a path and hashing it, for all strings of up to 40 bytes. The string
 * ends where its memory ends, so that reading one byte further is an alarm. SHORT takes a byte
 * away, to show that the proof can fail. */
#include <string.h>

#include <__fc_builtin.h>

#include "name.h"

#define ROOM 40

static char store[ROOM + 1];
static struct umvfs_name_keys keys;

int main(void)
{
    int len = Frama_C_interval(0, ROOM - SHORT);
    //@ split len;
    char *text = store + ROOM - len;
    Frama_C_make_unknown(text, (size_t)len);
    Frama_C_make_unknown((char *)&keys, sizeof(keys));
    struct umvfs_name name = {.text = text};
    while (text[name.len] && text[name.len] != '/')
        name.len++;
    name.len += SHORT * 2u;
    uint64_t sum = umvfs_name_sum(&keys, &name);
    return (int)(umvfs_name_mix(&keys, sum) & 1u);
}
