/* The table of `leaks`: the calls that copy something out. */
#ifndef UMBRA_TESTS_LEAKS_H
#define UMBRA_TESTS_LEAKS_H

#include <stdbool.h>
#include <stddef.h>

#define LEAK_SIZE 16384

/* Bytes inside of what is written that are not: padding, zero or left alone; or what the caller
 * gives, which is not looked at. */
struct leak_gap {
    size_t start, end;
    bool input;
};

struct leak_case {
    const char *name;
    long (*make)(void *out);    /* returns the size of what is written, or the negative error */
    long size;                  /* that size; 0: as the call tells */
    bool varies;                /* its values may differ from call to call */
    void (*prepare)(void *out); /* fills in what the call reads; NULL: nothing */
    struct leak_gap gaps[4];
};

extern const struct leak_case leak_cases[]; /* the last has no name */

/* What the cases need: files, a terminal if there is one. */
void leak_begin(void);

long leak_getdents(void *out);

#endif
