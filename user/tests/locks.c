/*
 * fcntl(2) record locks of processes and of descriptions, and flock(2): who is refused, who waits and
 * is woken, what a close and an exit drop, and deadlocks.
 */
#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#define NAME "/tmp/locks"

static long lock(int fd, int cmd, int type, long start, long length)
{
    struct flock flock = {
        .l_type = (short)type, .l_whence = SEEK_SET, .l_start = start, .l_len = length};
    return fcntl(fd, cmd, &flock) ? -errno : 0;
}

static int open_file(int flags)
{
    return open(NAME, flags | O_CREAT, 0600);
}

/* What another process answers to a lock that it asks for: 0 or -errno. */
static long elsewhere(int type, long start, long length)
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        int fd = open_file(O_RDWR);
        _exit((int)-lock(fd, F_SETLK, type, start, length));
    }
    waitpid(child, &status, 0);
    return -WEXITSTATUS(status);
}

static void test_arguments(void)
{
    int fd = open_file(O_RDWR), reader = open_file(O_RDONLY), writer = open_file(O_WRONLY);
    int path = open(NAME, O_PATH);
    struct flock bad = {.l_type = F_RDLCK, .l_pid = 1};

    is(lock(fd, F_SETLK, 7, 0, 1), -EINVAL, "a type that there is not");
    is(lock(fd, F_GETLK, F_UNLCK, 0, 1), -EINVAL, "F_GETLK of F_UNLCK");
    is(lock(fd, F_SETLK, F_RDLCK, -1, 1), -EINVAL, "a negative start");
    is(lock(fd, F_SETLK, F_RDLCK, 5, -6), -EINVAL, "a range that begins before the file");
    is(lock(fd, F_SETLK, F_RDLCK, 5, -5), 0, "a negative length");
    is(lock(fd, F_SETLK, F_RDLCK, 2, 0x7fffffffffffffff), -EOVERFLOW, "a range beyond all files");
    is(lock(reader, F_SETLK, F_WRLCK, 0, 1), -EBADF, "a write lock needs a descriptor for writing");
    is(lock(writer, F_SETLK, F_RDLCK, 0, 1), -EBADF, "a read lock needs a descriptor for reading");
    is(lock(path, F_SETLK, F_RDLCK, 0, 1), -EBADF, "O_PATH");
    is(fcntl(fd, F_SETLK, (void *)8) ? errno : 0, EFAULT, "a bad address");
    is(fcntl(fd, F_OFD_SETLK, &bad) ? errno : 0, EINVAL, "F_OFD_SETLK with a process");
    is(flock(fd, 3) ? errno : 0, EINVAL, "flock: an operation that there is not");
    is(flock(path, LOCK_EX) ? errno : 0, EBADF, "flock: O_PATH");
    close(fd), close(reader), close(writer), close(path);
}

static void test_processes(void)
{
    int fd = open_file(O_RDWR), second;
    struct flock found = {.l_type = F_WRLCK, .l_start = 0, .l_len = 100};

    is(lock(fd, F_SETLK, F_WRLCK, 10, 10), 0, "a write lock");
    is(lock(fd, F_SETLK, F_RDLCK, 30, 0), 0, "a read lock up to the end");
    is(elsewhere(F_RDLCK, 19, 1), -EAGAIN, "another process may not read there");
    is(elsewhere(F_RDLCK, 20, 100), 0, "but beside it and where it is read");
    is(elsewhere(F_WRLCK, 1000000, 1), -EAGAIN, "and not write there");
    is(lock(fd, F_SETLK, F_UNLCK, 13, 4), 0, "the middle is unlocked");
    is(elsewhere(F_WRLCK, 13, 4), 0, "and free");
    is(elsewhere(F_WRLCK, 17, 1), -EAGAIN, "the rest is not");
    if (fork() == 0) {
        fcntl(fd, F_GETLK, &found);
        _exit(found.l_type == F_WRLCK && found.l_start == 10 && found.l_len == 3 &&
                      found.l_pid == getppid()
                  ? 0
                  : 1);
    }
    int status;
    wait(&status);
    is(status, 0, "F_GETLK shows the lock and its process; a child has none of them");
    is(fcntl(fd, F_GETLK, &found), 0, "F_GETLK of one's own locks");
    is(found.l_type, F_UNLCK, "shows none");
    second = open_file(O_RDONLY);
    close(second);
    is(elsewhere(F_WRLCK, 0, 0), 0, "closing any descriptor of the file drops all of them");
    close(fd);
}

static void test_descriptions(void)
{
    int a = open_file(O_RDWR), b = open_file(O_RDWR), copy = dup(a);

    is(lock(a, F_OFD_SETLK, F_WRLCK, 0, 10), 0, "a lock of a description");
    is(lock(copy, F_OFD_SETLK, F_WRLCK, 0, 10), 0, "is its copy's too");
    is(lock(b, F_OFD_SETLK, F_RDLCK, 9, 1), -EAGAIN, "another description is refused");
    is(lock(b, F_SETLK, F_RDLCK, 9, 1), -EAGAIN, "and the process itself");
    close(a);
    is(lock(b, F_OFD_SETLK, F_RDLCK, 9, 1), -EAGAIN, "one of its descriptors is left");
    close(copy);
    is(lock(b, F_OFD_SETLK, F_RDLCK, 9, 1), 0, "none is left");
    a = open_file(O_RDONLY);
    is(flock(a, LOCK_SH), 0, "flock needs no right to write");
    is(flock(b, LOCK_SH), 0, "two share it");
    is(flock(a, LOCK_EX | LOCK_NB) ? errno : 0, EWOULDBLOCK, "it cannot become exclusive");
    is(flock(b, LOCK_EX | LOCK_NB), 0, "but the one who tried has lost it");
    is(flock(a, LOCK_SH | LOCK_NB) ? errno : 0, EWOULDBLOCK, "an exclusive one excludes");
    close(b);
    is(flock(a, LOCK_SH | LOCK_NB), 0, "a close drops it");
    close(a);
}

static void on_alarm(int signal)
{
    (void)signal;
}

static void test_waiting(void)
{
    int fd = open_file(O_RDWR), pipes[2], status;
    char byte;
    struct sigaction action = {.sa_handler = on_alarm};

    pipe(pipes);
    lock(fd, F_SETLK, F_WRLCK, 0, 1);
    pid_t child = fork();
    if (child == 0) {
        int own = open_file(O_RDWR);
        lock(own, F_SETLK, F_WRLCK, 5, 1);
        write(pipes[1], "x", 1);
        _exit((int)-lock(own, F_SETLKW, F_WRLCK, 0, 1));
    }
    read(pipes[0], &byte, 1);
    usleep(100000);
    is(waitpid(child, &status, WNOHANG), 0, "a child waits for the lock");
    is(lock(fd, F_SETLKW, F_RDLCK, 5, 1), -EDEADLK, "waiting for the child would never end");
    lock(fd, F_SETLK, F_UNLCK, 0, 1);
    waitpid(child, &status, 0);
    is(status, 0, "it has the lock when that is dropped");
    is(lock(fd, F_SETLK, F_WRLCK, 0, 0), 0, "and its exit dropped its locks");
    if ((child = fork()) == 0) {
        sigaction(SIGALRM, &action, NULL);
        alarm(1);
        _exit((int)-lock(open_file(O_RDWR), F_SETLKW, F_WRLCK, 0, 1));
    }
    waitpid(child, &status, 0);
    is(WEXITSTATUS(status), EINTR, "a signal ends the wait");
    if ((child = fork()) == 0) {
        flock(open_file(O_RDWR), LOCK_EX);
        write(pipes[1], "x", 1);
        pause();
    }
    read(pipes[0], &byte, 1);
    pid_t second = fork();
    if (second == 0) {
        _exit(flock(open_file(O_RDWR), LOCK_EX) ? errno : 0);
    }
    usleep(100000);
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
    waitpid(second, &status, 0);
    is(status, 0, "flock waits, and has the lock when its holder is killed");
    close(fd), close(pipes[0]), close(pipes[1]);
}

int main(int argc, char **argv)
{
    tap_begin(argc, argv);
    test_arguments();
    test_processes();
    test_descriptions();
    test_waiting();
    unlink(NAME);
    return tap_end();
}
