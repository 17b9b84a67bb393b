/* Built once for each fault of lib/planted.h about memory, and once without. The model, the page
 * walk or the checks of exec must find exactly the planted fault, with the words given on the
 * command line. */
#include <stdio.h>
#include <string.h>

#include "lib/cmdline.h"
#include "host/cpu.h"
#include "host/fail.h"
#include "host/files.h"
#include "host/ram.h"
#include "tests/elf_image.h"
#include "tests/model.h"

static void random_operations(void *ctx)
{
    static uint8_t data[SCRIPT_OPS_MAX * 4];
    uint64_t state = 11;
    (void)ctx;
    ram_start(RAM_LINEAR, 4096);
    files_start(0);
    for (unsigned n = 0; n < 300; n++) {
        for (size_t i = 0; i < sizeof(data); i++) {
            state = state * 6364136223846793005ull + 1442695040888963407ull;
            data[i] = (uint8_t)(state >> 40) & (i % 4 ? 0xff : 0x0f);
        }
        script_run(data, sizeof(data));
    }
    files_stop();
}

/* A text of 31 pages, so that populating it takes several blocks. */
static void programs(void *ctx)
{
    static uint8_t file[ELF_SIZE_MAX];
    static const char *const arguments[] = {"one", "two"};
    struct elf_image image = elf_plain;
    struct new_image made;
    (void)ctx;
    ram_start(RAM_LINEAR, 4096);
    files_start(0);
    cmdline_init("noaslr stack_pages=2");
    struct ram_counts before = ram_counts();
    image.size = ELF_SIZE_MAX;
    image.segment[0].filesz = image.segment[0].memsz = 0x1f000;
    image.segment[1].offset = 0x1f100;
    image.segment[1].vaddr = 0x430100;
    size_t size = elf_write(&image, file);
    files_write("/program", 0755, file, size);
    int error = exec_try("/program", arguments, 2, &made);
    if (error)
        host_fail("exec: %d: %s", error, console_text());
    const struct loaded_process *loaded = &made.image->loaded;
    if (virt_distance(loaded->stack_bottom, loaded->stack_top) != 2 * PAGE_SIZE)
        host_fail("the stack has %#lx bytes, two pages were asked for",
                  virt_distance(loaded->stack_bottom, loaded->stack_top));
    exec_drop(&made);
    cmdline_init("");
    if (exec_try("/program", arguments, 2, &made) != 0)
        host_fail("exec: the second time");
    exec_check(file, size, &made);
    exec_drop(&made);
    struct ram_counts after = ram_counts();
    if (after.of[FRAME_TABLE] != before.of[FRAME_TABLE])
        host_fail("frames of tables are left");
    files_stop();
}

int main(int argc, char **argv)
{
    bool noticed = false;
    void (*const runs[])(void *) = {programs, random_operations};
    for (unsigned i = 0; i < 2; i++) {
        const char *finding = fail_of(runs[i], NULL);
        cpu_switch(NULL);
        if (!finding)
            continue;
        printf("# %s\n", finding);
        noticed = noticed || (argc > 1 && strstr(finding, argv[1]));
        if (argc == 1)
            return 1; /* nothing was planted */
    }
    return noticed == (argc > 1) ? 0 : 1;
}
