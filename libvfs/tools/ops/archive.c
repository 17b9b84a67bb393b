#include "archive.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "embed.h"
#include "op.h"

enum { PIECE = 65536 }; /* bytes handed over at a time */

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

/* Pushes all of `file`. Sets *read_error when the host fails. */
static int push_all(struct umvfs_import *import, FILE *file, int *read_error,
                    struct umvfs_import_error *error)
{
    static char piece[PIECE];
    size_t got;
    int result = 0;
    while (!result && (got = fread(piece, 1, sizeof piece, file)) > 0)
        result = umvfs_import_push(import, piece, got, error);
    if (!result && ferror(file))
        *read_error = errno ? -errno : -EIO;
    return result;
}

static int load_file(const struct umvfs_task *task, const char *path, FILE *file,
                     const struct umvfs_import_options *options, struct bytes *message)
{
    struct umvfs_import *import;
    struct umvfs_import_error error = {0};
    int read_error = 0;
    int result = umvfs_import_begin(task, NULL, "/", options, &import);
    if (result) {
        bytes_printf(message, "%s: %s", path, strerror(-result));
        return result;
    }
    push_all(import, file, &read_error, &error);
    if (read_error) {
        umvfs_import_abort(import);
        bytes_printf(message, "%s: %s", path, strerror(-read_error));
        return read_error;
    }
    result = umvfs_import_finish(import, &error);
    if (result)
        archive_describe(message, path, &error);
    return result && options->policy == UMVFS_IMPORT_LINUX ? ARCHIVE_STOPPED : result;
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
