/* The checks before accesses: those that the compiler inserts, and those of functions in assembly. */
#include "sanitize/compiler.h"
#include "sanitize/report.h"
#include "sanitize/shadow.h"
#include "sanitize/wrapped.h"

static void check(uint64_t address, size_t size, bool write)
{
    uint64_t forbidden = shadow_forbidden(address, size);
    if (__builtin_expect(forbidden != 0, 0))
        report_access(address, size, write, forbidden);
}

/* The quick path: most accesses touch a granule that is completely accessible. */
static inline void check_small(uint64_t address, size_t size, bool write)
{
    if (address % GRANULE + size <= GRANULE && shadow_covered_end(address) &&
        *shadow_of(address) == 0)
        return;
    check(address, size, write);
}

#define CHECKS_OF_SIZE(size)                                                                       \
    void __asan_load##size##_noabort(uint64_t address)                                             \
    {                                                                                              \
        check_small(address, size, false);                                                         \
    }                                                                                              \
    void __asan_store##size##_noabort(uint64_t address)                                            \
    {                                                                                              \
        check_small(address, size, true);                                                          \
    }

CHECKS_OF_SIZE(1)
CHECKS_OF_SIZE(2)
CHECKS_OF_SIZE(4)
CHECKS_OF_SIZE(8)
CHECKS_OF_SIZE(16)

void __asan_loadN_noabort(uint64_t address, size_t size)
{
    check(address, size, false);
}

void __asan_storeN_noabort(uint64_t address, size_t size)
{
    check(address, size, true);
}

void __asan_handle_no_return(void)
{
}

void __asan_poison_stack_memory(uint64_t start, size_t size)
{
    shadow_forbid(start, size, SHADOW_STACK_SCOPE);
}

void __asan_unpoison_stack_memory(uint64_t start, size_t size)
{
    shadow_allow(start, size);
}

#define ALLOCA_REDZONE 32

void __asan_alloca_poison(uint64_t start, size_t size)
{
    uint64_t end = (start + size + ALLOCA_REDZONE - 1) & ~(ALLOCA_REDZONE - 1ull);
    shadow_forbid(start - ALLOCA_REDZONE, ALLOCA_REDZONE, SHADOW_ALLOCA_LEFT);
    shadow_forbid(end, ALLOCA_REDZONE, SHADOW_ALLOCA_RIGHT);
    shadow_allow(start, size);
}

void __asan_allocas_unpoison(uint64_t top, uint64_t bottom)
{
    if (top && top < bottom)
        shadow_allow(top, bottom - top);
}

void *__wrap_memcpy(void *to, const void *from, size_t size)
{
    check((uint64_t)from, size, false);
    check((uint64_t)to, size, true);
    return __real_memcpy(to, from, size);
}

void *__wrap_memmove(void *to, const void *from, size_t size)
{
    check((uint64_t)from, size, false);
    check((uint64_t)to, size, true);
    return __real_memmove(to, from, size);
}

void *__wrap_memset(void *to, int byte, size_t size)
{
    check((uint64_t)to, size, true);
    return __real_memset(to, byte, size);
}

void __wrap_page_zero(void *to)
{
    check((uint64_t)to, PAGE_SIZE, true);
    __real_page_zero(to);
}

void __wrap_page_copy(void *restrict to, const void *restrict from)
{
    check((uint64_t)from, PAGE_SIZE, false);
    check((uint64_t)to, PAGE_SIZE, true);
    __real_page_copy(to, from);
}

/* User addresses are not covered: only the kernel's side is checked. */
size_t __wrap_usercopy_bytes(void *to, const void *from, size_t size)
{
    check((uint64_t)from, size, false);
    check((uint64_t)to, size, true);
    return __real_usercopy_bytes(to, from, size);
}

long __wrap_usercopy_string(char *to, const char *from, size_t size)
{
    check((uint64_t)to, size, true);
    return __real_usercopy_string(to, from, size);
}
