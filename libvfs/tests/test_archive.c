#include "tests.h"

/* Archives built by hand, entry by entry. */
struct archive {
    char bytes[65536];
    size_t len;
};

static void put(struct archive *a, const void *data, size_t len, size_t unit)
{
    memcpy(a->bytes + a->len, data, len);
    a->len += len;
    while (a->len % unit)
        a->bytes[a->len++] = '\0';
}

static void cpio_entry(struct archive *a, const char *name, unsigned mode, unsigned nlink,
                       const char *text)
{
    char header[111];
    size_t len = strlen(text);
    snprintf(header, sizeof(header), "070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X",
             nlink > 1 ? 7u : 0u, mode, 0u, 0u, nlink, 9u, (unsigned)len, 0u, 0u, 1u, 3u,
             (unsigned)strlen(name) + 1, 0u);
    put(a, header, 110, 1);
    put(a, name, strlen(name) + 1, 4);
    put(a, text, len, 4);
}

static void cpio_end(struct archive *a)
{
    cpio_entry(a, "TRAILER!!!", 0, 1, "");
}

static int import(struct world *w, const struct archive *a,
                  const struct umvfs_import_options *options, struct umvfs_import_error *error)
{
    return umvfs_import_memory(&w->task, NULL, "/", options, a->bytes, a->len, error);
}

struct bad {
    const char *name;
    unsigned mode;
    const char *text;
    enum umvfs_archive_reason reason;
};

static void refuses_what_policy_forbids(void **state)
{
    static const struct bad cases[] = {
        {"/etc/passwd", 0100644, "x", UMVFS_ARCHIVE_ABSOLUTE_NAME},
        {"../x", 0100644, "x", UMVFS_ARCHIVE_PARENT_NAME},
        {"d/../x", 0100644, "x", UMVFS_ARCHIVE_PARENT_NAME},
        {"d/..", 0040755, "", UMVFS_ARCHIVE_PARENT_NAME},
        {"out/x", 0100644, "x", UMVFS_ARCHIVE_THROUGH_SYMLINK},
        {"file/x", 0100644, "x", UMVFS_ARCHIVE_NOT_DIRECTORY},
        {"d", 0100644, "x", UMVFS_ARCHIVE_NOT_DIRECTORY},
        {"file", 0040755, "", UMVFS_ARCHIVE_NOT_DIRECTORY},
        {".", 0100644, "x", UMVFS_ARCHIVE_NOT_DIRECTORY},
        {"x", 0000644, "", UMVFS_ARCHIVE_BAD_TYPE},
        {"x", 0120777, "", UMVFS_ARCHIVE_BAD_LINK},
        {"x", 0040755, "contents", UMVFS_ARCHIVE_BAD_NUMBER},
        {"", 0100644, "", UMVFS_ARCHIVE_BAD_NAME},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        static struct archive a;
        struct world w;
        struct umvfs_import_error error;
        a.len = 0;
        cpio_entry(&a, "d", 0040755, 2, "");
        cpio_entry(&a, "out", 0120777, 1, "/etc");
        cpio_entry(&a, "file", 0100644, 1, "text");
        size_t offset = a.len;
        cpio_entry(&a, cases[i].name, cases[i].mode, 1, cases[i].text);
        cpio_end(&a);
        world_begin(&w, NULL);
        uint64_t objects = w.host.objects;
        assert_true(import(&w, &a, NULL, &error) < 0);
        if (error.reason != cases[i].reason)
            fail_msg("%s: %s", cases[i].name, umvfs_archive_reason_text(error.reason));
        assert_int_equal(error.offset, offset);
        assert_int_equal(error.entry, 3);
        assert_string_equal(error.name, cases[i].name);
        assert_int_equal(w.host.objects, objects);
        assert_int_equal(run(&w, "stat /d"), -UMVFS_ENOENT);
        world_end(&w);
    }
}

static void every_truncation_is_noticed(void **state)
{
    static struct archive a;
    struct world w;
    struct umvfs_import_error error;
    a.len = 0;
    cpio_entry(&a, "d", 0040755, 2, "");
    cpio_entry(&a, "d/f", 0100644, 1, "text");
    cpio_end(&a);
    size_t whole = a.len;
    world_begin(&w, NULL);
    for (a.len = 0; a.len < whole - 1; a.len++) {
        int err = import(&w, &a, NULL, &error);
        if (err == 0)
            break;
        assert_int_equal(error.reason, UMVFS_ARCHIVE_TRUNCATED);
        assert_int_equal(run(&w, "stat /d"), -UMVFS_ENOENT);
    }
    assert_in_range(a.len, whole - 4, whole - 1); /* only the padding of the trailer may lack */
    world_end(&w);
}

static void concatenated_archives_and_hard_links(void **state)
{
    static struct archive a;
    struct world w;
    struct umvfs_stat st;
    char text[16];
    a.len = 0;
    cpio_entry(&a, "one", 0100644, 2, "");
    cpio_entry(&a, "two", 0100644, 2, "data");
    cpio_entry(&a, "null", 0020666, 1, "");
    cpio_end(&a);
    memset(a.bytes + a.len, 0, 512);
    a.len += 512;
    cpio_entry(&a, "three", 0100644, 2, "other");
    cpio_entry(&a, "null", 0100644, 1, "now a file");
    cpio_end(&a);
    world_begin(&w, NULL);
    assert_int_equal(import(&w, &a, NULL, NULL), 0);
    assert_int_equal(slurp(&w, "/one", text, sizeof(text)), 4);
    assert_string_equal(text, "data");
    assert_int_equal(slurp(&w, "/three", text, sizeof(text)), 5);
    assert_int_equal(slurp(&w, "/null", text, sizeof(text)), 10);
    assert_int_equal(umvfs_stat(&w.task, NULL, "/one", 0, &st), 0);
    assert_int_equal(st.nlink, 2);
    assert_int_equal(umvfs_stat(&w.task, NULL, "/three", 0, &st), 0);
    assert_int_equal(st.nlink, 1);
    a.bytes[a.len++] = 'x';
    struct umvfs_import_error error;
    assert_int_equal(import(&w, &a, NULL, &error), -UMVFS_EINVAL);
    world_end(&w);
}

static void grafting_merges_or_refuses(void **state)
{
    static struct archive a;
    struct world w;
    struct umvfs_import_error error;
    char text[16];
    a.len = 0;
    cpio_entry(&a, "d", 0040700, 2, "");
    cpio_entry(&a, "d/new", 0100644, 1, "new");
    cpio_entry(&a, "d/old", 0100644, 1, "replaced");
    cpio_end(&a);
    world_begin(&w, NULL);
    assert_int_equal(run(&w, "mkdir /d"), 0);
    assert_int_equal(run(&w, "write /d/kept x"), 0);
    assert_int_equal(run(&w, "write /d/old x"), 0);
    uint64_t objects = w.host.objects;
    assert_int_equal(import(&w, &a, NULL, &error), -UMVFS_EEXIST);
    assert_int_equal(error.reason, UMVFS_ARCHIVE_CONFLICT);
    assert_string_equal(error.name, "old");
    assert_int_equal(w.host.objects, objects);
    assert_int_equal(run(&w, "stat /d/new"), -UMVFS_ENOENT);
    struct umvfs_import_options options = {.replace = true};
    assert_int_equal(import(&w, &a, &options, &error), 0);
    assert_int_equal(run(&w, "stat /d/new"), 0);
    assert_int_equal(run(&w, "stat /d/kept"), 0);
    assert_int_equal(slurp(&w, "/d/old", text, sizeof(text)), 8);
    assert_int_equal(run(&w, "unlink /d/old"), 0);
    world_end(&w);
}

static void failed_allocations_roll_back(void **state)
{
    static struct archive a;
    static char big[6000];
    memset(big, 'b', sizeof(big) - 1);
    a.len = 0;
    cpio_entry(&a, "d/e/f", 0100644, 1, big);
    cpio_entry(&a, "l", 0120777, 1, "target");
    cpio_entry(&a, "one", 0100644, 2, "");
    cpio_entry(&a, "two", 0100644, 2, "data");
    cpio_end(&a);
    for (uint64_t n = 1;; n++) {
        struct world w;
        struct umvfs_import_error error;
        world_begin(&w, NULL);
        uint64_t objects = w.host.objects;
        w.host.fail_at = w.host.calls + n;
        int err = import(&w, &a, NULL, &error);
        if (err) {
            assert_int_equal(err, -UMVFS_ENOMEM);
            assert_int_equal(error.reason, UMVFS_ARCHIVE_NO_SPACE);
            assert_int_equal(w.host.objects, objects);
            assert_int_equal(w.host.pages, 0);
        }
        bool done = w.host.failed == 0;
        world_end(&w);
        if (done)
            break;
    }
}

static void tar_block(struct archive *a, char type, const char *name, unsigned size)
{
    char block[512] = {0};
    unsigned sum = 0;
    snprintf(block, 100, "%s", name);
    snprintf(block + 124, 12, "%011o", size);
    memcpy(block + 257, "ustar  ", 8);
    block[156] = type;
    memset(block + 148, ' ', 8);
    for (size_t i = 0; i < sizeof(block); i++)
        sum += (unsigned char)block[i];
    snprintf(block + 148, 8, "%06o", sum);
    put(a, block, sizeof(block), 1);
}

/* GNU long names without a NUL at their end. */
static void long_names_have_a_limit(void **state)
{
    for (unsigned len = UMVFS_PATH_MAX - 1; len <= UMVFS_PATH_MAX + 1; len++) {
        static struct archive a;
        static char name[UMVFS_PATH_MAX + 2];
        struct world w;
        struct umvfs_import_error error = {0};
        for (unsigned i = 0; i < len; i++)
            name[i] = i % 2 || i + 1 == len ? 'n' : '.';
        for (unsigned i = 200; i + 1 < len; i += 200)
            name[i] = '/';
        a.len = 0;
        tar_block(&a, 'L', "././@LongLink", len);
        put(&a, name, len, 512);
        tar_block(&a, '0', "short", 0);
        memset(a.bytes + a.len, 0, 1024);
        a.len += 1024;
        world_begin(&w, NULL);
        int err = import(&w, &a, NULL, &error);
        assert_int_equal(err, len < UMVFS_PATH_MAX ? 0 : -UMVFS_EINVAL);
        assert_int_equal(error.reason, len < UMVFS_PATH_MAX ? 0 : UMVFS_ARCHIVE_BAD_NAME);
        world_end(&w);
    }
}

static int append(void *ctx, const void *data, size_t len)
{
    assert_true(len > 0); /* nothing is no reason to call */
    put(ctx, data, len, 1);
    return 0;
}

/* In cpio a file of the trailer's name would end the archive. */
static void names_like_a_trailer_survive_an_export(void **state)
{
    static struct archive a;
    static const enum umvfs_archive_format formats[] = {UMVFS_ARCHIVE_CPIO, UMVFS_ARCHIVE_CPIO_CRC,
                                                        UMVFS_ARCHIVE_TAR};
    static const struct step steps[] = {{"mkdir /from", 0},
                                        {"mkdir /from/d", 0},
                                        {"write /from/TRAILER!!! contents", 0},
                                        {"write /from/d/TRAILER!!! x", 0},
                                        {"write /from/TRAILER!!? unlike", 0},
                                        {"write /from/z after", 0},
                                        {0}};
    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
        struct world w;
        char text[16];
        world_begin(&w, NULL);
        run_steps(&w, steps);
        a.len = 0;
        assert_int_equal(umvfs_export(&w.task, NULL, "/from", formats[i], append, &a), 0);
        assert_int_equal(import(&w, &a, NULL, NULL), 0);
        assert_int_equal(slurp(&w, "/TRAILER!!!", text, sizeof(text)), 8);
        assert_int_equal(slurp(&w, "/d/TRAILER!!!", text, sizeof(text)), 1);
        assert_int_equal(slurp(&w, "/TRAILER!!?", text, sizeof(text)), 6);
        assert_int_equal(slurp(&w, "/z", text, sizeof(text)), 5);
        world_end(&w);
    }
}

static void exports_import_to_the_same(void **state)
{
    static struct archive a;
    struct world w;
    static const struct step steps[] = {
        {"mkdir /from", 0},
        {"mkdir /to", 0},
        {"mkdir /from/d", 0},
        {"write /from/d/f text", 0},
        {"setx /from/d/f user.k v", 0},
        {"setx /from/d/f user.empty \"\"", 0},
        {"link /from/d/f /from/g", 0},
        {"symlink d/f /from/l", 0},
        {0},
    };
    static const struct step there[] = {
        {"stat /to/d/f", 0},
        {"readlink /to/l", 0},
        {"getx /to/g user.k", 0},
        {"getx /to/g user.empty", 0},
        {"getx /to/g user.none", -UMVFS_ENODATA},
        {0},
    };
    world_begin(&w, NULL);
    run_steps(&w, steps);
    a.len = 0;
    assert_int_equal(umvfs_export(&w.task, NULL, "/from", UMVFS_ARCHIVE_TAR, append, &a), 0);
    assert_int_equal(umvfs_import_memory(&w.task, NULL, "/to", NULL, a.bytes, a.len, NULL), 0);
    run_steps(&w, there);
    assert_int_equal(umvfs_export(&w.task, NULL, "/from/g", UMVFS_ARCHIVE_TAR, append, &a),
                     -UMVFS_ENOTDIR);
    assert_int_equal(umvfs_export(&w.task, NULL, "/", UMVFS_ARCHIVE_AUTO, append, &a),
                     -UMVFS_EINVAL);
    assert_int_equal(run(&w, "mknod /from/s 0140600"), 0);
    assert_int_equal(umvfs_export(&w.task, NULL, "/from", UMVFS_ARCHIVE_TAR, append, &a),
                     -UMVFS_EOVERFLOW);
    world_end(&w);
}

int archive_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_what_policy_forbids),
        cmocka_unit_test(every_truncation_is_noticed),
        cmocka_unit_test(concatenated_archives_and_hard_links),
        cmocka_unit_test(grafting_merges_or_refuses),
        cmocka_unit_test(failed_allocations_roll_back),
        cmocka_unit_test(long_names_have_a_limit),
        cmocka_unit_test(exports_import_to_the_same),
        cmocka_unit_test(names_like_a_trailer_survive_an_export),
    };
    return cmocka_run_group_tests_name("archive", tests, NULL, NULL);
}
