#include "namespaces.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

static _Noreturn void die(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, strerror(errno));
    exit(2);
}

bool separate(void)
{
    if (getpid() == 1 || unshare(CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWNET) != 0) {
        return false;
    }
    if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0) {
        die("private mounts");
    }
    pid_t pid = fork();
    if (pid != 0) {
        int status = 0;
        if (pid < 0 || waitpid(pid, &status, 0) != pid) {
            die("the process of the namespaces");
        }
        exit(WIFEXITED(status) ? WEXITSTATUS(status) : 3);
    }
    if (mount("proc", "/proc", "proc", 0, NULL) != 0) {
        die("/proc");
    }
    return true;
}
