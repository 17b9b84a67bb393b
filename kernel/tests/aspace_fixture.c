#include "tests/aspace_fixture.h"

#include "test.h"

#include <umvfs/tree.h>

#include "host/cpu.h"
#include "host/files.h"
#include "host/ram.h"

struct aspace *as;
static struct ram_counts before;
static size_t objects;

static int begin(enum ram_layout layout, size_t frames)
{
    ram_start(layout, frames);
    files_start(0);
    before = ram_counts();
    objects = alloc_objects();
    if (aspace_create(&as) != 0)
        return 1;
    cpu_switch(as);
    return 0;
}

int aspace_setup(void **state)
{
    (void)state;
    return begin(RAM_SPARSE, 4096);
}

int aspace_setup_large(void **state)
{
    (void)state;
    return begin(RAM_LINEAR, 16384);
}

int aspace_teardown(void **state)
{
    (void)state;
    char text[128];
    cpu_switch(NULL);
    aspace_put(as);
    struct ram_counts after = ram_counts();
    bool same = !*ram_difference(&before, &after, text, sizeof(text)) && alloc_objects() == objects;
    if (!same)
        fprintf(stderr, "%s; %zu objects at the start, %zu at the end\n", text, objects,
                alloc_objects());
    files_stop();
    frame_check();
    return !same;
}

int map(virt_t start, uint64_t pages, unsigned prot, unsigned flags)
{
    const struct aspace_mapping m = {start, pages * PAGE_SIZE, prot, flags, NULL, 0};
    return aspace_map(as, &m, false);
}

int map_file(virt_t start, uint64_t pages, unsigned prot, unsigned flags, struct umvfs_inode *inode)
{
    const struct aspace_mapping m = {start, pages * PAGE_SIZE, prot, flags, inode, 0};
    return aspace_map(as, &m, false);
}

void write_word(virt_t at, uint64_t value)
{
    assert_int_equal(cpu_access(at, ACCESS_WRITE, &value), 0);
}

uint64_t read_word(virt_t at)
{
    uint64_t value = 0;
    assert_int_equal(cpu_access(at, ACCESS_READ, &value), 0);
    return value;
}

struct umvfs_file make_file(size_t pages)
{
    static uint8_t data[96 * PAGE_SIZE];
    for (size_t i = 0; i < pages * PAGE_SIZE; i++)
        data[i] = (uint8_t)(i / PAGE_SIZE + 1);
    files_write("/file", 0644, data, pages * PAGE_SIZE);
    return files_open("/file", UMVFS_O_RDWR);
}

void close_file(struct umvfs_file *file)
{
    umvfs_close(file);
    assert_int_equal(umvfs_unlink(files_task(), NULL, "/file"), 0);
}
