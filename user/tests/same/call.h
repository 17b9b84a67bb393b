/*
 * One call of a sequence: its random arguments, their text, and the results that are printed. The
 * tables of the subjects (ops_*.c) describe the parameters of each system call.
 */
#ifndef UMBRA_SAME_CALL_H
#define UMBRA_SAME_CALL_H

#include "print.h"
#include "random.h"

#include <stdbool.h>
#include <stdint.h>

#define PARAMETERS  6
#define BUFFER_SIZE 131072u

struct call;

/*
 * A kind of parameter. `make` stores the argument; `show` prints it before the call; `after`, or
 * NULL, prints the memory that the call wrote, and runs only if the call succeeded.
 */
struct kind {
    void (*make)(struct call *call, int at, const void *data);
    void (*show)(struct call *call, int at, const void *data);
    void (*after)(struct call *call, int at, const void *data);
    bool is_int;     /* Linux takes the lower 32 bits */
    bool is_pointer; /* may be replaced by a bad one */
};

struct parameter {
    const struct kind *kind;
    const void *data;
};

enum result { RESULT_PLAIN, RESULT_PID, RESULT_NONE };

/* Flags of an operation. */
#define OP_SETTLES 1u /* other processes may have to be waited for afterwards */

struct op {
    const char *name;
    unsigned weight;
    int number;
    struct parameter parameters[PARAMETERS];
    void (*special)(struct call *call); /* makes the call itself, if it is not a plain one */
    enum result result;
    unsigned flags;
};

struct call {
    struct random random;
    const struct op *op;
    uint64_t arguments[PARAMETERS]; /* the values of the registers */
    uint64_t values[PARAMETERS];    /* the printed values: without a wide upper half */
    bool bad[PARAMETERS];           /* a bad pointer took the place of the argument */
    long result;
};

/* A table of operations, which ends with a null name. */
extern const struct op ops_files[], ops_data[], ops_tree[], ops_meta[], ops_pipe[], ops_process[],
    ops_signal[], ops_memory[], ops_identity[];

/* Chooses the operation of a call. It depends only on the call's random numbers. */
const struct op *call_choose(struct random *random);

/* Makes the call, and prints it and its results. */
void call_make(struct call *call);

/* After a write that ended with EFAULT: prints the size of a regular file. */
void say_size_after_fault(int fd, long result);

/* Makes a system call without the C library: returns its value or a negative errno value. */
long raw_call(int number, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f);
#define RAW_5(n, a, b, c, d, e, ...)                                                               \
    raw_call((n), (uint64_t)(a), (uint64_t)(b), (uint64_t)(c), (uint64_t)(d), (uint64_t)(e), 0)
#define RAW_SIX(n, a, b, c, d, e, f)                                                               \
    raw_call((n), (uint64_t)(a), (uint64_t)(b), (uint64_t)(c), (uint64_t)(d), (uint64_t)(e),       \
             (uint64_t)(f))
#define RAW(...) RAW_5(__VA_ARGS__, 0, 0, 0, 0, 0, 0)

/* The buffer that calls fill, and the one that they read. */
extern unsigned char out_buffer[BUFFER_SIZE + 64], in_buffer[BUFFER_SIZE];

#endif
