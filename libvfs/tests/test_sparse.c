/* tar beside POSIX's: sparse files in all their forms, headers of version 7, numbers of two's
 * complement, headers that describe no object, and ends of archives. */
#include "tests.h"

struct tape {
    char bytes[16384];
    size_t len;
};

static void put(struct tape *t, const void *data, size_t len)
{
    memcpy(t->bytes + t->len, data, len);
    t->len += len;
    while (t->len % 512)
        t->bytes[t->len++] = '\0';
}

/* The checksum of the last header, of bytes or of signed bytes. */
static void seal(char *block, bool as_signed)
{
    int sum = 0;
    memset(block + 148, ' ', 8);
    for (size_t i = 0; i < 512; i++)
        sum += as_signed ? (signed char)block[i] : (unsigned char)block[i];
    snprintf(block + 148, 8, "%06o", (unsigned)sum);
}

static char *entry(struct tape *t, char type, const char *name, const char *text, size_t len)
{
    char *block = t->bytes + t->len;
    memset(block, 0, 512);
    snprintf(block, 100, "%s", name);
    snprintf(block + 100, 8, "%07o", 0644);
    snprintf(block + 124, 12, "%011o", (unsigned)len);
    memcpy(block + 257, "ustar  ", 8); /* GNU's */
    block[156] = type;
    seal(block, false);
    t->len += 512;
    put(t, text, len);
    return block;
}

static void finish(struct tape *t)
{
    memset(t->bytes + t->len, 0, 1024);
    t->len += 1024;
}

struct told {
    unsigned warnings;
    enum umvfs_archive_reason reason; /* of the last one */
    unsigned losses;
};

static void count_warning(void *ctx, const struct umvfs_import_error *what)
{
    struct told *told = ctx;
    told->warnings++;
    told->reason = what->reason;
}

static void count_loss(void *ctx, uint64_t number, uint64_t offset, const char *key, size_t len)
{
    ((struct told *)ctx)->losses++;
}

static struct umvfs_import_options options_of(struct told *told, bool lenient)
{
    return (struct umvfs_import_options){
        .format = UMVFS_ARCHIVE_TAR,
        .policy = lenient ? UMVFS_IMPORT_LENIENT : UMVFS_IMPORT_STRICT,
        .warn = count_warning,
        .warn_ctx = told,
        .lost = count_loss,
        .lost_ctx = told,
    };
}

/* Why the import into a world of its own fails, at once and byte by byte; OK: the file "f" is `text`,
 * with NULs for dots, if there is a text. */
static enum umvfs_archive_reason
outcome(const struct tape *t, const struct umvfs_import_options *options, const char *text)
{
    enum umvfs_archive_reason reason[2];
    for (unsigned run = 0; run < 2; run++) {
        struct world w;
        struct umvfs_import *imp;
        struct umvfs_import_error error = {0};
        struct umvfs_file file;
        char got[64] = "";
        size_t piece = run ? 1 : t->len;
        world_begin(&w, NULL);
        assert_int_equal(umvfs_import_begin(&w.task, NULL, "/", options, &imp), 0);
        for (size_t at = 0; at < t->len; at += piece)
            umvfs_import_push(imp, t->bytes + at, piece, &error);
        int err = umvfs_import_finish(imp, &error);
        reason[run] = err ? error.reason : UMVFS_ARCHIVE_OK;
        if (!err && text) {
            assert_int_equal(umvfs_open(&w.task, NULL, "/f", UMVFS_O_RDONLY, 0, 0, &file), 0);
            assert_int_equal(umvfs_read(&file, got, sizeof(got)), strlen(text));
            for (size_t i = 0; text[i]; i++)
                assert_int_equal(got[i], text[i] == '.' ? '\0' : text[i]);
            umvfs_close(&file);
        }
        world_end(&w);
    }
    assert_int_equal(reason[0], reason[1]);
    return reason[0];
}

static void check(const struct tape *t, const struct umvfs_import_options *options,
                  enum umvfs_archive_reason expected, const char *text, const char *what)
{
    enum umvfs_archive_reason reason = outcome(t, options, text);
    if (reason != expected)
        fail_msg("%s: %s", what, umvfs_archive_reason_text(reason));
}

/* Records "KEY=VALUE;KEY=VALUE;" as pax has them. */
static size_t records(char *out, const char *text)
{
    size_t used = 0;
    while (*text) {
        size_t len = (size_t)(strchr(text, ';') - text);
        size_t total = len + 3; /* with a blank, a newline, and one digit */
        total += total > 9;
        total += total > 99;
        used += (size_t)sprintf(out + used, "%zu %.*s\n", total, (int)len, text);
        text += len + 1;
    }
    return used;
}

static void pax_maps(void **state)
{
    static const struct {
        const char *records;
        const char *data;
        const char *text; /* NULL: refused */
        enum umvfs_archive_reason reason;
    } cases[] = {
        /* 0.0 */
        {"GNU.sparse.size=8;GNU.sparse.numblocks=2;GNU.sparse.offset=1;GNU.sparse.numbytes=2;"
         "GNU.sparse.offset=4;GNU.sparse.numbytes=1;",
         "abc", ".ab.c...", 0},
        {"GNU.sparse.size=3;", "", "...", 0},
        {"GNU.sparse.offset=0;GNU.sparse.numbytes=3;", "abc", NULL, UMVFS_ARCHIVE_BAD_SPARSE},
        {"GNU.sparse.size=3;GNU.sparse.numbytes=3;", "abc", NULL, UMVFS_ARCHIVE_BAD_SPARSE},
        {"GNU.sparse.size=3;GNU.sparse.offset=0;", "", NULL, UMVFS_ARCHIVE_BAD_SPARSE},
        {"GNU.sparse.size=3;GNU.sparse.offset=0;GNU.sparse.offset=0;", "", NULL,
         UMVFS_ARCHIVE_BAD_SPARSE},
        {"GNU.sparse.size=3;GNU.sparse.offset=x;", "", NULL, UMVFS_ARCHIVE_BAD_NUMBER},
        {"GNU.sparse.size=-3;", "", NULL, UMVFS_ARCHIVE_BAD_NUMBER},
        /* 0.1 */
        {"GNU.sparse.name=f;GNU.sparse.size=6;GNU.sparse.map=0,1,2,2,6,0;", "abc", "a.bc..", 0},
        {"GNU.sparse.size=3;GNU.sparse.map=;", "", "...", 0},
        {"GNU.sparse.size=3;GNU.sparse.map=1,1,;", "a", ".a.", 0},
        {"GNU.sparse.size=3;GNU.sparse.map=1;", "", NULL, UMVFS_ARCHIVE_BAD_SPARSE},
        {"GNU.sparse.size=3;GNU.sparse.map=1,x;", "", NULL, UMVFS_ARCHIVE_BAD_NUMBER},
        {"GNU.sparse.size=3;GNU.sparse.map=1,,2;", "", NULL, UMVFS_ARCHIVE_BAD_NUMBER},
        {"GNU.sparse.size=3;GNU.sparse.map=000000000000000000001,1;", "", NULL,
         UMVFS_ARCHIVE_BAD_NUMBER},
        /* pieces: out of order, over another, behind the end, more than there are, fewer */
        {"GNU.sparse.size=6;GNU.sparse.map=3,1,1,1;", "ab", NULL, UMVFS_ARCHIVE_BAD_SPARSE},
        {"GNU.sparse.size=6;GNU.sparse.map=0,2,1,1;", "abc", NULL, UMVFS_ARCHIVE_BAD_SPARSE},
        {"GNU.sparse.size=6;GNU.sparse.map=5,2;", "ab", NULL, UMVFS_ARCHIVE_BAD_SPARSE},
        {"GNU.sparse.size=6;GNU.sparse.map=5,1;", "a", ".....a", 0},
        {"GNU.sparse.size=6;GNU.sparse.map=0,3;", "ab", NULL, UMVFS_ARCHIVE_BAD_SPARSE},
        {"GNU.sparse.size=6;GNU.sparse.map=0,1;", "ab", NULL, UMVFS_ARCHIVE_BAD_SPARSE},
        {"GNU.sparse.size=6;GNU.sparse.map=1,9223372036854771712;", "a", NULL,
         UMVFS_ARCHIVE_BAD_SPARSE},
        {"GNU.sparse.size=6;GNU.sparse.map=9223372036854775807,0;", "", NULL,
         UMVFS_ARCHIVE_BAD_SPARSE},
        {"GNU.sparse.size=6;GNU.sparse.offset=3;GNU.sparse.numbytes=1;GNU.sparse.offset=1;"
         "GNU.sparse.numbytes=1;",
         "ab", NULL, UMVFS_ARCHIVE_BAD_SPARSE},
        {"GNU.sparse.size=6;GNU.sparse.map=18446744073709551615,2;", "ab", NULL,
         UMVFS_ARCHIVE_BAD_NUMBER},
        /* 1.0, with the name before and after the one that is made up */
        {"GNU.sparse.major=1;GNU.sparse.minor=0;GNU.sparse.name=f;path=x;GNU.sparse.realsize=5;",
         "2\n1\n1\n4\n1\n#ab", ".a..b", 0},
        {"path=x;GNU.sparse.major=1;GNU.sparse.name=f;GNU.sparse.realsize=5;", "0\n#", ".....", 0},
        {"GNU.sparse.major=1;GNU.sparse.realsize=5;", "1\n1\n#", NULL, UMVFS_ARCHIVE_BAD_SPARSE},
        {"GNU.sparse.major=1;GNU.sparse.realsize=5;", "129\n#", NULL, UMVFS_ARCHIVE_BAD_SPARSE},
        {"GNU.sparse.major=1;GNU.sparse.realsize=5;", "128\n#", NULL, UMVFS_ARCHIVE_BAD_SPARSE},
        {"GNU.sparse.major=1;GNU.sparse.realsize=5;", "-1\n#", NULL, UMVFS_ARCHIVE_BAD_NUMBER},
        {"GNU.sparse.major=1;GNU.sparse.realsize=5;", "000000000000000000001\n#", NULL,
         UMVFS_ARCHIVE_BAD_SPARSE},
        {"GNU.sparse.major=1;GNU.sparse.realsize=5;", "0\n", NULL, UMVFS_ARCHIVE_BAD_SPARSE},
        {"GNU.sparse.major=1;GNU.sparse.realsize=5;", "1", NULL, UMVFS_ARCHIVE_BAD_SPARSE},
        {"GNU.sparse.major=1;GNU.sparse.realsize=5;", "1\n6\n0\n#", NULL, UMVFS_ARCHIVE_BAD_SPARSE},
        {"GNU.sparse.major=2;", "", NULL, UMVFS_ARCHIVE_BAD_NUMBER},
        {"GNU.sparse.minor=x;", "", NULL, UMVFS_ARCHIVE_BAD_NUMBER},
    };
    struct told told = {0};
    const struct umvfs_import_options options = options_of(&told, false);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        static struct tape t;
        char text[512];
        char data[1024] = "";
        const char *front = strchr(cases[i].data, '#'); /* stands for the rest of a block */
        size_t len = strlen(cases[i].data);
        memcpy(data, cases[i].data, len);
        if (front) {
            size_t at = (size_t)(front - cases[i].data);
            memset(data + at, 0, sizeof(data) - at);
            memcpy(data + 512, front + 1, len - at - 1);
            len = 512 + len - at - 1;
        }
        t.len = 0;
        entry(&t, 'x', "pax", text, records(text, cases[i].records));
        entry(&t, '0', strstr(cases[i].records, "name=") ? "GNUSparseFile.1/f" : "f", data, len);
        finish(&t);
        check(&t, &options, cases[i].text ? UMVFS_ARCHIVE_OK : cases[i].reason, cases[i].text,
              cases[i].records);
    }
    assert_int_equal(told.warnings + told.losses, 0);
}

/* A map of GNU's old form: pieces in the header, in a block behind it, and behind that. */
static void old_maps(void **state)
{
    static const struct {
        const char *real;
        unsigned pieces; /* of one byte, at 0, 2, 4 ... */
        unsigned sent;   /* bytes */
        enum umvfs_archive_reason reason;
    } cases[] = {
        {"00000000061", 0, 0, 0},
        {"00000000061", 3, 3, 0},
        {"00000000061", 4, 4, 0},
        {"00000000061", 5, 5, 0},
        {"00000000061", 25, 25, 0},
        {"00000000063", 26, 26, 0},
        {"00000000060", 25, 25, UMVFS_ARCHIVE_BAD_SPARSE},
        {"00000000061", 25, 24, UMVFS_ARCHIVE_BAD_SPARSE},
        {"0000000006x", 3, 3, UMVFS_ARCHIVE_BAD_NUMBER},
        {"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 0, 0, UMVFS_ARCHIVE_BAD_NUMBER},
    };
    struct told told = {0};
    const struct umvfs_import_options options = options_of(&told, false);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        static struct tape t;
        char text[64] = "";
        char expected[64] = "";
        t.len = 0;
        memset(text, 'a', cases[i].sent);
        memset(expected, '.', 49 + 2 * (cases[i].pieces > 25));
        char *block = entry(&t, 'S', "f", text, 0);
        char *at = block + 386;
        memcpy(block + 483, cases[i].real, 12);
        snprintf(block + 124, 12, "%011o", cases[i].sent);
        for (unsigned n = 0; n < cases[i].pieces; n++, at += 24) {
            if (n == 4 || n == 25) {
                (n == 4 ? block + 482 : t.bytes + t.len - 512 + 504)[0] = 1;
                at = t.bytes + t.len;
                memset(at, 0, 512);
                t.len += 512;
            }
            snprintf(at, 12, "%011o", 2 * n);
            snprintf(at + 12, 12, "%011o", 1);
            expected[2 * n] = 'a';
        }
        seal(block, false);
        put(&t, text, cases[i].sent);
        finish(&t);
        check(&t, &options, cases[i].reason, expected, cases[i].real);
        if (cases[i].pieces == 3 && !cases[i].reason) { /* a number of a piece with a wrong digit */
            block[386 + 24] = 'x';
            seal(block, false);
            check(&t, &options, UMVFS_ARCHIVE_BAD_NUMBER, NULL, "offset of a piece");
            block[386 + 24] = '0';
            block[386 + 24 + 12] = 'x';
            seal(block, false);
            check(&t, &options, UMVFS_ARCHIVE_BAD_NUMBER, NULL, "length of a piece");
            memset(block + 386 + 24, '0', 11); /* before the piece in front of it */
            block[386 + 24 + 12] = '0';
            seal(block, false);
            check(&t, &options, UMVFS_ARCHIVE_BAD_SPARSE, NULL, "order of pieces");
        }
        if (cases[i].pieces == 25 && cases[i].sent == 25) { /* in the second block */
            block[512] = 'x';
            check(&t, &options, UMVFS_ARCHIVE_BAD_NUMBER, NULL, "second block");
        }
    }
}

/* A field of a header, or several from the type on, and what comes of it. */
static void headers_of_all_kinds(void **state)
{
    static const char sparse_of_ustar[109] = {[0] = 'S', [101] = 'u', 's', 't', 'a', 'r'};
    static const char device_of_v7[182] = {[0] = '3', [173] = 'x'};
    static const char bad_device[182] = {[0] = '3', [101] = 'u', 's', 't', 'a', 'r', [173] = 'x'};
    static const struct {
        size_t at;
        const char *bytes;
        size_t len;
        enum umvfs_archive_reason reason;
        int64_t mtime;
    } cases[] = {
        {257, "\0\0\0\0\0\0\0\0", 8, 0, 0}, /* version 7 */
        {257, "ustar\0\0\0", 8, 0, 0},      /* a version that is empty */
        {136, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xfe", 12, 0, -2},
        {136, "\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff", 12, 0, INT64_MAX},
        {136, "\x80\0\0\0\x80\0\0\0\0\0\0\0", 12, UMVFS_ARCHIVE_BAD_NUMBER, 0},
        {136, "\xff\xff\xff\xff\x80\0\0\0\0\0\0\0", 12, 0, INT64_MIN},
        {136, "\xff\xff\xff\xff\x7f\0\0\0\0\0\0\0", 12, UMVFS_ARCHIVE_BAD_NUMBER, 0},
        {108, "\x80\0\0\0\xff\xff\xff\xff", 8, 0, 0}, /* owners */
        {108, "\x80\0\0\1\0\0\0\0", 8, UMVFS_ARCHIVE_BAD_NUMBER, 0},
        {108, "\xff\xff\xff\xff\xff\xff\xff\xff", 8, UMVFS_ARCHIVE_BAD_NUMBER, 0},
        {116, "\xff\xff\xff\xff\xff\xff\xff\xff", 8, UMVFS_ARCHIVE_BAD_NUMBER, 0},
        {124, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 12, UMVFS_ARCHIVE_BAD_NUMBER, 0},
        {100, "9", 1, UMVFS_ARCHIVE_BAD_NUMBER, 0},
        {100, "1040644", 8, 0, 0}, /* a mode with further bits, as Tcl writes for directories */
        {100, "\x80\0\0\0\xff\xff\xff\xff", 8, 0, 0},
        {100, "\x80\0\0\1\0\0\0\0", 8, UMVFS_ARCHIVE_BAD_NUMBER, 0},
        {329, "junk", 4, 0, 0}, /* a device that is none */
        {156, "7", 1, 0, 0},
        {156, "?", 1, UMVFS_ARCHIVE_BAD_TYPE, 0},
        {156, "3", 1, 0, 0},
        {156, sparse_of_ustar, sizeof(sparse_of_ustar), UMVFS_ARCHIVE_BAD_TYPE, 0},
        {156, device_of_v7, sizeof(device_of_v7), 0, 0},
        {156, bad_device, sizeof(bad_device), UMVFS_ARCHIVE_BAD_NUMBER, 0},
    };
    for (size_t i = 0; i < 2 * sizeof(cases) / sizeof(cases[0]); i++) {
        static struct tape t;
        struct told told = {0};
        bool lenient = i % 2;
        const struct umvfs_import_options options = options_of(&told, lenient);
        struct umvfs_stat st;
        struct world w;
        struct umvfs_import_error error = {0};
        enum umvfs_archive_reason expected = cases[i / 2].reason;
        t.len = 0;
        char *block = entry(&t, '0', "f", "", 0);
        memcpy(block + cases[i / 2].at, cases[i / 2].bytes, cases[i / 2].len);
        seal(block, i % 4 > 1);
        finish(&t);
        if (lenient && expected == UMVFS_ARCHIVE_BAD_TYPE)
            expected = UMVFS_ARCHIVE_OK;
        world_begin(&w, NULL);
        int err = umvfs_import_memory(&w.task, NULL, "/", &options, t.bytes, t.len, &error);
        if (error.reason != expected || (err != 0) != (expected != 0))
            fail_msg("case %zu: %s", i / 2, umvfs_archive_reason_text(error.reason));
        assert_int_equal(told.warnings, cases[i / 2].reason == UMVFS_ARCHIVE_BAD_TYPE && lenient);
        if (!err) {
            assert_int_equal(umvfs_stat(&w.task, NULL, "/f", 0, &st), 0);
            assert_true(st.mtime.sec == cases[i / 2].mtime);
        }
        world_end(&w);
    }
}

/* A header before the file "f" that is left out, with what it has, and is told. */
static void headers_without_an_object(void **state)
{
    static const struct {
        char type;
        const char *data;
        unsigned warnings;
        bool made;
    } cases[] = {
        {'V', "", 1, false},
        {'M', "rest of f", 1, false},
        {'N', "Rename a to b", 1, false},
        {'A', "acl", 1, false},
        {'D', "Yname\0\0", 1, true},
        {'D', "", 0, true},
        {'g', "15 path=/a/b/c\n", 1, false},
        {'g', "19 linkpath=/a/b/c\n", 1, false},
        {'g', "9 size=4\n", 1, false},
        {'g', "21 GNU.sparse.size=5\n", 1, false},
        {'g', "24 SCHILY.xattr.user.k=\n", 0, false},
        {'g', "12 comment=\n", 0, false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        static struct tape t;
        struct told told = {0};
        struct world w;
        const struct umvfs_import_options options = options_of(&told, false);
        t.len = 0;
        entry(&t, cases[i].type, "name", cases[i].data, strlen(cases[i].data));
        entry(&t, '0', "f", "text", 4);
        finish(&t);
        world_begin(&w, NULL);
        assert_int_equal(umvfs_import_memory(&w.task, NULL, "/", &options, t.bytes, t.len, NULL),
                         0);
        assert_int_equal(told.warnings, cases[i].warnings);
        assert_int_equal(told.losses, strstr(cases[i].data, "xattr") ? 1 : 0);
        if (told.warnings)
            assert_int_equal(told.reason, UMVFS_ARCHIVE_NOT_KEPT);
        assert_int_equal(run(&w, "stat /f"), 0);
        assert_int_equal(run(&w, "stat /name"), cases[i].made ? 0 : -UMVFS_ENOENT);
        world_end(&w);
    }
}

/* A directory of an incremental archive is refused as any other. */
static void listed_directories_have_good_names(void **state)
{
    static struct tape t;
    struct told told = {0};
    const struct umvfs_import_options options = options_of(&told, false);
    t.len = 0;
    entry(&t, 'D', "../d", "Yf\0", 4);
    finish(&t);
    check(&t, &options, UMVFS_ARCHIVE_PARENT_NAME, NULL, "../d");
}

/* Owner and time of a global header count until the next one, and an entry's own before them. */
static void global_records_count(void **state)
{
    static struct tape t;
    struct world w;
    struct umvfs_stat st;
    t.len = 0;
    entry(&t, 'g', "g", "9 uid=13\n9 gid=14\n11 mtime=7\n", 29);
    entry(&t, '0', "a", "", 0);
    entry(&t, 'X', "x", "9 uid=15\n13 mtime=-12\n", 22); /* Solaris */
    entry(&t, '0', "b", "", 0);
    entry(&t, '0', "c", "", 0);
    finish(&t);
    world_begin(&w, NULL);
    assert_int_equal(umvfs_import_memory(&w.task, NULL, "/", NULL, t.bytes, t.len, NULL), 0);
    for (const char *name = "a"; name; name = *name == 'a' ? "b" : *name == 'b' ? "c" : NULL) {
        assert_int_equal(umvfs_stat(&w.task, &w.task.root, name, 0, &st), 0);
        assert_int_equal(st.uid, *name == 'b' ? 15 : 13);
        assert_int_equal(st.gid, 14);
        assert_int_equal(st.mtime.sec, *name == 'b' ? -12 : 7);
    }
    world_end(&w);
}

/* A further name with the contents again, which pax allows, and one whose size means nothing. */
static void links_with_contents(void **state)
{
    static struct tape t;
    struct told told = {0};
    const struct umvfs_import_options options = options_of(&told, false);
    for (unsigned pax = 0; pax < 2; pax++) {
        t.len = 0;
        entry(&t, '0', "f", "old text", 8);
        entry(&t, '2', "s", "", 0)[157] = 'x';
        seal(t.bytes + t.len - 512, false);
        if (pax)
            entry(&t, 'x', "x", "12 comment=\n", 12);
        entry(&t, '1', "g", "new", pax ? 3 : 0)[157] = 'f';
        snprintf(t.bytes + t.len - (pax ? 1024 : 512) + 124, 12, "%011o", 3);
        seal(t.bytes + t.len - (pax ? 1024 : 512), false);
        if (pax)
            entry(&t, 'x', "x", "12 comment=\n", 12);
        entry(&t, '1', "h", "", 0)[157] = 's';
        seal(t.bytes + t.len - 512, false);
        finish(&t);
        check(&t, &options, UMVFS_ARCHIVE_OK, pax ? "new" : "old text", "link");
    }
}

/* What follows the entries, with each policy and with and without concatenation. */
static void ends(void **state)
{
    static const struct {
        const char *what; /* a letter a block: 0 zeros, a and b files, j junk; '.' half a block */
        enum umvfs_archive_reason strict, lenient, joined, both;
        enum umvfs_archive_reason warned; /* lenient */
    } cases[] = {
        {"a00", 0, 0, 0, 0, 0},
        {"a0", UMVFS_ARCHIVE_TRUNCATED, 0, UMVFS_ARCHIVE_TRUNCATED, 0, 0},
        {"a0.", UMVFS_ARCHIVE_TRUNCATED, 0, UMVFS_ARCHIVE_TRUNCATED, 0, 0},
        {"a", UMVFS_ARCHIVE_TRUNCATED, 0, UMVFS_ARCHIVE_TRUNCATED, 0, UMVFS_ARCHIVE_NO_END},
        {"a.", UMVFS_ARCHIVE_TRUNCATED, UMVFS_ARCHIVE_TRUNCATED, UMVFS_ARCHIVE_TRUNCATED,
         UMVFS_ARCHIVE_TRUNCATED, 0},
        {"aj", UMVFS_ARCHIVE_BAD_MAGIC, UMVFS_ARCHIVE_BAD_MAGIC, UMVFS_ARCHIVE_BAD_MAGIC,
         UMVFS_ARCHIVE_BAD_MAGIC, 0},
        {"a0jj", UMVFS_ARCHIVE_BAD_PADDING, 0, UMVFS_ARCHIVE_BAD_PADDING, 0,
         UMVFS_ARCHIVE_BAD_PADDING},
        {"a00j", UMVFS_ARCHIVE_BAD_PADDING, 0, UMVFS_ARCHIVE_BAD_MAGIC, UMVFS_ARCHIVE_BAD_MAGIC,
         UMVFS_ARCHIVE_BAD_PADDING},
        {"a00.jj", UMVFS_ARCHIVE_BAD_PADDING, 0, UMVFS_ARCHIVE_BAD_PADDING, 0,
         UMVFS_ARCHIVE_BAD_PADDING},
        {"a0000b00", UMVFS_ARCHIVE_BAD_PADDING, 0, 0, 0, UMVFS_ARCHIVE_BAD_PADDING},
        {"a00b", UMVFS_ARCHIVE_BAD_PADDING, 0, UMVFS_ARCHIVE_TRUNCATED, 0,
         UMVFS_ARCHIVE_BAD_PADDING},
        {"a00x", UMVFS_ARCHIVE_BAD_PADDING, 0, UMVFS_ARCHIVE_TRUNCATED, UMVFS_ARCHIVE_TRUNCATED,
         UMVFS_ARCHIVE_BAD_PADDING},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        static struct tape t;
        t.len = 0;
        for (const char *c = cases[i].what; *c; c++) {
            char name[2] = {*c == 'a' ? 'f' : *c, '\0'};
            if (*c == 'x')
                entry(&t, 'x', "pax", "9 uid=13\n", 9);
            else if (*c == 'a' || *c == 'b')
                entry(&t, '0', name, "", 0);
            else
                memset(t.bytes + t.len, *c == 'j' ? 'j' : 0, 512);
            t.len += *c == '0' || *c == 'j' ? 512 : *c == '.' ? 256 : 0;
        }
        for (unsigned form = 0; form < 4; form++) {
            struct told told = {0};
            struct umvfs_import_options options = options_of(&told, form % 2);
            options.concatenated = form > 1;
            const enum umvfs_archive_reason expected[] = {cases[i].strict, cases[i].lenient,
                                                          cases[i].joined, cases[i].both};
            check(&t, &options, expected[form], expected[form] ? NULL : "", cases[i].what);
            if (form == 1)
                assert_int_equal(told.reason, cases[i].warned);
        }
    }
}

/* Attributes as bsdtar writes them: once encoded, and mostly once more as they are. */
static void encoded_attributes(void **state)
{
    static const struct {
        const char *records;
        const char *name;
        const char *value; /* NULL: refused */
        unsigned losses;
    } cases[] = {
        {"LIBARCHIVE.xattr.user.a=dmFsdWU;SCHILY.xattr.user.a=value;", "user.a", "value", 0},
        {"SCHILY.xattr.user.a=value;LIBARCHIVE.xattr.user.a=dmFsdWU;", "user.a", "value", 0},
        {"LIBARCHIVE.xattr.user.A=+/A;", "user.A", "\xfb\xf0", 0},
        {"LIBARCHIVE.xattr.user.a=;", "user.a", "", 0},
        {"LIBARCHIVE.xattr.user.a=QUJD;", "user.a", "ABC", 0},
        {"LIBARCHIVE.xattr.user.a=QUJDR;", NULL, NULL, 0},
        {"LIBARCHIVE.xattr.user.a=QU=;", NULL, NULL, 0},
        {"LIBARCHIVE.xattr.user.%41=QUI;SCHILY.xattr.user.A=AB;", "user.A", "AB", 1},
        {"SCHILY.xattr.user.a=x;SCHILY.xattr.user.a=x;", NULL, NULL, 0},
        {"LIBARCHIVE.xattr.other.a=QUI;RHT.security.selinux=x;SCHILY.acl.access=y;", "", "", 3},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        static struct tape t;
        struct told told = {0};
        struct world w;
        const struct umvfs_import_options options = options_of(&told, false);
        char text[512];
        char got[16] = "";
        t.len = 0;
        entry(&t, 'x', "pax", text, records(text, cases[i].records));
        entry(&t, '0', "f", "", 0);
        finish(&t);
        world_begin(&w, NULL);
        int err = umvfs_import_memory(&w.task, NULL, "/", &options, t.bytes, t.len, NULL);
        if (err != (cases[i].value ? 0 : -UMVFS_EINVAL))
            fail_msg("%s: %d", cases[i].records, err);
        assert_int_equal(told.losses, cases[i].losses);
        if (!err && *cases[i].name) {
            assert_int_equal(
                umvfs_getxattr(&w.task, NULL, "/f", cases[i].name, got, sizeof(got), 0),
                strlen(cases[i].value));
            assert_string_equal(got, cases[i].value);
        }
        world_end(&w);
    }
}

/* A value in libarchive's form that does not fit the buffer is told and left out. */
static void encoded_attributes_have_a_limit(void **state)
{
    static struct tape t;
    static char text[UMVFS_OBJECT_MAX];
    for (int len = 3795; len <= 3800; len += 5) {
        struct told told = {0};
        const struct umvfs_import_options options = options_of(&told, false);
        int head = sprintf(text, "%d LIBARCHIVE.xattr.user.a=", len + 30);
        memset(text + head, 'A', (size_t)len);
        text[head + len] = '\n';
        t.len = 0;
        entry(&t, 'x', "pax", text, (size_t)(head + len + 1));
        entry(&t, '0', "f", "", 0);
        finish(&t);
        check(&t, &options, UMVFS_ARCHIVE_OK, NULL, "length");
        assert_int_equal(told.losses, len > 3796 ? 2 : 0); /* of two runs */
    }
}

/* Every allocation of a map that takes several pages fails in turn. */
static void maps_need_memory(void **state)
{
    static struct tape t;
    static char text[9000];
    size_t used = (size_t)sprintf(text, "GNU.sparse.map=");
    for (unsigned i = 0; i < 300; i++)
        used += (size_t)sprintf(text + used, "%u,1,", 2 * i);
    text[used - 1] = '\0';
    static char pax[9100];
    static char data[300];
    t.len = 0;
    size_t len = records(pax, "GNU.sparse.size=100000;");
    len += (size_t)sprintf(pax + len, "%zu %s\n", strlen(text) + 6, text);
    entry(&t, 'x', "pax", pax, len);
    entry(&t, '0', "f", data, sizeof(data));
    finish(&t);
    int err = -UMVFS_ENOMEM;
    for (uint64_t n = 1; err; n++) {
        struct world w;
        struct umvfs_stat st;
        world_begin(&w, NULL);
        w.host.fail_at = w.host.calls + n;
        err = umvfs_import_memory(&w.task, NULL, "/", NULL, t.bytes, t.len, NULL);
        w.host.fail_at = 0;
        assert_int_equal(err, w.host.failed ? -UMVFS_ENOMEM : 0);
        assert_int_equal(umvfs_stat(&w.task, NULL, "/f", 0, &st), err ? -UMVFS_ENOENT : 0);
        if (!err)
            assert_int_equal(st.size, 100000);
        world_end(&w);
    }
}

int sparse_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pax_maps),
        cmocka_unit_test(old_maps),
        cmocka_unit_test(headers_of_all_kinds),
        cmocka_unit_test(headers_without_an_object),
        cmocka_unit_test(listed_directories_have_good_names),
        cmocka_unit_test(global_records_count),
        cmocka_unit_test(links_with_contents),
        cmocka_unit_test(ends),
        cmocka_unit_test(encoded_attributes),
        cmocka_unit_test(encoded_attributes_have_a_limit),
        cmocka_unit_test(maps_need_memory),
    };
    return cmocka_run_group_tests_name("sparse", tests, NULL, NULL);
}
