/* tar: pax records, options of an import, and what an export cannot say. */
#include "tests.h"

struct tape {
    char bytes[65536];
    size_t len;
};

static void put(struct tape *t, const void *data, size_t len)
{
    memcpy(t->bytes + t->len, data, len);
    t->len += len;
    while (t->len % 512)
        t->bytes[t->len++] = '\0';
}

/* The text is the contents, or the target of a symbolic link. */
static void entry(struct tape *t, char type, const char *name, const char *text, size_t len)
{
    char block[512] = {0};
    unsigned sum = 0;
    if (type == '2') {
        memcpy(block + 157, text, len);
        len = 0;
    }
    snprintf(block, 100, "%s", name);
    snprintf(block + 100, 8, "%07o", 0644);
    snprintf(block + 124, 12, "%011o", (unsigned)len);
    memcpy(block + 257, "ustar\00000", 8);
    block[156] = type;
    memset(block + 148, ' ', 8);
    for (size_t i = 0; i < sizeof(block); i++)
        sum += (unsigned char)block[i];
    snprintf(block + 148, 8, "%06o", sum);
    put(t, block, sizeof(block));
    put(t, text, len);
}

static void finish(struct tape *t)
{
    memset(t->bytes + t->len, 0, 1024);
    t->len += 1024;
}

static int import(struct world *w, const struct tape *t, const struct umvfs_import_options *options,
                  struct umvfs_import_error *error)
{
    return umvfs_import_memory(&w->task, NULL, "/", options, t->bytes, t->len, error);
}

/* An extended header before a file "f" with the contents "text". */
static int import_pax(struct world *w, char type, const char *records, struct umvfs_stat *st,
                      struct umvfs_import_error *error)
{
    static struct tape t;
    t.len = 0;
    entry(&t, type, "pax", records, strlen(records));
    entry(&t, '0', "f", "text", 4);
    finish(&t);
    world_begin(w, NULL);
    int err = import(w, &t, NULL, error);
    if (!err)
        assert_int_equal(umvfs_stat(&w->task, NULL, "/f", 0, st), 0);
    return err;
}

static void records_are_strict(void **state)
{
    static const struct {
        const char *records;
        enum umvfs_archive_reason reason;
    } cases[] = {
        {"9 size=x\n", UMVFS_ARCHIVE_BAD_NUMBER},
        {"11 uid=-13\n", UMVFS_ARCHIVE_BAD_NUMBER},
        {"18 uid=4294967296\n", UMVFS_ARCHIVE_BAD_NUMBER},
        {"18 gid=4294967296\n", UMVFS_ARCHIVE_BAD_NUMBER},
        {"28 size=9223372036854775807\n", UMVFS_ARCHIVE_BAD_NUMBER},
        {"13 mtime=x.1\n", UMVFS_ARCHIVE_BAD_NUMBER},
        {"13 mtime=1.x\n", UMVFS_ARCHIVE_BAD_NUMBER},
        {"29 mtime=9223372036854775808\n", UMVFS_ARCHIVE_BAD_NUMBER},
        {"27 GNU.sparse.size=1234567\n", UMVFS_ARCHIVE_BAD_SPARSE},
        {"52 uid=12345678901234567890123456789012345678901234\n", UMVFS_ARCHIVE_BAD_PAX},
        {"28 uid=18446744073709551616\n", UMVFS_ARCHIVE_BAD_NUMBER},
        {"29 uid=184467440737095516150\n", UMVFS_ARCHIVE_BAD_NUMBER},
        {"9 uid=13x", UMVFS_ARCHIVE_BAD_PAX},
        {"x uid=13\n", UMVFS_ARCHIVE_BAD_PAX},
        {"99 uid=13\n", UMVFS_ARCHIVE_BAD_PAX},
        {"8 uid13\n", UMVFS_ARCHIVE_BAD_PAX},
        {"5 uid=13\n", UMVFS_ARCHIVE_BAD_PAX},
        {"7 uid=\n", UMVFS_ARCHIVE_BAD_NUMBER},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct world w;
        struct umvfs_import_error error = {0};
        struct umvfs_stat st;
        int err = import_pax(&w, 'x', cases[i].records, &st, &error);
        if (err != -UMVFS_EINVAL || error.reason != cases[i].reason)
            fail_msg("%s: %d, %s", cases[i].records, err, umvfs_archive_reason_text(error.reason));
        world_end(&w);
    }
}

static void records_count(void **state)
{
    struct world w;
    struct umvfs_stat st;
    struct umvfs_import_error error;
    char value[8] = "";
    assert_int_equal(import_pax(&w, 'x',
                                "18 uid=4294967295\n13 gid=70000\n9 size=4\n16 mtime=-12.75\n"
                                "30 SCHILY.xattr.user.k=value1\n12 comment=\n16 other=ignore\n",
                                &st, &error),
                     0);
    assert_int_equal(st.uid, UINT32_MAX);
    assert_int_equal(st.gid, 70000);
    assert_int_equal(st.size, 4);
    assert_int_equal(st.mtime.sec, -13);
    assert_int_equal(st.mtime.nsec, 250000000);
    assert_int_equal(umvfs_getxattr(&w.task, NULL, "/f", "user.k", value, sizeof(value), 0), 6);
    assert_string_equal(value, "value1");
    world_end(&w);
    /* names without a name are not kept */
    assert_int_equal(import_pax(&w, 'x',
                                "32 SCHILY.xattr.security.=value\n31 SCHILY.xattr.trusted.=value\n"
                                "31 SCHILY.xattr.system.a=value\n28 SCHILY.xattr.other.a=val\n",
                                &st, &error),
                     0);
    assert_int_equal(umvfs_listxattr(&w.task, NULL, "/f", NULL, 0, 0), 0);
    world_end(&w);
}

/* The target of a symbolic link, in a pax record and as GNU's long link. */
static void link_targets_have_a_limit(void **state)
{
    static struct tape t;
    static char text[UMVFS_PATH_MAX + 32];
    for (unsigned len = UMVFS_PATH_MAX - 2; len <= UMVFS_PATH_MAX; len++) {
        for (unsigned gnu = 0; gnu < 2; gnu++) {
            struct world w;
            struct umvfs_stat st;
            struct umvfs_import_error error = {0};
            int expected = len < UMVFS_PATH_MAX ? 0 : -UMVFS_EINVAL;
            int head = gnu ? 0 : snprintf(text, sizeof(text), "%u linkpath=", len + 15);
            memset(text + head, 't', len);
            text[(unsigned)head + len] = '\n';
            t.len = 0;
            entry(&t, gnu ? 'K' : 'x', "long", text, (unsigned)head + len + !gnu);
            entry(&t, '2', "l", "", 0);
            finish(&t);
            world_begin(&w, NULL);
            assert_int_equal(import(&w, &t, NULL, &error), expected);
            assert_int_equal(error.reason, !expected ? UMVFS_ARCHIVE_OK
                                           : gnu     ? UMVFS_ARCHIVE_BAD_NAME
                                                     : UMVFS_ARCHIVE_BAD_PAX);
            assert_int_equal(umvfs_stat(&w.task, NULL, "/l", UMVFS_AT_SYMLINK_NOFOLLOW, &st),
                             expected ? -UMVFS_ENOENT : 0);
            if (!expected)
                assert_int_equal(st.size, len);
            world_end(&w);
        }
    }
}

static void count_warnings(void *ctx, const struct umvfs_import_error *what)
{
    assert_int_equal(what->reason, UMVFS_ARCHIVE_NOT_KEPT);
    ++*(unsigned *)ctx;
}

/* Which of several names counts, and what the lenient policy takes of them, as libarchive does. */
static void names_are_of_records_or_headers(void **state)
{
    static const struct {
        const char *record, *path, *target;
        char type; /* of a GNU record after it, of `len` bytes */
        unsigned len, warnings;
        enum umvfs_archive_reason strict;
    } cases[] = {
        {"12 path=pax\n", "/pax", "header", 'L', 5, 0, UMVFS_ARCHIVE_OK},
        {"16 linkpath=pax\n", "/f", "pax", 'K', 5, 0, UMVFS_ARCHIVE_OK},
        {"11 gid=123\n", "/long", "header", 'L', 5, 0, UMVFS_ARCHIVE_OK},
        {"8 path=\n", "/f", "header", 0, 0, 1, UMVFS_ARCHIVE_BAD_NAME},
        {"12 path=pax\n8 path=\n", "/f", "header", 0, 0, 1, UMVFS_ARCHIVE_BAD_NAME},
        {"13 linkpath=\n", "/f", "header", 0, 0, 1, UMVFS_ARCHIVE_BAD_LINK},
        {"11 gid=123\n", "/f", "l", 'K', 1, 0, UMVFS_ARCHIVE_BAD_NAME},
    };
    static struct tape t;
    for (size_t i = 0; i < 2 * (sizeof(cases) / sizeof(cases[0])); i++) {
        struct world w;
        struct umvfs_import_error error = {0};
        char target[16] = "";
        unsigned warnings = 0, at = (unsigned)(i / 2);
        const struct umvfs_import_options options = {.policy = i % 2 ? UMVFS_IMPORT_LENIENT
                                                                     : UMVFS_IMPORT_STRICT,
                                                     .warn = count_warnings,
                                                     .warn_ctx = &warnings};
        enum umvfs_archive_reason reason = i % 2 ? UMVFS_ARCHIVE_OK : cases[at].strict;
        t.len = 0;
        entry(&t, 'x', "pax", cases[at].record, strlen(cases[at].record));
        if (cases[at].type)
            entry(&t, cases[at].type, "gnu", "long", cases[at].len);
        entry(&t, '2', "f", "header", 6);
        finish(&t);
        world_begin(&w, NULL);
        assert_int_equal(import(&w, &t, &options, &error), reason ? -UMVFS_EINVAL : 0);
        assert_int_equal(error.reason, reason);
        if (!reason) {
            assert_true(umvfs_readlink(&w.task, NULL, cases[at].path, 0, target, 15) > 0);
            assert_string_equal(target, cases[at].target);
            assert_int_equal(warnings, cases[at].warnings);
        }
        world_end(&w);
    }
}

static void take_warning(void *ctx, const struct umvfs_import_error *what)
{
    *(enum umvfs_archive_reason *)ctx = what->reason;
}

/* Of two extended headers before one entry, readers take the first, the second or both: the strict policy
 * refuses them, and of the lenient one the second counts alone, as for GNU tar and libarchive. */
static void two_extended_headers_are_one_too_many(void **state)
{
    static const char first[] = "12 path=old\n11 gid=123\n30 SCHILY.xattr.user.k=value1\n"
                                "22 GNU.sparse.size=99\n26 GNU.sparse.map=0,1,5,1\n";
    for (unsigned lenient = 0; lenient < 2; lenient++) {
        static struct tape t;
        struct world w;
        struct umvfs_import_error error = {0};
        struct umvfs_stat st;
        char link[9] = "";
        enum umvfs_archive_reason warning = UMVFS_ARCHIVE_OK;
        const struct umvfs_import_options options = {.policy = lenient ? UMVFS_IMPORT_LENIENT
                                                                       : UMVFS_IMPORT_STRICT,
                                                     .warn = take_warning,
                                                     .warn_ctx = &warning};
        t.len = 0;
        entry(&t, 'x', "pax", first, sizeof(first) - 1);
        entry(&t, 'x', "pax", "16 linkpath=new\n", 16);
        entry(&t, '2', "f", "header", 6);
        finish(&t);
        world_begin(&w, NULL);
        assert_int_equal(import(&w, &t, &options, &error), lenient ? 0 : -UMVFS_EINVAL);
        assert_int_equal(error.reason, lenient ? UMVFS_ARCHIVE_OK : UMVFS_ARCHIVE_BAD_PAX);
        assert_int_equal(warning, lenient ? UMVFS_ARCHIVE_BAD_PAX : UMVFS_ARCHIVE_OK);
        if (lenient) {
            assert_int_equal(umvfs_stat(&w.task, NULL, "/f", UMVFS_AT_SYMLINK_NOFOLLOW, &st), 0);
            assert_int_equal(st.gid, 0);
            assert_int_equal(umvfs_readlink(&w.task, NULL, "/f", 0, link, 8), 3);
            assert_string_equal(link, "new");
        }
        world_end(&w);
    }
}

static void imports_have_options(void **state)
{
    static struct tape t;
    struct world w;
    struct umvfs_import_error error;
    struct umvfs_stat st;
    t.len = 0;
    entry(&t, 'x', "pax", "13 uid=12345\n", 13);
    entry(&t, '0', "f", "text", 4);
    entry(&t, '0', "g", "text", 4);
    finish(&t);
    world_begin(&w, NULL);
    const struct umvfs_import_options own = {.owner_is_task = true, .max_entries = 2};
    assert_int_equal(import(&w, &t, &own, &error), 0);
    assert_int_equal(umvfs_stat(&w.task, NULL, "/f", 0, &st), 0);
    assert_int_equal(st.uid, 0);
    const struct umvfs_import_options few = {.max_entries = 1, .replace = true};
    assert_int_equal(import(&w, &t, &few, &error), -UMVFS_EINVAL);
    assert_int_equal(error.reason, UMVFS_ARCHIVE_TOO_LARGE);
    const struct umvfs_import_options odd = {.format = (enum umvfs_archive_format)9};
    assert_int_equal(import(&w, &t, &odd, &error), -UMVFS_EINVAL);
    world_end(&w);
}

static void imports_need_a_directory(void **state)
{
    struct world w;
    struct umvfs_import *imp;
    struct umvfs_import_error error;
    static struct tape t;
    t.len = 0;
    entry(&t, '0', "f", "text", 4);
    finish(&t);
    world_begin(&w, NULL);
    assert_int_equal(run(&w, "write /file x"), 0);
    assert_int_equal(run(&w, "mkdir /d"), 0);
    assert_int_equal(umvfs_import_begin(&w.task, NULL, "/none", NULL, &imp), -UMVFS_ENOENT);
    assert_int_equal(umvfs_import_begin(&w.task, NULL, "/file", NULL, &imp), -UMVFS_ENOTDIR);
    assert_int_equal(run(&w, "tmpfs /d r"), 0);
    assert_int_equal(umvfs_import_begin(&w.task, NULL, "/d", NULL, &imp), -UMVFS_EROFS);
    assert_int_equal(run(&w, "remount /d"), 0);
    /* It becomes read-only while the archive comes in. */
    assert_int_equal(umvfs_import_begin(&w.task, NULL, "/d", NULL, &imp), 0);
    assert_int_equal(umvfs_import_push(imp, t.bytes, t.len, &error), 0);
    assert_int_equal(run(&w, "remount /d r"), 0);
    assert_int_equal(umvfs_import_finish(imp, &error), -UMVFS_EROFS);
    assert_int_equal(error.reason, UMVFS_ARCHIVE_CONFLICT);
    assert_int_equal(run(&w, "remount /d"), 0);
    assert_int_equal(umvfs_import_begin(&w.task, NULL, "/d", NULL, &imp), 0);
    assert_int_equal(umvfs_import_push(imp, t.bytes, 700, &error), 0);
    umvfs_import_abort(imp);
    assert_int_equal(run(&w, "stat /d/f"), -UMVFS_ENOENT);
    world_end(&w);
}

static void every_reason_has_a_sentence(void **state)
{
    const char *unknown = umvfs_archive_reason_text((enum umvfs_archive_reason)99);
    for (unsigned i = 0; i <= UMVFS_ARCHIVE_NO_END; i++) {
        const char *text = umvfs_archive_reason_text((enum umvfs_archive_reason)i);
        assert_non_null(text);
        assert_string_not_equal(text, unknown);
    }
}

struct sink {
    struct tape *tape;
    size_t room;
};

static int take(void *ctx, const void *data, size_t len)
{
    struct sink *s = ctx;
    if (len > s->room)
        return -UMVFS_EIO;
    s->room -= len;
    memcpy(s->tape->bytes + s->tape->len, data, len);
    s->tape->len += len;
    return 0;
}

static int export(struct world *w, struct tape *t, size_t room, enum umvfs_archive_format format)
{
    struct sink sink = {t, room};
    t->len = 0;
    return umvfs_export(&w->task, NULL, "/from", format, take, &sink);
}

static void acls_survive(void **state)
{
    static struct tape t;
    struct world w;
    static const struct step steps[] = {
        {"mkdir /from", 0},
        {"mkdir /from/d", 0},
        {"write /from/d/f text", 0},
        {"acl /from/d u=7,u1000=7,g=5,m=7,o=1 default", 0},
        {"acl /from/d/f u=6,u1000=7,g=0,m=7,o=0", 0},
        {"mkdir /to", 0},
        {0},
    };
    static const struct step there[] = {
        {"acl? /to/d u=7,u1000=7,g=5,m=7,o=1 default", 0},
        {"acl? /to/d -", 0},
        {"acl? /to/d/f u=6,u1000=7,g=0,m=7,o=0", 0},
        {"mode? /to/d/f 670", 0},
        {"write /to/d/new x", 0}, /* what was grafted is in force */
        {"acl? /to/d/new u=6,u1000=7,g=5,m=4,o=0", 0},
        {"as alice", 0},
        {"access /to/d/f rw", 0},
        {"as bob", 0},
        {"access /to/d/f r", -UMVFS_EACCES},
        {0},
    };
    world_begin(&w, NULL);
    run_steps(&w, steps);
    assert_int_equal(export(&w, &t, sizeof(t.bytes), UMVFS_ARCHIVE_TAR), 0);
    const struct umvfs_import_options again = {.replace = true};
    assert_int_equal(umvfs_import_memory(&w.task, NULL, "/to", NULL, t.bytes, t.len, NULL), 0);
    assert_int_equal(umvfs_import_memory(&w.task, NULL, "/to", &again, t.bytes, t.len, NULL), 0);
    run_steps(&w, there);
    world_end(&w);
}

/* An ACL that is none, and a default ACL of a file. */
static void bad_acls_are_refused(void **state)
{
    static const struct {
        const char *name, *value;
        size_t size;
    } cases[] = {{"system.posix_acl_access", "\2\0\0\0\1\0\7\0....", 12},
                 {"system.posix_acl_access", "\1\0\0\0", 4},
                 {"system.posix_acl_default", "\2\0\0\0\1\0\7\0....\4\0\7\0....\40\0\7\0....", 28}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        static struct tape t;
        struct world w;
        char record[100];
        /* 3 digits, blank, key, '=', value, newline */
        size_t length = 4 + 13 + strlen(cases[i].name) + 1 + cases[i].size + 1;
        int at = snprintf(record, sizeof(record), "%03zu SCHILY.xattr.%s=", length, cases[i].name);
        memcpy(record + at, cases[i].value, cases[i].size);
        record[length - 1] = '\n';
        t.len = 0;
        entry(&t, 'x', "p", record, length);
        entry(&t, '0', "f", "", 0);
        finish(&t);
        struct umvfs_import_error error;
        world_begin(&w, NULL);
        assert_int_equal(umvfs_import_memory(&w.task, NULL, "/", NULL, t.bytes, t.len, &error),
                         -UMVFS_EINVAL);
        assert_int_equal(error.reason, UMVFS_ARCHIVE_BAD_PAX);
        assert_int_equal(run(&w, "stat /f"), -UMVFS_ENOENT);
        world_end(&w);
    }
}

static void large_numbers_survive(void **state)
{
    static struct tape t;
    struct world w;
    struct umvfs_stat st;
    const struct umvfs_time before[2] = {{1, 0}, {-6, 999999999}};
    static const struct step steps[] = {
        {"mkdir /from", 0},
        {"mkdir /to", 0},
        {"write /from/f text", 0},
        {"chown /from/f 3000000 4000000", 0},
        {0},
    };
    world_begin(&w, NULL);
    run_steps(&w, steps);
    assert_int_equal(umvfs_utimens(&w.task, NULL, "/from/f", before, 0), 0);
    assert_int_equal(export(&w, &t, sizeof(t.bytes), UMVFS_ARCHIVE_TAR), 0);
    assert_int_equal(umvfs_import_memory(&w.task, NULL, "/to", NULL, t.bytes, t.len, NULL), 0);
    assert_int_equal(umvfs_stat(&w.task, NULL, "/to/f", 0, &st), 0);
    assert_int_equal(st.uid, 3000000);
    assert_int_equal(st.gid, 4000000);
    assert_int_equal(st.mtime.sec, -6);
    assert_int_equal(st.mtime.nsec, 999999999);
    assert_int_equal(export(&w, &t, sizeof(t.bytes), UMVFS_ARCHIVE_CPIO), -UMVFS_EOVERFLOW);
    assert_int_equal(run(&w, "truncate /from/f 10000000000"), 0);
    assert_int_equal(export(&w, &t, sizeof(t.bytes), UMVFS_ARCHIVE_TAR), -UMVFS_EIO);
    assert_int_equal(umvfs_utimens(&w.task, NULL, "/from/f", AT(1, 0), 0), 0);
    assert_int_equal(umvfs_truncate(&w.task, NULL, "/from/f", UINT32_MAX), 0);
    assert_int_equal(export(&w, &t, sizeof(t.bytes), UMVFS_ARCHIVE_CPIO), -UMVFS_EIO);
    assert_int_equal(umvfs_truncate(&w.task, NULL, "/from/f", UINT64_C(1) << 32), 0);
    assert_int_equal(export(&w, &t, sizeof(t.bytes), UMVFS_ARCHIVE_CPIO), -UMVFS_EOVERFLOW);
    /* Refused before a sum over its bytes, which would take years. */
    assert_int_equal(umvfs_truncate(&w.task, NULL, "/from/f", UINT64_C(1) << 62), 0);
    assert_int_equal(export(&w, &t, sizeof(t.bytes), UMVFS_ARCHIVE_CPIO_CRC), -UMVFS_EOVERFLOW);
    assert_int_equal(run(&w, "truncate /from/f 1"), 0);
    assert_int_equal(umvfs_utimens(&w.task, NULL, "/from/f", AT(1, INT64_C(1) << 32), 0), 0);
    assert_int_equal(export(&w, &t, sizeof(t.bytes), UMVFS_ARCHIVE_CPIO), -UMVFS_EOVERFLOW);
    assert_int_equal(umvfs_utimens(&w.task, NULL, "/from/f", AT(1, -7), 0), 0);
    assert_int_equal(export(&w, &t, sizeof(t.bytes), UMVFS_ARCHIVE_TAR), 0);
    const struct umvfs_import_options again = {.replace = true};
    assert_int_equal(umvfs_import_memory(&w.task, NULL, "/to", &again, t.bytes, t.len, NULL), 0);
    assert_int_equal(umvfs_stat(&w.task, NULL, "/to/f", 0, &st), 0);
    assert_int_equal(st.mtime.sec, -7);
    assert_int_equal(st.mtime.nsec, 0);
    assert_int_equal(run(&w, "truncate /from/f 10000000000"), 0);
    assert_int_equal(umvfs_utimens(&w.task, NULL, "/from/f", AT(1, 1), 0), 0);
    assert_int_equal(export(&w, &t, sizeof(t.bytes), UMVFS_ARCHIVE_CPIO), -UMVFS_EOVERFLOW);
    world_end(&w);
}

/* Device numbers and times next to the largest that the fields of a header hold. */
static void fields_have_room(void **state)
{
    static const struct {
        const char *make;
        int expected;
    } cases[] = {
        {"mknod /from/d 020600 0x10000001", 0},
        {"mknod /from/d 060600 0xfffff000fffff", -UMVFS_EOVERFLOW},
        {"mknod /from/d 060600 0xfffffffffffff0ff", -UMVFS_EOVERFLOW},
        {"mknod /from/d 010600", 0},
    };
    static struct tape t;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct world w;
        world_begin(&w, NULL);
        assert_int_equal(run(&w, "mkdir /from"), 0);
        assert_int_equal(run(&w, cases[i].make), 0);
        assert_int_equal(umvfs_utimens(&w.task, NULL, "/from/d", AT(1, INT64_MAX), 0), 0);
        int err = export(&w, &t, sizeof(t.bytes), UMVFS_ARCHIVE_TAR);
        if (err != cases[i].expected)
            fail_msg("%s: %d", cases[i].make, err);
        world_end(&w);
    }
}

/* The receiver refuses at each write in turn, and every allocation fails in turn. */
static void exports_end_with_the_receiver(void **state)
{
    static struct tape t;
    struct world w;
    static const struct step steps[] = {
        {"mkdir /from", 0},         {"mkdir /from/d", 0},
        {"fill /from/d/f 5000", 0}, {"link /from/d/f /from/g", 0},
        {"symlink x /from/l", 0},   {0},
    };
    world_begin(&w, NULL);
    run_steps(&w, steps);
    for (unsigned f = UMVFS_ARCHIVE_CPIO; f <= UMVFS_ARCHIVE_TAR; f++) {
        enum umvfs_archive_format format = (enum umvfs_archive_format)f;
        assert_int_equal(export(&w, &t, sizeof(t.bytes), format), 0);
        for (size_t room = t.len; room-- > 0;)
            assert_int_equal(export(&w, &t, room, format), -UMVFS_EIO);
        for (uint64_t n = 1;; n++) {
            w.host.failed = 0;
            w.host.fail_at = w.host.calls + n;
            int err = export(&w, &t, sizeof(t.bytes), format);
            w.host.fail_at = 0;
            if (!err)
                break;
            assert_int_equal(err, -UMVFS_ENOMEM);
        }
    }
    world_end(&w);
}

int tar_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_are_strict),
        cmocka_unit_test(records_count),
        cmocka_unit_test(link_targets_have_a_limit),
        cmocka_unit_test(names_are_of_records_or_headers),
        cmocka_unit_test(two_extended_headers_are_one_too_many),
        cmocka_unit_test(imports_have_options),
        cmocka_unit_test(imports_need_a_directory),
        cmocka_unit_test(every_reason_has_a_sentence),
        cmocka_unit_test(large_numbers_survive),
        cmocka_unit_test(acls_survive),
        cmocka_unit_test(bad_acls_are_refused),
        cmocka_unit_test(fields_have_room),
        cmocka_unit_test(exports_end_with_the_receiver),
    };
    return cmocka_run_group_tests_name("tar", tests, NULL, NULL);
}
