/* The command vfs-image. */
#include "image.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "ops/archive.h"

enum { STATUS_FAILED = 1, STATUS_USAGE = 2, STATUS_LOSSES = 3 };

struct options {
    enum umvfs_archive_format format;
    struct umvfs_import_options import;
};

static void print_help(void)
{
    puts("usage: vfs-image pack [-f FORMAT] DIR ARCHIVE\n"
         "       vfs-image list [-a] [-c] [--policy POLICY] ARCHIVE\n"
         "       vfs-image extract [-a] [-c] [-n] [--policy POLICY] ARCHIVE DIR\n"
         "       vfs-image check [-a] [-c] [-n] [--policy POLICY] ARCHIVE\n"
         "       vfs-image convert [-a] [-c] [-n] [--policy POLICY] [-f FORMAT] ARCHIVE NEW\n"
         "\n"
         "Works on cpio (newc, with or without checksums) and tar (ustar, pax, GNU, v7) archives.\n"
         "ARCHIVE may be - for standard input or output.\n"
         "\n"
         "    -f FORMAT   cpio (default), cpio-crc or tar: what is written\n"
         "    -a          drop the leading slashes of absolute names instead of refusing them\n"
         "    -c          read the archives that follow a tar archive's end mark\n"
         "    -n          refuse device nodes\n"
         "    -p, --policy POLICY\n"
         "                strict (default); linux: cpio archives as Linux reads an initramfs;\n"
         "                lenient: tar archives without an end mark, or with junk behind it\n"
         "    -h, -V      print this help, or the version");
}

static int say(const struct bytes *message, int error)
{
    if (message->length)
        fprintf(stderr, "vfs-image: %s\n", bytes_string(message));
    else if (error)
        fprintf(stderr, "vfs-image: %s\n", strerror(-error));
    return error;
}

/* What an archive holds, in numbers. */
struct census {
    uint64_t objects, directories, files, links, others, bytes;
};

static int count_object(void *context, const struct visit *visit, bool leaving)
{
    struct census *census = context;
    if (leaving || strcmp(visit->path, ".") == 0)
        return 0;
    census->objects++;
    if (UMVFS_S_ISDIR(visit->stat.mode))
        census->directories++;
    else if (UMVFS_S_ISLNK(visit->stat.mode))
        census->links++;
    else if (!UMVFS_S_ISREG(visit->stat.mode))
        census->others++;
    else if (!visit->link_to) {
        census->files++;
        census->bytes += visit->stat.size;
    }
    return 0;
}

/* An attribute in an archive that an image cannot keep. */
static void say_loss(void *context, uint64_t entry, uint64_t offset, const char *key, size_t len)
{
    struct image *image = context;
    fprintf(stderr, "vfs-image: entry %" PRIu64 " at offset %" PRIu64 ": attribute %.*s is lost\n",
            entry, offset, (int)len, key);
    image->losses++;
}

/* An entry that is skipped, or something that policy lenient lets pass. */
static void say_warning(void *context, const struct umvfs_import_error *what)
{
    struct image *image = context;
    struct bytes text = {0};
    archive_describe(&text, "skipped", what);
    fprintf(stderr, "vfs-image: %s\n", bytes_string(&text));
    bytes_free(&text);
    image->losses++;
}

static int load(struct image *image, const char *name, const struct options *options,
                struct bytes *message)
{
    struct umvfs_import_options import = options->import;
    import.lost = say_loss;
    import.lost_ctx = image;
    import.warn = say_warning;
    import.warn_ctx = image;
    int result = archive_load(image->embed.vfs, name, &import, message);
    image->stopped = result == ARCHIVE_STOPPED;
    return image->stopped ? 0 : result;
}

static int save(struct image *image, const char *name, const struct options *options,
                struct bytes *message)
{
    int error = options->format == UMVFS_ARCHIVE_TAR ? 0 : image_lose_attributes(image);
    return error ? error : archive_save(image->embed.vfs, name, options->format, message);
}

static int run_pack(struct image *image, const struct options *options, char **names,
                    struct bytes *message)
{
    int error = image_pack(image, names[0], message);
    return error ? error : save(image, names[1], options, message);
}

static int run_list(struct image *image, const struct options *options, char **names,
                    struct bytes *message)
{
    int error = load(image, names[0], options, message);
    return error ? error : image_list(image);
}

static int run_extract(struct image *image, const struct options *options, char **names,
                       struct bytes *message)
{
    int error = load(image, names[0], options, message);
    return error ? error : image_extract(image, names[1], message);
}

static int run_check(struct image *image, const struct options *options, char **names,
                     struct bytes *message)
{
    struct census census = {0};
    int error = load(image, names[0], options, message);
    if (!error)
        error = image_walk(image, count_object, &census);
    if (!error)
        printf("%s: %s: %" PRIu64 " names; %" PRIu64 " directories, %" PRIu64 " files with %" PRIu64
               " bytes, %" PRIu64 " symbolic links, %" PRIu64 " others\n",
               names[0], image->stopped ? "not read to its end" : "good", census.objects,
               census.directories, census.files, census.bytes, census.links, census.others);
    return error;
}

static int run_convert(struct image *image, const struct options *options, char **names,
                       struct bytes *message)
{
    int error = load(image, names[0], options, message);
    return error ? error : save(image, names[1], options, message);
}

static const struct command {
    const char *name;
    const char *options; /* that it takes */
    int names;
    int (*run)(struct image *image, const struct options *options, char **names,
               struct bytes *message);
} commands[] = {
    {"pack", "f:hV", 2, run_pack},
    {"list", "acp:hV", 1, run_list},
    {"extract", "acnp:hV", 2, run_extract},
    {"check", "acnp:hV", 1, run_check},
    {"convert", "acnp:f:hV", 2, run_convert},
};

static int run(const struct command *command, const struct options *options, char **names)
{
    struct image image = {0};
    struct bytes message = {0};
    int error = image_open(&image);
    if (!error) {
        error = command->run(&image, options, names, &message);
        int left = image_close(&image);
        error = error ? error : left;
    }
    say(&message, error);
    bytes_free(&message);
    if (error || image.stopped)
        return STATUS_FAILED;
    return image.losses ? STATUS_LOSSES : 0;
}

static bool take_policy(const char *name, enum umvfs_import_policy *out)
{
    static const char *const names[] = {"strict", "linux", "lenient"};
    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(name, names[i]) == 0) {
            *out = (enum umvfs_import_policy)i;
            return true;
        }
    }
    return false;
}

/* Takes the options of a command. Returns -1 to go on, or the exit status. */
static int take_options(const struct command *command, int argc, char **argv,
                        struct options *options)
{
    static const struct option none[] = {{0}};
    static const struct option policy[] = {{"policy", required_argument, NULL, 'p'}, {0}};
    int option;
    while ((option = getopt_long(argc, argv, command->options,
                                 strstr(command->options, "p:") ? policy : none, NULL)) != -1) {
        switch (option) {
        case 'a':
            options->import.allow_absolute = true;
            break;
        case 'c':
            options->import.concatenated = true;
            break;
        case 'n':
            options->import.no_devices = true;
            break;
        case 'p':
            if (take_policy(optarg, &options->import.policy))
                break;
            fprintf(stderr, "vfs-image: no such policy: %s\n", optarg);
            return STATUS_USAGE;
        case 'f':
            options->format = archive_format_by_name(optarg);
            if (options->format != UMVFS_ARCHIVE_AUTO)
                break;
            fprintf(stderr, "vfs-image: no such format: %s\n", optarg);
            return STATUS_USAGE;
        case 'h':
            print_help();
            return 0;
        case 'V':
            puts("vfs-image " VFS_TOOLS_VERSION);
            return 0;
        default:
            return STATUS_USAGE;
        }
    }
    return -1;
}

int main(int argc, char **argv)
{
    struct options options = {.format = UMVFS_ARCHIVE_CPIO};
    const struct command *command = NULL;
    for (size_t i = 0; argc > 1 && i < sizeof commands / sizeof commands[0]; i++)
        if (strcmp(argv[1], commands[i].name) == 0)
            command = &commands[i];
    /* Without a command -h and -V are still understood. */
    static const struct command none = {"", "hV", -1, NULL};
    int status = command ? take_options(command, argc - 1, argv + 1, &options)
                         : take_options(&none, argc, argv, &options);
    if (status >= 0)
        return status;
    if (!command || argc - 1 - optind != command->names) {
        fputs("vfs-image: a command and its arguments are needed; see vfs-image -h\n", stderr);
        return STATUS_USAGE;
    }
    return run(command, &options, argv + 1 + optind);
}
