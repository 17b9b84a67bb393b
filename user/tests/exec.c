/*
 * Programs that execve takes and refuses: any file, unusual and malformed ELF files.
 */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * Calls of execve that fail: the error is right, and the caller is unchanged afterwards: its
 * memory, registers, files, break and children.
 */

#define ERROR_OF(call) ((call) == -1 ? errno : 0)
#define HEAP_SIZE      20000
#define MAX_WORD       131072 /* bytes of one word with its NUL: Linux's MAX_ARG_STRLEN */

static unsigned char data[4096] = {1};
static unsigned char bss[16384];

static uint64_t sum(const void *bytes, size_t size)
{
    uint64_t sum = 14695981039346656037u;

    for (size_t i = 0; i < size; i++) {
        sum = (sum ^ ((const unsigned char *)bytes)[i]) * 1099511628211u;
    }
    return sum;
}

/* The state that a failed execve must not change. */
struct state {
    uint64_t data, bss, heap, text;
    uintptr_t brk;
    off_t offset;
    pid_t pid, parent;
};

static unsigned char *heap;
static int file;

static struct state observe(void)
{
    struct state state;

    memset(&state, 0, sizeof state);
    state.data = sum(data, sizeof data);
    state.bss = sum(bss, sizeof bss);
    state.heap = sum(heap, HEAP_SIZE);
    state.text = sum((const void *)(uintptr_t)observe, 256);
    state.brk = (uintptr_t)syscall(SYS_brk, 0);
    state.offset = lseek(file, 0, SEEK_CUR);
    state.pid = getpid();
    state.parent = getppid();
    return state;
}

static void test_failure(const char *path, int error, const char *name)
{
    char *argv[] = {"x", "y", NULL};
    struct state before = observe();
    int got = ERROR_OF(execve(path, argv, argv + 1));
    struct state after = observe();

    is(got, error, "execve of %s", name);
    is(memcmp(&before, &after, sizeof before), 0, "and the caller is unchanged");
}

static void test_paths(void)
{
    static char long_name[300] = "fixtures/";
    static char long_path[PATH_MAX + 8];

    test_failure(beside("fixtures/nothing"), ENOENT, "nothing");
    test_failure("", ENOENT, "an empty path");
    test_failure(beside("fixtures/dangling"), ENOENT, "a dangling link");
    test_failure(beside("fixtures/data.bin/x"), ENOTDIR, "a path through a file");
    test_failure(beside("child/"), ENOTDIR, "a program with a slash behind it");
    test_failure(beside("fixtures/loop-a"), ELOOP, "a link to itself");
    memset(long_name + 9, 'n', 256);
    test_failure(beside(long_name), ENAMETOOLONG, "a name of 256 bytes");
    memset(long_path, '/', PATH_MAX);
    test_failure(long_path, ENAMETOOLONG, "a path of 4096 bytes");
    test_failure(beside("fixtures/not-executable"), EACCES, "a file that is not executable");
    test_failure(beside("fixtures"), EACCES, "a directory");
    test_failure("/dev/null", EACCES, "a device");
}

static void test_formats(void)
{
    test_failure(beside("fixtures/bad/E1-empty"), ENOEXEC, "an empty file");
    test_failure(beside("fixtures/bad/E1-text"), ENOEXEC, "a text");
    test_failure(beside("fixtures/bad/E1-63-bytes"), ENOEXEC, "a truncated header");
    test_failure(beside("fixtures/bad/R3-table-cut"), ENOEXEC, "a truncated program header table");
    test_failure(beside("fixtures/bad/E2-real-s390x"), ENOEXEC, "a big-endian program");
    test_failure(beside("fixtures/bad/E6-aarch64"), ENOEXEC, "an ARM program");
    test_failure(beside("fixtures/bad/E5-object"), ENOEXEC, "an object file");
    if (!on_linux()) { /* Linux runs these files, or kills the process too late to refuse */
        test_failure(beside("fixtures/bad/E2-real-i386"), ENOEXEC, "a 32-bit program");
        test_failure(beside("fixtures/bad/R3-file-cut"), ENOEXEC, "a truncated segment");
        test_failure(beside("fixtures/bad/R9-text-writable"), ENOEXEC, "W and X");
        test_failure(beside("fixtures/bad/R10-kernel-image"), ENOEXEC, "a segment in the kernel");
        test_failure(beside("fixtures/bad/L11-64-terabytes"), ENOMEM, "a segment of 64 TB");
    }
}

/* The limits on the size of the arguments, from both sides. */
static void test_sizes(void)
{
    static char word[MAX_WORD + 1];
    static char *many[200001];
    const char *program = beside("child");
    char *words[] = {word, NULL};
    struct state before = observe();

    memset(word, 'w', MAX_WORD);
    is(ERROR_OF(execve(program, words, words + 1)), E2BIG, "a word of 131072 bytes is E2BIG");
    is(ERROR_OF(execve(program, words + 1, words)), E2BIG, "in the environment too");
    for (size_t i = 0; i < 200000; i++) {
        many[i] = word + MAX_WORD - 100; /* 101 bytes with the NUL: 20 MB */
    }
    is(ERROR_OF(execve(program, many, words + 1)), E2BIG, "200000 words are E2BIG");
    is(ERROR_OF(execve(program, words + 1, many)), E2BIG, "in the environment too");
    struct state after = observe();
    is(memcmp(&before, &after, sizeof before), 0, "and the caller is unchanged");
}

/* A failed execve in a vfork child must not harm the parent, whose memory it runs in. */
static void test_in_vfork_child(void)
{
    volatile int error = 0;
    char *argv[] = {"x", NULL};
    struct state before = observe();
    pid_t pid = vfork();

    if (pid == 0) {
        execve(beside("fixtures/bad/E6-arm"), argv, argv + 1);
        error = errno;
        _exit(9);
    }
    struct state after = observe();
    is(error, ENOEXEC, "a failed execve in a vfork child");
    is(wait_for(pid), EXITED(9), "lets the child go on");
    is(memcmp(&before, &after, sizeof before), 0, "and leaves the parent unchanged");
}

/* Every failure releases the memory that it took. */
static void test_memory(void)
{
    char *argv[] = {"x", NULL};
    int errors = 0;

    long before = free_memory();
    for (int i = 0; i < 300; i++) {
        errors += execve(beside("fixtures/bad/E6-arm"), argv, argv + 1) == -1;
        errors += execve(beside("fixtures/bad/R3-table-cut"), argv, argv + 1) == -1;
        errors += execve(beside("fixtures/nothing"), argv, argv + 1) == -1;
    }
    long taken = before - free_memory();
    is(errors, 900, "900 failed calls of execve");
    if (on_linux()) {
        skip("others use the memory of this machine", "leave the free memory as it was");
    } else {
        is(taken, 0, "leave the free memory as it was");
    }
}

static void test_exec(void)
{
    heap = malloc(HEAP_SIZE);
    memset(heap, 0x77, HEAP_SIZE);
    memset(bss, 0x55, sizeof bss);
    file = open(beside("fixtures/data.bin"), O_RDONLY | O_CLOEXEC);
    lseek(file, 1234, SEEK_SET);
    test_paths();
    test_formats();
    test_sizes();
    test_in_vfork_child();
    test_memory();
    is(ERROR_OF(waitpid(-1, NULL, 0)), ECHILD, "no child is left over");
    pid_t pid = start("fixtures/link-to-program", NULL, NULL, NULL);
    is(wait_for(pid), EXITED(0), "execve through a link works");
}

/*
 * Runs execve with every file of fixtures/elf.tsv. The odd ones run and find their memory as the
 * file describes it; the malformed ones are refused with the right error, and the caller goes on.
 */

#define MAX_TABLE  16384
#define DIRTY_SIZE (512 * 1024)

static const struct {
    const char *name;
    int number;
} errors[] = {{"ENOEXEC", ENOEXEC}, {"ENOMEM", ENOMEM}, {"EACCES", EACCES}, {"ENOENT", ENOENT}};

static int error_number(const char *name)
{
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
        if (strcmp(errors[i].name, name) == 0) {
            return errors[i].number;
        }
    }
    return 0;
}

/*
 * Frees frames that are full of nonzero bytes, so that a page of the next program which should be
 * zero is not zero by chance.
 */
static void leave_dirty_frames(void)
{
    void *area = mmap(NULL, DIRTY_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (area != MAP_FAILED) {
        memset(area, 0xee, DIRTY_SIZE);
        munmap(area, DIRTY_SIZE);
    }
}

static int answer(const char *path, int *status)
{
    char *argv[] = {(char *)(size_t)path, NULL};
    pid_t pid = 0;

    leave_dirty_frames();
    int error = spawn(&pid, path, argv, argv + 1);
    *status = error == 0 ? wait_for(pid) : NOT_RUN;
    return error;
}

static void test_file(const char *name, const char *expected)
{
    int status = NOT_RUN;
    int error = answer(beside(name), &status);

    if (strcmp(expected, "exit 0") == 0) {
        ok(error == 0 && status == EXITED(0), "%s runs", name);
        if (error != 0 || status != EXITED(0)) {
            diag("got errno %d (%s), %s", error, strerror(error), status_text(status));
        }
    } else if (on_linux() && error != error_number(expected)) {
        skip("Linux is less strict", "%s is refused with %s", name, expected);
    } else {
        is(error, error_number(expected), "%s is refused with %s", name, expected);
    }
}

static bool test_table(char *text)
{
    unsigned files = 0;

    for (char *line = text, *next; line != NULL; line = next) {
        next = strchr(line, '\n');
        if (next != NULL) {
            *next++ = '\0';
        }
        char *tab = strchr(line, '\t');
        if (tab == NULL || line[0] == '#') {
            continue;
        }
        *tab = '\0';
        test_file(line, tab + 1);
        files++;
    }
    return files > 60;
}

static void test_elf(void)
{
    static char text[MAX_TABLE + 1];
    ssize_t size = 0;

    int fd = open(beside("fixtures/elf.tsv"), O_RDONLY);
    ssize_t got = 0;
    while (size < MAX_TABLE && (got = read(fd, text + size, (size_t)(MAX_TABLE - size))) > 0) {
        size += got;
    }
    close(fd);
    ok(got == 0 && size > 0, "fixtures/elf.tsv is read");
    ok(test_table(text), "all its files were tried");
}

int main(int argc, char **argv)
{
    tap_begin(argc, argv);
    test_exec();
    test_elf();
    return tap_end();
}
