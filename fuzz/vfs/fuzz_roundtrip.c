/*
 * An archive that imports is exported in each format and imported again: the tree must be the
 * same.
 *
 * Input: an archive.
 * Proves: what was imported can be exported in each format and imported to the same tree.
 * Does not prove: that the exported bytes are the same.
 * Oracles: a fingerprint of both trees.
 * Rate: 25,000/s
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz_archive.h"

/* What an import has pages for, with room to spare. */
#define SINK_MAX (512u << 10)

struct sink {
    uint8_t *data;
    size_t len;
    size_t room;
};

static const struct umvfs_import_options any_format;

static int take(void *ctx, const void *data, size_t len)
{
    struct sink *sink = ctx;
    if (sink->len + len > SINK_MAX) /* the holes of a sparse file */
        return -UMVFS_ENOSPC;
    if (sink->len + len > sink->room) {
        sink->room = (sink->len + len) * 2;
        sink->data = realloc(sink->data, sink->room);
    }
    memcpy(sink->data + sink->len, data, len);
    sink->len += len;
    return 0;
}

static void round_trip(struct target *from, enum umvfs_archive_format format)
{
    struct sink sink = {0};
    struct target to;
    struct umvfs_import_error error = {0};
    bool seconds = format != UMVFS_ARCHIVE_TAR;
    int err = umvfs_export(&from->task, NULL, "/t", format, take, &sink);
    if (err == 0) {
        target_begin(&to);
        err = target_import(&to, &any_format, sink.data, sink.len, 1000, &error);
        if (err || target_fingerprint(from, seconds) != target_fingerprint(&to, seconds)) {
            fprintf(stderr, "format %d: %s at %s\n", format,
                    umvfs_archive_reason_text(error.reason), error.name);
            abort();
        }
        target_end(&to);
    } else if (err != -UMVFS_EOVERFLOW && err != -UMVFS_ENOSPC) {
        abort();
    }
    free(sink.data);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct target from;
    struct umvfs_import_error error;
    target_begin(&from);
    if (target_import(&from, &any_format, data, size, size + 1, &error) == 0) {
        round_trip(&from, UMVFS_ARCHIVE_CPIO);
        round_trip(&from, UMVFS_ARCHIVE_CPIO_CRC);
        round_trip(&from, UMVFS_ARCHIVE_TAR);
    }
    target_end(&from);
    return 0;
}
