/* Mappings of files: the file's own pages, holes, truncation, removal. */
#include "test.h"

#include <umvfs/page.h>
#include <umvfs/tree.h>

#include "host/cpu.h"
#include "host/files.h"
#include "lib/errno.h"
#include "tests/aspace_fixture.h"

static void file_pages_are_the_file_s_own(void **state)
{
    (void)state;
    struct umvfs_file file = make_file(20);
    assert_int_equal(map_file(virt(0x100000), 21, PROT_READ, 0, file.inode), 0);
    assert_int_equal(map_file(virt(0x200000), 20, RW, VMA_SHARED, file.inode), 0);
    assert_int_equal(read_word(virt(0x103000)) & 0xff, 4);
    struct aspace_usage usage;
    aspace_usage(as, &usage);
    assert_int_equal(usage.file, 20); /* around the fault, as far as the file goes */
    write_word(virt(0x203010), 0xabcdef);
    assert_int_equal(read_word(virt(0x103010)), 0xabcdef); /* the same frame */
    uint64_t word = 0;
    assert_int_equal(umvfs_pread(&file, &word, 8, 3 * PAGE_SIZE + 0x10), 8);
    assert_int_equal(word, 0xabcdef);
    word = 0x123;
    assert_int_equal(umvfs_pwrite(&file, &word, 8, 3 * PAGE_SIZE + 0x10), 8);
    assert_int_equal(read_word(virt(0x103010)), 0x123);
    assert_int_equal(cpu_access(virt(0x100000 + 20 * PAGE_SIZE), ACCESS_READ, &word), -ENXIO);
    assert_int_equal(cpu_access(virt(0x103000), ACCESS_WRITE, &word), -EACCES);
    assert_int_equal(aspace_unmap(as, virt(0x100000), 0x200000), 0);
    close_file(&file);
}

/* The file's pages come in runs of 64. The block of 32 pages around the fault has the end of one
 * run and the start of the next. */
static void a_block_around_a_fault_is_filled_across_the_file_s_runs(void **state)
{
    (void)state;
    struct umvfs_file file = make_file(96);
    const struct aspace_mapping m = {virt(0x100000), 56 * PAGE_SIZE, PROT_READ, 0, file.inode, 40};
    struct aspace_usage usage;
    assert_int_equal(aspace_map(as, &m, false), 0);
    assert_int_equal(read_word(virt(0x11f000)) & 0xff, 40 + 31 + 1);
    aspace_usage(as, &usage);
    assert_int_equal(usage.file, 32);
    for (unsigned page = 0; page < 32; page++)
        assert_int_equal(read_word(virt(0x100000 + page * PAGE_SIZE)) & 0xff, 40 + page + 1);
    assert_int_equal(aspace_unmap(as, virt(0x100000), 56 * PAGE_SIZE), 0);
    close_file(&file);
}

static void truncation_drops_mappings(void **state)
{
    (void)state;
    uint64_t word = 1;
    struct umvfs_file file = make_file(4);
    assert_int_equal(map_file(virt(0x100000), 4, RW, 0, file.inode), 0);
    assert_int_equal(map_file(virt(0x200000), 4, RW, VMA_SHARED, file.inode), 0);
    for (unsigned page = 0; page < 4; page++) {
        write_word(virt(0x100000 + page * PAGE_SIZE), 100 + page); /* private copies */
        write_word(virt(0x200008 + page * PAGE_SIZE), 200 + page);
    }
    assert_int_equal(umvfs_file_truncate(&file, PAGE_SIZE + 16), 0);
    assert_int_equal(read_word(virt(0x101000)), 101); /* the page with the end stays */
    assert_int_equal(read_word(virt(0x201008)), 201);
    assert_int_equal(read_word(virt(0x201010)), 0); /* zeros after the end */
    for (unsigned page = 2; page < 4; page++) {
        assert_int_equal(cpu_access(virt(0x100000 + page * PAGE_SIZE), ACCESS_READ, &word), -ENXIO);
        assert_int_equal(cpu_access(virt(0x200000 + page * PAGE_SIZE), ACCESS_WRITE, &word),
                         -ENXIO);
    }
    assert_int_equal(umvfs_file_truncate(&file, 4 * PAGE_SIZE), 0);
    assert_int_equal(read_word(virt(0x102000)), 0);
    assert_int_equal(read_word(virt(0x202008)), 0);
    tlb_check();
    assert_int_equal(aspace_unmap(as, virt(0x100000), 0x200000), 0);
    close_file(&file);
}

static void a_hole_mapped_shared_shows_what_is_written_later(void **state)
{
    (void)state;
    uint64_t word = 42;
    files_write("/file", 0644, NULL, 0);
    struct umvfs_file file = files_open("/file", UMVFS_O_RDWR);
    assert_int_equal(umvfs_file_truncate(&file, 8 * PAGE_SIZE), 0);
    assert_int_equal(map_file(virt(0x100000), 8, PROT_READ, VMA_SHARED, file.inode), 0);
    assert_int_equal(read_word(virt(0x101000)), 0);
    for (unsigned page = 0; page < 8; page++)
        assert_int_equal(umvfs_pwrite(&file, &word, 8, page * PAGE_SIZE), 8);
    for (unsigned page = 0; page < 8; page++)
        assert_int_equal(read_word(virt(0x100000 + page * PAGE_SIZE)), 42);
    assert_int_equal(aspace_unmap(as, virt(0x100000), 0x8000), 0);
    close_file(&file);
}

/* The only page of its table is the frame of zeros. When it is removed, the table is freed, so the
 * fault that fills the hole must make another. */
static void a_hole_mapped_private_shows_what_is_written_later(void **state)
{
    (void)state;
    uint64_t word = 42;
    files_write("/file", 0644, NULL, 0);
    struct umvfs_file file = files_open("/file", UMVFS_O_RDWR);
    assert_int_equal(umvfs_file_truncate(&file, 8 * PAGE_SIZE), 0);
    assert_int_equal(map_file(virt(0x100000), 8, RW, 0, file.inode), 0);
    assert_int_equal(map_file(virt(0x108000), 8, RW, VMA_SHARED, file.inode), 0);
    for (unsigned page = 0; page < 4; page++)
        assert_int_equal(read_word(virt(0x100000 + page * PAGE_SIZE)), 0);
    write_word(virt(0x101000), 7); /* a copy */
    assert_int_equal(umvfs_pwrite(&file, &word, 8, 0), 8);
    assert_int_equal(umvfs_pwrite(&file, &word, 8, PAGE_SIZE), 8);
    assert_int_equal(read_word(virt(0x100000)), 42);
    assert_int_equal(read_word(virt(0x101000)), 7);
    write_word(virt(0x10a000), 43); /* through the shared mapping */
    assert_int_equal(read_word(virt(0x102000)), 43);
    assert_int_equal(aspace_discard(as, virt(0x100000), 0x3000), 0);
    assert_int_equal(aspace_discard(as, virt(0x108000), 0x8000), 0);
    assert_int_equal(read_word(virt(0x103000)), 0); /* all that the table has */
    write_word(virt(0x10b000), 44);
    assert_int_equal(read_word(virt(0x103000)), 44);
    assert_int_equal(aspace_unmap(as, virt(0x100000), 0x10000), 0);
    close_file(&file);
}

static void a_removed_file_lives_while_it_is_mapped(void **state)
{
    (void)state;
    struct umvfs_file file = make_file(2);
    assert_int_equal(map_file(virt(0x100000), 2, PROT_READ, 0, file.inode), 0);
    close_file(&file);
    assert_int_equal(read_word(virt(0x101000)) & 0xff, 2);
    assert_int_equal(aspace_unmap(as, virt(0x100000), 0x2000), 0);
    assert_int_equal(frame_count(FRAME_FILE), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(file_pages_are_the_file_s_own),
        TEST(a_block_around_a_fault_is_filled_across_the_file_s_runs),
        TEST(truncation_drops_mappings),
        TEST(a_hole_mapped_shared_shows_what_is_written_later),
        TEST(a_hole_mapped_private_shows_what_is_written_later),
        TEST(a_removed_file_lives_while_it_is_mapped),
    };
    return cmocka_run_group_tests_name("filemap", tests, NULL, NULL);
}
