/* What AddressSanitizer is told where ASAN_OPTIONS says nothing else: memory that was freed comes
 * back soon, so that it is still in the caches, and frames that were left are not kept. The replay
 * of the corpora, and who looks into a crash, asks for more. */

const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "quarantine_size_mb=8:malloc_context_size=4:detect_stack_use_after_return=0";
}
