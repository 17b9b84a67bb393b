/* The table of `leaks`: the calls that copy something out. */
#ifndef UMBRA_TESTS_LEAKS_H
#define UMBRA_TESTS_LEAKS_H

#include <stdbool.h>
#include <stddef.h>

#define LEAK_SIZE 16384

/* Bytes inside the structure that the kernel need not write: padding (zero or unchanged), or input
 * of the caller, which is not compared. */
struct leak_gap {
    size_t start, end;
    bool input;
};

struct leak_case {
    const char *name;
    long (*make)(void *out);    /* returns the size of the output, or a negative errno value */
    long size;                  /* that size; 0: the call returns it */
    bool varies;                /* its values may differ from call to call */
    void (*prepare)(void *out); /* fills in the input of the call, or NULL */
    struct leak_gap gaps[4];
};

extern const struct leak_case leak_cases[]; /* the last has no name */

/* Creates the files, and a terminal if there is one, that the cases use. */
void leak_begin(void);

long leak_getdents(void *out);

#endif
