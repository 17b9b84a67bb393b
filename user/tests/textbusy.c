/*
 * A file that is being executed cannot be written, and a file open for writing cannot be executed.
 */
#include "tap.h"
#include "proc.h"
#include "probe.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#define ERROR_OF(call) ((call) == -1 ? errno : 0)

static char path[64];

static int copy_program(const char *from)
{
    char buffer[4096];
    ssize_t got = 0;
    int in = open(from, O_RDONLY);
    int out = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);

    while (in >= 0 && out >= 0 && (got = read(in, buffer, sizeof buffer)) > 0) {
        if (write(out, buffer, (size_t)got) != got) {
            got = -1;
            break;
        }
    }
    close(in);
    close(out);
    return out >= 0 && got == 0 ? 0 : -1;
}

static int exec_error(pid_t *pid)
{
    char *argv[] = {path, "sleep", "10000", NULL};

    return spawn(pid, path, argv, argv + 3);
}

int main(int argc, char **argv)
{
    pid_t pid = 0;

    tap_begin(argc, argv);
    snprintf(path, sizeof path, "/tmp/umbra-textbusy-%d", getpid());
    is(copy_program(beside("child")), 0, "a copy of a program");
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    is(exec_error(&pid), ETXTBSY, "open for writing, it cannot be executed");
    close(fd);
    fd = open(path, O_RDWR | O_CLOEXEC);
    void *mapped = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
    close(fd);
    is(exec_error(&pid), ETXTBSY, "nor while such a file is mapped");
    munmap(mapped, 4096);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    is(exec_error(&pid), 0, "open for reading, it can");
    close(fd);
    is(ERROR_OF(open(path, O_WRONLY)), ETXTBSY, "while it runs, it cannot be opened for writing");
    is(ERROR_OF(open(path, O_RDWR)), ETXTBSY, "nor for both");
    is(ERROR_OF(open(path, O_WRONLY | O_TRUNC)), ETXTBSY, "nor be truncated by open");
    is(ERROR_OF(truncate(path, 0)), ETXTBSY, "nor by truncate");
    fd = open(path, O_RDONLY);
    ok(fd >= 0, "it can be opened for reading");
    close(fd);
    is(kill(pid, SIGKILL), 0, "the program is ended");
    wait_for(pid);
    fd = open(path, O_WRONLY);
    ok(fd >= 0, "now it can be opened for writing");
    close(fd);
    is(unlink(path), 0, "and removed");
    return tap_end();
}
