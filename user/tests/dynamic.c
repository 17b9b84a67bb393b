/*
 * Dynamically linked programs: the kernel maps the program and the interpreter that PT_INTERP
 * names, and passes the program's address to the interpreter. `dynamic-musl` and `dynamic-glibc`
 * are this file, linked dynamically and started as `... self`.
 */
#include "test.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#define TEXT_FILE "/tmp/umbra-interpreter" /* the name stands in fixtures/interpreter/text */

static int initialised_by_constructor;
static _Thread_local int thread_word = 7;

static void __attribute__((constructor)) constructor(void)
{
    initialised_by_constructor = 5;
}

/* Checks a dynamic program from inside. Returns the number of the first failed check, or 0. */
static int check_self(void)
{
    const Elf64_Ehdr *interpreter = (const Elf64_Ehdr *)getauxval(AT_BASE);
    char text[32];

    if (interpreter == NULL || memcmp(interpreter->e_ident, ELFMAG, SELFMAG) != 0) {
        return 1;
    }
    if (interpreter->e_type != ET_DYN || ((uintptr_t)interpreter & 4095) != 0) {
        return 2;
    }
    if (initialised_by_constructor != 5 || thread_word != 7) {
        return 3;
    }
    snprintf(text, sizeof text, "%d %s", 12, "words"); /* through the library */
    if (strcmp(text, "12 words") != 0) {
        return 4;
    }
    char *heap = malloc(100000);
    if (heap == NULL) {
        return 5;
    }
    memset(heap, 1, 100000);
    free(heap);
    return (uintptr_t)check_self - getauxval(AT_ENTRY) + 0x100000 < 0x200000 ? 0 : 6;
}

static void test_program(const char *name)
{
    char *argv[] = {"x", "self", NULL};
    pid_t pid = 0;

    if (access(beside(name), X_OK) != 0) {
        skip("it was not built", "%s", name);
        return;
    }
    is(spawn(&pid, beside(name), argv, argv + 2), 0, "%s starts", name);
    is(wait_for(pid), EXITED(0), "%s finds itself as it should be", name);
}

static int error_of(const char *path)
{
    char *argv[] = {"x", NULL};
    pid_t pid = 0;
    int error = spawn(&pid, path, argv, argv + 1);

    if (error == 0) {
        wait_for(pid);
    }
    return error;
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "self") == 0) {
        return check_self();
    }
    tap_begin(argc, argv);
    test_program("dynamic-musl");
    test_program("dynamic-glibc");
    is(error_of(beside("fixtures/interpreter/missing")), ENOENT,
       "an interpreter that is not there is ENOENT");
    int fd = open(TEXT_FILE, O_WRONLY | O_CREAT | O_TRUNC, 0755);
    static char text[200]; /* longer than an ELF header */
    memset(text, 't', sizeof text);
    is(write(fd, text, sizeof text), sizeof text, "a text that is executable");
    close(fd);
    is(error_of(beside("fixtures/interpreter/text")), ELIBBAD,
       "a text as the interpreter is ELIBBAD");
    unlink(TEXT_FILE);
    is(error_of(beside("fixtures/interpreter/directory")), EACCES,
       "an interpreter that is a directory is EACCES");
    return tap_end();
}
