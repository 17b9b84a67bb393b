/* Functions that this folder replaces at link time: a call from another file leads to __wrap_NAME,
 * and __real_NAME is the kernel's own function. */
#ifndef UMBRA_SANITIZE_WRAPPED_H
#define UMBRA_SANITIZE_WRAPPED_H

#include <stddef.h>
#include <stdint.h>

#include "mm/frame.h"

_Noreturn void __real_kernel_main(uint64_t magic, uint64_t info);
_Noreturn void __wrap_kernel_main(uint64_t magic, uint64_t info);
void __real_tlb_switch(phys_t root);
void __wrap_tlb_switch(phys_t root);
uint64_t __real_kstack_alloc(void);
uint64_t __wrap_kstack_alloc(void);

void *__real_memcpy(void *to, const void *from, size_t size);
void *__wrap_memcpy(void *to, const void *from, size_t size);
void *__real_memmove(void *to, const void *from, size_t size);
void *__wrap_memmove(void *to, const void *from, size_t size);
void *__real_memset(void *to, int byte, size_t size);
void *__wrap_memset(void *to, int byte, size_t size);
void __real_page_zero(void *to);
void __wrap_page_zero(void *to);
void __real_page_copy(void *restrict to, const void *restrict from);
void __wrap_page_copy(void *restrict to, const void *restrict from);
size_t __real_usercopy_bytes(void *to, const void *from, size_t size);
size_t __wrap_usercopy_bytes(void *to, const void *from, size_t size);
long __real_usercopy_string(char *to, const char *from, size_t size);
long __wrap_usercopy_string(char *to, const char *from, size_t size);

struct frame *__real_frame_alloc_block(enum frame_kind kind, unsigned order);
struct frame *__wrap_frame_alloc_block(enum frame_kind kind, unsigned order);
struct frame *__real_frame_alloc(enum frame_kind kind);
struct frame *__wrap_frame_alloc(enum frame_kind kind);
struct frame *__wrap_frame_alloc_zeroed(enum frame_kind kind);
void __real_frame_free(struct frame *frame);
void __wrap_frame_free(struct frame *frame);
size_t __real_frame_count(enum frame_kind kind);
size_t __wrap_frame_count(enum frame_kind kind);
void *__real_slab_alloc(size_t size);
void *__wrap_slab_alloc(size_t size);
void *__wrap_slab_alloc_zeroed(size_t size);
void __real_slab_free(void *object);
void __wrap_slab_free(void *object);

#endif
