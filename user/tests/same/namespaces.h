/* Namespaces of a program's own, where the kernel has them. */
#ifndef UMBRA_SAME_NAMESPACES_H
#define UMBRA_SAME_NAMESPACES_H

#include <errno.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

static inline _Noreturn void die_of_namespaces(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, strerror(errno));
    exit(2);
}

/*
 * On a kernel with namespaces: continues as process 1 of new ones (private mounts, and processes
 * with their own /proc), and returns true; the caller's process waits and exits with the same
 * status. Returns false if the caller is process 1 already, or the kernel has no namespaces. Exits
 * with 2 if they cannot be set up.
 */
static inline bool separate(void)
{
    if (getpid() == 1 ||
        unshare(CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWUTS) != 0) {
        return false;
    }
    if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0) {
        die_of_namespaces("private mounts");
    }
    pid_t pid = fork();
    if (pid != 0) {
        int status = 0;
        if (pid < 0 || waitpid(pid, &status, 0) != pid) {
            die_of_namespaces("the process of the namespaces");
        }
        exit(WIFEXITED(status) ? WEXITSTATUS(status) : 3);
    }
    if (mount("proc", "/proc", "proc", 0, NULL) != 0) {
        die_of_namespaces("/proc");
    }
    return true;
}

#endif
