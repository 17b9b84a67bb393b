/* What an archive can ask of the tree that is built of it: each refusal, and what is not one. */
#include "tests.h"

#include "dcache.h"
#include "import.h"

struct reel {
    char bytes[65536];
    size_t len;
};

static void put(struct reel *r, const void *data, size_t len, size_t unit)
{
    memcpy(r->bytes + r->len, data, len);
    r->len += len;
    while (r->len % unit)
        r->bytes[r->len++] = '\0';
}

struct tar {
    char type;
    const char *name;
    const char *link;
    const char *text; /* contents, or the records of a pax header */
    size_t len;       /* of text, if it has NULs */
    unsigned char size[12];
};

static void tar_header(char *block, const struct tar *e, size_t len)
{
    unsigned sum = 0;
    memset(block, 0, 512);
    snprintf(block, 100, "%s", e->name);
    snprintf(block + 100, 8, "%07o", 0644);
    snprintf(block + 124, 12, "%011o", (unsigned)len);
    if (e->size[0])
        memcpy(block + 124, e->size, 12);
    snprintf(block + 157, 100, "%s", e->link ? e->link : "");
    memcpy(block + 257, "ustar\00000", 8);
    block[156] = e->type;
    memset(block + 148, ' ', 8);
    for (size_t i = 0; i < 512; i++)
        sum += (unsigned char)block[i];
    snprintf(block + 148, 8, "%06o", sum);
}

static void tar_entry(struct reel *r, const struct tar *e)
{
    char block[512];
    size_t len = e->len ? e->len : e->text ? strlen(e->text) : 0;
    tar_header(block, e, len);
    put(r, block, sizeof(block), 1);
    if (len)
        put(r, e->text, len, 512);
}

static void tar_end(struct reel *r)
{
    memset(r->bytes + r->len, 0, 1024);
    r->len += 1024;
}

static int import(struct world *w, const struct reel *r, const struct umvfs_import_options *options,
                  struct umvfs_import_error *error)
{
    return umvfs_import_memory(&w->task, NULL, "/", options, r->bytes, r->len, error);
}

#define N50  "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"
#define N250 N50 N50 N50 N50 N50

/* One entry more after a directory "d", a file "f" and a link "l" to it. */
/* What each entry comes to, after a directory d, a file f and a link l to it. */
static const struct {
    struct tar entry[2];
    enum umvfs_archive_reason reason; /* 0: taken */
    int error;
} entries[] = {
    {{{.type = '0', .name = "sized", .size = "\xff\xff\xff\xff\x7f\xff\xff\xff\xff\xff\xff\xff"}},
     UMVFS_ARCHIVE_BAD_NUMBER,
     -UMVFS_EINVAL},
    {{{.type = '0', .name = "sized", .size = "\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff"}},
     UMVFS_ARCHIVE_TOO_LARGE,
     -UMVFS_EINVAL},
    {{{.type = '0', .name = "sized", .size = "            "}}, 0, 0},
    {{{.type = '1', .name = "f", .link = "f"}}, 0, 0},
    {{{.type = '1', .name = "l", .link = "f"}}, 0, 0},
    {{{.type = '1', .name = "d", .link = "f"}}, UMVFS_ARCHIVE_NOT_DIRECTORY, -UMVFS_EINVAL},
    {{{.type = '1', .name = "new", .link = "d"}}, UMVFS_ARCHIVE_BAD_LINK, -UMVFS_EINVAL},
    {{{.type = '1', .name = "../new", .link = "f"}}, UMVFS_ARCHIVE_PARENT_NAME, -UMVFS_EINVAL},
    {{{.type = '1', .name = "new", .link = "none/f"}}, UMVFS_ARCHIVE_BAD_LINK, -UMVFS_EINVAL},
    {{{.type = '2', .name = "new", .link = ""}}, UMVFS_ARCHIVE_BAD_LINK, -UMVFS_EINVAL},
    {{{.type = 'L', .name = "long", .text = "x", .len = 1}}, UMVFS_ARCHIVE_BAD_NAME, -UMVFS_EINVAL},
    {{{.type = 'x', .name = "pax", .text = "268 path=" N250 "nnnnnnnn\n"},
      {.type = '0', .name = "new"}},
     UMVFS_ARCHIVE_BAD_NAME,
     -UMVFS_EINVAL},
    {{{.type = 'x',
       .name = "pax",
       .text = "30 SCHILY.xattr.user.k=value1\n29 SCHILY.xattr.user.j=value\n"},
      {.type = '0', .name = "new"}},
     0,
     0},
    {{{.type = 'x',
       .name = "pax",
       .text = "30 SCHILY.xattr.user.k=value1\n29 SCHILY.xattr.user.k=value\n"},
      {.type = '0', .name = "new"}},
     UMVFS_ARCHIVE_BAD_PAX,
     -UMVFS_EINVAL},
    {{{.type = 'x',
       .name = "pax",
       .text = "30 SCHILY.xattr.user.k=value1\n29 SCHILY.xattr.user.j=value\n"
               "29 SCHILY.xattr.user.j=value\n"},
      {.type = '0', .name = "new"}},
     UMVFS_ARCHIVE_BAD_PAX,
     -UMVFS_EINVAL},
    {{{.type = 'x', /* names of one hash */
       .name = "pax",
       .text = "36 SCHILY.xattr." ONE_HASH "=value1\n36 SCHILY.xattr." SAME_HASH "=value2\n"},
      {.type = '0', .name = "new"}},
     0,
     0},
    {{{.type = 'x', .name = "pax", .text = "30 SCHILY.xattr.user.\0k=valu1\n", .len = 30},
      {.type = '0', .name = "new"}},
     UMVFS_ARCHIVE_BAD_PAX,
     -UMVFS_EINVAL},
    {{{.type = 'x', .name = "pax", .text = "28 SCHILY.xattr.user.=value\n"},
      {.type = '0', .name = "new"}},
     0,
     0},
    {{{.type = 'x', .name = "pax", .text = "279 SCHILY.xattr.user." N250 "=value\n"},
      {.type = '0', .name = "new"}},
     0,
     0},
    {{{.type = 'x', .name = "pax", .text = "280 SCHILY.xattr.user.n" N250 "=value\n"},
      {.type = '0', .name = "new"}},
     UMVFS_ARCHIVE_BAD_PAX,
     -UMVFS_EINVAL},
    {{{.type = 'x', .name = "pax", .text = "400 " N250 N250}, {.type = '0', .name = "new"}},
     UMVFS_ARCHIVE_BAD_PAX,
     -UMVFS_EINVAL},
    {{{.type = 'x', .name = "pax", .text = "99999999999999999999 "}, {.type = '0', .name = "new"}},
     UMVFS_ARCHIVE_BAD_PAX,
     -UMVFS_EINVAL},
};

static void entries_are_refused(void **state)
{
    for (size_t i = 0; i < sizeof(entries) / sizeof(entries[0]); i++) {
        static struct reel r;
        struct world w;
        struct umvfs_import_error error = {0};
        r.len = 0;
        tar_entry(&r, &(struct tar){.type = '5', .name = "d"});
        tar_entry(&r, &(struct tar){.type = '0', .name = "f", .text = "text"});
        tar_entry(&r, &(struct tar){.type = '2', .name = "l", .link = "f"});
        tar_entry(&r, &entries[i].entry[0]);
        if (entries[i].entry[1].name)
            tar_entry(&r, &entries[i].entry[1]);
        tar_end(&r);
        world_begin(&w, NULL);
        int err = import(&w, &r, NULL, &error);
        if (err != entries[i].error || error.reason != entries[i].reason)
            fail_msg("%zu: %d, %s", i, err, umvfs_archive_reason_text(error.reason));
        world_end(&w);
    }
}

static void options_are_heeded(void **state)
{
    static struct reel r;
    struct world w;
    struct umvfs_stat st;
    struct umvfs_import_error error;
    r.len = 0;
    tar_entry(&r, &(struct tar){.type = '0', .name = "/made/f", .text = "text"});
    tar_end(&r);
    world_begin(&w, NULL);
    assert_int_equal(run(&w, "chmod / 0777"), 0);
    assert_int_equal(run(&w, "as alice"), 0);
    assert_int_equal(import(&w, &r, NULL, &error), -UMVFS_EINVAL);
    assert_int_equal(error.reason, UMVFS_ARCHIVE_ABSOLUTE_NAME);
    const struct umvfs_import_options own = {.owner_is_task = true, .allow_absolute = true};
    assert_int_equal(import(&w, &r, &own, NULL), 0);
    assert_int_equal(umvfs_stat(&w.task, NULL, "/made", 0, &st), 0);
    assert_int_equal(st.uid, 1000);
    assert_int_equal(st.gid, 1000);
    r.len = 0;
    tar_entry(&r, &(struct tar){.type = '4', .name = "block"});
    tar_end(&r);
    const struct umvfs_import_options no_devices = {.no_devices = true};
    assert_int_equal(import(&w, &r, &no_devices, &error), -UMVFS_EINVAL);
    assert_int_equal(error.reason, UMVFS_ARCHIVE_BAD_TYPE);
    assert_int_equal(import(&w, &r, NULL, NULL), 0);
    assert_int_equal(run(&w, "as root"), 0);
    world_end(&w);
}

/* Who does not want to know why is not told, and long names are told by their end. */
static void errors_are_optional(void **state)
{
    static struct reel r;
    struct world w;
    struct umvfs_import_error error;
    const char *path = "a/" N250 "/../" N250;
    world_begin(&w, NULL);
    r.len = 0;
    tar_entry(&r, &(struct tar){.type = 'L', .name = "long", .text = path});
    tar_entry(&r, &(struct tar){.type = '0', .name = "short"});
    tar_end(&r);
    assert_int_equal(import(&w, &r, NULL, NULL), -UMVFS_EINVAL);
    assert_int_equal(import(&w, &r, NULL, &error), -UMVFS_EINVAL);
    assert_int_equal(error.reason, UMVFS_ARCHIVE_PARENT_NAME);
    assert_string_equal(error.name, path + strlen(path) - UMVFS_NAME_MAX);
    assert_int_equal(umvfs_import_memory(&w.task, NULL, "/none", NULL, "", 0, NULL), -UMVFS_ENOENT);
    world_end(&w);
}

/* A file has at most UMVFS_LINK_MAX names, also by an archive. */
static void links_have_a_limit(void **state)
{
    struct world w;
    struct umvfs_import *imp;
    struct umvfs_import_error error = {0};
    char block[512];
    char name[32];
    world_begin(&w, NULL);
    assert_int_equal(umvfs_import_begin(&w.task, NULL, "/", NULL, &imp), 0);
    tar_header(block, &(struct tar){.type = '0', .name = "f"}, 0);
    assert_int_equal(umvfs_import_push(imp, block, sizeof(block), &error), 0);
    struct umvfs_inode *file = umvfs_find(w.task.vfs, imp->top, "f", 1)->inode;
    for (unsigned i = 1; i <= 3; i++) {
        snprintf(name, sizeof(name), "n%u", i);
        tar_header(block, &(struct tar){.type = '1', .name = name, .link = "f"}, 0);
        file->nlink = i == 1 ? file->nlink : UMVFS_LINK_MAX - 3 + i;
        int expected = i < 3 ? 0 : -UMVFS_EMLINK;
        assert_int_equal(umvfs_import_push(imp, block, sizeof(block), &error), expected);
    }
    file->nlink = 3;
    assert_int_equal(error.reason, UMVFS_ARCHIVE_BAD_LINK);
    assert_int_equal(umvfs_import_finish(imp, &error), -UMVFS_EMLINK);
    world_end(&w);
}

static void cpio_entry(struct reel *r, const char *name, unsigned mode, unsigned nlink,
                       const char *text)
{
    char header[111];
    snprintf(header, sizeof(header), "070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X",
             7u, mode, 0u, 0u, nlink, 9u, (unsigned)strlen(text), 0u, 0u, 1u, 3u,
             (unsigned)strlen(name) + 1, 0u);
    put(r, header, 110, 1);
    put(r, name, strlen(name) + 1, 4);
    put(r, text, strlen(text), 4);
}

static void cpio_links_agree(void **state)
{
    static struct reel r;
    struct world w;
    struct umvfs_import_error error;
    char text[16];
    world_begin(&w, NULL);
    r.len = 0;
    cpio_entry(&r, "one", 0100644, 2, "longer");
    cpio_entry(&r, "two", 0010644, 2, "");
    assert_int_equal(import(&w, &r, NULL, &error), -UMVFS_EINVAL);
    assert_int_equal(error.reason, UMVFS_ARCHIVE_BAD_LINK);
    r.len = 0;
    cpio_entry(&r, "one", 0100644, 2, "longer");
    cpio_entry(&r, "two", 0100644, 2, "last");
    cpio_entry(&r, "pipe", 0010644, 2, "");
    assert_int_equal(import(&w, &r, NULL, &error), -UMVFS_EINVAL);
    r.len = 0;
    cpio_entry(&r, "one", 0100644, 2, "longer");
    cpio_entry(&r, "two", 0100644, 2, "last"); /* the contents come twice: the last ones count */
    cpio_entry(&r, "socket", 0140755, 1, "");
    cpio_entry(&r, "NOTRAILER!", 0100644, 1, "x");
    cpio_entry(&r, "TRAILER!!!", 0, 1, "");
    const struct umvfs_import_options crc = {.format = UMVFS_ARCHIVE_CPIO_CRC};
    assert_int_equal(import(&w, &r, &crc, &error), 0);
    assert_int_equal(slurp(&w, "/one", text, sizeof(text)), 4);
    assert_string_equal(text, "last");
    r.len = 0;
    cpio_entry(&r, "TRAILER!!!", 0, 1, "body");
    assert_int_equal(import(&w, &r, NULL, &error), -UMVFS_EINVAL);
    assert_int_equal(error.reason, UMVFS_ARCHIVE_BAD_NUMBER);
    r.len = 0;
    cpio_entry(&r, "TRAILER!!!", 0, 1, "");
    put(&r,
        "\0\0"
        "070701",
        8, 1); /* the next archive, off the boundary */
    assert_int_equal(import(&w, &r, NULL, &error), -UMVFS_EINVAL);
    assert_int_equal(error.reason, UMVFS_ARCHIVE_BAD_PADDING);
    world_end(&w);
}

/* Attributes of a hard link and of what is left out, as Go's archive/tar writes them, are not those of
 * the entry after it. */
static void attributes_stay_with_their_entry(void **state)
{
    static const char types[] = {'1', 'V'};
    for (size_t i = 0; i < sizeof(types); i++) {
        static struct reel r;
        struct world w;
        struct umvfs_import_error error;
        struct tar pax = {.type = 'x', .name = "pax", .text = "30 SCHILY.xattr.user.k=value1\n"};
        r.len = 0;
        tar_entry(&r, &(struct tar){.type = '0', .name = "f", .text = "text"});
        tar_entry(&r, &pax);
        tar_entry(&r, &(struct tar){.type = types[i], .name = "other", .link = "f"});
        tar_entry(&r, &(struct tar){.type = '0', .name = "none"});
        tar_entry(&r, &pax);
        tar_entry(&r, &(struct tar){.type = types[i], .name = "another", .link = "f"});
        tar_entry(&r, &pax);
        tar_entry(&r, &(struct tar){.type = '0', .name = "own"});
        tar_end(&r);
        world_begin(&w, NULL);
        assert_int_equal(import(&w, &r, NULL, &error), 0);
        assert_int_equal(umvfs_getxattr(&w.task, NULL, "/f", "user.k", NULL, 0, 0), -UMVFS_ENODATA);
        assert_int_equal(umvfs_getxattr(&w.task, NULL, "/none", "user.k", NULL, 0, 0),
                         -UMVFS_ENODATA);
        assert_int_equal(umvfs_getxattr(&w.task, NULL, "/own", "user.k", NULL, 0, 0), 6);
        world_end(&w);
    }
}

/* Every allocation fails in turn: directories, attributes, links, made directories. */
static void failed_allocations_leave_nothing(void **state)
{
    static struct reel r;
    bool failed = true;
    r.len = 0;
    tar_entry(&r, &(struct tar){.type = '5', .name = "d"});
    tar_entry(&r,
              &(struct tar){.type = 'x', .name = "pax", .text = "30 SCHILY.xattr.user.k=value1\n"});
    tar_entry(&r, &(struct tar){.type = '0', .name = "d/f", .text = "text"});
    tar_entry(&r, &(struct tar){.type = '1',
                                .name = "made/a-name-that-does-not-fit-a-dentry",
                                .link = "d/f"});
    tar_end(&r);
    for (uint64_t n = 1; failed; n++) {
        struct world w;
        struct umvfs_import_error error;
        world_begin(&w, NULL);
        uint64_t objects = w.host.objects;
        w.host.fail_at = w.host.calls + n;
        int err = import(&w, &r, NULL, &error);
        failed = w.host.failed > 0;
        assert_int_equal(err, failed ? -UMVFS_ENOMEM : 0);
        if (failed) {
            assert_int_equal(error.reason, UMVFS_ARCHIVE_NO_SPACE);
            assert_int_equal(w.host.objects, objects);
        }
        w.host.fail_at = 0;
        world_end(&w);
    }
}

/* What stands in the way of a graft: replace is for names of what is not a directory. */
static void grafts_replace_no_directories(void **state)
{
    static const struct {
        const char *setting;
        struct tar entry;
        int expected;
    } cases[] = {
        {"mkdir /x", {.type = '0', .name = "x", .text = "file"}, -UMVFS_EEXIST},
        {"write /x old", {.type = '5', .name = "x"}, -UMVFS_EEXIST},
        {"write /x old", {.type = '0', .name = "x", .text = "file"}, 0},
        {"mkdir /x", {.type = '5', .name = "x"}, 0},
        {"write /x old", {.type = '0', .name = "x/f", .text = "file"}, -UMVFS_EEXIST},
    };
    const struct umvfs_import_options replace = {.replace = true};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        static struct reel r;
        struct world w;
        struct umvfs_import_error error;
        r.len = 0;
        tar_entry(&r, &cases[i].entry);
        tar_end(&r);
        world_begin(&w, NULL);
        assert_int_equal(run(&w, cases[i].setting), 0);
        assert_int_equal(import(&w, &r, &replace, &error), cases[i].expected);
        if (cases[i].expected)
            assert_int_equal(error.reason, UMVFS_ARCHIVE_CONFLICT);
        world_end(&w);
    }
}

/* Nor a file that something is mounted on. */
static void grafts_replace_no_mount_points(void **state)
{
    static struct reel r;
    struct world w;
    struct umvfs_import_error error;
    const struct umvfs_import_options replace = {.replace = true};
    r.len = 0;
    tar_entry(&r, &(struct tar){.type = '0', .name = "x", .text = "file"});
    tar_end(&r);
    world_begin(&w, NULL);
    assert_int_equal(run(&w, "write /x old"), 0);
    assert_int_equal(run(&w, "write /y other"), 0);
    assert_int_equal(run(&w, "bind /y /x"), 0);
    assert_int_equal(import(&w, &r, &replace, &error), -UMVFS_EEXIST);
    assert_int_equal(run(&w, "umount /x"), 0);
    assert_int_equal(import(&w, &r, &replace, &error), 0);
    world_end(&w);
}

static int take(void *ctx, const void *data, size_t len)
{
    return 0;
}

static void exports_are_refused(void **state)
{
    struct world w;
    static char name[251];
    world_begin(&w, NULL);
    assert_int_equal(umvfs_export(&w.task, NULL, "/none", UMVFS_ARCHIVE_TAR, take, NULL),
                     -UMVFS_ENOENT);
    /* A directory deeper than a path can say. */
    assert_int_equal(run(&w, "mkdir /deep"), 0);
    assert_int_equal(run(&w, "chdir /deep"), 0);
    memset(name, 'n', 250);
    for (int i = 0; i < 17; i++) {
        assert_int_equal(umvfs_mkdir(&w.task, NULL, name, 0755), 0);
        assert_int_equal(umvfs_export(&w.task, NULL, "/deep", UMVFS_ARCHIVE_TAR, take, NULL),
                         i < 16 ? 0 : -UMVFS_ENAMETOOLONG);
        char line[300];
        snprintf(line, sizeof(line), "chdir %s", name);
        assert_int_equal(run(&w, line), 0);
    }
    world_end(&w);
}

int import_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_are_refused),
        cmocka_unit_test(options_are_heeded),
        cmocka_unit_test(errors_are_optional),
        cmocka_unit_test(links_have_a_limit),
        cmocka_unit_test(cpio_links_agree),
        cmocka_unit_test(failed_allocations_leave_nothing),
        cmocka_unit_test(attributes_stay_with_their_entry),
        cmocka_unit_test(grafts_replace_no_directories),
        cmocka_unit_test(grafts_replace_no_mount_points),
        cmocka_unit_test(exports_are_refused),
    };
    return cmocka_run_group_tests_name("import", tests, NULL, NULL);
}
