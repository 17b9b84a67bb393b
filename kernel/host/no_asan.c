/* Empty hooks of AddressSanitizer for builds without it (stack depths, coverage). */
#include <sanitizer/asan_interface.h>

void __asan_poison_memory_region(void const volatile *address, size_t size)
{
    (void)address, (void)size;
}

void __asan_unpoison_memory_region(void const volatile *address, size_t size)
{
    (void)address, (void)size;
}
