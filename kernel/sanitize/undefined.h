/* The functions that GCC calls before undefined behaviour in code compiled with
 * -fsanitize=undefined, and the structures that it passes (libsanitizer, "ubsan_handlers.h"). Each
 * handler panics with the source location and the values. Only __ubsan_handle_type_mismatch_v1()
 * may return: LIST_FOR_EACH() computes an entry from the list head, which is aligned to 8 only and
 * is not accessed as an entry. */
#ifndef UMBRA_SANITIZE_UNDEFINED_H
#define UMBRA_SANITIZE_UNDEFINED_H

#include <stdint.h>

struct source_place {
    const char *file;
    uint32_t line, column;
};

struct type_description {
    uint16_t kind; /* 0: an integer */
    uint16_t info; /* of an integer: bit 0: signed; above: log2 of its size in bits */
    char name[];
};

/* A value as the compiler passes it: the number itself, sign-extended or not, or its address if it
 * has more than 64 bits. */
typedef uint64_t value_t;

struct type_data {
    struct source_place place;
    const struct type_description *type;
};

struct two_types_data {
    struct source_place place;
    const struct type_description *left, *right; /* of an index: the array, the index */
};

struct mismatch_data {
    struct source_place place;
    const struct type_description *type;
    uint8_t log_alignment, kind;
};

struct argument_data {
    struct source_place place, attribute;
    int number;
};

struct place_data {
    struct source_place place;
};

struct builtin_data {
    struct source_place place;
    uint8_t kind;
};

#define HANDLER(name, ...) _Noreturn void __ubsan_handle_##name(__VA_ARGS__)

HANDLER(add_overflow_abort, const struct type_data *data, value_t left, value_t right);
HANDLER(sub_overflow_abort, const struct type_data *data, value_t left, value_t right);
HANDLER(mul_overflow_abort, const struct type_data *data, value_t left, value_t right);
HANDLER(negate_overflow_abort, const struct type_data *data, value_t value);
HANDLER(divrem_overflow_abort, const struct type_data *data, value_t left, value_t right);
HANDLER(shift_out_of_bounds_abort, const struct two_types_data *data, value_t left, value_t right);
HANDLER(out_of_bounds_abort, const struct two_types_data *data, value_t index);
void __ubsan_handle_type_mismatch_v1(const struct mismatch_data *data, value_t pointer);
HANDLER(type_mismatch_v1_abort, const struct mismatch_data *data, value_t pointer);
HANDLER(pointer_overflow_abort, const struct place_data *data, value_t base, value_t result);
HANDLER(load_invalid_value_abort, const struct type_data *data, value_t value);
HANDLER(vla_bound_not_positive_abort, const struct type_data *data, value_t bound);
HANDLER(nonnull_arg_abort, const struct argument_data *data);
HANDLER(nonnull_return_v1_abort, const struct place_data *data, const struct source_place *place);
HANDLER(invalid_builtin_abort, const struct builtin_data *data);
HANDLER(builtin_unreachable, const struct place_data *data);

#endif
