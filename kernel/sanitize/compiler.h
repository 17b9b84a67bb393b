/* The functions that GCC calls in code compiled with -fsanitize=kernel-address, and the structures
 * that it passes (libsanitizer, "asan_interface_internal.h"). The handlers of -fsanitize=undefined
 * follow below. */
#ifndef UMBRA_SANITIZE_COMPILER_H
#define UMBRA_SANITIZE_COMPILER_H

#include <stddef.h>
#include <stdint.h>

struct global {
    uint64_t start, size, size_with_redzone;
    const char *name, *file;
    uint64_t has_dynamic_init;
    const void *location;
    uint64_t odr_indicator;
};

#define STACK_DESCRIPTION_MARK 0x41b58ab3

/* At the lowest address of a function's variables. */
struct stack_description {
    uint64_t mark;
    const char *text;
    uint64_t function;
};

/* Each source file with global variables has a constructor, which calls __asan_register_globals().
 * The linker script gathers them. */
typedef void constructor_t(void);
extern constructor_t *const constructors_start[], *const constructors_end[];

void __asan_register_globals(const struct global *first, size_t count);
void __asan_unregister_globals(const struct global *first, size_t count);

/* Before an access of so many bytes. */
void __asan_load1_noabort(uint64_t address);
void __asan_load2_noabort(uint64_t address);
void __asan_load4_noabort(uint64_t address);
void __asan_load8_noabort(uint64_t address);
void __asan_load16_noabort(uint64_t address);
void __asan_loadN_noabort(uint64_t address, size_t size);
void __asan_store1_noabort(uint64_t address);
void __asan_store2_noabort(uint64_t address);
void __asan_store4_noabort(uint64_t address);
void __asan_store8_noabort(uint64_t address);
void __asan_store16_noabort(uint64_t address);
void __asan_storeN_noabort(uint64_t address, size_t size);

/* Before a call that does not return. It does nothing: such a call ends in a panic or leaves the
 * stack for good, and kstack_alloc() makes a reused stack accessible as a whole. */
void __asan_handle_no_return(void);

/* At the end and at the start of the life of a large variable. */
void __asan_poison_stack_memory(uint64_t start, size_t size);
void __asan_unpoison_stack_memory(uint64_t start, size_t size);

/* Around and after arrays whose size is known at run time only. */
void __asan_alloca_poison(uint64_t start, size_t size);
void __asan_allocas_unpoison(uint64_t top, uint64_t bottom);

/* The functions that GCC calls before undefined behaviour in code compiled with
 * -fsanitize=undefined, and the structures that it passes (libsanitizer, "ubsan_handlers.h"). Each
 * handler panics with the source location and the values. Only __ubsan_handle_type_mismatch_v1()
 * may return: LIST_FOR_EACH() computes an entry from the list head, which is aligned to 8 only and
 * is not accessed as an entry. */

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

/* Global variables and the redzones that the compiler puts after them. */

/* The variable whose redzone holds the address, or NULL. */
const struct global *global_at(uint64_t address);

#endif
