/*
 * cpio archives by policy Linux, in pieces, against the strict policy. What strict takes makes the
 * same tree by policy Linux, unless that skips an entry with a warning or the archive has what the
 * policies read differently on purpose; in pieces of any size everything is the same; and after
 * any archive the file system is whole.
 *
 * Input: an archive, and a byte for the size of the pieces.
 * Proves: whatever strict takes, policy Linux takes with the same tree, and no archive breaks the
 * file system.
 * Does not prove: that Linux itself unpacks the archive so (a test of libvfs compares).
 * Oracles: the strict policy; the same tree in pieces and at once; the invariants.
 * Rate: 11,000/s
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "fuzz_archive.h"

/* What an import answered. */
struct answer {
    struct target target;
    struct umvfs_import_error error;
    uint64_t warnings;
    uint64_t warned; /* mixed of all warnings */
    int result;
};

static void warn(void *ctx, const struct umvfs_import_error *what)
{
    struct answer *answer = ctx;
    CHECK(what->reason > UMVFS_ARCHIVE_OK && what->error < 0);
    answer->warnings++;
    answer->warned = answer->warned * 31 + what->reason + what->offset * 7 + what->entry * 13;
}

static void import(struct answer *answer, enum umvfs_import_policy policy, const uint8_t *data,
                   size_t size, size_t piece)
{
    struct umvfs_import_options options = {.format = UMVFS_ARCHIVE_CPIO,
                                           .policy = policy,
                                           .allow_absolute = true,
                                           .warn = warn,
                                           .warn_ctx = answer};
    struct umvfs_import *import;
    int err = 0;
    *answer = (struct answer){0};
    target_begin(&answer->target);
    answer->target.may_have_empty_links = policy == UMVFS_IMPORT_LINUX;
    uint64_t calls = answer->target.host.calls;
    CHECK(umvfs_import_begin(&answer->target.task, NULL, "/t", &options, &import) == 0);
    for (size_t at = 0; at < size && !err; at += piece)
        err = umvfs_import_push(import, data + at, size - at < piece ? size - at : piece,
                                &answer->error);
    answer->result = umvfs_import_finish(import, &answer->error);
    CHECK(!err || answer->result == err);
    CHECK(!answer->result ||
          (answer->error.reason > UMVFS_ARCHIVE_OK && answer->error.error == answer->result &&
           answer->error.offset <= size));
    target_check_cost(&answer->target, calls, size);
    check_invariants(answer->target.task.vfs, 0);
}

static uint64_t fingerprint(struct answer *answer)
{
    return target_fingerprint(&answer->target, true);
}

static uint32_t field(const uint8_t *header, unsigned index)
{
    char text[9] = {0};
    memcpy(text, header + 6 + 8 * index, 8);
    return (uint32_t)strtoul(text, NULL, 16);
}

/* Entries of an archive that strict takes. Sets *plain unless one has an owner of all ones, a device
 * number that Linux cuts, or is a symbolic link with the name of the end, which Linux makes. */
static uint64_t count_entries(const uint8_t *data, size_t size, bool *plain)
{
    uint64_t count = 0;
    *plain = true;
    for (size_t at = 0; at + 110 <= size;) {
        if (!data[at]) {
            at++;
            continue;
        }
        const uint8_t *header = data + at;
        *plain = *plain && field(header, 2) != UINT32_MAX && field(header, 3) != UINT32_MAX &&
                 field(header, 9) < 0x1000 && field(header, 10) < 0x100000;
        bool is_end = strcmp((const char *)header + 110, "TRAILER!!!") == 0;
        *plain = *plain && !(is_end && UMVFS_S_ISLNK(field(header, 1)));
        count += !is_end;
        at = (at + 110 + field(header, 11) + 3) / 4 * 4;
        at = (at + field(header, 6) + 3) / 4 * 4;
    }
    return count;
}

/* Whether the policies must agree: each entry made a new name, and so met nothing that was there. */
static bool must_agree(const struct answer *strict, const struct answer *linux_way,
                       const uint8_t *data, size_t size, uint64_t names)
{
    bool plain;
    if (strict->result || linux_way->result || linux_way->warnings)
        return false;
    return count_entries(data, size, &plain) == names && plain;
}

static bool same(struct answer *a, struct answer *b)
{
    return a->result == b->result && a->error.reason == b->error.reason &&
           a->error.offset == b->error.offset && a->error.entry == b->error.entry &&
           a->warnings == b->warnings && a->warned == b->warned && fingerprint(a) == fingerprint(b);
}

/* The last byte says how large the pieces are. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct answer strict, linux_way, pieces;
    if (size == 0)
        return 0;
    size_t piece = data[--size] + 1u;
    import(&strict, UMVFS_IMPORT_STRICT, data, size, size + 1);
    import(&linux_way, UMVFS_IMPORT_LINUX, data, size, size + 1);
    if (must_agree(&strict, &linux_way, data, size, target_names(&linux_way.target)) &&
        fingerprint(&strict) != fingerprint(&linux_way)) {
        fprintf(stderr, "the policies make different trees\n");
        abort();
    }
    if (piece % 4 == 0) {
        import(&pieces, UMVFS_IMPORT_LINUX, data, size, piece);
        if (!same(&linux_way, &pieces)) {
            fprintf(stderr, "pieces of %zu: %d (%s), at once: %d (%s)\n", piece, pieces.result,
                    umvfs_archive_reason_text(pieces.error.reason), linux_way.result,
                    umvfs_archive_reason_text(linux_way.error.reason));
            abort();
        }
        target_end(&pieces.target);
    }
    target_end(&linux_way.target);
    target_end(&strict.target);
    return 0;
}
