/*
 * Descriptors that processes share, and the locks of their files.
 */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * Two processes share one descriptor table (CLONE_FILES, with and without CLONE_VM). One sleeps in
 * a call; meanwhile the other closes the descriptor, replaces it by dup2, or executes a program.
 * The call keeps the file that it uses: it ends as on Linux, and no other pipe loses or gets a
 * byte. exec leaves the shared table, and the other process keeps its close-on-exec descriptors.
 */

#define PIPE_SIZE  65536
#define STACK_SIZE 65536

/* The state that both processes use, in shared memory for processes with separate memory. */
struct scene {
    int in[2], out[2]; /* the pipes that the sleeper waits for; `out` is full */
    int other[2];      /* an unrelated pipe, which holds OTHER */
    int file;
    char fifo[64];
    long result;
    unsigned events;
    char bytes[64];
};

static struct scene *scene;
static char filler[PIPE_SIZE];
static char drained[2 * PIPE_SIZE];
static const char other_bytes[] = "bytes of another pipe";

#define OTHER sizeof other_bytes

/*
 * The sleepers. Each stores the result of its call; it uses raw calls, since errno may be shared.
 */

static void sleep_in_read(void)
{
    scene->result = RAW(SYS_read, scene->in[0], scene->bytes, 16);
}

static void sleep_in_readv(void)
{
    struct iovec vector[2] = {{scene->bytes, 2}, {scene->bytes + 2, 14}};

    scene->result = RAW(SYS_readv, scene->in[0], vector, 2);
}

static void sleep_in_write(void)
{
    scene->result = RAW(SYS_write, scene->out[1], "hello", 5);
}

static void sleep_in_long_write(void)
{
    scene->result = RAW(SYS_write, scene->out[1], filler, PIPE_SIZE);
}

static void sleep_in_writev(void)
{
    struct iovec vector[2] = {{filler, 5000}, {filler, 3000}};

    scene->result = RAW(SYS_writev, scene->out[1], vector, 2);
}

static void sleep_in_sendfile(void)
{
    scene->result = RAW(SYS_sendfile, scene->out[1], scene->file, 0, 5);
}

static void poll_by(long number)
{
    struct pollfd polled = {.fd = scene->in[0], .events = POLLIN};
    struct timespec limit = {5, 0};

    scene->result = number == SYS_poll ? RAW(SYS_poll, &polled, 1, 5000)
                                       : RAW(SYS_ppoll, &polled, 1, &limit, 0, 8);
    scene->events = (unsigned)polled.revents;
}

static void sleep_in_poll(void)
{
    poll_by(SYS_poll);
}

static void sleep_in_ppoll(void)
{
    poll_by(SYS_ppoll);
}

static void select_by(long number)
{
    struct timeval time = {5, 0};
    struct timespec limit = {5, 0};
    fd_set set;

    FD_ZERO(&set);
    FD_SET((size_t)scene->in[0], &set);
    scene->result = RAW(number, scene->in[0] + 1, &set, 0, 0,
                        number == SYS_select ? (void *)&time : (void *)&limit, 0);
    scene->events = FD_ISSET((size_t)scene->in[0], &set) != 0;
}

static void sleep_in_select(void)
{
    select_by(SYS_select);
}

static void sleep_in_pselect(void)
{
    select_by(SYS_pselect6);
}

/* The actions of the other process. */

static void close_both(void)
{
    close(scene->in[0]);
    close(scene->out[1]);
    close(scene->file);
}

static void replace_both(void)
{
    dup2(scene->other[0], scene->in[0]);
    dup2(scene->other[1], scene->out[1]);
    dup2(scene->other[0], scene->file);
}

/* A third process with the same table executes a program; all descriptors are close-on-exec. */
static int execute(void *unused)
{
    char *argv[] = {"sharedfiles", "exec", NULL}, *envp[] = {NULL};

    (void)unused;
    RAW(SYS_execve, "/proc/self/exe", argv, envp);
    return 97;
}

static pid_t start_sharer(int (*act)(void *), void *argument, int flags)
{
    static char stacks[2][STACK_SIZE] __attribute__((aligned(64)));
    static unsigned next;

    return clone(act, stacks[next++ % 2] + STACK_SIZE, flags | SIGCHLD, argument);
}

static int sharing;

static void exec_beside(void)
{
    pid_t pid = start_sharer(execute, NULL, sharing);

    if (finish_or_kill(pid, 5000) != EXITED(0)) {
        diag("the program was not executed");
    }
}

/*
 * Wakes the sleeper: a byte for `in`, room in `out`. The ends in the scene may be closed already.
 */
static void wake(int in_writer, int out_reader)
{
    size_t size = 0;
    ssize_t got = 0;

    /* EPIPE if the sleeper waits to write: that pipe has no reader. */
    ssize_t written = write(in_writer, "hello", 5);
    (void)written;
    for (int quiet = 0; quiet < 4;) {
        got = read(out_reader, drained + size, sizeof drained - size);
        size += got > 0 ? (size_t)got : 0;
        quiet = got > 0 ? 0 : quiet + 1;
        sleep_ms(5);
    }
}

static int look(void *pid)
{
    return falls_asleep(*(pid_t *)pid) ? 0 : 1;
}

/* Asks from a process with its own table, so that the question takes no descriptor number. */
static bool sleeps(pid_t pid)
{
    return finish_or_kill(begin(look, &pid), 10000) == EXITED(0);
}

struct sleeper {
    const char *name;
    void (*call)(void);
    long result;        /* of all three actions */
    unsigned events[3]; /* after close, dup2, exec */
};

static const struct {
    const char *name;
    void (*act)(void);
} actions[] = {{"close", close_both}, {"dup2", replace_both}, {"exec", exec_beside}};

static const struct sleeper sleepers[] = {
    {"read", sleep_in_read, 5, {0}},
    {"readv", sleep_in_readv, 5, {0}},
    {"write", sleep_in_write, 5, {0}},
    {"a long write", sleep_in_long_write, PIPE_SIZE, {0}},
    {"writev", sleep_in_writev, 8000, {0}},
    {"sendfile", sleep_in_sendfile, 5, {0}},
    {"poll", sleep_in_poll, 1, {POLLNVAL, POLLIN, POLLIN}},
    {"ppoll", sleep_in_ppoll, 1, {POLLNVAL, POLLIN, POLLIN}},
    {"select", sleep_in_select, 1, {1, 1, 1}},
    {"pselect6", sleep_in_pselect, 1, {1, 1, 1}},
};

static int run_sleeper(void *call)
{
    (*(void (*const *)(void))call)();
    return 0;
}

static bool set_scene(void)
{
    memset(scene, 0, sizeof *scene);
    bool good = pipe2(scene->in, O_CLOEXEC) == 0 && pipe2(scene->out, O_CLOEXEC) == 0 &&
                pipe2(scene->other, O_CLOEXEC) == 0;
    scene->file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    return good && scene->file >= 0 && write(scene->out[1], filler, PIPE_SIZE) == PIPE_SIZE &&
           write(scene->other[1], other_bytes, OTHER) == OTHER;
}

static void clear_scene(void)
{
    for (int fd = 3; fd < 40; fd++) {
        if (fd != COUNTER_FD) {
            close(fd);
        }
    }
}

static bool other_is_whole(int other_reader)
{
    char bytes[2 * OTHER];

    return read(other_reader, bytes, sizeof bytes) == (ssize_t)OTHER &&
           memcmp(bytes, other_bytes, OTHER) == 0;
}

/* Makes new pipes, which use the memory of the closed ones if it was freed too early. */
static void make_pipes(void)
{
    int ends[2];

    for (int i = 0; i < 20 && pipe2(ends, O_CLOEXEC) == 0; i++) {
        if (write(ends[1], "AAAAAAAAAAAAAAAA", 16) != 16) {
            diag("a new pipe takes nothing");
        }
        close(ends[0]);
        close(ends[1]);
    }
}

static void test_sleeper(const struct sleeper *sleeper, size_t action, const char *how)
{
    bool good = set_scene();
    void (*call)(void) = sleeper->call;
    int keep_in = fcntl(scene->in[1], F_DUPFD_CLOEXEC, 30);
    int keep_out = fcntl(scene->out[0], F_DUPFD_CLOEXEC, 31);
    int keep_other = fcntl(scene->other[0], F_DUPFD_CLOEXEC, 32);

    fcntl(keep_out, F_SETFL, O_NONBLOCK);
    pid_t pid = start_sharer(run_sleeper, &call, sharing);
    good = good && pid > 0 && sleeps(pid);
    actions[action].act();
    make_pipes();
    wake(keep_in, keep_out);
    good = finish_or_kill(pid, 6000) == EXITED(0) && good;
    good = good && scene->result == sleeper->result && scene->events == sleeper->events[action] &&
           other_is_whole(keep_other);
    ok(good, "%s%s, and %s by the other", sleeper->name, how, actions[action].name);
    if (!good) {
        diag("result %ld, events 0x%x", scene->result, scene->events);
    }
    clear_scene();
}

static void open_for_reading(void)
{
    scene->result = RAW(SYS_open, scene->fifo, O_RDONLY, 0);
}

static void open_for_writing(void)
{
    scene->result = RAW(SYS_open, scene->fifo, O_WRONLY, 0);
}

/* No other call can use a descriptor number that a sleeping open has reserved. */
static void test_open(void (*call)(void), int other_way, const char *name)
{
    strcpy(scene->fifo, "/tmp/sharedfiles.fifo");
    unlink(scene->fifo);
    ok(mkfifo(scene->fifo, 0600) == 0, "a FIFO for %s", name);
    int lowest = open("/dev/null", O_RDONLY);
    close(lowest);
    pid_t pid = start_sharer(run_sleeper, &call, sharing);
    bool asleep = sleeps(pid);
    is(close(lowest) == -1 ? errno : 0, EBADF, "%s: its number is not open yet", name);
    uint64_t set[1] = {1ull << lowest};
    struct timeval at_once = {0, 0};
    is(RAW(SYS_select, lowest + 1, set, set, NULL, &at_once), 2, "%s: select takes it as ready",
       name);
    int beside_it = open("/dev/null", O_RDONLY);
    ok(beside_it > lowest, "%s: another open takes another number", name);
    is(RAW(SYS_dup2, beside_it, lowest), -EBUSY, "%s: dup2 over its number", name);
    close(beside_it);
    int end = open(scene->fifo, other_way);
    ok(asleep && finish_or_kill(pid, 5000) == EXITED(0) && scene->result == lowest,
       "%s: it gets the number", name);
    int reader = other_way == O_RDONLY ? end : lowest;
    int writer = other_way == O_RDONLY ? lowest : end;
    char bytes[8];
    ok(write(writer, "abc", 3) == 3 && read(reader, bytes, sizeof bytes) == 3,
       "%s: bytes go through", name);
    unlink(scene->fifo);
    clear_scene();
}

static void wait_for_child(void)
{
    pid_t pid = (pid_t)RAW(SYS_fork);

    if (pid == 0) {
        sleep_ms(300);
        RAW(SYS_exit_group, 7);
    }
    int status = 0;
    scene->result = RAW(SYS_wait4, pid, &status, 0, 0) == pid ? status : -1;
}

static void test_wait(void)
{
    void (*call)(void) = wait_for_child;
    pid_t pid = start_sharer(run_sleeper, &call, sharing);

    bool asleep = sleeps(pid);
    exec_beside();
    ok(finish_or_kill(pid, 5000) == EXITED(0) && asleep && scene->result == EXITED(7),
       "wait4, and exec by the other");
}

static void test_exec(const char *how)
{
    int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

    exec_beside();
    is(fcntl(fd, F_GETFD), FD_CLOEXEC, "exec by one%s leaves the other's descriptors open", how);
    close(fd);
}

static int open_one(void *unused)
{
    (void)unused;
    return RAW(SYS_dup2, 1, 25) == 25 && RAW(SYS_close, 26) == 0 ? 0 : 1;
}

/* Both processes see every open and close in a shared table; a child of fork has its own table. */
static void test_table(const char *how)
{
    dup2(1, 26);
    is(finish_or_kill(start_sharer(open_one, NULL, sharing), 5000), EXITED(0),
       "a descriptor opened and one closed%s", how);
    ok(fcntl(25, F_GETFD) == 0 && fcntl(26, F_GETFD) == -1, "and the other sees both");
    close(25);
    dup2(1, 26);
    finish_or_kill(begin(open_one, NULL), 5000);
    ok(fcntl(25, F_GETFD) == -1 && fcntl(26, F_GETFD) == 0, "after fork the other sees neither");
    close(26);
}

static void test_sharedfiles(void)
{
    static const struct {
        int flags;
        const char *how;
    } kinds[] = {{CLONE_FILES, ""}, {CLONE_FILES | CLONE_VM, " with shared memory"}};

    signal(SIGPIPE, SIG_IGN);
    scene = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    for (size_t kind = 0; kind < COUNT(kinds); kind++) {
        sharing = kinds[kind].flags;
        for (size_t i = 0; i < COUNT(sleepers); i++) {
            for (size_t action = 0; action < COUNT(actions); action++) {
                test_sleeper(&sleepers[i], action, kinds[kind].how);
            }
        }
        test_table(kinds[kind].how);
        test_exec(kinds[kind].how);
        test_wait();
        test_open(open_for_reading, O_WRONLY, "open for reading");
        test_open(open_for_writing, O_RDONLY, "open for writing");
    }
}

/*
 * fcntl(2) record locks of processes and of descriptions, and flock(2): who is refused, who waits and
 * is woken, what a close and an exit drop, and deadlocks.
 */

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
    int neither = open_file(3); /* for ioctl(2) only */
    is(flock(neither, LOCK_SH) ? errno : 0, EBADF, "flock: neither reading nor writing");
    is(flock(neither, LOCK_UN), 0, "which may be unlocked");
    close(neither);
    int running = open("/proc/self/exe", 3);
    ok(running >= 0, "access mode 3 of a program that runs: it cannot be written");
    close(running);
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
    close(open_file(O_PATH));
    is(elsewhere(F_WRLCK, 10, 1), -EAGAIN, "closing one of O_PATH drops nothing");
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

static void test_locks(void)
{
    test_arguments();
    test_processes();
    test_descriptions();
    test_waiting();
    unlink(NAME);
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "exec") == 0) {
        return 0;
    }
    tap_begin(argc, argv);
    test_sharedfiles();
    test_locks();
    return tap_end();
}
