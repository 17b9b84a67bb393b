/*
 * Runs execve with every file of fixtures/elf.tsv. The odd ones run and find their memory as the
 * file describes it; the malformed ones are refused with the right error, and the caller goes on.
 */
#include "tap.h"
#include "proc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

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

int main(int argc, char **argv)
{
    static char text[MAX_TABLE + 1];
    ssize_t size = 0;

    tap_begin(argc, argv);
    int fd = open(beside("fixtures/elf.tsv"), O_RDONLY);
    ssize_t got = 0;
    while (size < MAX_TABLE && (got = read(fd, text + size, (size_t)(MAX_TABLE - size))) > 0) {
        size += got;
    }
    close(fd);
    ok(got == 0 && size > 0, "fixtures/elf.tsv is read");
    ok(test_table(text), "all its files were tried");
    return tap_end();
}
