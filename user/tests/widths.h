/* The tables of `widths`: the calls with the values that they are made with. */
#ifndef UMBRA_TESTS_WIDTHS_H
#define UMBRA_TESTS_WIDTHS_H

#include <sys/syscall.h>

/* The descriptors that each case finds, and the first that is free. */
enum { FD_FILE = 10, FD_DIR, FD_PIPE, FD_PIPE_END, FD_NULL, FD_FREE = 20 };

#define FILE_SIZE  100
#define PIPE_BYTES 8

/* Placeholders for the process id of the caller and of its child. */
#define SELF  0x7eadbee1UL
#define CHILD 0x7eadbee2UL

/* EXACT: the result is `wanted`. ANY: it is not an error. SAME: it equals the result for clean
 * values. OUTPUT: as EXACT, and width_out is compared too. */
enum width_kind { EXACT, ANY, SAME, OUTPUT };

struct width_case {
    const char *name;
    long number;
    unsigned narrow; /* bit i: argument i has 32 bits */
    unsigned half;   /* bit i: it has 16 */
    enum width_kind kind;
    long wanted;
    unsigned long arguments[6];
};

/* A call of which some argument has a bit above 31 that counts. */
struct wide_case {
    const char *name;
    long number;
    long wanted;
    unsigned long arguments[6];
};

extern const struct width_case width_cases[]; /* the last has no name */
extern const struct wide_case wide_cases[];
extern char width_text[FILE_SIZE];
extern unsigned char width_out[1024];

#endif
