/* One call of a sequence: its text, its random arguments, and the kinds of parameters. */
#ifndef UMBRA_SAME_CALL_H
#define UMBRA_SAME_CALL_H

#include "random.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Text about the calls of a process. The functions append to the text of the slot, which the
 * director prints.
 */

/* Appends to the text of this slot, and cuts what does not fit. Safe in a signal handler. */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A result: a value, or the name of the error. */
void say_result(long result);

/* A process id: "s3" for a slot, "director", or the number if it is not positive. */
void say_pid(long pid);

/* Bytes: up to eight as they are, more as length and digest. */
void say_bytes(const void *bytes, size_t size);

/* A path: short ones as they are, others as length and digest. */
void say_path(const char *path);

struct name {
    const char *name;
    long value;
};

/* One value of a table that ends with a null name, or a number. */
void say_one(const struct name *names, long value);

/* The names of the flags that are set in the value, and the other bits as a number. */
void say_flags(const struct name *names, long value);

/* The name of an errno value. */
const char *error_name(int error);

/*
 * One call of a sequence: its random arguments, their text, and the results that are printed. The
 * tables of the subjects (ops_*.c) describe the parameters of each system call.
 */

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
    ops_signal[], ops_memory[], ops_identity[], ops_attributes[], ops_watches[], ops_futexes[],
    ops_settings[], ops_clocks[], ops_system[], ops_locks[], ops_transfers[], ops_mounts[];

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

/* The kinds of parameters, and how their values are picked. */

extern const struct kind kind_fd, kind_directory, kind_path, kind_path_bare, kind_length, kind_in,
    kind_out, kind_offset, kind_mode, kind_one, kind_flags, kind_wide_flags, kind_number, kind_open,
    kind_stat, kind_statfs, kind_pair, kind_times, kind_vector_in, kind_vector_out, kind_link_text,
    kind_pid, kind_signal, kind_set_in, kind_set_out, kind_set_size, kind_ids_out, kind_id,
    kind_null, kind_device;

#define FD        {&kind_fd, 0}
#define DIRECTORY {&kind_directory, 0}
#define PATH      {&kind_path, 0}
#define NEW_PATH  {&kind_path, "new"} /* in two of three cases a name that is probably free */
#define LENGTH    {&kind_length, 0}
#define IN        {&kind_in, 0}
#define OUT       {&kind_out, 0}
#define OFFSET    {&kind_offset, 0}
#define MODE      {&kind_mode, 0}
#define OPENFLAGS {&kind_open, 0}
#define PIDS      {&kind_pid, 0}
#define SIGNALS   {&kind_signal, 0}
#define SET_IN    {&kind_set_in, 0}
#define SET_OUT   {&kind_set_out, 0}
#define SET_SIZE  {&kind_set_size, 0}
#define ZERO      {&kind_null, 0}
#define STAT      {&kind_stat, 0}
/* One value, or several or-ed, of a table of struct name; 32 bits wide, or (WIDE_) 64. */
#define ONE(table)   {&kind_one, table}
#define FLAGS(table) {&kind_flags, table}

/* Functions that draw a value, for operations that make their arguments themselves. */
int pick_fd(struct random *random);
const char *pick_path(struct random *random, int buffer);
const char *pick_new_path(struct random *random, int buffer);
uint64_t pick_bad_pointer(struct random *random);

/* The pointer, or now and then a bad one, which is printed. */
uint64_t pick_pointer(struct random *random, const void *pointer);

long pick_one(struct random *random, const struct name *names);
long pick_flags(struct random *random, const struct name *names);
int pick_signal(struct random *random);
long pick_pid(struct random *random);
uint64_t pick_set(struct random *random);
size_t pick_length(struct random *random);

/* Sets random upper bits, now and then, in an argument that Linux takes as 32 bits. */
uint64_t widen(struct random *random, uint64_t value);

#endif
