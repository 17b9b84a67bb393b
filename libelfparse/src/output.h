/* Text into a caller's buffer. Internal. */
#ifndef ELFP_OUTPUT_H
#define ELFP_OUTPUT_H

#include <elfparse/base.h>

/* The caller's buffer with room for the NUL left out; length counts up to where it is full. */
struct elfp_output {
    char *buf;
    size_t room;
    size_t length;
};

void elfp_put(struct elfp_output *out, char c);
void elfp_put_string(struct elfp_output *out, const char *text);

/* base is 10 or 16 */
void elfp_put_number(struct elfp_output *out, uint64_t value, uint32_t base);

/* Values above INT64_MAX are negative numbers. */
void elfp_put_decimal(struct elfp_output *out, uint64_t value);

#endif
