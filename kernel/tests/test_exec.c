/* exec_load(): from files to address spaces, and back to nothing. */
#include "test.h"

#include <elfparse/base.h>
#include <vfs/attr.h>
#include <vfs/tree.h>

#include "boot/cmdline.h"
#include "host/cpu.h"
#include "host/files.h"
#include "host/ram.h"
#include "host/walk.h"
#include "lib/errno.h"
#include "mm/usercopy.h"
#include "tests/elf_image.h"
#include "tests/exec_check.h"

#define R  ELFPARSE_PF_R
#define RX (ELFPARSE_PF_R | ELFPARSE_PF_X)
#define RW (ELFPARSE_PF_R | ELFPARSE_PF_W)

static uint8_t file[ELF_SIZE_MAX];
static struct ram_counts counts_before;
static size_t objects_before;

/* A file is reported once, by its inode's number: each test goes on with numbers that were not used. */
static unsigned inodes_used;

static int setup(void **state)
{
    (void)state;
    ram_start(RAM_SPARSE, 8192);
    cmdline_init("");
    files_start(0);
    for (unsigned i = 0; i < inodes_used; i++) {
        files_write("/used", 0644, NULL, 0);
        vfs_unlink(files_task(), NULL, "/used");
    }
    console_forget();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    cpu_switch(NULL);
    files_stop();
    frame_check();
    return frame_count(FRAME_ANON) + frame_count(FRAME_FILE) > 0;
}

/* What must be the same after a program that was refused or has ended. */
static void remember(void)
{
    counts_before = ram_counts();
    objects_before = alloc_objects();
}

static void assert_unchanged(const char *name)
{
    struct ram_counts now = ram_counts();
    char text[128];
    if (*ram_difference(&counts_before, &now, text, sizeof(text)))
        fail_msg("%s: %s", name, text);
    if (alloc_objects() != objects_before)
        fail_msg("%s: %zu objects before, %zu after", name, objects_before, alloc_objects());
}

static void write_image(const char *path, const struct elf_image *image)
{
    size_t size = elf_write(image, file);
    files_write(path, 0755, file, size);
}

/* Loads twice, checks, and compares what is there after the second time with the first: what stays
 * belongs to the file (its pages, the list of its mappings). */
static void assert_loads(const char *name, const struct elf_image *image)
{
    struct new_image made;
    size_t size = elf_write(image, file);
    files_write("/program", 0755, file, size);
    for (unsigned round = 0; round < 2; round++) {
        int error = exec_try("/program", NULL, 0, &made);
        if (error)
            fail_msg("%s: error %d: %s", name, error, console_text());
        assert_false(files_writable("/program"));
        exec_check(file, size, &made);
        exec_drop(&made);
        assert_true(files_writable("/program"));
        if (round > 0)
            assert_unchanged(name);
        remember();
    }
}

/* Refused with that error, nothing changed, and the file can be written again. */
static void assert_refused(const char *name, const struct elf_image *image, int wanted)
{
    struct new_image made;
    vfs_unlink(files_task(), NULL, "/program"); /* a new inode: its message is not kept back */
    write_image("/program", image);
    inodes_used += 2;
    console_forget();
    remember();
    int error = exec_try("/program", NULL, 0, &made);
    if (error != wanted)
        fail_msg("%s: error %d instead of %d: %s", name, error, wanted, console_text());
    if (!strstr(console_text(), "/program"))
        fail_msg("%s: no message", name);
    assert_unchanged(name);
    assert_true(files_writable("/program"));
}

static const struct elf_image pie = {
    .type = ELFPARSE_ET_DYN,
    .machine = 62,
    .phentsize = 56,
    .entry = 0x1080,
    .phoff = 64,
    .size = 0x3000,
    .segment = {{ELFPARSE_PT_LOAD, R, 0, 0, 0x400, 0x400, 0x1000},
                {ELFPARSE_PT_LOAD, RX, 0x1000, 0x1000, 0x800, 0x800, 0x1000},
                {ELFPARSE_PT_LOAD, RW, 0x2e00, 0x3e00, 0x200, 0x210, 0x1000}},
};

static void good_programs_are_what_their_files_say(void **state)
{
    (void)state;
    struct elf_image image = elf_plain;
    assert_loads("plain", &image);
    assert_loads("position independent", &pie);
    image.segment[1].memsz = image.segment[1].filesz;
    assert_loads("no zeros", &image);
    image = elf_plain;
    image.segment[1] = (struct elf_segment){ELFPARSE_PT_LOAD, RW, 0x900000, 0x402000, 0, 0x5000, 0x1000};
    assert_loads("only zeros, offset past the end", &image);
    image = elf_plain;
    image.segment[1].type = 0;
    assert_loads("text only", &image);
    image.segment[0].memsz = image.segment[0].filesz = image.size;
    image.segment[0].filesz = image.segment[0].memsz = 0x27ff;
    image.size = 0x27ff;
    assert_loads("ends inside a page", &image);
    image = pie;
    for (unsigned i = 0; i < 3; i++)
        image.segment[i].align = 0x200000;
    image.segment[1].offset = image.segment[1].vaddr = 0x1000;
    image.segment[2].offset = 0x2e00;
    image.segment[2].vaddr = 0x202e00;
    assert_loads("aligned to 2 MiB", &image);
}

static void r1_the_bss_is_zero_not_the_rest_of_the_file(void **state)
{
    (void)state;
    struct new_image made;
    uint32_t word = 1;
    write_image("/program", &elf_plain);
    assert_int_equal(exec_try("/program", NULL, 0, &made), 0);
    virt_t end = 0x402100 + 0x234; /* the file goes on there with other bytes */
    for (virt_t at = end; at < 0x405000; at += sizeof(word)) {
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
    image.size = 0x1334; /* the file ends there: zeros behind */
    assert_loads("file ends with the segment", &image);
}

static void r2_a_segment_begins_at_its_offset_in_the_page(void **state)
{
    (void)state;
    struct new_image made;
    uint8_t byte;
    write_image("/program", &elf_plain);
    assert_int_equal(exec_try("/program", NULL, 0, &made), 0);
    assert_int_equal(aspace_read(made.as, 0x402100, &byte, 1), 0);
    assert_int_equal(byte, file[0x1100]);
    exec_drop(&made);
    struct elf_image image = elf_plain;
    image.segment[1].vaddr++;
    assert_refused("offset and address disagree", &image, -ENOEXEC);
}

#define CASE(label, change)                                                                       \
    do {                                                                                          \
        struct elf_image image = elf_plain;                                                       \
        change;                                                                                   \
        assert_refused(label, &image, -ENOEXEC);                                                  \
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
    size_t size = elf_write(&elf_plain, file);
    uint8_t *shifted = malloc(size + 1); /* written through an odd address; read bytewise */
    memcpy(shifted + 1, file, size);
    files_write("/program", 0755, shifted + 1, size);
    free(shifted);
    assert_int_equal(exec_try("/program", NULL, 0, &made), 0);
    exec_check(file, size, &made);
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
    assert_int_equal(loaded->stack_top, STACK_TOP);
    assert_int_equal(loaded->stack_bottom, STACK_TOP - STACK_PAGES * PAGE_SIZE);
    assert_int_equal(aspace_fault(made.as, STACK_TOP, ACCESS_READ), -EFAULT);
    struct vma *stack = vma_find(&made.as->areas, loaded->stack_bottom);
    const struct vma *below = vma_prev(&made.as->areas, stack);
    assert_true(stack->start - below->end > STACK_GUARD_GAP);
    exec_drop(&made);

    struct elf_image image = elf_plain; /* a program where the stack has to go */
    image.segment[1].vaddr = STACK_TOP - 0x8000 + 0x100;
    vfs_unlink(files_task(), NULL, "/program");
    write_image("/program", &image);
    assert_int_equal(exec_try("/program", NULL, 0, &made), 0 - ENOEXEC);
}

/* Every allocation on the way fails once, alone and with all later ones. */
static void fail_each(const char *path, const char *const *arguments, size_t count)
{
    struct new_image made;
    int error = exec_try(path, arguments, count, &made); /* what the files keep is made here */
    if (error)
        fail_msg("%s: error %d: %s", path, error, console_text());
    exec_drop(&made);
    remember();
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

static const struct elf_image dynamic = {
    .type = ELFPARSE_ET_DYN,
    .machine = 62,
    .phentsize = 56,
    .entry = 0x1080,
    .phoff = 64,
    .size = 0x3000,
    .interp = "/ld.so",
    .segment = {{ELFPARSE_PT_INTERP, R, 0x300, 0x300, 7, 7, 1},
                {ELFPARSE_PT_LOAD, R, 0, 0, 0x400, 0x400, 0x1000},
                {ELFPARSE_PT_LOAD, RX, 0x1000, 0x1000, 0x800, 0x800, 0x1000},
                {ELFPARSE_PT_LOAD, RW, 0x2e00, 0x3e00, 0x200, 0x210, 0x1000}},
};

static void write_script(const char *path, const char *text)
{
    files_write(path, 0755, text, strlen(text));
}

static void r13_failure_half_way_gives_everything_back(void **state)
{
    (void)state;
    static const char *const arguments[] = {"one", "two"};
    static char large[70000];
    const char *const long_argument = large;
    memset(large, 'x', sizeof(large) - 1);
    write_image("/ld.so", &pie);
    write_image("/plain", &elf_plain);
    write_image("/dynamic", &dynamic);
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
    assert_int_equal(aspace_populate(made.as, USER_MIN, USER_END - USER_MIN), 0);
    exec_drop(&made);
    remember();
    assert_int_equal(exec_try("/program", NULL, 0, &made), 0);
    for (unsigned i = 0; i < 100; i++) { /* as exec_commit() does: the new one first */
        assert_int_equal(exec_try("/program", NULL, 0, &next), 0);
        assert_int_equal(aspace_populate(next.as, USER_MIN, USER_END - USER_MIN), 0);
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
    CASE("unreadable", image.segment[1].flags = ELFPARSE_PF_W);
    CASE("executable stack", image.segment[2] = ((struct elf_segment){ELFPARSE_PT_GNU_STACK, RX | RW, 0, 0, 0, 0, 16}));
    struct elf_image image = elf_plain;
    image.segment[1].memsz = 2ull << 30;
    assert_refused("too large", &image, -ENOMEM);
    for (size_t size = 0; size < 64 + 2 * 56; size++) {
        struct new_image made;
        elf_write(&elf_plain, file);
        files_write("/short", 0755, file, size);
        remember();
        assert_int_equal(exec_try("/short", NULL, 0, &made), -ENOEXEC);
        assert_unchanged("short");
    }
}

static void every_bit_of_the_headers_is_judged_or_harmless(void **state)
{
    (void)state;
    size_t size = elf_write(&elf_plain, file);
    for (unsigned bit = 0; bit < (64 + 2 * 56) * 8; bit++) {
        struct new_image made;
        file[bit / 8] ^= (uint8_t)(1u << bit % 8);
        files_write("/program", 0755, file, size);
        remember();
        int error = exec_try("/program", NULL, 0, &made);
        if (!error) {
            exec_check(file, size, &made);
            exec_drop(&made);
        } else {
            assert_true(error == -ENOEXEC || error == -ENOMEM || error == -ENOENT);
            assert_unchanged("flipped bit");
        }
        file[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

static void who_writes_and_who_runs_exclude_each_other(void **state)
{
    (void)state;
    struct new_image made;
    write_image("/program", &elf_plain);
    struct vfs_file writer = files_open("/program", VFS_O_RDWR);
    remember();
    assert_int_equal(exec_try("/program", NULL, 0, &made), -ETXTBSY);
    assert_unchanged("open for writing");
    vfs_close(&writer);
    files_write("/data", 0644, file, 100);
    assert_int_equal(exec_try("/data", NULL, 0, &made), -EACCES);
    assert_int_equal(exec_try("/absent", NULL, 0, &made), -ENOENT);
    assert_int_equal(exec_try("/", NULL, 0, &made), -EACCES);
}

static void interpreters_are_mapped_beside_the_program(void **state)
{
    (void)state;
    struct new_image made;
    write_image("/dynamic", &dynamic);
    assert_int_equal(exec_try("/dynamic", NULL, 0, &made), -ENOENT);
    files_write("/ld.so", 0755, "no ELF", 6);
    assert_int_equal(exec_try("/dynamic", NULL, 0, &made), -ELIBBAD);
    write_image("/ld.so", &elf_plain); /* has an address of its own */
    assert_int_equal(exec_try("/dynamic", NULL, 0, &made), -ELIBBAD);
    write_image("/ld.so", &dynamic); /* wants one itself */
    assert_int_equal(exec_try("/dynamic", NULL, 0, &made), -ELIBBAD);
    write_image("/ld.so", &pie);
    assert_int_equal(exec_try("/dynamic", NULL, 0, &made), 0);
    const struct loaded_process *loaded = &made.image->loaded;
    assert_int_equal(loaded->start_point, loaded->interpreter_base + pie.entry);
    assert_int_equal(loaded->entry_point, loaded->load_bias + dynamic.entry);
    assert_int_equal(aspace_fault(made.as, loaded->start_point, ACCESS_EXEC), 0);
    assert_int_equal(aspace_fault(made.as, loaded->entry_point, ACCESS_EXEC), 0);
    assert_int_equal(aspace_fault(made.as, loaded->start_point, ACCESS_WRITE), -EACCES);
    assert_false(files_writable("/ld.so"));
    exec_drop(&made);
    assert_true(files_writable("/ld.so"));
}

/* The strings that the new program finds. */
static void assert_arguments(const struct new_image *made, const char *const *wanted, size_t count)
{
    uint64_t argc, pointer;
    virt_t at = made->image->loaded.stack_pointer;
    char text[8192];
    assert_int_equal(aspace_read(made->as, at, &argc, 8), 0);
    assert_int_equal(argc, count);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(aspace_read(made->as, at + 8 + 8 * i, &pointer, 8), 0);
        assert_int_equal(aspace_read(made->as, pointer, text, strlen(wanted[i]) + 1), 0);
        assert_string_equal(text, wanted[i]);
    }
    assert_int_equal(aspace_read(made->as, at + 8 + 8 * count, &pointer, 8), 0);
    assert_int_equal(pointer, 0);
    assert_int_equal(aspace_read(made->as, at + 16 + 8 * count, &pointer, 8), 0);
    assert_int_equal(aspace_read(made->as, pointer, text, 7), 0);
    assert_string_equal(text, "HOME=/");
}

static void scripts_lead_to_their_interpreters(void **state)
{
    (void)state;
    static const char *const arguments[] = {"x", "y z"};
    struct new_image made;
    write_image("/program", &elf_plain);
    static const struct {
        const char *text;
        const char *wanted[6];
        int error;
    } cases[] = {
        {"#!/program\n", {"/program", "/script", "x", "y z"}, 0},
        {"#! \t/program  \n", {"/program", "/script", "x", "y z"}, 0},
        {"#!/program", {"/program", "/script", "x", "y z"}, 0},
        {"#!/program -a  b \nrest", {"/program", "-a  b", "/script", "x", "y z"}, 0},
        {"#!\n", {NULL}, -ENOEXEC},
        {"#!   ", {NULL}, -ENOEXEC},
        {"#!/absent\n", {NULL}, -ENOENT},
        {"#!/\n", {NULL}, -EACCES},
        {"#", {NULL}, -ENOEXEC},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        size_t count = 0;
        write_script("/script", cases[i].text);
        int error = exec_try("/script", arguments, 2, &made);
        if (error != cases[i].error)
            fail_msg("%s: error %d", cases[i].text, error);
        if (error)
            continue;
        while (cases[i].wanted[count])
            count++;
        assert_arguments(&made, cases[i].wanted, count);
        exec_drop(&made);
    }
}

static void limits_of_scripts(void **state)
{
    (void)state;
    struct new_image made;
    char line[300];
    write_image("/program", &elf_plain);
    for (size_t length = 253; length <= 256; length++) { /* of the line with its line feed */
        memset(line, ' ', sizeof(line));
        memcpy(line, "#!/program", 10);
        line[length - 2] = 'x';
        line[length - 1] = '\n';
        line[length] = '\0';
        write_script("/script", line);
        int error = exec_try("/script", NULL, 0, &made);
        assert_int_equal(error, length <= 255 ? 0 : -ENOEXEC);
        if (!error)
            exec_drop(&made);
    }
    write_script("/s0", "#!/program\n");
    for (unsigned depth = 1; depth <= SHEBANG_MAX; depth++) {
        char path[8], text[16];
        snprintf(path, sizeof(path), "/s%u", depth);
        snprintf(text, sizeof(text), "#!/s%u\n", depth - 1);
        write_script(path, text);
        int error = exec_try(path, NULL, 0, &made);
        assert_int_equal(error, depth < SHEBANG_MAX ? 0 : -ELOOP);
        if (!error)
            exec_drop(&made);
    }
}

static void a_script_with_a_long_path_keeps_it(void **state)
{
    (void)state;
    struct new_image made;
    char path[700] = "";
    write_image("/program", &elf_plain);
    for (unsigned i = 0; i < 3; i++) {
        size_t at = strlen(path);
        path[at] = '/';
        memset(path + at + 1, 'a' + (int)i, 200);
        path[at + 201] = '\0';
        assert_int_equal(vfs_mkdir(files_task(), NULL, path, 0755), 0);
    }
    strcat(path, "/script");
    write_script(path, "#!/program\n");
    const char *const wanted[] = {"/program", path};
    assert_int_equal(exec_try(path, NULL, 0, &made), 0);
    assert_arguments(&made, wanted, 2);
    exec_drop(&made);
}

static void limits_of_arguments(void **state)
{
    (void)state;
    struct exec_args *args = exec_args_create();
    char *text = malloc(ARG_STRING_MAX + 1);
    memset(text, 'x', ARG_STRING_MAX + 1);
    for (size_t length = ARG_STRING_MAX - 2; length <= ARG_STRING_MAX; length++) { /* without NUL */
        text[length] = '\0';
        assert_int_equal(exec_args_add(args, text), length < ARG_STRING_MAX ? 0 : -E2BIG);
        text[length] = 'x';
    }
    text[ARG_STRING_MAX - 1] = '\0';
    int error = 0;
    while (!error) {
        error = exec_args_add(args, text);
        args->argc++;
    }
    assert_int_equal(error, -E2BIG);
    assert_true(args->used <= ARG_TOTAL_MAX);
    assert_true(args->used > ARG_TOTAL_MAX - ARG_STRING_MAX);
    free(text);
    exec_args_free(args);
    assert_int_equal(frame_count(FRAME_ANON), 0);
}

static void arguments_come_from_user_memory(void **state)
{
    (void)state;
    struct aspace *as;
    size_t count;
    assert_int_equal(aspace_create(&as), 0);
    const struct aspace_mapping area = {0x10000, 64 * PAGE_SIZE, PROT_READ | PROT_WRITE, 0, NULL, 0};
    assert_int_equal(aspace_map(as, &area, false), 0);
    cpu_switch(as);
    const uint64_t pointers[] = {0x12ffd, 0x11000, 0};
    assert_int_equal(copy_to_user(0x10000, pointers, sizeof(pointers)), 0);
    assert_int_equal(copy_to_user(0x12ffd, "across", 7), 0);
    struct exec_args *args = exec_args_create();
    assert_int_equal(exec_args_add_user(args, 0x10000, &count), 0);
    assert_int_equal(count, 2);
    assert_int_equal(args->used, 8);
    assert_int_equal(exec_args_byte(args, 5), 's');
    assert_int_equal(exec_args_add_user(args, 0, &count), 0);
    assert_int_equal(count, 0);
    static const uint64_t bad[] = {0x8000, USER_END - 4, KERNEL_BASE, UINT64_MAX - 7};
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(exec_args_add_user(args, bad[i], &count), -EFAULT);
        assert_int_equal(copy_to_user(0x10000, &bad[i], 8), 0);
        assert_int_equal(exec_args_add_user(args, 0x10000, &count), -EFAULT);
    }
    static const char most[33 * PAGE_SIZE] = {1}; /* a string without an end */
    char *filled = malloc(sizeof(most));
    memset(filled, 'x', sizeof(most));
    assert_int_equal(copy_to_user(0x11000, filled, sizeof(most)), 0);
    assert_int_equal(copy_to_user(0x10000, &pointers[1], 16), 0);
    assert_int_equal(exec_args_add_user(args, 0x10000, &count), -E2BIG);
    free(filled);
    exec_args_free(args);
    cpu_switch(NULL);
    aspace_put(as);
}

static void places_are_random_unless_told_otherwise(void **state)
{
    (void)state;
    struct new_image a, b;
    write_image("/program", &pie);
    for (unsigned fixed = 0; fixed < 2; fixed++) {
        cmdline_init(fixed ? "noaslr" : "");
        random_seed(7);
        assert_int_equal(exec_try("/program", NULL, 0, &a), 0);
        assert_int_equal(exec_try("/program", NULL, 0, &b), 0);
        assert_int_equal(a.image->loaded.load_bias == b.image->loaded.load_bias, fixed);
        assert_int_equal(a.image->loaded.stack_top == b.image->loaded.stack_top, fixed);
        assert_int_equal(a.as->mmap_top == b.as->mmap_top, fixed);
        assert_int_equal(a.as->brk == b.as->brk, fixed);
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
    assert_int_equal(aspace_fault(a.as, 0x400000, ACCESS_EXEC), 0);
    assert_int_equal(aspace_fault(b.as, 0x400000, ACCESS_EXEC), 0);
    phys_t root_a = frame_phys(a.as->pt.root), root_b = frame_phys(b.as->pt.root);
    assert_int_equal(walk_at(root_a, 0x400000).frame, walk_at(root_b, 0x400000).frame);
    assert_int_not_equal(walk_at(root_a, 0x402000).frame, walk_at(root_b, 0x402000).frame);
    exec_drop(&a);
    exec_drop(&b);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

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
        TEST(interpreters_are_mapped_beside_the_program),
        TEST(scripts_lead_to_their_interpreters),
        TEST(limits_of_scripts),
        TEST(a_script_with_a_long_path_keeps_it),
        TEST(limits_of_arguments),
        TEST(arguments_come_from_user_memory),
        TEST(places_are_random_unless_told_otherwise),
        TEST(two_programs_share_the_file_s_frames),
    };
    return cmocka_run_group_tests_name("exec", tests, NULL, NULL);
}
