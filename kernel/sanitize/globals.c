#include "sanitize/globals.h"

#include "lib/check.h"
#include "sanitize/shadow.h"

#define FILES_MAX 256 /* source files with global variables */

static struct {
    const struct global *first;
    size_t count;
} files[FILES_MAX];
static unsigned nr_files;

void __asan_register_globals(const struct global *first, size_t count)
{
    CHECK(nr_files < FILES_MAX, "%u files", nr_files);
    files[nr_files].first = first;
    files[nr_files++].count = count;
    for (const struct global *g = first; g < first + count; g++) {
        shadow_forbid(g->start, g->size_with_redzone, SHADOW_GLOBAL_REDZONE);
        shadow_allow(g->start, g->size);
    }
}

void __asan_unregister_globals(const struct global *first, size_t count)
{
    (void)first;
    (void)count;
}

const struct global *global_at(uint64_t address)
{
    for (unsigned i = 0; i < nr_files; i++)
        for (const struct global *g = files[i].first; g < files[i].first + files[i].count; g++)
            if (address - g->start < g->size_with_redzone)
                return g;
    return NULL;
}
