/*
 * Text about the calls of a process. The functions append to the text of the slot, which the
 * director prints.
 */
#ifndef UMBRA_SAME_PRINT_H
#define UMBRA_SAME_PRINT_H

#include <stddef.h>
#include <stdint.h>

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

#endif
