/* The contents of the table of calls as data, for messages and traces. */
#ifndef UMBRA_SYSCALL_DESCRIBE_H
#define UMBRA_SYSCALL_DESCRIBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "syscall/names.h"

/* The meaning of an argument or a field; calls.def explains them. */
enum meaning {
    MEANS_NUMBER,
    MEANS_COUNT,
    MEANS_SIZE,
    MEANS_OFFSET,
    MEANS_ADDRESS,
    MEANS_HEX,
    MEANS_UNION,
    MEANS_POINTER,
    MEANS_MODE,
    MEANS_SIGNAL,
    MEANS_SIGNALS, /* of fields: a set */
    MEANS_PID,
    MEANS_UID,
    MEANS_GID,
    MEANS_CLOCK,
    MEANS_DEVICE,
    MEANS_FD,
    MEANS_DIRFD,
    MEANS_FLAGS,
    MEANS_NAMED,
    MEANS_PATH,
    MEANS_STRING,
    MEANS_STRINGS,
    MEANS_ENVIRONMENT,
    MEANS_OUT_STRING,
    MEANS_BYTES_IN,
    MEANS_BYTES_OUT,
    MEANS_IN,
    MEANS_OUT,
    MEANS_INOUT,
};

/* A field of a structure, in the order of printing. */
struct field {
    const char *name;
    uint16_t offset;
    uint8_t size;
    bool is_signed;
    enum meaning meaning;
    const struct name_set *names;
};

struct structure {
    const char *name;
    uint16_t size;
    uint16_t fields; /* 0: printed as its address */
    const struct field *field;
};

struct argument {
    const char *name;
    union {
        const struct name_set *names;      /* of FLAGS and NAMED */
        const struct structure *structure; /* of IN, OUT, INOUT */
    };
    const char *count; /* the argument with the size of bytes, or of an array; or NULL */
    uint8_t meaning;   /* enum meaning */
    uint8_t size;      /* bytes of the register that Linux takes */
    bool is_signed;
};

#define ARGUMENTS_MAX 6

struct call_info {
    const char *name; /* NULL: Linux has no call with the number */
    bool silent;      /* missing, and not reported */
    bool returns_address;
    uint8_t count;
    const struct argument *argument;
};

/* Of a number below SYSCALLS_MAX. */
const struct call_info *call_info(uint64_t number);

#endif
