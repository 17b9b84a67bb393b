/*
 * elfparse FILE...: what a loader would map, or why it would refuse. See elfparse.1.
 */
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <elfparse/elfparse.h>

#include "report.h"

/* Exit codes, as elfparse.1 documents them. */
enum { ALL_ACCEPTED = 0, SOME_REFUSED = 1, SOME_UNREADABLE = 2, WRONG_USAGE = 3 };

#define MAX_RANGES (3 * 1170)

static uint8_t scratch[ELFPARSE_SCRATCH_SIZE(1170, 4096) + 1024];
static struct elfparse_range ranges[MAX_RANGES];

static int usage(FILE *to)
{
    fputs(
        "usage: elfparse [--policy kernel|kernel-interp|linux-compat] [--all-errors] [--explain]\n"
        "                [--machine NAME|any]... [--page-size BYTES] [--json] [--quiet] FILE...\n",
        to);
    return to == stdout ? ALL_ACCEPTED : WRONG_USAGE;
}

static const struct elfparse_policy *find_policy(const char *name)
{
    static const struct {
        const char *name;
        const struct elfparse_policy *policy;
    } policies[] = {
        {"kernel", &elfparse_policy_kernel},
        {"kernel-interp", &elfparse_policy_kernel_interp},
        {"linux-compat", &elfparse_policy_linux_compat},
    };

    for (size_t i = 0; i < sizeof(policies) / sizeof(policies[0]); i++) {
        if (strcmp(policies[i].name, name) == 0)
            return policies[i].policy;
    }
    return NULL;
}

/* ELFPARSE_MACHINE_*; 0 for names that are not known. */
static uint32_t find_machine(const char *name)
{
    static const char *const names[ELFPARSE_MACHINE_COUNT] = {
        "x86-64", "aarch64", "aarch64-be", "riscv64",  "riscv32", "loongarch64",
        "i386",   "arm",     "arm-be",     "ppc64",    "ppc64le", "s390x",
        "mips",   "mipsle",  "mips64",     "mips64le",
    };

    if (strcmp(name, "any") == 0)
        return ELFPARSE_MACHINE_ALL;
    for (uint32_t i = 0; i < ELFPARSE_MACHINE_COUNT; i++) {
        if (strcmp(names[i], name) == 0)
            return 1u << i;
    }
    return 0;
}

/* The policy's range keeps to pages of that size. */
static void set_page_size(struct elfparse_policy *policy, uint32_t size)
{
    policy->page_size = size;
    if (policy->user_min < size)
        policy->user_min = size;
    policy->user_end -= policy->user_end % size;
}

static int collect(void *ctx, const struct elfparse_error *error)
{
    struct report *report = ctx;

    if (report->error_count < MAX_ERRORS)
        report->errors[report->error_count++] = *error;
    return 0;
}

static void judge(struct report *report, const struct elfparse_reader *reader, int all)
{
    struct elfparse_storage storage = {scratch, sizeof(scratch), ranges, MAX_RANGES};

    report->error_count = 0;
    if (all) {
        report->code = elfparse_plan_diagnose(reader, report->policy, &storage, &report->plan,
                                              collect, report);
        return;
    }
    report->code =
        elfparse_plan_make(reader, report->policy, &storage, &report->plan, &report->errors[0]);
    report->error_count = report->code != 0;
}

/* Maps the file; an empty one is no error. Returns NULL with a word on stderr where it cannot. */
static void *map_file(const char *path, size_t *size)
{
    static char empty[1];
    struct stat st;
    void *data = NULL;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    if (fd < 0 || fstat(fd, &st) != 0) {
        perror(path);
    } else if (!S_ISREG(st.st_mode)) {
        fprintf(stderr, "%s: not a regular file\n", path);
    } else if (st.st_size == 0) {
        data = empty;
    } else {
        data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (data == MAP_FAILED) {
            perror(path);
            data = NULL;
        }
    }
    if (fd >= 0)
        close(fd);
    *size = data != NULL ? (size_t)st.st_size : 0;
    return data;
}

static int handle(const char *path, struct report *report, const struct options *options)
{
    struct elfparse_reader reader;
    size_t size;
    void *data = map_file(path, &size);

    if (data == NULL)
        return SOME_UNREADABLE;
    reader = elfparse_reader_memory(data, size);
    report->path = path;
    judge(report, &reader, options->all_errors || options->explain);
    if (options->json)
        report_json(report, &reader, report->count == 0);
    else if (options->quiet)
        report_quiet(report);
    else
        report_text(report, &reader, options);
    report->count++;
    if (size != 0)
        munmap(data, size);
    return report->code == 0 ? ALL_ACCEPTED : SOME_REFUSED;
}

/* What changes the policy. 0: not known. */
static int parse_policy(int option, struct elfparse_policy *policy, uint32_t *machines,
                        uint32_t *page_size)
{
    uint32_t machine;

    if (option == 'p') {
        const struct elfparse_policy *named = find_policy(optarg);

        if (named != NULL)
            *policy = *named;
        else
            fprintf(stderr, "elfparse: unknown policy '%s'\n", optarg);
        return named != NULL;
    }
    if (option == 'm') {
        machine = find_machine(optarg);
        if (machine == 0)
            fprintf(stderr, "elfparse: unknown machine '%s'\n", optarg);
        *machines |= machine;
        return machine != 0;
    }
    *page_size = (uint32_t)strtoul(optarg, NULL, 0);
    if (*page_size == 4096 || *page_size == 16384 || *page_size == 65536)
        return 1;
    fprintf(stderr, "elfparse: page size '%s' is not 4096, 16384 or 65536\n", optarg);
    return 0;
}

static int parse_options(int argc, char **argv, struct options *options,
                         struct elfparse_policy *policy)
{
    static const struct option known[] = {
        {"policy", required_argument, NULL, 'p'},
        {"machine", required_argument, NULL, 'm'},
        {"page-size", required_argument, NULL, 's'},
        {"all-errors", no_argument, NULL, 'a'},
        {"explain", no_argument, NULL, 'e'},
        {"json", no_argument, NULL, 'j'},
        {"quiet", no_argument, NULL, 'q'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    uint32_t machines = 0, page_size = 0;
    int option;

    while ((option = getopt_long(argc, argv, "p:m:s:aejqh", known, NULL)) != -1) {
        if (option == 'a')
            options->all_errors = 1;
        else if (option == 'e')
            options->explain = 1;
        else if (option == 'j')
            options->json = 1;
        else if (option == 'q')
            options->quiet = 1;
        else if (option == 'h')
            exit(usage(stdout));
        else if (option != 'p' && option != 'm' && option != 's')
            return 0;
        else if (!parse_policy(option, policy, &machines, &page_size))
            return 0;
    }
    if (machines != 0)
        policy->machines = machines;
    if (page_size != 0)
        set_page_size(policy, page_size);
    return optind < argc;
}

int main(int argc, char **argv)
{
    static struct report report;
    struct options options = {0};
    struct elfparse_policy policy = elfparse_policy_linux_compat;
    int status = ALL_ACCEPTED;

    if (!parse_options(argc, argv, &options, &policy))
        return usage(stderr);
    options.colour = isatty(STDOUT_FILENO) && getenv("NO_COLOR") == NULL;
    report.policy = &policy;
    if (options.json)
        putchar('[');
    for (int i = optind; i < argc; i++) {
        int one = handle(argv[i], &report, &options);

        status = one > status ? one : status;
    }
    if (options.json)
        puts("\n]");
    if (fflush(stdout) != 0 || ferror(stdout)) {
        perror("elfparse: standard output");
        return SOME_UNREADABLE;
    }
    return status;
}
