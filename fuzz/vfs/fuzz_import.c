/*
 * Archives of one format (FUZZ_FORMAT), pushed in pieces. Pieces must not matter: importing all
 * at once must answer the same, with the same tree or the same error.
 *
 * Input: an archive of one format, and a byte for the size of the pieces and how the end is read.
 * Proves: an import is complete or rolled back, stays below its root and within its bounds.
 * Does not prove: that other programs read the archive alike (the unit tests compare).
 * Oracles: the same tree or error in pieces and at once; the invariants.
 * Rate: fuzz_vfs_cpio 50,000/s, fuzz_vfs_tar 60,000/s
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz_archive.h"

static bool same_error(const struct umvfs_import_error *a, const struct umvfs_import_error *b)
{
    return a->reason == b->reason && a->error == b->error && a->offset == b->offset &&
           a->entry == b->entry && strcmp(a->name, b->name) == 0;
}

/* The last byte says how large the pieces are; two of its bits say what may follow the end. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct target a;
    struct umvfs_import_error error_a = {0};
    struct umvfs_import_error error_b = {0};
    if (size == 0)
        return 0;
    size_t piece = data[--size] + 1u;
    const struct umvfs_import_options options = {
        .format = FUZZ_FORMAT,
        .policy = piece & 64u ? UMVFS_IMPORT_LENIENT : UMVFS_IMPORT_STRICT,
        .concatenated = piece & 128u,
    };
    target_begin(&a);
    int first = target_import(&a, &options, data, size, size + 1, &error_a);
    if (piece % 4 == 0) {
        struct target b;
        target_begin(&b);
        int second = target_import(&b, &options, data, size, piece, &error_b);
        if (first != second || !same_error(&error_a, &error_b) ||
            (!first && target_fingerprint(&a, true) != target_fingerprint(&b, true))) {
            fprintf(stderr, "pieces of %zu: %d (%s), at once: %d (%s)\n", piece, second,
                    umvfs_archive_reason_text(error_b.reason), first,
                    umvfs_archive_reason_text(error_a.reason));
            abort();
        }
        target_end(&b);
    }
    target_end(&a);
    return 0;
}
