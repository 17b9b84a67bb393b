/* Interpreters, scripts and arguments of new programs. */
#include "test.h"

#include <elfparse/base.h>
#include <umvfs/tree.h>

#include "lib/cmdline.h"
#include "host/cpu.h"
#include "host/files.h"
#include "host/ram.h"
#include "lib/errno.h"
#include "mm/usercopy.h"
#include "tests/elf_image.h"

static void interpreters_are_mapped_beside_the_program(void **state)
{
    (void)state;
    struct new_image made;
    write_image("/dynamic", &elf_dynamic);
    assert_int_equal(exec_try("/dynamic", NULL, 0, &made), -ENOENT);
    files_write("/ld.so", 0755, "no ELF", 6);
    assert_int_equal(exec_try("/dynamic", NULL, 0, &made), -ELIBBAD);
    write_image("/ld.so", &elf_pie);
    assert_int_equal(exec_try("/dynamic", NULL, 0, &made), 0);
    const struct loaded_process *loaded = &made.image->loaded;
    assert_int_equal(virt_distance(loaded->interpreter_base, loaded->start_point), elf_pie.entry);
    assert_int_equal(virt_distance(loaded->load_bias, loaded->entry_point), elf_dynamic.entry);
    assert_int_equal(aspace_fault(made.as, loaded->start_point, ACCESS_EXEC), 0);
    assert_int_equal(aspace_fault(made.as, loaded->entry_point, ACCESS_EXEC), 0);
    assert_int_equal(aspace_fault(made.as, loaded->start_point, ACCESS_WRITE), -EACCES);
    assert_false(files_writable("/ld.so"));
    exec_drop(&made);
    assert_true(files_writable("/ld.so"));
}

/* As Linux: what the interpreter's own PT_INTERP says is nobody's business. */
static void an_interpreter_of_the_interpreter_is_ignored(void **state)
{
    (void)state;
    struct new_image made;
    struct elf_image other = elf_dynamic;
    other.interp = "absent";
    write_image("/dynamic", &elf_dynamic);
    write_image("/ld.so", &other);
    assert_int_equal(exec_try("/dynamic", NULL, 0, &made), 0);
    assert_int_equal(made.image->loaded.start_point.value,
                     made.image->loaded.interpreter_base.value + elf_dynamic.entry);
    exec_drop(&made);
}

/* Linked above the place where it goes: the load bias is negative. */
static void an_interpreter_moves_down(void **state)
{
    (void)state;
    struct new_image made;
    struct elf_image high = elf_pie;
    high.entry += 0x7fffff000000;
    for (unsigned i = 0; i < 3; i++)
        high.segment[i].vaddr += 0x7fffff000000;
    write_image("/dynamic", &elf_dynamic);
    write_image("/ld.so", &high);
    assert_int_equal(exec_try("/dynamic", NULL, 0, &made), 0);
    virt_t start = made.image->loaded.start_point;
    assert_true(start.value < made.as->mmap_top.value);
    assert_int_equal(aspace_fault(made.as, start, ACCESS_EXEC), 0);
    exec_drop(&made);
}

/* The first page of elf_plain at that address as /ld.so, and read-only zeros behind it. */
static void write_fixed_interpreter(virt_t at, uint64_t size)
{
    struct elf_image fixed = elf_plain;
    fixed.entry = at.value + (elf_plain.entry - elf_plain.segment[0].vaddr);
    fixed.segment[0].vaddr = at.value;
    fixed.segment[1] = (struct elf_segment){
        ELFPARSE_PT_LOAD, ELFPARSE_PF_R, 0, at.value + PAGE_SIZE, 0, size - PAGE_SIZE, 0};
    fixed.segment[0].filesz = fixed.segment[0].memsz = PAGE_SIZE;
    write_image("/ld.so", &fixed);
}

/* klibc's is one. */
static void an_interpreter_may_have_an_address_of_its_own(void **state)
{
    (void)state;
    struct new_image made;
    struct elf_image program = elf_plain;
    program.interp = "/ld.so";
    program.segment[2] = program.segment[1];
    program.segment[1] = program.segment[0];
    program.segment[0] =
        (struct elf_segment){ELFPARSE_PT_INTERP, ELFPARSE_PF_R, 0x300, 0x400300, 7, 7, 1};
    write_image("/fixed", &program);
    write_fixed_interpreter(virt(0x200000), 0x3000);
    assert_int_equal(exec_try("/fixed", NULL, 0, &made), 0);
    assert_int_equal(made.image->loaded.interpreter_base.value, 0);
    assert_int_equal(aspace_fault(made.as, made.image->loaded.start_point, ACCESS_EXEC), 0);
    assert_int_equal(aspace_fault(made.as, made.image->loaded.entry_point, ACCESS_EXEC), 0);
    virt_t end = made.image->loaded.data_end;
    exec_drop(&made);
    exec_remember();
    console_forget();
    write_fixed_interpreter(virt_sub(end, PAGE_SIZE), 0x3000); /* on the program's last page */
    assert_int_equal(exec_try("/fixed", NULL, 0, &made), -ENOEXEC);
    assert_non_null(strstr(console_text(), "overlap"));
    cmdline_init("noaslr");
    write_fixed_interpreter(virt(STACK_TOP - 0x4000), 0x3000); /* where the stack goes */
    assert_int_equal(exec_try("/fixed", NULL, 0, &made), -ENOEXEC);
    cmdline_init("");
    write_fixed_interpreter(end, 0x4000000); /* where the break would begin at random */
    assert_int_equal(exec_try("/fixed", NULL, 0, &made), 0);
    assert_int_equal(made.as->brk_start.value, end.value);
    exec_drop(&made);
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
        assert_int_equal(aspace_read(made->as, virt_add(at, 8 + 8 * i), &pointer, 8), 0);
        assert_int_equal(aspace_read(made->as, virt(pointer), text, strlen(wanted[i]) + 1), 0);
        assert_string_equal(text, wanted[i]);
    }
    assert_int_equal(aspace_read(made->as, virt_add(at, 8 + 8 * count), &pointer, 8), 0);
    assert_int_equal(pointer, 0);
    assert_int_equal(aspace_read(made->as, virt_add(at, 16 + 8 * count), &pointer, 8), 0);
    assert_int_equal(aspace_read(made->as, virt(pointer), text, 7), 0);
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
        {"#!   ", {NULL}, -EACCES}, /* as on Linux: the empty name is the directory */
        {"#!", {NULL}, -EACCES},
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
        assert_int_equal(exec_try("/script", NULL, 0, &made), 0); /* an argument may be cut */
        exec_drop(&made);
        memset(line + 2, '/', length - 3); /* a path may not */
        write_script("/script", line);
        assert_int_equal(exec_try("/script", NULL, 0, &made), length <= 255 ? -EACCES : -ENOEXEC);
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
        assert_int_equal(umvfs_mkdir(files_task(), NULL, path, 0755), 0);
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
    const struct aspace_mapping area = {
        virt(0x10000), 64 * PAGE_SIZE, PROT_READ | PROT_WRITE, 0, NULL, 0};
    assert_int_equal(aspace_map(as, &area, false), 0);
    cpu_switch(as);
    const uint64_t pointers[] = {0x12ffd, 0x11000, 0};
    assert_int_equal(copy_to_user(user_ptr(0x10000), pointers, sizeof(pointers)), 0);
    assert_int_equal(copy_to_user(user_ptr(0x12ffd), "across", 7), 0);
    struct exec_args *args = exec_args_create();
    assert_int_equal(exec_args_add_user(args, 0x10000, &count), 0);
    assert_int_equal(count, 2);
    assert_int_equal(args->used, 8);
    assert_int_equal(exec_args_next(args, 0), 7);
    assert_int_equal(exec_args_next(args, 7), 8);
    assert_int_equal(exec_args_add_user(args, 0, &count), 0);
    assert_int_equal(count, 0);
    static const uint64_t bad[] = {0x8000, USER_END - 4, KERNEL_BASE, UINT64_MAX - 7};
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(exec_args_add_user(args, bad[i], &count), -EFAULT);
        assert_int_equal(copy_to_user(user_ptr(0x10000), &bad[i], 8), 0);
        assert_int_equal(exec_args_add_user(args, 0x10000, &count), -EFAULT);
    }
    static const char most[33 * PAGE_SIZE] = {1}; /* a string without an end */
    char *filled = malloc(sizeof(most));
    memset(filled, 'x', sizeof(most));
    assert_int_equal(copy_to_user(user_ptr(0x11000), filled, sizeof(most)), 0);
    assert_int_equal(copy_to_user(user_ptr(0x10000), &pointers[1], 16), 0);
    assert_int_equal(exec_args_add_user(args, 0x10000, &count), -E2BIG);
    free(filled);
    exec_args_free(args);
    cpu_switch(NULL);
    aspace_put(as);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, exec_setup, exec_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(interpreters_are_mapped_beside_the_program),
        TEST(an_interpreter_of_the_interpreter_is_ignored),
        TEST(an_interpreter_moves_down),
        TEST(an_interpreter_may_have_an_address_of_its_own),
        TEST(scripts_lead_to_their_interpreters),
        TEST(limits_of_scripts),
        TEST(a_script_with_a_long_path_keeps_it),
        TEST(limits_of_arguments),
        TEST(arguments_come_from_user_memory),
    };
    return cmocka_run_group_tests_name("exec-args", tests, NULL, NULL);
}
