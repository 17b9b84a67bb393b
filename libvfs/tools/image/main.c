/* The command vfs-image: the image itself, what is listed of it, and the commands on it. */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <limits.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include "image.h"
#include "ops/embed.h"
#include "ops/backend.h"
#include "ops/text.h"

/* The image itself, and a walk over its tree. */

int image_open(struct image *image, uint64_t size)
{
    struct embed_options options = {0};
    embed_limit(&options.limits, size);
    *image = (struct image){0};
    int error = embed_new(&image->embed, &options);
    if (error)
        return error;
    image->task = (struct umvfs_task){.vfs = image->embed.vfs, .cred = &embed_superuser};
    umvfs_root(image->embed.vfs, &image->task.root);
    image->task.cwd = image->task.root;
    return 0;
}

int image_close(struct image *image)
{
    umvfs_path_put(&image->task.root);
    return embed_destroy(&image->embed);
}

/* An inode with several names and the first of them. */
struct first_name {
    uint64_t inode;
    char *path;
};

struct walk {
    image_visit *visit;
    void *context;
    void *first_names; /* tsearch tree of struct first_name */
    struct bytes path;
};

static int compare_inodes(const void *a, const void *b)
{
    uint64_t left = ((const struct first_name *)a)->inode;
    uint64_t right = ((const struct first_name *)b)->inode;
    return (left > right) - (left < right);
}

static void free_first_name(void *node)
{
    free(((struct first_name *)node)->path);
    free(node);
}

/* The path that an inode was visited under before, or NULL, and then this one is remembered. */
static const char *known_as(struct walk *walk, uint64_t inode)
{
    struct first_name *entry = malloc(sizeof *entry);
    if (!entry)
        abort();
    *entry = (struct first_name){inode, NULL};
    struct first_name **found = tsearch(entry, &walk->first_names, compare_inodes);
    if (!found)
        abort();
    if (*found != entry) {
        free(entry);
        return (*found)->path;
    }
    entry->path = strdup(bytes_string(&walk->path));
    return NULL;
}

/* Tells the image's visitor of an object that the walk visits; a directory's name stays in the path
 * until it is left. */
static int visit_object(void *context, const struct umvfs_visit *at)
{
    struct walk *walk = context;
    size_t length = walk->path.length;
    bool is_directory = UMVFS_S_ISDIR(at->stat.mode);
    if (at->error)
        return at->error;
    if (!at->is_leaving)
        bytes_printf(&walk->path, "%s%s", length ? "/" : "", at->name);
    struct visit visit = {.name = at->dir ? at->name : ".", .place = at->place, .stat = at->stat};
    if (!is_directory && at->stat.nlink > 1)
        visit.link_to = known_as(walk, at->stat.ino);
    visit.path = walk->path.length ? bytes_string(&walk->path) : ".";
    int error = walk->visit(walk->context, &visit, at->is_leaving);
    if (!is_directory || at->is_leaving) {
        bool inside = walk->path.length > at->len;
        walk->path.length -= at->len + (inside ? 1 : 0);
    }
    return error;
}

int image_walk(struct image *image, image_visit *visit, void *context)
{
    struct walk walk = {.visit = visit, .context = context};
    int error = umvfs_walk_tree(&image->task, &image->task.root, "", UMVFS_AT_EMPTY_PATH,
                                visit_object, &walk);
    tdestroy(walk.first_names, free_first_name);
    bytes_free(&walk.path);
    return error;
}

/* The listing of an image. */

static void add_mode(struct bytes *line, uint32_t mode)
{
    static const char types[16] = {
        [1] = 'p', [2] = 'c', [4] = 'd', [6] = 'b', [8] = '-', [10] = 'l', [12] = 's'};
    char text[11] = "?rwxrwxrwx";
    text[0] = types[(mode & UMVFS_S_IFMT) >> 12];
    for (unsigned i = 0; i < 9; i++)
        if (!(mode & (0400u >> i)))
            text[i + 1] = '-';
    if (mode & UMVFS_S_ISUID)
        text[3] = mode & 0100 ? 's' : 'S';
    if (mode & UMVFS_S_ISGID)
        text[6] = mode & 0010 ? 's' : 'S';
    if (mode & UMVFS_S_ISVTX)
        text[9] = mode & 0001 ? 't' : 'T';
    bytes_text(line, text);
}

/* In UTC, so that the listing does not depend on where it is made. */
static void add_time(struct bytes *line, struct umvfs_time time)
{
    char text[64] = "?";
    struct tm parts;
    time_t seconds = time.sec;
    if (gmtime_r(&seconds, &parts))
        strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &parts);
    bytes_printf(line, " %s ", text);
}

static int add_target(struct bytes *line, struct image *image, const struct visit *visit)
{
    char target[PATH_MAX];
    if (!UMVFS_S_ISLNK(visit->stat.mode))
        return 0;
    int length =
        umvfs_readlink(&image->task, visit->place, "", UMVFS_AT_EMPTY_PATH, target, sizeof target);
    if (length < 0)
        return length;
    bytes_text(line, " -> ");
    token_spell(line, target, (size_t)length);
    return 0;
}

static int print_object(void *context, const struct visit *visit, bool leaving)
{
    const struct umvfs_stat *st = &visit->stat;
    struct bytes line = {0};
    if (leaving)
        return 0;
    add_mode(&line, st->mode);
    bytes_printf(&line, " %u/%u ", st->uid, st->gid);
    if (UMVFS_S_ISCHR(st->mode) || UMVFS_S_ISBLK(st->mode))
        bytes_printf(&line, "%u,%u", major(st->rdev), minor(st->rdev));
    else
        bytes_printf(&line, "%" PRIu64, UMVFS_S_ISDIR(st->mode) ? 0 : st->size);
    add_time(&line, st->mtime);
    token_spell(&line, visit->path, strlen(visit->path));
    int error = add_target(&line, context, visit);
    if (visit->link_to) {
        bytes_text(&line, " link to ");
        token_spell(&line, visit->link_to, strlen(visit->link_to));
    }
    puts(bytes_string(&line));
    bytes_free(&line);
    return error;
}

int image_list(struct image *image)
{
    return image_walk(image, print_object, image);
}

/* Extended attributes, between the host and an image, and what becomes of those that find no place. */
enum { LIST_MAX = 65536, VALUE_MAX = 65536 }; /* Linux's limits */

void image_lost(struct image *image, const char *path, const char *attribute)
{
    fprintf(stderr, "vfs-image: %s: attribute %s is lost\n", path, attribute);
    image->losses++;
}

/* The names of an object's attributes in an image: bytes in list, or a negative errno. */
static int list_of(struct image *image, const struct visit *visit, char *list)
{
    return umvfs_listxattr(&image->task, visit->place, "", list, LIST_MAX, UMVFS_AT_EMPTY_PATH);
}

int image_give_attributes(struct image *image, const struct visit *visit, int to)
{
    static char list[LIST_MAX], value[VALUE_MAX];
    int length = list_of(image, visit, list);
    for (int at = 0; at < length; at += (int)strlen(list + at) + 1) {
        int size = umvfs_getxattr(&image->task, visit->place, "", list + at, value, sizeof value,
                                  UMVFS_AT_EMPTY_PATH);
        if (size < 0)
            return size;
        if (to < 0 || fsetxattr(to, list + at, value, (size_t)size, 0))
            image_lost(image, visit->path, list + at);
    }
    return length < 0 ? length : 0;
}

int image_take_attributes(struct image *image, int from, const struct umvfs_path *to,
                          const char *path)
{
    static char list[LIST_MAX], value[VALUE_MAX];
    ssize_t length = flistxattr(from, list, sizeof list);
    if (length < 0)
        return errno == EOPNOTSUPP ? 0 : -errno;
    for (ssize_t at = 0; at < length; at += (ssize_t)strlen(list + at) + 1) {
        ssize_t size = fgetxattr(from, list + at, value, sizeof value);
        if (size < 0 || umvfs_setxattr(&image->task, to, "", list + at, value, (size_t)size, 0,
                                       UMVFS_AT_EMPTY_PATH))
            image_lost(image, path, list + at);
    }
    return 0;
}

static int lose(void *context, const struct visit *visit, bool leaving)
{
    static char list[LIST_MAX];
    int length = leaving || visit->link_to ? 0 : list_of(context, visit, list);
    for (int at = 0; at < length; at += (int)strlen(list + at) + 1)
        image_lost(context, visit->path, list + at);
    return length < 0 ? length : 0;
}

int image_lose_attributes(struct image *image)
{
    return image_walk(image, lose, image);
}

/* The commands. */
enum { STATUS_FAILED = 1, STATUS_USAGE = 2, STATUS_LOSSES = 3 };

struct options {
    enum umvfs_archive_format format;
    struct umvfs_import_options import;
    uint64_t size; /* of an image, in memory */
};

static void print_help(void)
{
    puts("usage: vfs-image pack [-f FORMAT] DIR ARCHIVE\n"
         "       vfs-image list [-a] [-c] [-p POLICY] [-s BYTES] ARCHIVE\n"
         "       vfs-image extract [-a] [-c] [-n] [-p POLICY] [-s BYTES] ARCHIVE DIR\n"
         "       vfs-image check [-a] [-c] [-n] [-p POLICY] [-s BYTES] ARCHIVE\n"
         "       vfs-image convert [-a] [-c] [-n] [-p POLICY] [-s BYTES] [-f FORMAT] ARCHIVE NEW\n"
         "\n"
         "Works on cpio (newc, with or without checksums) and tar (ustar, pax, GNU, v7) archives.\n"
         "Those that are read may be compressed, wholly or in parts: gzip, bzip2, xz, lzma, zstd,\n"
         "lzop, and lz4 as lz4 -l writes it. ARCHIVE may be - for standard input or output.\n"
         "\n"
         "    -f FORMAT   cpio (default), cpio-crc or tar: what is written\n"
         "    -a          drop the leading slashes of absolute names instead of refusing them\n"
         "    -c          read the archives that follow a tar archive's end mark\n"
         "    -n          refuse device nodes\n"
         "    -p, --policy POLICY\n"
         "                strict (default); linux: cpio archives as Linux reads an initramfs;\n"
         "                lenient: tar archives without an end mark, or with junk behind it\n"
         "    -s, --size BYTES\n"
         "                refuse an archive whose files, or names and inodes, take more memory;\n"
         "                half of the machine's by default\n"
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
    {"list", "acp:s:hV", 1, run_list},
    {"extract", "acnp:s:hV", 2, run_extract},
    {"check", "acnp:s:hV", 1, run_check},
    {"convert", "acnp:s:f:hV", 2, run_convert},
};

static int run(const struct command *command, const struct options *options, char **names)
{
    struct image image = {0};
    struct bytes message = {0};
    int error = image_open(&image, options->size);
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

static bool take_size(const char *text, uint64_t *out)
{
    char *end;
    errno = 0;
    *out = strtoull(text, &end, 10);
    return text[0] >= '0' && text[0] <= '9' && !*end && !errno && *out > 0;
}

/* Takes the options of a command. Returns -1 to go on, or the exit status. */
static int take_options(const struct command *command, int argc, char **argv,
                        struct options *options)
{
    static const struct option none[] = {{0}};
    static const struct option words[] = {
        {"policy", required_argument, NULL, 'p'}, {"size", required_argument, NULL, 's'}, {0}};
    int option;
    while ((option = getopt_long(argc, argv, command->options,
                                 strstr(command->options, "p:") ? words : none, NULL)) != -1) {
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
        case 's':
            if (take_size(optarg, &options->size))
                break;
            fprintf(stderr, "vfs-image: not a size: %s\n", optarg);
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
    struct options options = {.format = UMVFS_ARCHIVE_CPIO, .size = embed_default_size()};
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
