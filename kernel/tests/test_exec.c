/* exec_load(): from files to address spaces, and their end. */
#include "test.h"

#include <elfparse/base.h>
#include <umvfs/attr.h>
#include <umvfs/tree.h>

#include "lib/cmdline.h"
#include "host/cpu.h"
#include "host/files.h"
#include "host/ram.h"
#include "host/walk.h"
#include "lib/errno.h"
#include "mm/usercopy.h"
#include "tests/elf_image.h"

#define R  ELFPARSE_PF_R
#define RX (ELFPARSE_PF_R | ELFPARSE_PF_X)
#define RW (ELFPARSE_PF_R | ELFPARSE_PF_W)

static void good_programs_are_what_their_files_say(void **state)
{
    (void)state;
    struct elf_image image = elf_plain;
    assert_loads("plain", &image);
    assert_loads("position independent", &elf_pie);
    image.segment[1].memsz = image.segment[1].filesz;
    assert_loads("no zeros", &image);
    image = elf_plain;
    image.segment[1] =
        (struct elf_segment){ELFPARSE_PT_LOAD, RW, 0x900000, 0x402000, 0, 0x5000, 0x1000};
    assert_loads("only zeros, offset past the end", &image);
    image = elf_plain;
    image.segment[1].type = 0;
    assert_loads("text only", &image);
    image.segment[0].memsz = image.segment[0].filesz = image.size;
    image.segment[0].filesz = image.segment[0].memsz = 0x27ff;
    image.size = 0x27ff;
    assert_loads("ends inside a page", &image);
    image = elf_pie;
    for (unsigned i = 0; i < 3; i++)
        image.segment[i].align = 0x200000;
    image.segment[1].offset = image.segment[1].vaddr = 0x1000;
    image.segment[2].offset = 0x2e00;
    image.segment[2].vaddr = 0x202e00;
    assert_loads("aligned to 2 MiB", &image);
    image = elf_plain;
    image.segment[1].flags = ELFPARSE_PF_W;
    assert_loads("not readable", &image);
    image = elf_pie;
    image.entry += 0x7ff000000000;
    for (unsigned i = 0; i < 3; i++)
        image.segment[i].vaddr += 0x7ff000000000;
    assert_loads("linked above the place where it goes", &image);
}

static void r1_the_bss_is_zero_not_the_rest_of_the_file(void **state)
{
    (void)state;
    struct new_image made;
    uint32_t word = 1;
    write_image("/program", &elf_plain);
    assert_int_equal(exec_try("/program", NULL, 0, &made), 0);
    virt_t end = virt(0x402100 + 0x234); /* the file has other bytes after this */
    for (virt_t at = end; at.value < 0x405000; at.value += sizeof(word)) {
        assert_int_equal(aspace_read(made.as, at, &word, sizeof(word)), 0);
        assert_int_equal(word, 0);
    }
    exec_drop(&made);
}

static void l12_bytes_behind_a_segment_that_is_all_file_are_the_file_s(void **state)
{
    (void)state;
    struct elf_image image = elf_plain;
    image.segment[1].memsz = image.segment[1].filesz;
    assert_loads("rest of the file's page", &image);
    image.size = 0x1334; /* the file ends there: zeros follow */
    assert_loads("file ends with the segment", &image);
}

static void r2_a_segment_begins_at_its_offset_in_the_page(void **state)
{
    (void)state;
    struct new_image made;
    uint8_t byte;
    write_image("/program", &elf_plain);
    assert_int_equal(exec_try("/program", NULL, 0, &made), 0);
    assert_int_equal(aspace_read(made.as, virt(0x402100), &byte, 1), 0);
    assert_int_equal(byte, exec_file[0x1100]);
    exec_drop(&made);
    struct elf_image image = elf_plain;
    image.segment[1].vaddr++;
    assert_refused("offset and address disagree", &image, -ENOEXEC);
}

#define CASE(label, change)                                                                        \
    do {                                                                                           \
        struct elf_image image = elf_plain;                                                        \
        change;                                                                                    \
        assert_refused(label, &image, -ENOEXEC);                                                   \
    } while (0)

static void r3_sums_that_wrap_are_refused(void **state)
{
    (void)state;
    CASE("e_phoff", image.phoff = UINT64_MAX - 7);
    CASE("e_phoff at the end", image.phoff = 0x2800 - 56);
    CASE("p_offset", image.segment[1].offset = UINT64_MAX - 0xeff);
    CASE("p_filesz", image.segment[1].filesz = image.segment[1].memsz = UINT64_MAX - 0x1000);
    CASE("p_memsz", image.segment[1].memsz = UINT64_MAX - 0x402000);
}

static void r4_another_size_of_program_headers_is_refused(void **state)
{
    (void)state;
    CASE("55", image.phentsize = 55);
    CASE("57", image.phentsize = 57);
    CASE("0", image.phentsize = 0);
    CASE("64", image.phentsize = 64);
}

static void r5_headers_at_any_alignment_are_read(void **state)
{
    (void)state;
    struct new_image made;
    size_t size = elf_write(&elf_plain, exec_file);
    uint8_t *shifted = malloc(size + 1); /* written through an odd address; read bytewise */
    memcpy(shifted + 1, exec_file, size);
    files_write("/program", 0755, shifted + 1, size);
    free(shifted);
    assert_int_equal(exec_try("/program", NULL, 0, &made), 0);
    exec_check(exec_file, size, &made);
    exec_drop(&made);
}

static void r6_only_the_file_bytes_must_lie_in_the_file(void **state)
{
    (void)state;
    struct elf_image image = elf_plain;
    image.size = 0x1334;
    assert_loads("BSS at the end", &image);
    image.size--;
    assert_refused("one byte short", &image, -ENOEXEC);
}

static void r7_more_file_than_memory_is_refused(void **state)
{
    (void)state;
    CASE("filesz", image.segment[1].filesz = image.segment[1].memsz + 1);
}

static void r8_overlaps_are_refused(void **state)
{
    (void)state;
    CASE("overlap", image.segment[1].vaddr = 0x400100);
    CASE("same page, other permissions", image.segment[0].memsz = image.segment[0].filesz = 0x2180;
         image.size = 0x4000);
    CASE("descending", image.segment[1].vaddr = 0x3f0100);
}

static void r9_writable_and_executable_is_refused(void **state)
{
    (void)state;
    CASE("W and X", image.segment[1].flags = RX | RW);
    CASE("W and X, text", image.segment[0].flags = RX | RW);
}

static void r10_addresses_outside_user_memory_are_refused(void **state)
{
    (void)state;
    static const uint64_t bad[] = {0,
                                   0xffffffff80000100,
                                   DIRECT_MAP + 0x100,
                                   0x0000800000000100,
                                   0x00007ffffffff100,
                                   0x00007fffffffe100,
                                   UINT64_MAX - 0xeff};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        CASE("address", image.segment[1].vaddr = bad[i]);
    CASE("page 0", image.segment[0].vaddr = 0; image.entry = 0x200);
}

static void r11_the_entry_lies_in_executable_file_bytes(void **state)
{
    (void)state;
    CASE("in data", image.entry = 0x402100);
    CASE("past the text", image.entry = 0x401000);
    CASE("nowhere", image.entry = 0x10);
    CASE("in the kernel", image.entry = KERNEL_BASE);
    struct elf_image image = elf_plain;
    image.entry = 0x400fff;
    assert_loads("last byte", &image);
}

static void r12_the_stack_is_at_the_top_with_a_gap(void **state)
{
    (void)state;
    struct new_image made;
    write_image("/program", &elf_plain);
    cmdline_init("noaslr");
    assert_int_equal(exec_try("/program", NULL, 0, &made), 0);
    const struct loaded_process *loaded = &made.image->loaded;
    assert_int_equal(loaded->stack_top.value, STACK_TOP);
    assert_int_equal(loaded->stack_bottom.value, STACK_TOP - STACK_PAGES * PAGE_SIZE);
    assert_int_equal(aspace_fault(made.as, virt(STACK_TOP), ACCESS_READ), -EFAULT);
    struct vma *stack = vma_find(&made.as->areas, loaded->stack_bottom);
    const struct vma *below = vma_prev(&made.as->areas, stack);
    assert_true(virt_distance(below->end, stack->start) > STACK_GUARD_GAP);
    exec_drop(&made);

    struct elf_image image = elf_plain; /* a program at the addresses of the stack */
    image.segment[1].vaddr = STACK_TOP - 0x8000 + 0x100;
    umvfs_unlink(files_task(), NULL, "/program");
    write_image("/program", &image);
    assert_int_equal(exec_try("/program", NULL, 0, &made), 0 - ENOEXEC);
}

/* Every allocation fails once, alone and with all later ones. */
static void fail_each(const char *path, const char *const *arguments, size_t count)
{
    struct new_image made;
    int error =
        exec_try(path, arguments, count, &made); /* objects that the files keep are made here */
    if (error)
        fail_msg("%s: error %d: %s", path, error, console_text());
    exec_drop(&made);
    exec_remember();
    for (unsigned after = 0; after < 2; after++) {
        for (uint64_t n = 1;; n++) {
            assert_true(n < 10000);
            alloc_fail_at(n, after);
            error = exec_try(path, arguments, count, &made);
            bool failed = alloc_failed() > 0;
            alloc_fail_at(0, false);
            if (!error)
                exec_drop(&made);
            else
                assert_int_equal(error, -ENOMEM);
            assert_true(failed || !error);
            assert_unchanged(path);
            assert_true(files_writable(path));
            if (!failed)
                break;
        }
    }
}

static void r13_failure_half_way_gives_everything_back(void **state)
{
    (void)state;
    static const char *const arguments[] = {"one", "two"};
    static char large[70000];
    const char *const long_argument = large;
    memset(large, 'x', sizeof(large) - 1);
    write_image("/ld.so", &elf_pie);
    write_image("/plain", &elf_plain);
    write_image("/dynamic", &elf_dynamic);
    write_script("/script", "#!/dynamic -x\n");
    fail_each("/plain", arguments, 2);
    fail_each("/plain", &long_argument, 1);
    fail_each("/dynamic", NULL, 0);
    fail_each("/script", arguments, 2);
}

static void r14_exit_and_exec_free_everything(void **state)
{
    (void)state;
    struct new_image made, next;
    write_image("/program", &elf_plain);
    assert_int_equal(exec_try("/program", NULL, 0, &made), 0);
    assert_int_equal(aspace_populate(made.as, virt(USER_MIN), USER_END - USER_MIN), 0);
    exec_drop(&made);
    exec_remember();
    assert_int_equal(exec_try("/program", NULL, 0, &made), 0);
    for (unsigned i = 0; i < 100; i++) { /* as exec_commit() does: the new one first */
        assert_int_equal(exec_try("/program", NULL, 0, &next), 0);
        assert_int_equal(aspace_populate(next.as, virt(USER_MIN), USER_END - USER_MIN), 0);
        cpu_switch(next.as);
        exec_drop(&made);
        made = next;
    }
    cpu_switch(NULL);
    exec_drop(&made);
    assert_unchanged("after 100 programs");
}

static void r15_a_new_program_has_the_kernel_half(void **state)
{
    (void)state;
    struct new_image made;
    write_image("/program", &elf_plain);
    assert_int_equal(exec_try("/program", NULL, 0, &made), 0);
    const uint64_t *ours = phys_ptr(phys(made.image->loaded.pml4_addr));
    const uint64_t *kernel = frame_ptr(kernel_pagetable.root);
    assert_memory_equal(ours + 256, kernel + 256, 2048);
    exec_drop(&made);
}

static void foreign_and_damaged_files_are_refused(void **state)
{
    (void)state;
    CASE("another machine", image.machine = 40);
    CASE("an object", image.type = ELFPARSE_ET_REL);
    CASE("a core", image.type = ELFPARSE_ET_CORE);
    CASE("no segment", image.segment[0].type = 0x70000000; image.segment[1].type = 0x70000000);
    CASE("too many headers", image.phnum = 129);
    CASE("PN_XNUM", image.phnum = 0xffff);
    CASE("alignment", image.segment[1].align = 0x1800);
    CASE("executable stack",
         image.segment[2] = ((struct elf_segment){ELFPARSE_PT_GNU_STACK, RX | RW, 0, 0, 0, 0, 16}));
    struct elf_image image = elf_plain;
    image.segment[1].memsz = 2ull << 30;
    assert_refused("too large", &image, -ENOMEM);
    for (size_t size = 0; size < 64 + 2 * 56; size++) {
        struct new_image made;
        elf_write(&elf_plain, exec_file);
        files_write("/short", 0755, exec_file, size);
        exec_remember();
        assert_int_equal(exec_try("/short", NULL, 0, &made), -ENOEXEC);
        assert_unchanged("short");
    }
}

static void every_bit_of_the_headers_is_judged_or_harmless(void **state)
{
    (void)state;
    size_t size = elf_write(&elf_plain, exec_file);
    for (unsigned bit = 0; bit < (64 + 2 * 56) * 8; bit++) {
        struct new_image made;
        exec_file[bit / 8] ^= (uint8_t)(1u << bit % 8);
        files_write("/program", 0755, exec_file, size);
        exec_remember();
        int error = exec_try("/program", NULL, 0, &made);
        if (!error) {
            exec_check(exec_file, size, &made);
            exec_drop(&made);
        } else {
            assert_true(error == -ENOEXEC || error == -ENOMEM || error == -ENOENT);
            assert_unchanged("flipped bit");
        }
        exec_file[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

static void who_writes_and_who_runs_exclude_each_other(void **state)
{
    (void)state;
    struct new_image made;
    write_image("/program", &elf_plain);
    struct umvfs_file writer = files_open("/program", UMVFS_O_RDWR);
    exec_remember();
    assert_int_equal(exec_try("/program", NULL, 0, &made), -ETXTBSY);
    assert_unchanged("open for writing");
    umvfs_close(&writer);
    files_write("/data", 0644, exec_file, 100);
    assert_int_equal(exec_try("/data", NULL, 0, &made), -EACCES);
    assert_int_equal(exec_try("/absent", NULL, 0, &made), -ENOENT);
    assert_int_equal(exec_try("/", NULL, 0, &made), -EACCES);
}

static void places_are_random_unless_told_otherwise(void **state)
{
    (void)state;
    struct new_image a, b;
    write_image("/program", &elf_pie);
    for (unsigned fixed = 0; fixed < 2; fixed++) {
        cmdline_init(fixed ? "noaslr" : "");
        random_seed(7);
        assert_int_equal(exec_try("/program", NULL, 0, &a), 0);
        assert_int_equal(exec_try("/program", NULL, 0, &b), 0);
        assert_int_equal(a.image->loaded.load_bias.value == b.image->loaded.load_bias.value, fixed);
        assert_int_equal(a.image->loaded.stack_top.value == b.image->loaded.stack_top.value, fixed);
        assert_int_equal(a.as->mmap_top.value == b.as->mmap_top.value, fixed);
        assert_int_equal(a.as->brk.value == b.as->brk.value, fixed);
        exec_drop(&a);
        exec_drop(&b);
    }
}

static void two_programs_share_the_file_s_frames(void **state)
{
    (void)state;
    struct new_image a, b;
    write_image("/program", &elf_plain);
    assert_int_equal(exec_try("/program", NULL, 0, &a), 0);
    assert_int_equal(exec_try("/program", NULL, 0, &b), 0);
    assert_int_equal(aspace_fault(a.as, virt(0x400000), ACCESS_EXEC), 0);
    assert_int_equal(aspace_fault(b.as, virt(0x400000), ACCESS_EXEC), 0);
    phys_t root_a = frame_phys(a.as->pt.root), root_b = frame_phys(b.as->pt.root);
    assert_int_equal(walk_at(root_a, virt(0x400000)).frame, walk_at(root_b, virt(0x400000)).frame);
    assert_int_not_equal(walk_at(root_a, virt(0x402000)).frame,
                         walk_at(root_b, virt(0x402000)).frame);
    exec_drop(&a);
    exec_drop(&b);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, exec_setup, exec_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(good_programs_are_what_their_files_say),
        TEST(r1_the_bss_is_zero_not_the_rest_of_the_file),
        TEST(l12_bytes_behind_a_segment_that_is_all_file_are_the_file_s),
        TEST(r2_a_segment_begins_at_its_offset_in_the_page),
        TEST(r3_sums_that_wrap_are_refused),
        TEST(r4_another_size_of_program_headers_is_refused),
        TEST(r5_headers_at_any_alignment_are_read),
        TEST(r6_only_the_file_bytes_must_lie_in_the_file),
        TEST(r7_more_file_than_memory_is_refused),
        TEST(r8_overlaps_are_refused),
        TEST(r9_writable_and_executable_is_refused),
        TEST(r10_addresses_outside_user_memory_are_refused),
        TEST(r11_the_entry_lies_in_executable_file_bytes),
        TEST(r12_the_stack_is_at_the_top_with_a_gap),
        TEST(r13_failure_half_way_gives_everything_back),
        TEST(r14_exit_and_exec_free_everything),
        TEST(r15_a_new_program_has_the_kernel_half),
        TEST(foreign_and_damaged_files_are_refused),
        TEST(every_bit_of_the_headers_is_judged_or_harmless),
        TEST(who_writes_and_who_runs_exclude_each_other),
        TEST(places_are_random_unless_told_otherwise),
        TEST(two_programs_share_the_file_s_frames),
    };
    return cmocka_run_group_tests_name("exec", tests, NULL, NULL);
}
