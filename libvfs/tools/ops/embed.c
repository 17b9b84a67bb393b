#include "embed.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <inttypes.h>
#include <unistd.h>

#include "op.h"

static void *object_alloc(void *context, size_t size)
{
    struct embed *embed = context;
    void *object = malloc(size);
    if (object) {
        embed->objects++;
        embed->bytes += size;
    }
    return object;
}

static void object_free(void *context, void *object, size_t size)
{
    struct embed *embed = context;
    embed->objects--;
    embed->bytes -= size;
    free(object);
}

static void *page_alloc(void *context)
{
    struct embed *embed = context;
    void *page = aligned_alloc(UMVFS_PAGE_SIZE, UMVFS_PAGE_SIZE);
    if (page)
        embed->pages++;
    return page;
}

static void page_put(void *context, void *page)
{
    struct embed *embed = context;
    embed->pages--;
    free(page);
}

int64_t embed_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int64_t now(void *context)
{
    (void)context;
    return embed_now();
}

static size_t copy(void *context, void *target, const void *source, size_t length)
{
    (void)context;
    memcpy(target, source, length);
    return length;
}

const struct umvfs_copy embed_copy = {.copy = copy};
const struct umvfs_cred embed_superuser = {.caps = UMVFS_CAP_ALL};

uint64_t embed_default_size(void)
{
    return (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE) / 2;
}

void embed_limit(struct umvfs_limits *limits, uint64_t size)
{
    uint64_t pages = size / UMVFS_PAGE_SIZE;
    if (!limits->max_pages)
        limits->max_pages = pages ? pages : 1;
    if (!limits->max_bytes)
        limits->max_bytes = size;
}

int embed_new(struct embed *embed, const struct embed_options *options)
{
    struct umvfs_config config = {
        .ctx = embed,
        .alloc = object_alloc,
        .free = object_free,
        .page_alloc = page_alloc,
        .page_put = page_put,
        .now = now,
        .root_limits = options->limits,
        .root_mode = options->root_mode,
        .protected_symlinks = options->protected_symlinks,
        .protected_hardlinks = options->protected_hardlinks,
        .protected_fifos = options->protected_fifos,
        .protected_regular = options->protected_regular,
    };
    if (getrandom(config.seed, sizeof config.seed, 0) != sizeof config.seed)
        return -EIO;
    *embed = (struct embed){0};
    return umvfs_new(&config, &embed->vfs);
}

int embed_destroy(struct embed *embed)
{
    int error = umvfs_destroy(embed->vfs);
    if (error)
        return error;
    embed->vfs = NULL;
    return embed->objects || embed->bytes || embed->pages ? -EUCLEAN : 0;
}

static uint8_t read_rule(const char *name)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/sys/fs/protected_%s", name);
    FILE *file = fopen(path, "re");
    unsigned value = 0;
    if (file && fscanf(file, "%u", &value) != 1)
        value = 0;
    if (file)
        fclose(file);
    return (uint8_t)value;
}

void embed_protection_of_host(struct embed_options *options)
{
    options->protected_symlinks = read_rule("symlinks");
    options->protected_hardlinks = read_rule("hardlinks");
    options->protected_fifos = read_rule("fifos");
    options->protected_regular = read_rule("regular");
}

enum umvfs_archive_format archive_format_by_name(const char *name)
{
    if (strcmp(name, "cpio") == 0)
        return UMVFS_ARCHIVE_CPIO;
    if (strcmp(name, "cpio-crc") == 0)
        return UMVFS_ARCHIVE_CPIO_CRC;
    return strcmp(name, "tar") == 0 ? UMVFS_ARCHIVE_TAR : UMVFS_ARCHIVE_AUTO;
}

static void begin_task(struct umvfs *vfs, struct umvfs_task *task)
{
    *task = (struct umvfs_task){.vfs = vfs, .cred = &embed_superuser};
    umvfs_root(vfs, &task->root);
    task->cwd = task->root;
}

void archive_describe(struct bytes *message, const char *path,
                      const struct umvfs_import_error *error)
{
    bytes_printf(message, "%s: entry %" PRIu64, path, error->entry);
    if (error->name[0]) {
        bytes_text(message, " \"");
        for (const char *c = error->name; *c; c++)
            bytes_push(message, *c >= ' ' && *c < 0x7f ? *c : '?');
        bytes_text(message, "\"");
    }
    bytes_printf(message, " at offset %" PRIu64 ": %s%s%s (%s)", error->offset,
                 error->compression ? error->compression : "", error->compression ? ": " : "",
                 umvfs_archive_reason_text(error->reason), op_errno_name(-error->error));
}

/* An import, and what it refuses. */
struct importer {
    struct umvfs_import *import;
    struct umvfs_import_error error;
};

static int push(void *context, const void *data, size_t length)
{
    struct importer *importer = context;
    return umvfs_import_push(importer->import, data, length, &importer->error);
}

static int load_file(const struct umvfs_task *task, const char *path, FILE *file,
                     const struct umvfs_import_options *options, struct bytes *message)
{
    struct importer importer = {0};
    struct bytes where = {0};
    bool is_linux = options->policy == UMVFS_IMPORT_LINUX;
    int result = umvfs_import_begin(task, NULL, "/", options, &importer.import);
    if (result) {
        bytes_printf(message, "%s: %s", path, strerror(-result));
        return result;
    }
    result = archive_unpack(file, path, push, &importer, &where);
    bool is_unreadable = result && !importer.error.reason;
    if (is_unreadable && !(is_linux && result == -EINVAL)) {
        umvfs_import_abort(importer.import);
    } else {
        int refused = umvfs_import_finish(importer.import, &importer.error);
        if (refused && !is_unreadable) {
            result = refused;
            archive_describe(message, path, &importer.error);
        }
        result = result && is_linux ? ARCHIVE_STOPPED : result;
    }
    if (where.length)
        bytes_text(message, bytes_string(&where));
    bytes_free(&where);
    return result;
}

int archive_load(struct umvfs *vfs, const char *path, const struct umvfs_import_options *options,
                 struct bytes *message)
{
    bool is_stdin = strcmp(path, "-") == 0;
    FILE *file = is_stdin ? stdin : fopen(path, "re");
    if (!file) {
        int error = -errno;
        bytes_printf(message, "%s: %s", path, strerror(errno));
        return error;
    }
    struct umvfs_task task;
    begin_task(vfs, &task);
    int result = load_file(&task, path, file, options, message);
    umvfs_path_put(&task.root);
    if (!is_stdin)
        fclose(file);
    return result;
}

static int write_piece(void *context, const void *data, size_t length)
{
    return fwrite(data, 1, length, context) == length ? 0 : -EIO;
}

int archive_save(struct umvfs *vfs, const char *path, enum umvfs_archive_format format,
                 struct bytes *message)
{
    bool is_stdout = strcmp(path, "-") == 0;
    FILE *file = is_stdout ? stdout : fopen(path, "we");
    if (!file) {
        int error = -errno;
        bytes_printf(message, "%s: %s", path, strerror(errno));
        return error;
    }
    struct umvfs_task task;
    begin_task(vfs, &task);
    int result = umvfs_export(&task, NULL, "/", format, write_piece, file);
    umvfs_path_put(&task.root);
    if ((is_stdout ? fflush(file) : fclose(file)) && !result)
        result = errno ? -errno : -EIO;
    if (result) {
        bytes_printf(message, "%s: %s", path, strerror(-result));
        if (!is_stdout)
            unlink(path);
    }
    return result;
}
