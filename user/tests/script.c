/*
 * Scripts: execve of a file that begins with "#!", and execveat. The interpreter of most scripts is this program,
 * which then prints the arguments that it got.
 */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define REPORT_FD 7
#define LINE_MAX  256 /* bytes that Linux reads; the last one is not used */
#define DEPTH_MAX 5   /* scripts that run scripts */

static char directory[] = "/tmp/script.XXXXXX";
static char self[256];

/* As an interpreter, prints the arguments and AT_EXECFN, each in brackets. */
static int report(int argc, char **argv)
{
    for (int i = 0; i < argc; i++) {
        dprintf(REPORT_FD, "[%s]", argv[i]);
    }
    dprintf(REPORT_FD, " %s", (const char *)getauxval(AT_EXECFN));
    return 42;
}

static const char *path_of(const char *name)
{
    static char paths[4][300];
    static unsigned next;
    char *path = paths[next++ % 4];

    snprintf(path, sizeof paths[0], "%s/%s", directory, name);
    return path;
}

static const char *write_script(const char *name, const char *text, mode_t mode)
{
    const char *path = path_of(name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0755);

    if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text)) {
        diag("%s: cannot be written: errno %d", path, errno);
    }
    close(fd);
    chmod(path, mode);
    return path;
}

/* Runs the script with the argument "end" and stores the text that its interpreter prints. Returns
 * the errno value of execve, or 0. */
static int run_script(const char *path, char *said, size_t size)
{
    char name[] = "name", end[] = "end";
    char *argv[] = {name, end, NULL}, *envp[] = {NULL};
    int pipe_ends[2], error;
    ssize_t got;
    pid_t pid;

    said[0] = '\0';
    if (pipe(pipe_ends) != 0) {
        return errno;
    }
    dup2(pipe_ends[1], REPORT_FD);
    close(pipe_ends[1]);
    error = spawn(&pid, path, argv, envp);
    close(REPORT_FD);
    if (error == 0) {
        size_t length = 0;

        while ((got = read(pipe_ends[0], said + length, size - 1 - length)) > 0) {
            length += (size_t)got;
        }
        said[length] = '\0';
        wait_for(pid);
    }
    close(pipe_ends[0]);
    return error;
}

/* The same by execveat, of the program or script that `fd` and the path name. */
static int run_at(int fd, const char *path, int flags, char *said, size_t size)
{
    char name[] = "name", end[] = "end";
    char *argv[] = {name, end, NULL}, *envp[] = {NULL};
    int pipe_ends[2];
    ssize_t got = 0;

    said[0] = '\0';
    if (pipe(pipe_ends) != 0) {
        return errno;
    }
    pid_t pid = fork();
    if (pid == 0) {
        dup2(pipe_ends[1], REPORT_FD);
        _exit((int)-RAW(SYS_execveat, fd, path, argv, envp, flags));
    }
    int status = wait_for(pid);
    close(pipe_ends[1]);
    got = read(pipe_ends[0], said, size - 1);
    said[got > 0 ? got : 0] = '\0';
    close(pipe_ends[0]);
    return status == EXITED(42) ? 0 : WEXITSTATUS(status);
}

static void runs_at(int fd, const char *path, int flags, const char *wanted, const char *what)
{
    static char said[2048];
    int error = run_at(fd, path, flags, said, sizeof said);

    if (!ok(error == 0 && strcmp(said, wanted) == 0, "execveat: %s", what)) {
        diag("errno %d, got %s", error, said);
        diag("expected %s", wanted);
    }
}

static void fails_at(int fd, const char *path, int flags, int error, const char *what)
{
    static char said[2048];

    is(run_at(fd, path, flags, said, sizeof said), error, "execveat: %s", what);
}

/* Scripts that are executed by a descriptor. The interpreter gets a path that leads to the script while it is open. */
static void test_descriptors(void)
{
    static char text[1024], wanted[2048];

    snprintf(text, sizeof text, "#!%s one\n", self);
    write_script("s", text, 0755);
    int place = open(directory, O_RDONLY | O_DIRECTORY), program = open(self, O_PATH | O_CLOEXEC),
        script = open(path_of("s"), O_RDONLY), hidden = open(path_of("s"), O_RDONLY | O_CLOEXEC),
        plain = open("/dev/null", O_RDONLY);
    (void)!symlink("s", path_of("l"));

    snprintf(wanted, sizeof wanted, "[name][end] /dev/fd/%d", program);
    runs_at(program, "", AT_EMPTY_PATH, wanted, "a program by its descriptor");
    snprintf(wanted, sizeof wanted, "[name][end] %s", self);
    runs_at(99, self, 0, wanted, "an absolute path");
    snprintf(wanted, sizeof wanted, "[%s][one][/dev/fd/%d/s][end] /dev/fd/%d/s", self, place,
             place);
    runs_at(place, "s", 0, wanted, "a script in a directory");
    snprintf(wanted, sizeof wanted, "[%s][one][/dev/fd/%d/l][end] /dev/fd/%d/l", self, place,
             place);
    runs_at(place, "l", AT_EMPTY_PATH, wanted, "a link to it");
    snprintf(wanted, sizeof wanted, "[%s][one][/dev/fd/%d][end] /dev/fd/%d", self, script, script);
    runs_at(script, "", AT_EMPTY_PATH, wanted, "a script by its descriptor");
    fails_at(hidden, "", AT_EMPTY_PATH, ENOENT, "a script that its interpreter cannot find");
    fails_at(place, "l", AT_SYMLINK_NOFOLLOW, ELOOP, "a link that is not followed");
    fails_at(place, "", 0, ENOENT, "no path");
    fails_at(place, "", AT_EMPTY_PATH, EACCES, "a directory");
    fails_at(AT_FDCWD, "", AT_EMPTY_PATH, EACCES, "the current directory");
    fails_at(plain, "", AT_EMPTY_PATH, EACCES, "a device");
    fails_at(plain, "s", 0, ENOTDIR, "a path from a device");
    fails_at(99, "s", 0, EBADF, "no descriptor");
    fails_at(99, "s", 1, EINVAL, "an unknown flag");
    fails_at(99, "", 1, ENOENT, "an unknown flag, and no path");
    unlink(path_of("l"));
}

/* A program in a memfd can be executed although its own descriptor may write, but not while another one may. */
static void test_memory(void)
{
    static char bytes[65536], name[40], wanted[80];
    int memory = (int)RAW(SYS_memfd_create, "program", 1), from = open(self, O_RDONLY | O_CLOEXEC);
    ssize_t got;

    while ((got = read(from, bytes, sizeof bytes)) > 0) {
        if (write(memory, bytes, (size_t)got) != got) {
            diag("the program cannot be copied");
        }
    }
    close(from);
    snprintf(name, sizeof name, "/proc/self/fd/%d", memory);
    snprintf(wanted, sizeof wanted, "[name][end] /dev/fd/%d", memory);
    runs_at(memory, "", AT_EMPTY_PATH, wanted, "a program in memory");
    int writer = open(name, O_WRONLY | O_CLOEXEC);
    fails_at(memory, "", AT_EMPTY_PATH, ETXTBSY, "it is open for writing");
    close(writer);
    int copy = fcntl(memory, F_DUPFD_CLOEXEC, 50);
    close(memory);
    snprintf(wanted, sizeof wanted, "[name][end] /dev/fd/%d", copy);
    runs_at(copy, "", AT_EMPTY_PATH, wanted, "and again");
    close(copy);
}

static void runs(const char *line, const char *expected, const char *what)
{
    static char text[1024], said[2048], wanted[2048];

    snprintf(text, sizeof text, line, self);
    const char *path = write_script("s", text, 0755);
    snprintf(wanted, sizeof wanted, expected, self, path, path);
    int error = run_script(path, said, sizeof said);
    if (!ok(error == 0 && strcmp(said, wanted) == 0, "%s", what)) {
        diag("errno %d, got %s", error, said);
        diag("expected %s", wanted);
    }
}

static void fails(const char *text, mode_t mode, int error, const char *what)
{
    static char said[2048];

    is(run_script(write_script("f", text, mode), said, sizeof said), error, "%s", what);
}

static void test_lines(void)
{
    runs("#!%s\n", "[%s][%s][end] %s", "the interpreter, the script's path, the arguments");
    runs("#!%s one\n", "[%s][one][%s][end] %s", "an argument of the line");
    runs("#!%s one two \t \n", "[%s][one two][%s][end] %s", "the rest of the line is one argument");
    runs("#! \t%s\t one\t\n", "[%s][one][%s][end] %s", "blanks and tabs around the words");
    runs("#!%s one", "[%s][one][%s][end] %s", "the file ends without a newline");
    runs("#!%s\nno shell\n", "[%s][%s][end] %s", "what follows the line is not looked at");
}

/* The part of a line above the limit is cut off, but never within the interpreter's path. */
static void test_long_lines(void)
{
    static char text[1024], said[2048], wanted[2048], path[300];
    int used = snprintf(text, sizeof text, "#!%s ", self);

    memset(text + used, 'x', 600);
    strcpy(text + used + 600, "\n");
    strcpy(path, write_script("long", text, 0755));
    snprintf(wanted, sizeof wanted, "[%s][%.*s][%s][end] %s", self, LINE_MAX - 1 - used,
             text + used, path, path);
    is(run_script(path, said, sizeof said), 0, "a line of 600 bytes runs");
    ok(strcmp(said, wanted) == 0, "its argument is cut");

    strcpy(text, "#!/");
    memset(text + 3, 'x', 600);
    strcpy(text + 603, "\n");
    fails(text, 0755, ENOEXEC, "an interpreter's path that is cut");
    memset(text + 2, ' ', 600);
    fails(text, 0755, ENOEXEC, "nothing but blanks as far as is looked");
}

static void test_errors(void)
{
    char text[400];

    fails("#!/nowhere/interpreter\n", 0755, ENOENT, "no such interpreter");
    fails("#!\n", 0755, ENOEXEC, "an empty line");
    fails("#! \t \n", 0755, ENOEXEC, "a line of blanks");
    fails("#!", 0755, EACCES, "nothing after the mark, not even the end of the line");
    fails("#! ", 0755, EACCES, "a blank after the mark and no end of the line");
    fails("#", 0755, ENOEXEC, "half a mark");
    fails("#!/tmp\n", 0755, EACCES, "a directory as the interpreter");
    snprintf(text, sizeof text, "#!%s\n", self);
    fails(text, 0644, EACCES, "a script that is not executable");
    snprintf(text, sizeof text, "#!%s\n", write_script("plain", "#!/x\n", 0644));
    fails(text, 0755, EACCES, "an interpreter that is not executable");
    snprintf(text, sizeof text, "#!%s\n", write_script("text", "hello\n", 0755));
    fails(text, 0755, ENOEXEC, "an interpreter that is no program");
}

/* s1 is run by this program, s2 by s1, and so on. */
static void test_nesting(void)
{
    static char text[400], said[4096], wanted[4096], name[16], path[300];

    snprintf(text, sizeof text, "#!%s a1\n", self);
    strcpy(path, write_script("s1", text, 0755));
    snprintf(wanted, sizeof wanted, "[%s][a1][%s]", self, path);
    for (int depth = 2; depth <= DEPTH_MAX + 1; depth++) {
        size_t used = strlen(wanted);

        snprintf(text, sizeof text, "#!%s a%d\n", path, depth);
        snprintf(name, sizeof name, "s%d", depth);
        strcpy(path, write_script(name, text, 0755));
        snprintf(wanted + used, sizeof wanted - used, "[a%d][%s]", depth, path);
        int error = run_script(path, said, sizeof said);
        if (depth > DEPTH_MAX) {
            is(error, ELOOP, "%d scripts", depth);
            break;
        }
        used = strlen(wanted);
        snprintf(wanted + used, sizeof wanted - used, "[end] %s", path);
        if (!ok(error == 0 && strcmp(said, wanted) == 0, "%d scripts, one runs the other", depth)) {
            diag("errno %d, got %s", error, said);
            diag("expected %s", wanted);
        }
        wanted[used] = '\0';
    }
}

static void clean(void)
{
    static const char *const names[] = {"s",  "f",  "long", "plain", "text", "s1",
                                        "s2", "s3", "s4",   "s5",    "s6"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        unlink(path_of(names[i]));
    }
    is(rmdir(directory), 0, "nothing else was left");
}

int main(int argc, char **argv)
{
    if (fcntl(REPORT_FD, F_GETFD) >= 0) {
        return report(argc, argv);
    }
    tap_begin(argc, argv);
    if (realpath(argv[0], self) == NULL || mkdtemp(directory) == NULL) {
        ok(false, "preparation: errno %d", errno);
        return tap_end();
    }
    test_lines();
    test_long_lines();
    test_errors();
    test_nesting();
    test_descriptors();
    test_memory();
    clean();
    return tap_end();
}
