#include "syscall/describe.h"

#include "syscall/calls.h"
#include "syscall/structures.h"

#define AS_NUMBER              .meaning = MEANS_NUMBER
#define AS_COUNT               .meaning = MEANS_COUNT
#define AS_SIZE                .meaning = MEANS_SIZE
#define AS_OFFSET              .meaning = MEANS_OFFSET
#define AS_ADDRESS             .meaning = MEANS_ADDRESS
#define AS_HEX                 .meaning = MEANS_HEX
#define AS_UNION               .meaning = MEANS_UNION
#define AS_POINTER             .meaning = MEANS_POINTER
#define AS_MODE                .meaning = MEANS_MODE
#define AS_SIGNAL              .meaning = MEANS_SIGNAL
#define AS_PID                 .meaning = MEANS_PID
#define AS_UID                 .meaning = MEANS_UID
#define AS_GID                 .meaning = MEANS_GID
#define AS_CLOCK               .meaning = MEANS_CLOCK
#define AS_DEVICE              .meaning = MEANS_DEVICE
#define AS_FD                  .meaning = MEANS_FD
#define AS_DIRFD               .meaning = MEANS_DIRFD
#define AS_PATH                .meaning = MEANS_PATH
#define AS_STRING              .meaning = MEANS_STRING
#define AS_STRINGS             .meaning = MEANS_STRINGS
#define AS_ENVIRONMENT         .meaning = MEANS_ENVIRONMENT
#define AS_OUT_STRING          .meaning = MEANS_OUT_STRING
#define AS_FLAGS(set)          .meaning = MEANS_FLAGS, .names = &names_##set
#define AS_NAMED(set)          .meaning = MEANS_NAMED, .names = &names_##set
#define AS_BYTES_IN(size)      .meaning = MEANS_BYTES_IN, .count = #size
#define AS_BYTES_OUT(size)     .meaning = MEANS_BYTES_OUT, .count = #size
#define AS_IN(s)               .meaning = MEANS_IN, .structure = &structure_##s
#define AS_OUT(s)              .meaning = MEANS_OUT, .structure = &structure_##s
#define AS_INOUT(s)            .meaning = MEANS_INOUT, .structure = &structure_##s
#define AS_IN_ARRAY(s, length) .meaning = MEANS_IN, .structure = &structure_##s, .count = #length
#define AS_INOUT_ARRAY(s, length)                                                                  \
    .meaning = MEANS_INOUT, .structure = &structure_##s, .count = #length

#define IS_SIGNED(type) _Generic((type){0}, int: true, int64_t: true, default: false)

#define DESCRIBE_OF(type, argument, how)                                                           \
    {.name = #argument, .size = sizeof(type), .is_signed = IS_SIGNED(type), AS_##how}
#define DESCRIBE(register, argument) DESCRIBE_OF argument
#define DESCRIBE_NONE                {0}

#define CALL(number, call, state, arguments, ...)                                                  \
    static const struct argument arguments_of_##call[] = {                                         \
        LIST_ARGUMENTS(arguments, DESCRIBE, __VA_ARGS__)};
#include "syscall/calls.def"

/* mmap, brk, mremap */
#define RETURNS_ADDRESS(number) ((number) == 9 || (number) == 12 || (number) == 25)

static const struct call_info calls[SYSCALLS_MAX] = {
#define CALL(number, call, state, arguments, ...)                                                  \
    [number] = {.name = #call,                                                                     \
                .count = arguments,                                                                \
                .argument = arguments_of_##call,                                                   \
                .returns_address = RETURNS_ADDRESS(number)},
#define MISSING(number, call) [number] = {.name = #call},
#define SILENT(number, call)  [number] = {.name = #call, .silent = true},
#include "syscall/calls.def"
};

const struct call_info *call_info(uint64_t number)
{
    return &calls[number];
}
