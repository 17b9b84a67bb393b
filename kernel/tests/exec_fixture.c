
#include "tests/test.h"

#include <elfparse/base.h>
#include <umvfs/tree.h>

#include "lib/cmdline.h"
#include "host/cpu.h"
#include "host/files.h"
#include "host/ram.h"
#include "tests/elf_image.h"

#define R  ELFPARSE_PF_R
#define RX (ELFPARSE_PF_R | ELFPARSE_PF_X)
#define RW (ELFPARSE_PF_R | ELFPARSE_PF_W)

uint8_t exec_file[ELF_SIZE_MAX];
static struct ram_counts counts_before;
static size_t objects_before;

/* A file is reported once, by its inode's number, so each test continues with unused numbers. */
static unsigned inodes_used;

int exec_setup(void **state)
{
    (void)state;
    ram_start(RAM_SPARSE, 8192);
    cmdline_init("");
    files_start(0);
    for (unsigned i = 0; i < inodes_used; i++) {
        files_write("/used", 0644, NULL, 0);
        umvfs_unlink(files_task(), NULL, "/used");
    }
    console_forget();
    return 0;
}

int exec_teardown(void **state)
{
    (void)state;
    cpu_switch(NULL);
    files_stop();
    frame_check();
    return frame_count(FRAME_ANON) + frame_count(FRAME_FILE) > 0;
}

/* Counts that must be the same after a program was refused or has ended. */
void exec_remember(void)
{
    counts_before = ram_counts();
    objects_before = alloc_objects();
}

void assert_unchanged(const char *name)
{
    struct ram_counts now = ram_counts();
    char text[128];
    if (*ram_difference(&counts_before, &now, text, sizeof(text)))
        fail_msg("%s: %s", name, text);
    if (alloc_objects() != objects_before)
        fail_msg("%s: %zu objects before, %zu after", name, objects_before, alloc_objects());
}

void write_image(const char *path, const struct elf_image *image)
{
    size_t size = elf_write(image, exec_file);
    files_write(path, 0755, exec_file, size);
}

/* Loads twice, checks, and compares the counts after the second time with those after the first:
 * the remaining objects belong to the file (its pages, the list of its mappings). */
void assert_loads(const char *name, const struct elf_image *image)
{
    struct new_image made;
    size_t size = elf_write(image, exec_file);
    files_write("/program", 0755, exec_file, size);
    for (unsigned round = 0; round < 2; round++) {
        int error = exec_try("/program", NULL, 0, &made);
        if (error)
            fail_msg("%s: error %d: %s", name, error, console_text());
        assert_false(files_writable("/program"));
        exec_check(exec_file, size, &made);
        exec_drop(&made);
        assert_true(files_writable("/program"));
        if (round > 0)
            assert_unchanged(name);
        exec_remember();
    }
}

/* Expects that error; nothing has changed, and the file can be written again. */
void assert_refused(const char *name, const struct elf_image *image, int wanted)
{
    struct new_image made;
    umvfs_unlink(files_task(), NULL, "/program"); /* a new inode: its message is printed again */
    write_image("/program", image);
    inodes_used += 2;
    console_forget();
    exec_remember();
    int error = exec_try("/program", NULL, 0, &made);
    if (error != wanted)
        fail_msg("%s: error %d instead of %d: %s", name, error, wanted, console_text());
    if (!strstr(console_text(), "/program"))
        fail_msg("%s: no message", name);
    assert_unchanged(name);
    assert_true(files_writable("/program"));
}

const struct elf_image elf_pie = {
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

const struct elf_image elf_dynamic = {
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

void write_script(const char *path, const char *text)
{
    files_write(path, 0755, text, strlen(text));
}
