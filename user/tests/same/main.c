/*
 * Makes random but reproducible sequences of system calls and prints every result, error and byte
 * moved, so that the outputs of two kernels can be compared line by line.
 *
 *     same SEED COUNT [OPTION]...    COUNT calls, in episodes of 250
 *         --episode N                begins with this episode (the first is 0)
 *         --jobs FILE        instead: for each line `EPISODE all` or `EPISODE N,N,...`, plays the
 *                            episode with all its calls or with these ones
 *         --nice N           the nice value of the processes; without it that of the caller
 *         --verbose          prints at once, and the name of a call before it is made
 *         --user-attributes  extended attributes of users too
 *         --narrow           no random upper halves in arguments that Linux takes as 32 bits
 *
 * A line is `EPISODE.CALL sSLOT TEXT`. Processes are named by slots, inodes by the order in which
 * they were seen, addresses by their place in an arena. A time is printed as the value that a call
 * has set, or as "now". One process runs at a time; each episode has a new tmpfs. On Linux the
 * program makes its own namespaces, which needs root; if it cannot, the exit status is 77. On other
 * kernels it must be process 1, because it reaps orphans.
 */
#include "world.h"
#include "namespaces.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define EXIT_SKIPPED 77 /* Meson reads it as a skipped test */

struct options {
    uint64_t seed;
    unsigned long count;
    unsigned episode;
    const char *jobs;
    int nice;
    bool verbose, narrow, has_user_attributes;
};

static _Noreturn void die(const char *what, int error)
{
    fprintf(stderr, "same: %s: %s\n", what, strerror(error));
    exit(2);
}

static void copy_program(void)
{
    static char bytes[65536];
    int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    int to = open(BASE_PATH "/exe", O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
    ssize_t got = 0;

    if (from < 0 || to < 0) {
        die("the program's file", errno);
    }
    while ((got = read(from, bytes, sizeof bytes)) > 0) {
        if (write(to, bytes, (size_t)got) != got) {
            die("the copy of the program", errno);
        }
    }
    close(from);
    close(to);
}

/* The root directory of the processes: the program, /null, and a place for each episode's tmpfs. */
static void make_base(void)
{
    umask(0);
    if (mount("same", "/tmp", "tmpfs", 0, "mode=1777") != 0 || mkdir(BASE_PATH, 0755) != 0 ||
        mount("same", BASE_PATH, "tmpfs", 0, "mode=755") != 0) {
        die("the base file system", errno);
    }
    copy_program();
    if (mkdir(BASE_PATH WORK_PATH, 0777) != 0 ||
        mknod(BASE_PATH "/null", S_IFCHR | 0666, makedev(1, 3)) != 0 ||
        mount("same", BASE_PATH, "tmpfs", MS_REMOUNT | MS_RDONLY, "") != 0) {
        die("the files of the base", errno);
    }
}

static void play(uint64_t seed, unsigned episode, const struct selection *selection)
{
    int error = director_episode(seed, episode, selection);

    if (error != 0) {
        die("the file system of an episode", error);
    }
}

static void play_count(const struct options *options)
{
    unsigned long left = options->count;

    for (unsigned episode = options->episode; left > 0; episode++) {
        struct selection selection = {left < EPISODE_CALLS ? (unsigned)left : EPISODE_CALLS, NULL};
        play(options->seed, episode, &selection);
        left -= selection.count;
    }
}

/* Plays one line of a file of jobs, after printing a mark for the start of its output. */
static void play_job(const struct options *options, char *line, unsigned number)
{
    static unsigned char only[EPISODE_CALLS];
    struct selection selection = {EPISODE_CALLS, NULL};
    char *rest = line;
    unsigned episode = (unsigned)strtoul(line, &rest, 10);

    memset(only, 0, sizeof only);
    rest += strspn(rest, " ");
    if (strcmp(rest, "all") != 0) {
        selection.only = only;
        while (*rest != '\0') {
            unsigned long call = strtoul(rest, &rest, 10);
            only[call % EPISODE_CALLS] = 1;
            rest += *rest != '\0';
        }
    }
    printf("job %u\n", number);
    fflush(stdout);
    play(options->seed, episode, &selection);
}

static void play_jobs(const struct options *options, FILE *file)
{
    static char line[2048];

    for (unsigned number = 0; fgets(line, sizeof line, file) != NULL; number++) {
        line[strcspn(line, "\n")] = '\0';
        play_job(options, line, number);
    }
}

/* All processes of the sequences would inherit what the caller is: ignores signals, as nohup does, or is nice. A lower
 * nice value is not to be had everywhere, so that both kernels get this machine's. */
static void begin_plainly(int nice)
{
    const struct rlimit none = {0, 0}, locked = {40 * PAGE, 40 * PAGE};

    for (int signal_number = 1; signal_number < NSIG; signal_number++) {
        signal(signal_number, SIG_DFL);
    }
    if (setpriority(PRIO_PROCESS, 0, nice) != 0 || setrlimit(RLIMIT_NICE, &none) != 0 ||
        setrlimit(RLIMIT_MEMLOCK, &locked) != 0 || prctl(PR_SET_TIMERSLACK, 50000) != 0) {
        die("the nice value", errno);
    }
}

static struct options parse(int argc, char **argv)
{
    struct options options = {.nice = getpriority(PRIO_PROCESS, 0)};

    if (argc < 3) {
        fprintf(stderr, "usage: same SEED COUNT [--episode N] [--jobs FILE] [--nice N] [--verbose] "
                        "[--user-attributes] [--narrow]\n");
        exit(2);
    }
    options.seed = strtoull(argv[1], NULL, 10);
    options.count = strtoul(argv[2], NULL, 10);
    for (int i = 3; i < argc; i++) {
        if (strcmp(argv[i], "--episode") == 0 && i + 1 < argc) {
            options.episode = (unsigned)strtoul(argv[++i], NULL, 10);
        } else if (strcmp(argv[i], "--jobs") == 0 && i + 1 < argc) {
            options.jobs = argv[++i];
        } else if (strcmp(argv[i], "--nice") == 0 && i + 1 < argc) {
            options.nice = atoi(argv[++i]);
        } else if (strcmp(argv[i], "--verbose") == 0) {
            options.verbose = true;
        } else if (strcmp(argv[i], "--narrow") == 0) {
            options.narrow = true;
        } else if (strcmp(argv[i], "--user-attributes") == 0) {
            options.has_user_attributes = true;
        }
    }
    return options;
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "worker") == 0) {
        return worker_again(argv[argc - 1]);
    }
    struct options options = parse(argc, argv);
    begin_plainly(options.nice);
    /* before another /tmp is mounted */
    FILE *jobs = options.jobs != NULL ? fopen(options.jobs, "re") : NULL;
    if (options.jobs != NULL && jobs == NULL) {
        die(options.jobs, errno);
    }
    if (!separate() && getpid() != 1 && access("/proc/umbra-frames", F_OK) != 0) {
        fprintf(stderr, "same: there are no namespaces for this user\n");
        return EXIT_SKIPPED;
    }
    make_base();
    int error = director_prepare();
    if (error != 0) {
        die("what the processes share", error);
    }
    world->narrow = options.narrow;
    world->has_user_attributes = options.has_user_attributes;
    world->verbose = options.verbose;
    if (jobs != NULL) {
        play_jobs(&options, jobs);
    } else {
        play_count(&options);
    }
    printf("same: seed %llu, %lu calls: end\n", (unsigned long long)options.seed, options.count);
    return 0;
}
