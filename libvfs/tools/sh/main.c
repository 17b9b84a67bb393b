/* The command vfs-sh: operations as lines, on libvfs or on the host; as a test; and the
 * differential test between both. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "diff.h"
#include "ops/embed.h"
#include "ops/script.h"
#include "ops/backend.h"

enum { STATUS_USAGE = 2, STATUS_FAILED = 1 };

struct options {
    const char *host;    /* directory, or NULL for libvfs */
    const char *command; /* lines from the command line */
    const char *image;
    const char *diff; /* directory of the differential test */
    bool check;
    struct embed_options embed;
    struct diff_options random;
};

static void print_help(void)
{
    puts("usage: vfs-sh [options] [FILE...]\n"
         "       vfs-sh --diff DIR [--seed S] [--ops N] [--round N] [--interval N]\n"
         "\n"
         "Carries out file-system operations, a line each, from FILEs or standard input, on an\n"
         "in-memory file system of libvfs, and prints each line with its result.\n"
         "\n"
         "    -c LINES         take the lines from the argument (separated by newlines or ;)\n"
         "    --host DIR       on the host's file system instead, with DIR as the root\n"
         "    --image FILE     start with the contents of a cpio or tar archive\n"
         "    --pages N, --bytes N   quotas of data, in pages of 4096 bytes, and of other memory\n"
         "                     (both by default: half of the machine's memory, in bytes)\n"
         "    --inodes N       quota of inodes (default: none)\n"
         "    --check          the lines say what they must print; report TAP\n"
         "    --diff DIR       random operations on libvfs and in the empty directory DIR, whose\n"
         "                     results and trees must be the same\n"
         "    -l               list the operations and their arguments\n"
         "    -h, -V           print this help, or the version");
}

static void print_operations(void)
{
    for (size_t i = 0; i < OP_COUNT; i++)
        printf("%-13s %s\n", op_table[i].name, op_table[i].arguments);
}

static bool parse_count(const char *text, uint64_t *value)
{
    char *end = NULL;
    errno = 0;
    *value = strtoull(text, &end, 0);
    return end != text && *end == '\0' && errno == 0 && text[0] != '-';
}

enum {
    OPT_HOST = 256,
    OPT_IMAGE,
    OPT_PAGES,
    OPT_INODES,
    OPT_BYTES,
    OPT_CHECK,
    OPT_DIFF,
    OPT_SEED,
    OPT_OPS,
    OPT_ROUND,
    OPT_INTERVAL
};

static const struct option long_options[] = {
    {"host", required_argument, NULL, OPT_HOST},
    {"image", required_argument, NULL, OPT_IMAGE},
    {"pages", required_argument, NULL, OPT_PAGES},
    {"inodes", required_argument, NULL, OPT_INODES},
    {"bytes", required_argument, NULL, OPT_BYTES},
    {"check", no_argument, NULL, OPT_CHECK},
    {"diff", required_argument, NULL, OPT_DIFF},
    {"seed", required_argument, NULL, OPT_SEED},
    {"ops", required_argument, NULL, OPT_OPS},
    {"round", required_argument, NULL, OPT_ROUND},
    {"interval", required_argument, NULL, OPT_INTERVAL},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, 'V'},
    {NULL, 0, NULL, 0},
};

/* Where a numeric option goes, or NULL. */
static uint64_t *number_of(struct options *options, int option, uint64_t *narrow)
{
    switch (option) {
    case OPT_PAGES:
        return &options->embed.limits.max_pages;
    case OPT_INODES:
        return &options->embed.limits.max_inodes;
    case OPT_BYTES:
        return &options->embed.limits.max_bytes;
    case OPT_SEED:
        return &options->random.seed;
    case OPT_OPS:
        return &options->random.operations;
    case OPT_ROUND:
    case OPT_INTERVAL:
        return narrow;
    default:
        return NULL;
    }
}

/* Takes an option with a number. Returns false after a message. */
static bool take_number(struct options *options, int option, const char *text)
{
    uint64_t narrow = 1;
    uint64_t *number = number_of(options, option, &narrow);
    if (!number) {
        fputs("vfs-sh: unknown option or missing argument; see vfs-sh -h\n", stderr);
        return false;
    }
    if (!parse_count(text, number) || narrow == 0 || narrow > 1000000) {
        fprintf(stderr, "vfs-sh: not a number that fits: %s\n", text);
        return false;
    }
    if (option == OPT_ROUND)
        options->random.round = (unsigned)narrow;
    if (option == OPT_INTERVAL)
        options->random.interval = (unsigned)narrow;
    return true;
}

/* Returns -1 to go on, or the exit status. */
static int take_option(struct options *options, int option)
{
    switch (option) {
    case 'c':
        options->command = optarg;
        return -1;
    case OPT_HOST:
        options->host = optarg;
        return -1;
    case OPT_IMAGE:
        options->image = optarg;
        return -1;
    case OPT_DIFF:
        options->diff = optarg;
        return -1;
    case OPT_CHECK:
        options->check = true;
        return -1;
    case 'l':
        print_operations();
        return 0;
    case 'h':
        print_help();
        return 0;
    case 'V':
        puts("vfs-sh " VFS_TOOLS_VERSION);
        return 0;
    default:
        return take_number(options, option, optarg) ? -1 : STATUS_USAGE;
    }
}

static int open_backend(const struct options *options, struct backend **backend)
{
    struct bytes message = {0};
    int error = options->host ? host_create(backend, options->host)
                              : memory_create(backend, &options->embed);
    if (error)
        fprintf(stderr, "vfs-sh: %s: %s\n", options->host ? options->host : "libvfs",
                strerror(-error));
    if (!error && options->image) {
        error = archive_load(memory_instance(*backend), options->image,
                             &(struct umvfs_import_options){0}, &message);
        if (error) {
            fprintf(stderr, "vfs-sh: %s\n", bytes_string(&message));
            (*backend)->operations->destroy(*backend);
        }
    }
    bytes_free(&message);
    return error;
}

struct shell {
    struct session session;
    struct tokens tokens;
    struct op_result result;
};

static int print_line(void *context, const struct script_line *line)
{
    struct shell *shell = context;
    struct op op;
    size_t next;
    struct bytes text = {0};
    if (strcmp(line->text, "clear") == 0)
        return session_clear(&shell->session);
    const char *wrong = tokens_split(&shell->tokens, line->text);
    if (!wrong)
        wrong = op_decode(&op, &shell->tokens, 0, &next);
    if (wrong) {
        fprintf(stderr, "vfs-sh: %s:%u: %s: %s\n", line->file, line->number, wrong, line->text);
        return -EINVAL;
    }
    session_run(&shell->session, &op, &shell->result);
    op_spell_result(&text, &op, &shell->result);
    /* A result that the line already names is replaced, so that output can be input. */
    const char *end = strstr(line->text, " = ");
    int length = end ? (int)(end - line->text) : (int)strlen(line->text);
    printf("%.*s = %s\n", length, line->text, bytes_string(&text));
    bytes_free(&text);
    return 0;
}

static int run_shell(struct backend *backend, const struct script *scripts, size_t count)
{
    struct shell shell = {.session = {.backend = backend}};
    int error = 0;
    for (size_t i = 0; i < count && !error; i++)
        error = script_run(&scripts[i], print_line, &shell);
    session_forget(&shell.session);
    tokens_free(&shell.tokens);
    bytes_free(&shell.result.data);
    return error ? STATUS_USAGE : 0;
}

static int run_check(struct backend *backend, const struct script *scripts, size_t count)
{
    struct session session = {.backend = backend};
    struct tap tap = {.out = stdout};
    int error = 0;
    for (size_t i = 0; i < count && !error; i++)
        error = check_script(&session, &scripts[i], &tap);
    session_forget(&session);
    int status = tap_end(&tap);
    return error ? STATUS_USAGE : status;
}

/* Loads what to run: -c, files, or standard input. Returns the number, or 0 after a message. */
static size_t load_scripts(const struct options *options, char **paths, size_t count,
                           struct script *scripts)
{
    if (options->command) {
        char *lines = strdup(options->command);
        for (char *c = lines; lines && *c; c++)
            if (*c == ';')
                *c = '\n';
        script_from_text(&scripts[0], "-c", lines ? lines : "");
        free(lines);
        return 1;
    }
    char *standard_input[] = {"-"};
    if (count == 0) {
        paths = standard_input;
        count = 1;
    }
    for (size_t i = 0; i < count; i++) {
        int error = script_load(&scripts[i], paths[i]);
        if (error) {
            fprintf(stderr, "vfs-sh: %s: %s\n", paths[i], strerror(-error));
            return 0;
        }
    }
    return count;
}

static int run_scripts(const struct options *options, char **paths, size_t count)
{
    struct script *scripts = calloc(count + 1, sizeof *scripts);
    struct backend *backend;
    int status = STATUS_USAGE;
    size_t loaded = scripts ? load_scripts(options, paths, count, scripts) : 0;
    if (loaded && open_backend(options, &backend) == 0) {
        status = options->check ? run_check(backend, scripts, loaded)
                                : run_shell(backend, scripts, loaded);
        backend->operations->destroy(backend);
    }
    for (size_t i = 0; scripts && i < count + 1; i++)
        script_free(&scripts[i]);
    free(scripts);
    return status;
}

/* The host's protected_* rules apply on both sides; /proc cannot be seen after chroot. */
static int run_diff(struct options *options)
{
    struct backend *memory, *host;
    embed_protection_of_host(&options->embed);
    int error = memory_create(&memory, &options->embed);
    if (!error) {
        error = host_create(&host, options->diff);
        if (error)
            memory->operations->destroy(memory);
    }
    if (error) {
        fprintf(stderr, "vfs-sh: %s: %s\n", options->diff, strerror(-error));
        return STATUS_USAGE;
    }
    int result = diff_run(memory, host, &options->random, stdout);
    memory->operations->destroy(memory);
    host->operations->destroy(host);
    if (result < 0)
        fprintf(stderr, "vfs-sh: %s\n", strerror(-result));
    return result < 0 ? STATUS_USAGE : result;
}

int main(int argc, char **argv)
{
    struct options options = {
        .random = {.seed = 1, .operations = 100000, .round = 2000, .interval = 200},
    };
    int option;
    while ((option = getopt_long(argc, argv, "c:lhV", long_options, NULL)) != -1) {
        int status = take_option(&options, option);
        if (status >= 0)
            return status;
    }
    embed_limit(&options.embed.limits, embed_default_size());
    bool has_files = optind < argc;
    if ((options.host && (options.image || options.diff)) || (options.command && has_files) ||
        (options.diff && (options.command || options.check || options.image || has_files))) {
        fputs("vfs-sh: these options do not go together; see vfs-sh -h\n", stderr);
        return STATUS_USAGE;
    }
    return options.diff ? run_diff(&options)
                        : run_scripts(&options, argv + optind, (size_t)(argc - optind));
}
