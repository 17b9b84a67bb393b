/* The functions that GCC calls in code compiled with -fsanitize=kernel-address, and the structures
 * that it passes (libsanitizer, "asan_interface_internal.h"). The handlers of -fsanitize=undefined
 * are in undefined.h. */
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

#endif
