/* The policy of Linux for cpio archives: what is said of entries that are skipped, and what remains
 * after errors. That the trees are those of Linux is for conformance/initramfs to show. */
#include "tests.h"

struct reel {
    char bytes[16384];
    size_t len;
};

static void put(struct reel *r, const void *data, size_t len, size_t unit)
{
    memcpy(r->bytes + r->len, data, len);
    r->len += len;
    while (r->len % unit)
        r->bytes[r->len++] = '\0';
}

struct cpio {
    const char *name;
    unsigned mode;
    const char *text; /* or NULL */
    unsigned nlink;
};

static void add(struct reel *r, const struct cpio *e)
{
    char header[111];
    size_t len = e->text ? strlen(e->text) : 0;
    snprintf(header, sizeof(header), "070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X",
             1u, e->mode, 0u, 0u, e->nlink, 9u, (unsigned)len, 0u, 0u, 1u, 3u,
             (unsigned)strlen(e->name) + 1, 0u);
    put(r, header, 110, 1);
    put(r, e->name, strlen(e->name) + 1, 4);
    if (len)
        put(r, e->text, len, 4);
}

/* What was told of skipped entries. */
struct told {
    unsigned count;
    struct umvfs_import_error last;
};

static void hear(void *ctx, const struct umvfs_import_error *what)
{
    struct told *told = ctx;
    told->count++;
    told->last = *what;
}

static int import(struct world *w, const struct reel *r, struct told *told,
                  struct umvfs_import_error *error)
{
    const struct umvfs_import_options options = {
        .policy = UMVFS_IMPORT_LINUX, .warn = hear, .warn_ctx = told};
    memset(told, 0, sizeof(*told));
    return umvfs_import_memory(&w->task, NULL, "/", &options, r->bytes, r->len, error);
}

#define N64  "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"
#define N256 N64 N64 N64 N64
#define N1K  N256 N256 N256 N256

/* What each entry comes to, after a full directory d, a file f and a link l to d. */
static const struct {
    struct cpio entry;
    enum umvfs_archive_reason reason; /* 0: not skipped */
    int error;
} entries[] = {
    {{"l/x", 0100644, "x", 1}, 0, 0},
    {{"../../x", 0100644, "x", 1}, 0, 0},
    {{"/x", 0100644, "x", 1}, 0, 0},
    {{"f", 0040755, NULL, 1}, 0, 0},
    {{"l", 0040755, NULL, 1}, 0, 0},
    {{"d", 0100644, "x", 1}, UMVFS_ARCHIVE_CONFLICT, -UMVFS_EISDIR},
    {{"d", 0120777, "x", 1}, UMVFS_ARCHIVE_CONFLICT, -UMVFS_EEXIST},
    {{"d", 0010644, NULL, 1}, UMVFS_ARCHIVE_CONFLICT, -UMVFS_EEXIST},
    {{"none/x", 0100644, "x", 1}, UMVFS_ARCHIVE_NO_PARENT, -UMVFS_ENOENT},
    {{"none/x", 0040755, NULL, 1}, UMVFS_ARCHIVE_NO_PARENT, -UMVFS_ENOENT},
    {{"none/x", 0120777, "x", 1}, UMVFS_ARCHIVE_NO_PARENT, -UMVFS_ENOENT},
    {{"none/x", 0010644, NULL, 1}, UMVFS_ARCHIVE_NO_PARENT, -UMVFS_ENOENT},
    {{"f/x", 0100644, NULL, 1}, UMVFS_ARCHIVE_NOT_DIRECTORY, -UMVFS_ENOTDIR},
    {{N256, 0100644, "x", 1}, UMVFS_ARCHIVE_BAD_NAME, -UMVFS_ENAMETOOLONG},
    {{"x", 0040755, "x", 1}, UMVFS_ARCHIVE_UNWANTED_DATA, -UMVFS_EINVAL},
    {{"x", 0000644, NULL, 1}, UMVFS_ARCHIVE_BAD_TYPE, -UMVFS_EINVAL},
    {{"x", 0120777, NULL, 1}, 0, 0}, /* to nothing: it leads to where it is */
    {{"x", 0120777, N1K N1K N1K N1K, 1}, UMVFS_ARCHIVE_BAD_LINK, -UMVFS_ENAMETOOLONG},
    {{"x", 0120777, N1K N1K N1K N1K "n", 1}, UMVFS_ARCHIVE_BAD_LINK, -UMVFS_EINVAL},
    {{"as-trailer", 0100644, "x", 1}, 0, 0},
};

static void start(struct reel *r)
{
    r->len = 0;
    add(r, &(struct cpio){"d", 0040755, NULL, 1});
    add(r, &(struct cpio){"d/full", 0100644, NULL, 1});
    add(r, &(struct cpio){"f", 0100644, "text", 1});
    add(r, &(struct cpio){"l", 0120777, "d", 1});
}

static void skipped_entries_are_told(void **state)
{
    for (size_t i = 0; i < sizeof(entries) / sizeof(entries[0]); i++) {
        static struct reel r;
        struct world w;
        struct told told;
        struct umvfs_import_error error;
        start(&r);
        size_t offset = r.len;
        add(&r, &entries[i].entry);
        add(&r, &(struct cpio){"last", 0100644, NULL, 1});
        world_begin(&w, NULL);
        assert_int_equal(import(&w, &r, &told, &error), 0);
        assert_int_equal(run(&w, "stat /last"), 0);
        assert_int_equal(told.count, entries[i].reason != 0);
        if (told.last.reason != entries[i].reason || told.last.error != entries[i].error)
            fail_msg("%s: %s (%d)", entries[i].entry.name,
                     umvfs_archive_reason_text(told.last.reason), told.last.error);
        if (told.count) {
            assert_int_equal(told.last.entry, 4);
            assert_int_equal(told.last.offset, offset);
        }
        world_end(&w);
    }
}

/* Bytes after the entries d, d/full, f and l. */
static const struct {
    const char *text;
    size_t len;
    enum umvfs_archive_reason reason;
} ends[] = {
    {"", 0, 0},
    {"\0\0\0\0", 4, 0},
    {"\0\0\0\0\0", 5, 0},
    {"070701", 6, UMVFS_ARCHIVE_TRUNCATED},
    {"\0"
     "070701",
     7, UMVFS_ARCHIVE_BAD_PADDING},
    {"070703", 6, UMVFS_ARCHIVE_BAD_MAGIC},
    {"070707", 6, UMVFS_ARCHIVE_OLD_CPIO},
    {"\x1f\x8b\x08\0\0\0", 6, UMVFS_ARCHIVE_COMPRESSED},
};

static void the_tree_so_far_stays(void **state)
{
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        static struct reel r;
        struct world w;
        struct told told;
        struct umvfs_stat st;
        struct umvfs_import_error error = {0};
        start(&r);
        put(&r, ends[i].text, ends[i].len, 1);
        world_begin(&w, NULL);
        assert_int_equal(import(&w, &r, &told, &error), ends[i].reason ? -UMVFS_EINVAL : 0);
        assert_int_equal(error.reason, ends[i].reason);
        assert_int_equal(error.compression != NULL, ends[i].reason == UMVFS_ARCHIVE_COMPRESSED);
        assert_int_equal(run(&w, "stat /l/full"), 0);
        assert_int_equal(umvfs_stat(&w.task, NULL, "/d", 0, &st), 0);
        assert_int_equal(st.mtime.sec, 9); /* set at the end, also after an error */
        world_end(&w);
    }
}

/* Owners, devices and the number of entries are limited as by the strict policy. */
static void options_count(void **state)
{
    static struct reel r;
    struct world w;
    struct told told = {0};
    struct umvfs_stat st;
    struct umvfs_import_error error;
    struct umvfs_import_options options = {.policy = UMVFS_IMPORT_LINUX,
                                           .max_entries = 6,
                                           .owner_is_task = true,
                                           .no_devices = true,
                                           .warn = hear,
                                           .warn_ctx = &told};
    start(&r);
    add(&r, &(struct cpio){"node", 0020644, NULL, 1});
    add(&r, &(struct cpio){"sixth", 0100644, NULL, 1});
    add(&r, &(struct cpio){"seventh", 0100644, NULL, 1});
    world_begin(&w, NULL);
    assert_int_equal(run(&w, "chmod / 777"), 0);
    assert_int_equal(run(&w, "as alice"), 0);
    assert_int_equal(umvfs_import_memory(&w.task, NULL, "/", &options, r.bytes, r.len, &error),
                     -UMVFS_EINVAL);
    assert_int_equal(error.reason, UMVFS_ARCHIVE_TOO_LARGE);
    assert_int_equal(error.entry, 6);
    assert_int_equal(told.count, 1);
    assert_int_equal(told.last.reason, UMVFS_ARCHIVE_BAD_TYPE);
    assert_int_equal(umvfs_stat(&w.task, NULL, "/sixth", 0, &st), 0);
    assert_int_equal(st.uid, w.cred.uid);
    assert_true(st.uid != 0);
    world_end(&w);
}

/* The first name of a number is kept even if nothing was made of it; an empty one is the root. */
static void links_to_nothing_are_told(void **state)
{
    static struct reel r;
    struct world w;
    struct told told;
    struct umvfs_import_error error;
    r.len = 0;
    add(&r, &(struct cpio){"", 0100644, NULL, 2});
    add(&r, &(struct cpio){"h", 0100644, NULL, 2});
    world_begin(&w, NULL);
    assert_int_equal(import(&w, &r, &told, &error), 0);
    assert_int_equal(told.count, 2);
    assert_int_equal(told.last.reason, UMVFS_ARCHIVE_REFUSED);
    assert_int_equal(run(&w, "stat /h"), -UMVFS_ENOENT);
    world_end(&w);
}

/* A full file system ends the import. What is neither cpio nor tar is called so. */
static void no_room_and_no_archive(void **state)
{
    static struct reel r;
    struct world w;
    struct told told;
    struct host host = {0};
    struct umvfs_config config = host_config(&host);
    struct umvfs_import_error error;
    config.root_limits.max_inodes = 3;
    start(&r);
    world_begin(&w, &config);
    assert_int_equal(import(&w, &r, &told, &error), -UMVFS_ENOSPC);
    assert_int_equal(error.reason, UMVFS_ARCHIVE_NO_SPACE);
    memset(r.bytes, 'x', 600);
    r.len = 600;
    assert_int_equal(import(&w, &r, &told, &error), -UMVFS_EINVAL);
    assert_int_equal(error.reason, UMVFS_ARCHIVE_UNKNOWN_FORMAT);
    world_end(&w);
}

/* Below a mount of a foreign file system entries are refused. The policy leaves tar alone. */
static void foreign_places_and_tar(void **state)
{
    static struct reel r;
    static const char zeros[1024];
    const struct umvfs_import_options options = {.policy = UMVFS_IMPORT_LINUX,
                                                 .format = UMVFS_ARCHIVE_TAR};
    static const struct umvfs_fs_ops *const ops[] = {&ledger_ops, &ledger_bare_ops};
    for (unsigned bare = 0; bare < 2; bare++) {
        struct world w;
        struct ledger l;
        struct told told;
        struct umvfs_import_error error;
        ledger_begin(&w, &l, ops[bare]);
        r.len = 0;
        add(&r, bare ? &(struct cpio){"l/d", 0040755, NULL, 1}
                     : &(struct cpio){"l/f", 0100644, "x", 1});
        assert_int_equal(import(&w, &r, &told, &error), 0);
        assert_int_equal(told.count, 1);
        assert_int_equal(
            umvfs_import_memory(&w.task, NULL, "/", &options, zeros, sizeof(zeros), &error), 0);
        ledger_end(&w, &l);
    }
}

/* A target ends where its entry says, although a longer one was there before it. */
static void foreign_links_have_their_targets(void **state)
{
    static struct reel r;
    static const char *const targets[] = {"a/target/that/is/longer/than/the/next", "short"};
    static const char *const names[] = {"l/x", "l/y"};
    struct world w;
    struct ledger l;
    struct told told;
    struct umvfs_import_error error;
    char text[64];
    ledger_begin(&w, &l, &ledger_ops);
    r.len = 0;
    for (unsigned i = 0; i < 2; i++)
        add(&r, &(struct cpio){names[i], 0120777, targets[i], 1});
    assert_int_equal(import(&w, &r, &told, &error), 0);
    for (unsigned i = 0; i < 2; i++) {
        int len = umvfs_readlink(&w.task, NULL, names[i], 0, text, sizeof(text));
        assert_int_equal(len, strlen(targets[i]));
        assert_memory_equal(text, targets[i], strlen(targets[i]));
    }
    ledger_end(&w, &l);
}

/* A file that is made on a file system of the embedder's is not filled as one of the library's own. */
static void foreign_files_are_not_filled(void **state)
{
    static struct reel r;
    static const unsigned links[] = {1, 2};
    for (unsigned i = 0; i < 2; i++) {
        struct world w;
        struct ledger l;
        struct told told;
        struct umvfs_import_error error;
        struct umvfs_stat st;
        ledger_begin(&w, &l, &ledger_ops);
        r.len = 0;
        add(&r, &(struct cpio){"l/new", 0100644, "contents", links[i]});
        assert_int_equal(import(&w, &r, &told, &error), 0);
        assert_int_equal(told.count, 1);
        assert_int_equal(told.last.error, -UMVFS_EOPNOTSUPP);
        assert_int_equal(umvfs_stat(&w.task, NULL, "/l/new", 0, &st), 0);
        assert_int_equal(st.size, 0);
        ledger_end(&w, &l);
    }
}

/* What was made stays, but the times of directories are not set. */
static void imports_may_be_given_up(void **state)
{
    static struct reel r;
    const struct umvfs_import_options options = {.policy = UMVFS_IMPORT_LINUX};
    struct world w;
    struct umvfs_import *imp;
    struct umvfs_stat st;
    start(&r);
    world_begin(&w, NULL);
    assert_int_equal(umvfs_import_begin(&w.task, NULL, "/", &options, &imp), 0);
    assert_int_equal(umvfs_import_push(imp, r.bytes, r.len, NULL), 0);
    umvfs_import_abort(imp);
    assert_int_equal(umvfs_stat(&w.task, NULL, "/d", 0, &st), 0);
    assert_int_not_equal(st.mtime.sec, 9);
    world_end(&w);
}

/* Wherever an allocation fails: no room, nothing leaks, and what was made stays usable. */
static void allocations_may_fail(void **state)
{
    static struct reel r;
    start(&r);
    add(&r, &(struct cpio){"h1", 0100644, "data", 2});
    add(&r, &(struct cpio){"h2", 0100644, NULL, 2});
    add(&r, &(struct cpio){"e", 0040755, NULL, 1});
    add(&r, &(struct cpio){"p", 0010644, NULL, 1});
    for (uint64_t fail = 1;; fail++) {
        struct world w;
        struct told told;
        struct umvfs_import_error error = {0};
        world_begin(&w, NULL);
        w.host.fail_at = w.host.calls + fail;
        w.host.failed = 0;
        int err = import(&w, &r, &told, &error);
        bool failed = w.host.failed > 0;
        w.host.fail_at = 0;
        assert_int_equal(err, failed ? -UMVFS_ENOMEM : 0);
        assert_int_equal(told.count, 0);
        if (failed)
            assert_int_equal(error.reason, UMVFS_ARCHIVE_NO_SPACE);
        assert_int_equal(run(&w, "mkdir /new"), 0);
        world_end(&w);
        if (!failed)
            break;
        assert_in_range(fail, 1, 200);
    }
}

int initramfs_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(skipped_entries_are_told),
        cmocka_unit_test(the_tree_so_far_stays),
        cmocka_unit_test(options_count),
        cmocka_unit_test(links_to_nothing_are_told),
        cmocka_unit_test(no_room_and_no_archive),
        cmocka_unit_test(foreign_places_and_tar),
        cmocka_unit_test(foreign_links_have_their_targets),
        cmocka_unit_test(foreign_files_are_not_filled),
        cmocka_unit_test(imports_may_be_given_up),
        cmocka_unit_test(allocations_may_fail),
    };
    return cmocka_run_group_tests_name("initramfs", tests, NULL, NULL);
}
