#include "proc.h"
#include "tap.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

int spawn(pid_t *pid, const char *path, char *const argv[], char *const envp[])
{
    volatile int error = 0;
    pid_t child = vfork();

    if (child == 0) {
        execve(path, argv, envp);
        error = errno;
        _exit(127);
    }
    if (child < 0) {
        return errno;
    }
    if (error != 0) {
        wait_for(child);
        return error;
    }
    *pid = child;
    return 0;
}

pid_t start(const char *name, const char *first, const char *second, const char *third)
{
    const char *path = beside(name);
    char *argv[] = {(char *)(size_t)path, (char *)(size_t)first, (char *)(size_t)second,
                    (char *)(size_t)third, NULL};
    pid_t pid = 0;
    int error = spawn(&pid, path, argv, environ);

    if (error != 0) {
        diag("cannot start %s: errno %d", path, error);
    }
    return error == 0 ? pid : -error;
}

int wait_for(pid_t pid)
{
    int status = NOT_RUN;
    pid_t got = 0;

    do {
        got = waitpid(pid, &status, 0);
    } while (got < 0 && errno == EINTR);
    return got == pid ? status : NOT_RUN;
}

int run(const char *name, const char *first, const char *second, const char *third)
{
    pid_t pid = start(name, first, second, third);

    return pid > 0 ? wait_for(pid) : NOT_RUN;
}

const char *status_text(int status)
{
    static char text[32];

    if (status == NOT_RUN) {
        return "not run";
    }
    if (WIFSIGNALED(status)) {
        snprintf(text, sizeof text, "signal %d", WTERMSIG(status));
    } else {
        snprintf(text, sizeof text, "exit %d", WEXITSTATUS(status));
    }
    return text;
}
