/*
 * A file's bytes go through libvfs to exec_load(); what it maps is read back by the independent
 * page walk and compared with the plan of the file, page by page and byte by byte. A refused file
 * must leave nothing behind, nor must one that was loaded and has ended. The first byte chooses
 * an allocation that fails.
 *
 * Input: an allocation that fails, and a file for exec.
 * Proves: what exec maps is the plan of the file, byte by byte, and a refused file leaves nothing
 * behind.
 * Does not prove: that the program runs.
 * Oracles: an independent page walk against the file's plan.
 * Rate: 5,800/s
 */
#include <stddef.h>
#include <stdint.h>

#include <umvfs/tree.h>

#include "host/fail.h"
#include "host/files.h"
#include "host/ram.h"
#include "lib/errno.h"
#include "tests/elf_image.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PATH          "/program"
#define SIZE_MAX_HERE (1u << 20)

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc, (void)argv;
    ram_start(RAM_SPARSE, 4096);
    files_start(0);
    return 0;
}

static void load(const uint8_t *file, size_t size, uint64_t fail)
{
    static const char *const arguments[] = {"first", ""};
    struct new_image made;
    alloc_fail_at(fail, false);
    int error = exec_try(PATH, arguments, 2, &made);
    bool failed = alloc_failed() > 0;
    alloc_fail_at(0, false);
    if (error == -ENOMEM && failed)
        return;
    if (error > 0)
        host_fail("exec_load: %d", error);
    if (error)
        return;
    if (files_writable(PATH))
        host_fail("the file of a running program can be written");
    if (!(file[0] == '#' && file[1] == '!'))
        exec_check(file, size, &made);
    exec_drop(&made);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[128];
    struct ram_counts before = ram_counts();
    size_t objects = alloc_objects();
    if (size < 3 || size > SIZE_MAX_HERE)
        return 0;
    files_write(PATH, 0755, data + 1, size - 1);
    load(data + 1, size - 1, data[0]);
    if (!files_writable(PATH))
        host_fail("the file cannot be written any more");
    if (umvfs_unlink(files_task(), NULL, PATH) != 0)
        host_fail("unlink");
    struct ram_counts after = ram_counts();
    if (*ram_difference(&before, &after, text, sizeof(text)) || alloc_objects() != objects)
        host_fail("%s; %zu objects before, %zu after", text, objects, alloc_objects());
    return 0;
}
