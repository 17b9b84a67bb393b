/*
 * Makes random, hostile system calls: all numbers, bad pointers, huge lengths, odd descriptors.
 *
 *     fuzz SEED COUNT [--root] [--without NUMBER,NUMBER,...]
 *
 * The children that make the calls are user 1000. With --root, which is refused on Linux, they are
 * user 0, and leave out the calls that would end the test; --without leaves out more.
 *
 * Exits with 0 if, after each round of children, the memory and the limits of the supervisor are
 * unchanged, its timer runs, all children could be killed, and /proc/umbra-frames adds up. The
 * sequence of each child depends only on the seed; how the children interleave depends on time.
 *
 * The supervisor must be process 1. On Linux it becomes process 1 of its own namespaces, which
 * needs root; if it cannot make them, the exit status is 77.
 */
#include "fuzz.h"
#include "namespaces.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define EXIT_SKIPPED 77 /* Meson reads it as a skipped test */

int main(int argc, char **argv)
{
    if (argc == 6 && strcmp(argv[1], "child") == 0) {
        child_again(argv);
    }
    if (argc < 3) {
        fprintf(stderr, "usage: fuzz SEED COUNT [--root] [--without NUMBER,NUMBER,...]\n");
        return 2;
    }
    bool root = false;
    for (int i = 3; i < argc; i++) {
        root = root || strcmp(argv[i], "--root") == 0;
        if (strcmp(argv[i], "--without") == 0 && i + 1 < argc) {
            left_out = argv[++i];
        }
    }
    bool linux_host = separate();
    if (getpid() != 1) {
        fprintf(stderr, "fuzz: not process 1, and there are no namespaces for this user\n");
        return EXIT_SKIPPED;
    }
    if (root && linux_host) {
        fprintf(stderr, "fuzz: --root is not for Linux\n");
        return 2;
    }
    printf("fuzz: seed %s, %s calls as user %d\n", argv[1], argv[2], root ? 0 : FUZZ_USER);
    fflush(stdout);
    return supervise(strtoull(argv[1], NULL, 10), strtoull(argv[2], NULL, 10), root, linux_host);
}

/*
 * Rounds: the supervisor starts children, watches them, and ends them with all the processes that
 * they made; then it checks the state that must not have changed. It ends a round by kill(-1), so
 * it must be process 1 of the machine or of its namespace.
 */

#define REPORT_CALLS 20000
#define ROUND_CALLS  5000
#define TICK         20000 /* microseconds between two looks at the children */
#define STILL_TICKS  4     /* a round in which nothing moves for so long is ended */
#define ROUND_TICKS  150
#define IDLE_ROUNDS  20 /* with fewer than IDLE_CALLS calls each */
#define IDLE_CALLS   10
#define PATTERN_SIZE (64 * PAGE)
#define KINDS        16
#define AT_ONCE      12 /* processes that fill the kernel's cache of stacks */

struct frames {
    char names[KINDS][16];
    long counts[KINDS];
    int kinds; /* 0: the kernel has no such file */
};

struct round {
    uint64_t seed, number, started;
    bool root, linux_host;
    pid_t children[CHILDREN];
};

static volatile unsigned ticks;
static int null_fd; /* /dev/null, which a child that is user 0 may remove */
static unsigned char *pattern;

static void on_tick(int number)
{
    (void)number;
    ticks++;
}

static int64_t milliseconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static unsigned char pattern_byte(size_t at)
{
    return (unsigned char)(at * 167 + (at >> 8) * 13 + 5);
}

/*
 * Fills memory that no child may change. Part of it is shared with the children's frames by fork.
 */
static bool make_pattern(void)
{
    pattern = mmap(NULL, PATTERN_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pattern == MAP_FAILED) {
        return false;
    }
    for (size_t i = 0; i < PATTERN_SIZE; i++) {
        pattern[i] = pattern_byte(i);
    }
    return true;
}

static bool pattern_stands(void)
{
    for (size_t i = 0; i < PATTERN_SIZE; i++) {
        if (pattern[i] != pattern_byte(i)) {
            printf("fuzz: the supervisor's memory changed: byte %zu is %#x\n", i, pattern[i]);
            return false;
        }
    }
    return true;
}

/* True if the limits of process 1 are unchanged. */
static bool limits_stand(void)
{
    static struct rlimit first[RLIM_NLIMITS];
    static bool known;

    for (int i = 0; i < RLIM_NLIMITS; i++) {
        struct rlimit now = {0, 0};
        getrlimit(i, &now);
        if (!known) {
            first[i] = now;
        } else if (memcmp(&first[i], &now, sizeof now) != 0) {
            printf("fuzz: a child changed limit %d of process 1\n", i);
            return false;
        }
    }
    known = true;
    return true;
}

/*
 * Reading the file makes the kernel check its records; it panics if they do not add up. This
 * function allocates no memory, so that the supervisor itself changes none of the counts.
 */
static struct frames read_frames(void)
{
    static char text[1024];
    struct frames frames = {.kinds = 0};
    int fd = open("/proc/umbra-frames", O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? 0 : read(fd, text, sizeof text - 1);

    if (fd >= 0) {
        close(fd);
    }
    text[got > 0 ? got : 0] = '\0';
    for (char *line = text; *line != '\0' && frames.kinds < KINDS;) {
        int length = 0;
        if (sscanf(line, "%15s %ld\n%n", frames.names[frames.kinds], &frames.counts[frames.kinds],
                   &length) != 2) {
            break;
        }
        frames.kinds++;
        line += length;
    }
    return frames;
}

/* The frames of each kind that the kernel may keep for itself after the first rounds. */
static long slack_of(const char *name)
{
    if (strcmp(name, "slab") == 0 || strcmp(name, "free") == 0) {
        return 128;
    }
    return strcmp(name, "table") == 0 ? 8 : 0; /* tables of the kernel half are never freed */
}

static bool frames_equal(const struct frames *before, const struct frames *after)
{
    bool equal = true;

    for (int i = 0; i < before->kinds; i++) {
        const char *name = before->names[i];
        long change = after->counts[i] - before->counts[i];
        long slack = slack_of(name);
        if (change > slack || change < -slack) {
            printf("fuzz: frames of the kind %s: %ld before, %ld after\n", name, before->counts[i],
                   after->counts[i]);
            equal = false;
        }
    }
    return equal;
}

/* The newest object of the root file system before any child began. */
static ino_t newest;

static void find_newest(void)
{
    struct stat st = {.st_ino = 0};

    if (mkdir("/newest", 0700) == 0 && stat("/newest", &st) == 0 && rmdir("/newest") == 0) {
        newest = st.st_ino;
    }
}

static int remove_new(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)type;
    (void)at;
    if (S_ISREG(st->st_mode) && st->st_ino > newest) {
        unlink(path);
    }
    return 0;
}

/* Children that are user 0 may have left files outside of /tmp, whose pages would be counted. */
static void remove_files(void)
{
    nftw("/", remove_new, 8, FTW_PHYS | FTW_MOUNT);
}

static void limit(int resource, rlim_t value)
{
    struct rlimit both = {value, value};

    setrlimit(resource, &both);
}

static void make_files(void)
{
    int fd = open("a", O_CREAT | O_RDWR | O_TRUNC, 0666);

    if (fd < 0 || write(fd, pattern, 9000) != 9000) {
        _exit(3);
    }
    mkdir("d", 0777);
    open("d", O_RDONLY | O_DIRECTORY);
    open("b", O_CREAT | O_RDWR | O_APPEND, 0666);
    if (symlink("a", "link") != 0 || symlink("loop", "loop") != 0) {
        mkfifo("fifo", 0666);
    }
    int ends[2];
    if (pipe(ends) != 0 || pipe2(ends, O_NONBLOCK) != 0) {
        _exit(3);
    }
}

static _Noreturn void begin_child(struct child *child)
{
    struct itimerval period = {{0, 10000}, {0, 10000}};

    for (int fd = 0; fd < 3; fd++) {
        dup2(null_fd, fd);
    }
    setsid();
    limit(RLIMIT_NPROC, 60);
    limit(RLIMIT_AS, 256ul << 20);
    limit(RLIMIT_FSIZE, 4ul << 20);
    limit(RLIMIT_CORE, 0);
    if (!child->root &&
        (setgroups(0, NULL) != 0 || setgid(FUZZ_USER) != 0 || setuid(FUZZ_USER) != 0)) {
        _exit(3);
    }
    if (chdir("/tmp/fuzz") != 0) {
        _exit(3);
    }
    umask(0);
    make_files();
    munmap(pattern, PATTERN_SIZE);
    signal(SIGALRM, on_tick);
    setitimer(ITIMER_REAL, &period, NULL);
    child_run(child, CALLS_OF_CHILD);
}

static uint64_t calls_made(void)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < CHILDREN; i++) {
        sum += PROGRESS->calls[i];
    }
    return sum;
}

/* Starts the next child of a round in a place. */
static void start_child(struct round *round, unsigned place)
{
    struct child child = {.random = random_start(round->seed, round->number, round->started++),
                          .place = place,
                          .root = round->root,
                          .linux_host = round->linux_host};
    child_focus(&child);
    pid_t pid = fork();
    if (pid == 0) {
        begin_child(&child);
    }
    if (pid < 0) {
        printf("fuzz: fork: %s\n", strerror(errno));
    }
    round->children[place] = pid;
}

/* Replaces children that have died, until the calls of the round are made, nothing moves any more,
 * or the time is over. */
static void watch(struct round *round)
{
    unsigned still = 0, begun = ticks;
    uint64_t seen = calls_made();

    while (still < STILL_TICKS && ticks - begun < ROUND_TICKS) {
        unsigned tick = ticks;
        pid_t got = waitpid(-1, NULL, 0);
        uint64_t now = calls_made();
        if (now >= ROUND_CALLS) {
            return;
        }
        for (unsigned i = 0; i < CHILDREN; i++) {
            if (got > 0 && got == round->children[i]) {
                start_child(round, i);
            }
        }
        if (ticks != tick) {
            still = now == seen ? still + 1 : 0;
            seen = now;
        }
    }
}

static bool end_round(void)
{
    for (unsigned tries = 0; tries < 1000; tries++) {
        kill(-1, SIGKILL);
        pid_t got;
        do {
            got = waitpid(-1, NULL, WNOHANG);
        } while (got > 0);
        if (got < 0 && errno == ECHILD) {
            return true;
        }
        usleep(1000);
    }
    printf("fuzz: children are left that SIGKILL did not end\n");
    return false;
}

/* Makes some processes at once and ends them, so that the kernel's cache of stacks is as full
 * before the test as after it. */
static void fill_caches(void)
{
    for (unsigned i = 0; i < AT_ONCE; i++) {
        if (fork() == 0) {
            for (;;) {
                pause();
            }
        }
    }
    end_round();
}

/* Mounts a new file system of bounded size for a round. */
static bool make_place(void)
{
    if (mount("fuzz", "/tmp", "tmpfs", MS_NOSUID, "size=48m,mode=1777") != 0 ||
        mkdir("/tmp/fuzz", 0777) != 0 || chmod("/tmp/fuzz", 0777) != 0) {
        printf("fuzz: /tmp: %s\n", strerror(errno));
        return false;
    }
    return true;
}

static bool play_round(struct round *round)
{
    unsigned begun = ticks;
    int64_t start = milliseconds();

    memset((void *)(uintptr_t)PROGRESS, 0, sizeof *PROGRESS);
    if (!make_place()) {
        return false;
    }
    for (unsigned i = 0; i < CHILDREN; i++) {
        start_child(round, i);
    }
    watch(round);
    bool good = end_round() && pattern_stands() && limits_stand();
    if (milliseconds() - start > 1000 && ticks == begun) {
        printf("fuzz: the timer has stopped\n");
        good = false;
    }
    if (umount2("/tmp", MNT_DETACH) != 0) {
        printf("fuzz: umount: %s\n", strerror(errno));
        good = false;
    }
    return good;
}

/* Touches the part of the stack that a signal may need, before the frames are counted. */
static void touch_stack(void)
{
    volatile unsigned char deep[8 * PAGE];

    for (size_t i = 0; i < sizeof deep; i += PAGE / 2) {
        deep[i] = 1;
    }
}

static void start_ticking(void)
{
    struct sigaction action = {.sa_handler = on_tick};
    struct itimerval period = {{0, TICK}, {0, TICK}};

    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &period, NULL);
}

int supervise(uint64_t seed, uint64_t count, bool root, bool linux_host)
{
    uint64_t made = 0, reported = 0, rounds = 0, idle = 0;
    struct frames before = {.kinds = 0};
    bool good = mmap((void *)(uintptr_t)PROGRESS, PAGE, PROT_READ | PROT_WRITE,
                     MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != MAP_FAILED &&
                make_pattern();

    null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    good = good && null_fd >= 0;
    touch_stack();
    if (root && !linux_host) {
        find_newest();
    }
    start_ticking();
    limits_stand();
    for (; good && made < count; rounds++) {
        if (rounds == 4) {
            fill_caches();
            before = read_frames(); /* after the first rounds, when the kernel's caches are full */
        }
        struct round round = {
            .seed = seed, .number = rounds, .root = root, .linux_host = linux_host};
        good = play_round(&round);
        if (root && !linux_host) {
            remove_files();
        }
        uint64_t calls = calls_made();
        made += calls < 100000 ? calls : 0;
        idle = calls < IDLE_CALLS ? idle + 1 : 0;
        if (idle == IDLE_ROUNDS) {
            printf("fuzz: the children make no calls any more\n");
            good = false;
        }
        read_frames();
        if (rounds == 0 || made / REPORT_CALLS != reported) {
            reported = made / REPORT_CALLS;
            printf("fuzz: %llu calls, %llu rounds\n", (unsigned long long)made,
                   (unsigned long long)rounds + 1);
            fflush(stdout);
        }
    }
    fill_caches();
    struct frames after = read_frames();
    if (rounds > 4 && !frames_equal(&before, &after)) {
        good = false;
    }
    printf("fuzz: seed %llu, %llu calls in %llu rounds: %s\n", (unsigned long long)seed,
           (unsigned long long)made, (unsigned long long)rounds, good ? "good" : "not good");
    return good ? 0 : 1;
}
