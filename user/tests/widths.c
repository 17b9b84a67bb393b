/*
 * The width of arguments: where Linux takes an int, an unsigned int, a uid_t or a umode_t, the
 * kernel must ignore the rest of the register in every call, and the upper half of RAX too. Where
 * Linux takes all 64 bits, the kernel must use all of them.
 *
 * Each case runs in a child of its own, in a directory that holds the same files each time. The
 * result of the call, what can be seen of the process and its files afterwards, and the status of
 * the child must be the same for the clean value and for each pattern in the upper bits.
 */
#include "edge.h"
#include "proc.h"
#include "tap.h"
#include "widths.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const unsigned long patterns[] = {0,         0xffffffff00000000, 1UL << 32,
                                         1UL << 63, 0x0000100000000000, 0xfffffffe00000000};
static const unsigned long half_patterns[] = {0xffff0000, 0x10000, 0xffffffffffff0000};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* The results of one run, in memory that the child shares. */
struct outcome {
    long result;
    unsigned long seen;
    int status;
};

static struct outcome *shared;
static pid_t grandchild;

static void move_to(int fd, int wanted)
{
    if (fd < 0 || dup2(fd, wanted) != wanted) {
        _exit(98);
    }
    close(fd);
}

/* The files and descriptors that every case starts with. */
static void prepare(void)
{
    int ends[2];

    unlink("new");
    rmdir("new");
    unlink("file");
    umask(022);
    int fd = open("file", O_RDWR | O_CREAT, 0644);
    if (write(fd, width_text, FILE_SIZE) != FILE_SIZE || lseek(fd, 0, SEEK_SET) != 0) {
        _exit(98);
    }
    move_to(fd, FD_FILE);
    move_to(open(".", O_RDONLY | O_DIRECTORY), FD_DIR);
    if (pipe(ends) != 0 || write(ends[1], width_text, PIPE_BYTES) != PIPE_BYTES) {
        _exit(98);
    }
    move_to(ends[0], FD_PIPE);
    move_to(ends[1], FD_PIPE_END);
    move_to(open("/dev/null", O_RDWR), FD_NULL);
    memset(width_out, 0, sizeof width_out);
}

static unsigned long mix(unsigned long hash, unsigned long value)
{
    return (hash ^ value) * 0x100000001b3UL;
}

static unsigned long mix_file(unsigned long hash, const char *name)
{
    struct stat status;

    if (lstat(name, &status) != 0) {
        return mix(hash, (unsigned long)errno);
    }
    unsigned long size = S_ISDIR(status.st_mode) ? 0 : (unsigned long)status.st_size;
    hash = mix(mix(hash, status.st_mode), size);
    hash = mix(mix(hash, status.st_uid), status.st_gid);
    return mix(mix(hash, status.st_rdev), status.st_nlink);
}

/* A digest of the visible state of the process and its files. */
static unsigned long observe(bool output)
{
    unsigned long hash = 0xcbf29ce484222325UL;
    struct sigaction action;
    struct rlimit limit;
    sigset_t mask;
    uid_t uids[3];
    gid_t gids[3];

    hash = mix_file(mix_file(hash, "file"), "new");
    for (int fd = FD_FILE; fd <= FD_FREE + 2; fd++) {
        hash = mix(hash, (unsigned long)fcntl(fd, F_GETFD));
        hash = mix(hash, (unsigned long)fcntl(fd, F_GETFL));
    }
    hash = mix(hash, (unsigned long)lseek(FD_FILE, 0, SEEK_CUR));
    hash = mix(hash, umask(022));
    getresuid(&uids[0], &uids[1], &uids[2]);
    getresgid(&gids[0], &gids[1], &gids[2]);
    for (int i = 0; i < 3; i++) {
        hash = mix(mix(hash, uids[i]), gids[i]);
    }
    hash = mix(hash, (unsigned long)(getpgid(0) == getpid()));
    sigprocmask(SIG_BLOCK, NULL, &mask);
    sigaction(SIGUSR1, NULL, &action);
    hash = mix(mix(hash, (unsigned long)sigismember(&mask, SIGUSR2)),
               (unsigned long)action.sa_handler);
    getrlimit(RLIMIT_CORE, &limit);
    hash = mix(mix(hash, limit.rlim_cur), alarm(0) > 50);
    for (size_t i = 0; output && i < sizeof width_out; i++) {
        hash = mix(hash, width_out[i]);
    }
    return hash;
}

static unsigned long resolve(unsigned long value)
{
    return value == SELF    ? (unsigned long)getpid()
           : value == CHILD ? (unsigned long)grandchild
                            : value;
}

static void start_grandchild(void)
{
    grandchild = fork();
    if (grandchild == 0) {
        alarm(20);
        pause();
        _exit(0);
    }
}

/* Runs in the child. `arguments` still has its placeholders; one of its values gets the pattern. */
static void run_case(const struct width_case *c, unsigned place, unsigned long keep,
                     unsigned long pattern)
{
    unsigned long arguments[6], number = (unsigned long)c->number;
    pid_t self = getpid();

    alarm(10);
    prepare();
    if (c->arguments[0] == CHILD) {
        start_grandchild();
    }
    for (unsigned i = 0; i < 6; i++) {
        arguments[i] = resolve(c->arguments[i]);
    }
    if (place < 6) {
        arguments[place] = (arguments[place] & keep) | pattern;
    } else {
        number |= pattern;
    }
    long result = raw_call(number, arguments);
    if (getpid() != self) {
        _exit(0);
    }
    shared->result = c->kind == ANY && result >= 0 ? 0 : result;
    shared->seen = observe(c->kind == OUTPUT);
    if (grandchild > 0) {
        kill(grandchild, SIGKILL);
    }
    _exit(0);
}

static struct outcome outcome_of(const struct width_case *c, unsigned place, unsigned long keep,
                                 unsigned long pattern)
{
    *shared = (struct outcome){.result = 0x5e5e5e};
    pid_t pid = fork();
    if (pid == 0) {
        run_case(c, place, keep, pattern);
    }
    shared->status = pid > 0 ? wait_for(pid) : NOT_RUN;
    return *shared;
}

/* True if this pattern in the argument (6: the number of the call) changes nothing. */
static bool changes_nothing(const struct width_case *c, const struct outcome *clean, unsigned place,
                            unsigned long keep, unsigned long pattern)
{
    struct outcome got = outcome_of(c, place, keep, pattern);

    if (got.result == clean->result && got.seen == clean->seen && got.status == clean->status) {
        return true;
    }
    diag("%s, argument %u, pattern 0x%lx: %ld instead of %ld, status 0x%x, seen 0x%lx, 0x%lx",
         c->name, place, pattern, got.result, clean->result, (unsigned)got.status, got.seen,
         clean->seen);
    return false;
}

static void test_case(const struct width_case *c)
{
    struct outcome clean = outcome_of(c, 6, 0, 0);
    bool good = true;

    if (clean.result == -ENOSYS || (clean.result == -EPERM && !is_root())) {
        skip(clean.result == -ENOSYS ? "no such call here" : "needs root", "%s", c->name);
        return;
    }
    if (clean.result != c->wanted && c->kind != SAME) {
        is(clean.result, c->wanted, "%s: the result for clean values", c->name);
        return;
    }
    for (unsigned place = 0; place < 6; place++) {
        for (size_t i = 0; c->narrow >> place & 1 && i < COUNT(patterns); i++) {
            good = changes_nothing(c, &clean, place, 0xffffffff, patterns[i]) && good;
        }
        for (size_t i = 0; c->half >> place & 1 && i < COUNT(half_patterns); i++) {
            good = changes_nothing(c, &clean, place, 0xffff, half_patterns[i]) && good;
        }
    }
    for (size_t i = 0; i < COUNT(patterns); i++) {
        good = changes_nothing(c, &clean, 6, 0, patterns[i]) && good;
    }
    ok(good, "%s: the upper bits of narrow arguments and of RAX do not count", c->name);
}

/* All 64 bits count: the answer must be the one for the whole value. */
static void test_wide(const struct wide_case *c)
{
    struct width_case plain = {c->name, c->number, 0, 0, EXACT, c->wanted, {0}};

    memcpy(plain.arguments, c->arguments, sizeof plain.arguments);
    struct outcome got = outcome_of(&plain, 6, 0, 0);
    is(got.result, c->wanted, "%s: all 64 bits count", c->name);
}

int main(int argc, char **argv)
{
    char directory[] = "/tmp/widths.XXXXXX";

    tap_begin(argc, argv);
    shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (!ok(shared != MAP_FAILED && mkdtemp(directory) != NULL && chdir(directory) == 0,
            "a page to share and an empty directory")) {
        return tap_end();
    }
    for (const struct width_case *c = width_cases; c->name != NULL; c++) {
        test_case(c);
    }
    for (const struct wide_case *c = wide_cases; c->name != NULL; c++) {
        test_wide(c);
    }
    is(RAW(0xffffffff00000000UL | 511), -ENOSYS, "an unknown number with its upper half set");
    is(RAW(0x80000000UL | SYS_getpid), -ENOSYS, "bit 31 of RAX counts");
    unlink("new");
    unlink("file");
    rmdir(directory);
    return tap_end();
}
