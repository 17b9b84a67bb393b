#include "sanitize/compiler.h"

#include <stdarg.h>
#include <stdbool.h>

#include "lib/check.h"
#include "lib/format.h"
#include "lib/list.h"
#include "sanitize/shadow.h"

#define VALUE_TEXT    24 /* a value of 64 bits in decimal */
#define MEMBER_ACCESS 3  /* mismatch_data.kind */

static _Noreturn void fail(const struct source_place *place, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static void fail(const struct source_place *place, const char *fmt, ...)
{
    char text[160];
    va_list args;
    shadow_off();
    va_start(args, fmt);
    vformat(text, sizeof(text), fmt, args);
    va_end(args);
    panic("ubsan: %s:%u:%u: %s", place->file, place->line, place->column, text);
}

static bool is_signed(const struct type_description *type)
{
    return type->kind == 0 && (type->info & 1);
}

static unsigned bits_of(const struct type_description *type)
{
    return 1u << (type->info >> 1);
}

/* Drops the bits above a narrow value, which the compiler may leave undefined. */
static int64_t signed_value(const struct type_description *type, value_t value)
{
    unsigned unused = bits_of(type) < 64 ? 64 - bits_of(type) : 0;
    return (int64_t)(value << unused) >> unused;
}

static const char *value_text(char *text, const struct type_description *type, value_t value)
{
    unsigned unused = bits_of(type) < 64 ? 64 - bits_of(type) : 0;
    if (bits_of(type) > 64)
        format(text, VALUE_TEXT, "(%u bits)", bits_of(type));
    else if (is_signed(type))
        format(text, VALUE_TEXT, "%ld", signed_value(type, value));
    else
        format(text, VALUE_TEXT, "%lu", value << unused >> unused);
    return text;
}

static _Noreturn void fail_overflow(const struct type_data *data, value_t left, const char *sign,
                                    value_t right)
{
    char a[VALUE_TEXT], b[VALUE_TEXT];
    fail(&data->place, "signed integer overflow: %s %s %s does not fit into %s",
         value_text(a, data->type, left), sign, value_text(b, data->type, right), data->type->name);
}

void __ubsan_handle_add_overflow_abort(const struct type_data *data, value_t left, value_t right)
{
    fail_overflow(data, left, "+", right);
}

void __ubsan_handle_sub_overflow_abort(const struct type_data *data, value_t left, value_t right)
{
    fail_overflow(data, left, "-", right);
}

void __ubsan_handle_mul_overflow_abort(const struct type_data *data, value_t left, value_t right)
{
    fail_overflow(data, left, "*", right);
}

void __ubsan_handle_negate_overflow_abort(const struct type_data *data, value_t value)
{
    char text[VALUE_TEXT];
    fail(&data->place, "signed integer overflow: -(%s) does not fit into %s",
         value_text(text, data->type, value), data->type->name);
}

void __ubsan_handle_divrem_overflow_abort(const struct type_data *data, value_t left, value_t right)
{
    char a[VALUE_TEXT], b[VALUE_TEXT];
    fail(&data->place, "division of %s by %s in %s", value_text(a, data->type, left),
         value_text(b, data->type, right), data->type->name);
}

void __ubsan_handle_shift_out_of_bounds_abort(const struct two_types_data *data, value_t left,
                                              value_t right)
{
    char a[VALUE_TEXT], b[VALUE_TEXT];
    fail(&data->place, "shift of %s by %s bits in %s", value_text(a, data->left, left),
         value_text(b, data->right, right), data->left->name);
}

void __ubsan_handle_out_of_bounds_abort(const struct two_types_data *data, value_t index)
{
    char text[VALUE_TEXT];
    fail(&data->place, "index %s is out of bounds of %s", value_text(text, data->right, index),
         data->left->name);
}

void __ubsan_handle_type_mismatch_v1_abort(const struct mismatch_data *data, value_t pointer)
{
    static const char *const kinds[] = {"load of",        "store to",      "reference to",
                                        "member of",      "member call",   "constructor of",
                                        "downcast to",    "downcast to",   "upcast of",
                                        "upcast to base", "nonnull value", "dynamic operation on"};
    const char *kind = data->kind < sizeof(kinds) / sizeof(kinds[0]) ? kinds[data->kind] : "use of";
    uint64_t alignment = 1ull << data->log_alignment;
    if (pointer == 0)
        fail(&data->place, "%s a null pointer to %s", kind, data->type->name);
    if (pointer % alignment != 0)
        fail(&data->place, "%s misaligned address %#lx of %s, which wants %lu", kind, pointer,
             data->type->name, alignment);
    fail(&data->place, "%s address %#lx with too little room for %s", kind, pointer,
         data->type->name);
}

void __ubsan_handle_type_mismatch_v1(const struct mismatch_data *data, value_t pointer)
{
    if (pointer != 0 && pointer % _Alignof(struct list) == 0 && data->kind == MEMBER_ACCESS)
        return;
    __ubsan_handle_type_mismatch_v1_abort(data, pointer);
}

void __ubsan_handle_pointer_overflow_abort(const struct place_data *data, value_t base,
                                           value_t result)
{
    fail(&data->place, "pointer overflow: %#lx became %#lx", base, result);
}

void __ubsan_handle_load_invalid_value_abort(const struct type_data *data, value_t value)
{
    fail(&data->place, "load of the value %lu, which %s does not have", value, data->type->name);
}

void __ubsan_handle_vla_bound_not_positive_abort(const struct type_data *data, value_t bound)
{
    char text[VALUE_TEXT];
    fail(&data->place, "array of %s elements", value_text(text, data->type, bound));
}

void __ubsan_handle_nonnull_arg_abort(const struct argument_data *data)
{
    fail(&data->place, "null pointer as argument %d, which must not be null", data->number);
}

void __ubsan_handle_nonnull_return_v1_abort(const struct place_data *data,
                                            const struct source_place *place)
{
    (void)data;
    fail(place, "null pointer returned by a function that must not return one");
}

void __ubsan_handle_invalid_builtin_abort(const struct builtin_data *data)
{
    fail(&data->place, "zero passed to a built-in function that counts zero bits");
}

void __ubsan_handle_builtin_unreachable(const struct place_data *data)
{
    fail(&data->place, "a place that cannot be reached was reached");
}
