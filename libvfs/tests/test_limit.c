#include "tests.h"
#include "core.h"
#include "inode.h"

/* Fills a file's list of attribute names up to `left` bytes below the limit. */
static void fill_list(struct world *w, size_t left)
{
    char name[UMVFS_XATTR_NAME_MAX + 1];
    size_t used = 0;
    for (unsigned i = 0; used < UMVFS_XATTR_LIST_MAX - left; i++) {
        size_t len = UMVFS_XATTR_LIST_MAX - left - used - 1;
        if (len > 255)
            len = UMVFS_XATTR_LIST_MAX - left - used < 512 ? 240 : 255;
        snprintf(name, sizeof(name), "user.%05u%0*d", i, (int)len - 10, 0);
        assert_int_equal(umvfs_setxattr(&w->task, NULL, "/f", name, "", 0, 0, 0), 0);
        used += len + 1;
    }
    assert_int_equal(umvfs_listxattr(&w->task, NULL, "/f", NULL, 0, 0),
                     UMVFS_XATTR_LIST_MAX - left);
}

static void lists_of_attributes_have_a_limit(void **state)
{
    /* "user.12345" and its NUL are 11 bytes. */
    for (size_t left = 10; left <= 12; left++) {
        struct world w;
        static char list[UMVFS_XATTR_LIST_MAX];
        int expected = left < 11 ? -UMVFS_ENOSPC : 0;
        world_begin(&w, NULL);
        assert_int_equal(run(&w, "write /f x"), 0);
        fill_list(&w, left);
        assert_int_equal(run(&w, "setx /f user.zzzzz v"), expected);
        int size = umvfs_listxattr(&w.task, NULL, "/f", list, sizeof(list), 0);
        assert_int_equal(size, (int)(UMVFS_XATTR_LIST_MAX - left) + (left < 11 ? 0 : 11));
        world_end(&w);
    }
}

/* What an archive's attributes may be called, and how many there may be. */
static void attributes_of_archives_are_checked(void **state)
{
    static const struct {
        const char *name;
        size_t len;
        int expected;
    } cases[] = {
        {"user.k", 6, 0},           {"user.k", 6, -UMVFS_EEXIST},   {"user.", 5, -UMVFS_EINVAL},
        {"user", 4, -UMVFS_EINVAL}, {"user.k", 6, -UMVFS_EEXIST},   {"user.\0", 6, -UMVFS_EINVAL},
        {"user.l", 6, 0},           {"system.k", 8, -UMVFS_EINVAL},
    };
    struct world w;
    char name[UMVFS_XATTR_NAME_MAX + 2];
    world_begin(&w, NULL);
    struct umvfs_inode staged = {.sb = w.task.root.mnt->sb};
    struct umvfs_xattr **list = &staged.xattrs;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(umvfs_xattr_append(staged.sb, list, cases[i].name, cases[i].len, "v", 1),
                         cases[i].expected);
    umvfs_xattr_free(&staged);
    memset(name, 'n', sizeof(name));
    for (unsigned i = 0; i < UMVFS_XATTR_LIST_MAX / 256 - 1; i++) {
        name[snprintf(name, sizeof(name), "user.%03u", i)] = 'n';
        assert_int_equal(umvfs_xattr_append(staged.sb, list, name, 256, "", 0), -UMVFS_EINVAL);
        assert_int_equal(umvfs_xattr_append(staged.sb, list, name, 255, "", 0), 0);
    }
    /* 256 bytes are left, of which this name and its NUL take 7. */
    assert_int_equal(umvfs_xattr_append(staged.sb, list, "user.x", 6, "", 0), 0);
    memset(name + 5, 'o', 250);
    assert_int_equal(umvfs_xattr_append(staged.sb, list, name, 249, "", 0), -UMVFS_EINVAL);
    assert_int_equal(umvfs_xattr_append(staged.sb, list, name, 248, "", 0), 0);
    assert_int_equal(umvfs_xattr_list_size(&staged), UMVFS_XATTR_LIST_MAX);
    umvfs_xattr_free(&staged);
    world_end(&w);
}

static int note(void *ctx, const char *name, size_t len, uint64_t ino, unsigned type, uint64_t next)
{
    *(uint64_t *)ctx = next;
    return 0;
}

/* Directories hand out each cookie once; the last one's entry can still be listed. */
static void directories_run_out_of_cookies(void **state)
{
    static const char *const commands[] = {"mkdir /d/y", "link /f /d/y", "rename /f /d/y",
                                           "open /d/y wc"};
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        for (uint64_t d = 0; d <= 2; d++) {
            struct world w;
            struct umvfs_file dir;
            struct umvfs_path place;
            uint64_t last = 0;
            world_begin(&w, NULL);
            assert_int_equal(run(&w, "mkdir /d"), 0);
            assert_int_equal(run(&w, "write /f x"), 0);
            assert_int_equal(umvfs_lookup(&w.task, NULL, "/d", 0, 0, &place), 0);
            umvfs_path_inode(&place)->u.dir.dir->next_cookie = DIR_COOKIE_MAX - 1 + d;
            umvfs_path_put(&place);
            assert_int_equal(run(&w, commands[i]), d < 2 ? 0 : -UMVFS_ENOSPC);
            assert_int_equal(umvfs_open(&w.task, NULL, "/d", UMVFS_O_DIRECTORY, 0, 0, &dir), 0);
            assert_int_equal(umvfs_readdir(&dir, note, &last), 0);
            assert_int_equal(last, d < 2 ? DIR_COOKIE_MAX + d : DIR_COOKIE_FIRST);
            umvfs_close(&dir);
            world_end(&w);
        }
    }
}

static struct umvfs_dir *dir_of(struct world *w, const char *path)
{
    struct umvfs_path place;
    assert_int_equal(umvfs_lookup(&w->task, NULL, path, 0, 0, &place), 0);
    struct umvfs_dir *dir = umvfs_path_inode(&place)->u.dir.dir;
    umvfs_path_put(&place);
    return dir;
}

/* Nobody has so many entries: the directory is told that it has. */
static void directories_have_a_largest_count(void **state)
{
    static const char *const commands[] = {"mkdir /d/y", "link /f /d/y", "rename /f /d/y"};
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        for (uint32_t more = UINT32_MAX - 2; more > 0; more++) {
            struct world w;
            world_begin(&w, NULL);
            assert_int_equal(run(&w, "mkdir /d"), 0);
            assert_int_equal(run(&w, "write /f x"), 0);
            struct umvfs_dir *dir = dir_of(&w, "/d");
            dir->count += more;
            assert_int_equal(run(&w, commands[i]), more < UINT32_MAX ? 0 : -UMVFS_ENOSPC);
            dir->count -= more;
            assert_int_equal(dir->count, more < UINT32_MAX);
            assert_int_equal(run(&w, "lookup /d/y n"), more < UINT32_MAX ? 0 : -UMVFS_ENOENT);
            world_end(&w);
        }
    }
}

struct tape {
    char bytes[4096];
    size_t len;
};

static int take(void *ctx, const void *data, size_t len)
{
    struct tape *t = ctx;
    assert_true(len <= sizeof(t->bytes) - t->len);
    memcpy(t->bytes + t->len, data, len);
    t->len += len;
    return 0;
}

/* The two entries of an archive find room in a directory, for their cookies and in the count. */
static void grafts_need_room(void **state)
{
    static const struct {
        uint64_t next_cookie;
        uint32_t more; /* entries that the directory is told to have */
        int expected;
    } cases[] = {
        {DIR_COOKIE_MAX - 2, 0, 0},
        {DIR_COOKIE_MAX - 1, 0, 0},
        {DIR_COOKIE_MAX, 0, -UMVFS_ENOSPC},
        {DIR_COOKIE_MAX + 1, 0, -UMVFS_ENOSPC},
        {DIR_COOKIE_FIRST, UINT32_MAX - 2, 0},
        {DIR_COOKIE_FIRST, UINT32_MAX - 1, -UMVFS_ENOSPC},
        {DIR_COOKIE_FIRST, UINT32_MAX, -UMVFS_ENOSPC},
    };
    static const struct step steps[] = {
        {"mkdir /from", 0}, {"write /from/a x", 0}, {"write /from/b x", 0}, {"mkdir /d", 0}, {0}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct world w;
        struct tape t = {.len = 0};
        struct umvfs_import_error error = {0};
        world_begin(&w, NULL);
        run_steps(&w, steps);
        assert_int_equal(umvfs_export(&w.task, NULL, "/from", UMVFS_ARCHIVE_CPIO, take, &t), 0);
        struct umvfs_dir *dir = dir_of(&w, "/d");
        dir->next_cookie = cases[i].next_cookie;
        dir->count += cases[i].more;
        int err = umvfs_import_memory(&w.task, NULL, "/d", NULL, t.bytes, t.len, &error);
        dir->count -= cases[i].more;
        assert_int_equal(err, cases[i].expected);
        assert_int_equal(error.reason, err ? UMVFS_ARCHIVE_NO_SPACE : UMVFS_ARCHIVE_OK);
        assert_int_equal(dir->count, err ? 0 : 2);
        assert_true(dir->next_cookie == cases[i].next_cookie + dir->count);
        assert_int_equal(run(&w, "stat /d/b"), err ? -UMVFS_ENOENT : 0);
        world_end(&w);
    }
}

static void limits_change_but_not_below_what_is_held(void **state)
{
    struct world w;
    struct umvfs_statfs held, now;
    world_begin(&w, NULL);
    assert_int_equal(run(&w, "write /f x"), 0);
    assert_int_equal(run(&w, "fill /p 9000"), 0);
    assert_int_equal(umvfs_statfs(&w.task.root, &held), 0);
    const struct umvfs_limits exact = {held.pages_used, held.inodes_used, held.bytes_used};
    const struct umvfs_limits less[] = {
        {exact.max_pages - 1, exact.max_inodes, exact.max_bytes},
        {exact.max_pages, exact.max_inodes - 1, exact.max_bytes},
        {exact.max_pages, exact.max_inodes, exact.max_bytes - 1},
    };
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(umvfs_set_limits(&w.task.root, &less[i]), -UMVFS_EINVAL);
    assert_int_equal(umvfs_set_limits(&w.task.root, &exact), 0);
    assert_int_equal(umvfs_statfs(&w.task.root, &now), 0);
    assert_int_equal(now.pages, exact.max_pages);
    assert_int_equal(now.inodes, exact.max_inodes);
    assert_int_equal(now.bytes, exact.max_bytes);
    assert_int_equal(run(&w, "write /g x"), -UMVFS_ENOSPC);
    assert_int_equal(run(&w, "mkdir /d"), -UMVFS_ENOSPC);
    assert_int_equal(umvfs_set_limits(&w.task.root, &(struct umvfs_limits){0, 0, 0}), 0);
    assert_int_equal(run(&w, "write /g x"), 0);
    assert_int_equal(umvfs_set_limits(&w.task.root, &exact), -UMVFS_EINVAL);
    world_end(&w);
}

/* The limits of the archive readers: each one below, at it, and up to eight above. */

#define BEYOND 8u

struct roll {
    char bytes[65536];
    size_t len;
};

static void put(struct roll *r, const void *data, size_t len, size_t unit)
{
    memcpy(r->bytes + r->len, data, len);
    r->len += len;
    while (r->len % unit)
        r->bytes[r->len++] = '\0';
}

/* `size` bytes of name, the last of them NUL: components of 200 bytes. */
static void put_cpio(struct roll *r, const char *name, size_t size, unsigned mode, const char *body,
                     size_t body_size)
{
    char header[111];
    snprintf(header, sizeof(header), "070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X",
             0u, mode, 0u, 0u, 1u, 0u, (unsigned)body_size, 0u, 0u, 0u, 0u, (unsigned)size, 0u);
    put(r, header, 110, 1);
    put(r, name, size, 4);
    put(r, body, body_size, 4);
}

static void end_cpio(struct roll *r)
{
    put_cpio(r, "TRAILER!!!", 11, 0, "", 0);
}

static char *long_path(size_t len)
{
    static char path[2 * UMVFS_PATH_MAX];
    for (size_t i = 0; i < len; i++)
        path[i] = i % 200 == 199 && i + 1 < len ? '/' : 'p';
    path[len] = '\0';
    return path;
}

static void expect(const struct roll *r, enum umvfs_archive_reason reason, const char *what,
                   size_t n)
{
    struct world w;
    struct umvfs_import_error error = {0};
    world_begin(&w, NULL);
    int err = umvfs_import_memory(&w.task, NULL, "/", NULL, r->bytes, r->len, &error);
    if (error.reason != reason || !err != !reason)
        fail_msg("%s of %zu: %s (%d)", what, n, umvfs_archive_reason_text(error.reason), err);
    world_end(&w);
}

static void names_of_cpio(void **state)
{
    static struct roll r;
    for (size_t size = UMVFS_PATH_MAX - 1; size <= UMVFS_PATH_MAX + BEYOND; size++) {
        r.len = 0;
        put_cpio(&r, long_path(size - 1), size, 0100644, "", 0);
        end_cpio(&r);
        expect(&r, size > UMVFS_PATH_MAX ? UMVFS_ARCHIVE_BAD_NAME : UMVFS_ARCHIVE_OK, "name", size);
    }
    for (size_t size = 0; size <= 3; size++) {
        r.len = 0;
        put_cpio(&r, size < 3 ? "b" : "ab", size, 0100644, "", 0);
        end_cpio(&r);
        expect(&r, size < 2 ? UMVFS_ARCHIVE_BAD_NAME : UMVFS_ARCHIVE_OK, "name", size);
    }
}

static void components_of_cpio(void **state)
{
    static struct roll r;
    static char name[300];
    memset(name, 'c', sizeof(name));
    for (size_t len = UMVFS_NAME_MAX - 1; len <= UMVFS_NAME_MAX + BEYOND; len++) {
        r.len = 0;
        name[len] = '\0';
        put_cpio(&r, name, len + 1, 0040755, "", 0);
        name[len] = 'c';
        end_cpio(&r);
        expect(&r, len > UMVFS_NAME_MAX ? UMVFS_ARCHIVE_BAD_NAME : UMVFS_ARCHIVE_OK, "component",
               len);
    }
}

static void links_of_cpio(void **state)
{
    static struct roll r;
    for (size_t len = UMVFS_PATH_MAX - 2; len <= UMVFS_PATH_MAX + BEYOND; len++) {
        r.len = 0;
        put_cpio(&r, "l", 2, 0120777, long_path(len), len);
        end_cpio(&r);
        expect(&r, len >= UMVFS_PATH_MAX ? UMVFS_ARCHIVE_BAD_LINK : UMVFS_ARCHIVE_OK, "link", len);
    }
}

/* As gen_init_cpio writes them. Another NUL, or one inside, is refused. */
static void links_of_cpio_that_end_with_a_nul(void **state)
{
    static const struct {
        const char *text;
        size_t size;
    } bad[] = {{"", 1}, {"\0", 2}, {"t\0", 3}, {"t\0t", 3}, {"\0t", 2}};
    static struct roll r;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        r.len = 0;
        put_cpio(&r, "l", 2, 0120777, bad[i].text, bad[i].size);
        end_cpio(&r);
        expect(&r, UMVFS_ARCHIVE_BAD_LINK, "link with NULs", i);
    }
    for (size_t len = UMVFS_PATH_MAX - 3; len <= UMVFS_PATH_MAX + BEYOND; len++) {
        struct world w;
        static char target[UMVFS_PATH_MAX];
        r.len = 0;
        put_cpio(&r, "l", 2, 0120777, long_path(len), len + 1);
        end_cpio(&r);
        expect(&r, len < UMVFS_PATH_MAX ? UMVFS_ARCHIVE_OK : UMVFS_ARCHIVE_BAD_LINK, "link", len);
        if (len >= UMVFS_PATH_MAX)
            continue;
        world_begin(&w, NULL);
        assert_int_equal(umvfs_import_memory(&w.task, NULL, "/", NULL, r.bytes, r.len, NULL), 0);
        assert_int_equal(umvfs_readlink(&w.task, NULL, "l", 0, target, sizeof(target)), len);
        assert_memory_equal(target, long_path(len), len);
        world_end(&w);
    }
}

static void entries_have_a_limit(void **state)
{
    static struct roll r;
    r.len = 0;
    put_cpio(&r, "a", 2, 0100644, "", 0);
    put_cpio(&r, "b", 2, 0100644, "", 0);
    end_cpio(&r);
    for (uint64_t most = 1; most <= 3; most++) {
        struct world w;
        struct umvfs_import_error error = {0};
        const struct umvfs_import_options options = {.max_entries = most};
        world_begin(&w, NULL);
        umvfs_import_memory(&w.task, NULL, "/", &options, r.bytes, r.len, &error);
        assert_int_equal(error.reason, most < 2 ? UMVFS_ARCHIVE_TOO_LARGE : UMVFS_ARCHIVE_OK);
        world_end(&w);
    }
}

static void put_tar(struct roll *r, char type, const char *name, const char *body, size_t size)
{
    char block[512] = {0};
    unsigned sum = 0;
    snprintf(block, 100, "%s", name);
    snprintf(block + 124, 12, "%011o", (unsigned)size);
    memcpy(block + 257, "ustar\00000", 8);
    if (type == '2')
        block[157] = 't';
    block[156] = type;
    memset(block + 148, ' ', 8);
    for (size_t i = 0; i < sizeof(block); i++)
        sum += (unsigned char)block[i];
    snprintf(block + 148, 8, "%06o", sum);
    put(r, block, sizeof(block), 1);
    put(r, body, size, 512);
}

static void end_tar(struct roll *r)
{
    static const char zeros[1024];
    put(r, zeros, sizeof(zeros), 1);
}

/* A pax record: its length counts itself. */
static size_t record(char *out, const char *key, size_t key_len, const char *value,
                     size_t value_len)
{
    size_t rest = key_len + value_len + 3;
    size_t len = rest + 1;
    for (size_t ten = 10; len >= ten; ten *= 10)
        len++;
    if (len - rest != (size_t)snprintf(NULL, 0, "%zu", len))
        len++;
    size_t at = (size_t)sprintf(out, "%zu ", len);
    memcpy(out + at, key, key_len);
    at += key_len;
    out[at++] = '=';
    memcpy(out + at, value, value_len);
    at += value_len;
    out[at++] = '\n';
    assert_int_equal(at, len);
    return len;
}

static void expect_record(const char *key, size_t key_len, const char *value, size_t value_len,
                          enum umvfs_archive_reason reason, const char *what, size_t n)
{
    static struct roll r;
    static char text[3 * UMVFS_PATH_MAX];
    size_t len = record(text, key, key_len, value, value_len);
    r.len = 0;
    put_tar(&r, 'x', "x", text, len);
    put_tar(&r, strcmp(what, "linkpath") == 0 ? '2' : '0', "f", "", 0);
    end_tar(&r);
    expect(&r, reason, what, n);
}

static void names_of_tar(void **state)
{
    static struct roll r;
    for (size_t len = UMVFS_PATH_MAX - 2; len <= UMVFS_PATH_MAX + BEYOND; len++) {
        bool long_name = len >= UMVFS_PATH_MAX;
        expect_record("path", 4, long_path(len), len,
                      long_name ? UMVFS_ARCHIVE_BAD_PAX : UMVFS_ARCHIVE_OK, "path", len);
        expect_record("linkpath", 8, long_path(len), len,
                      long_name ? UMVFS_ARCHIVE_BAD_PAX : UMVFS_ARCHIVE_OK, "linkpath", len);
        for (unsigned kind = 0; kind < 2; kind++) {
            r.len = 0;
            put_tar(&r, "LK"[kind], "long", long_path(len), len + 1);
            put_tar(&r, "02"[kind], "f", "", 0);
            end_tar(&r);
            expect(&r, long_name ? UMVFS_ARCHIVE_BAD_NAME : UMVFS_ARCHIVE_OK, "long name", len);
        }
    }
}

static void records_of_tar(void **state)
{
    static char many[UMVFS_PATH_MAX];
    static char key[400] = "SCHILY.xattr.user.";
    memset(many, '0', sizeof(many));
    memset(key + 18, 'k', sizeof(key) - 18);
    for (size_t len = 299; len <= 300 + BEYOND; len++) /* the "=" is counted */
        expect_record(many, len - 1, "v", 1, len > 300 ? UMVFS_ARCHIVE_BAD_PAX : UMVFS_ARCHIVE_OK,
                      "key", len);
    for (size_t len = 39; len <= 40 + BEYOND; len++)
        expect_record("uid", 3, many, len, len > 40 ? UMVFS_ARCHIVE_BAD_PAX : UMVFS_ARCHIVE_OK,
                      "number", len);
    for (size_t len = UMVFS_XATTR_VALUE_MAX - 1; len <= UMVFS_XATTR_VALUE_MAX + BEYOND; len++)
        expect_record(key, 24, many, len,
                      len > UMVFS_XATTR_VALUE_MAX ? UMVFS_ARCHIVE_BAD_PAX : UMVFS_ARCHIVE_OK,
                      "value", len);
    for (size_t len = UMVFS_XATTR_NAME_MAX - 1; len <= UMVFS_XATTR_NAME_MAX + BEYOND; len++)
        expect_record(key, len + 13, "v", 1,
                      len > UMVFS_XATTR_NAME_MAX ? UMVFS_ARCHIVE_BAD_PAX : UMVFS_ARCHIVE_OK,
                      "attribute", len);
}

static void lengths_of_records(void **state)
{
    for (size_t digits = 18; digits <= 19 + BEYOND; digits++) {
        static struct roll r;
        char text[64];
        size_t size =
            (size_t)snprintf(text, sizeof(text), "%0*zu uid=7\n", (int)digits, digits + 7);
        r.len = 0;
        put_tar(&r, 'x', "x", text, size);
        put_tar(&r, '0', "f", "", 0);
        end_tar(&r);
        expect(&r, digits > 19 ? UMVFS_ARCHIVE_BAD_PAX : UMVFS_ARCHIVE_OK, "length", digits);
    }
}

/* What is too short to be told from anything is no archive. */
static void few_bytes_are_named(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
        enum umvfs_archive_reason reason;
    } cases[] = {
        {"garbage", 7, UMVFS_ARCHIVE_UNKNOWN_FORMAT},
        {"x", 1, UMVFS_ARCHIVE_UNKNOWN_FORMAT},
        {"0707", 4, UMVFS_ARCHIVE_TRUNCATED},
        {"07", 2, UMVFS_ARCHIVE_TRUNCATED},
        {"0x", 2, UMVFS_ARCHIVE_UNKNOWN_FORMAT},
        {"070701", 6, UMVFS_ARCHIVE_TRUNCATED},
        {"0707010", 7, UMVFS_ARCHIVE_TRUNCATED},
        {"070707000000", 12, UMVFS_ARCHIVE_OLD_CPIO},
        {"\xc7\x71\0\0\0\0", 6, UMVFS_ARCHIVE_OLD_CPIO},
        {"\x71\xc7\0\0\0\0", 6, UMVFS_ARCHIVE_OLD_CPIO},
        {"", 0, UMVFS_ARCHIVE_TRUNCATED},
    };
    static struct roll r;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        r.len = 0;
        put(&r, cases[i].bytes, cases[i].len, 1);
        expect(&r, cases[i].reason, cases[i].bytes, cases[i].len);
    }
    for (size_t len = 263; len <= 511; len++) {
        r.len = 0;
        put_tar(&r, '0', "f", "", 0);
        r.len = len;
        expect(&r, len < 265 ? UMVFS_ARCHIVE_UNKNOWN_FORMAT : UMVFS_ARCHIVE_TRUNCATED, "tar", len);
    }
    r.len = 0;
    put_cpio(&r, "f", 2, 0100644, "", 0);
    size_t second = r.len;
    put_cpio(&r, "g", 2, 0100644, "", 0);
    r.bytes[second + 5] = '7';
    expect(&r, UMVFS_ARCHIVE_OLD_CPIO, "second header", second);
}

static void note_loss(void *ctx, uint64_t entry, uint64_t offset, const char *key, size_t len)
{
    char *text = ctx;
    sprintf(text + strlen(text), "%u@%u %.*s;", (unsigned)entry, (unsigned)offset, (int)len, key);
}

static void losses_are_told(void **state)
{
    static const char *const keys[] = {"SCHILY.xattr.security.capability",
                                       "SCHILY.xattr.user.kept",
                                       "SCHILY.acl.access",
                                       "SCHILY.fflags",
                                       "LIBARCHIVE.xattr.x",
                                       "comment"};
    static struct roll r;
    char text[2048], told[512] = "";
    size_t len = 0;
    struct world w;
    const struct umvfs_import_options options = {.lost = note_loss, .lost_ctx = told};
    struct umvfs_import_options again = options;
    again.replace = true;
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        len += record(text + len, keys[i], strlen(keys[i]), "v", 1);
    r.len = 0;
    put_tar(&r, '0', "first", "", 0);
    put_tar(&r, 'x', "x", text, len);
    put_tar(&r, '0', "f", "", 0);
    end_tar(&r);
    world_begin(&w, NULL);
    assert_int_equal(umvfs_import_memory(&w.task, NULL, "/", &options, r.bytes, r.len, NULL), 0);
    assert_string_equal(told,
                        "1@512 SCHILY.acl.access;1@512 SCHILY.fflags;1@512 LIBARCHIVE.xattr.x;");
    told[0] = '\0';
    w.cred.caps = UMVFS_CAP_ALL & ~UMVFS_CAP_SETFCAP;
    assert_int_equal(umvfs_import_memory(&w.task, NULL, "/", &again, r.bytes, r.len, NULL), 0);
    assert_string_equal(told, "1@512 SCHILY.xattr.security.capability;1@512 SCHILY.acl.access;"
                              "1@512 SCHILY.fflags;1@512 LIBARCHIVE.xattr.x;");
    world_end(&w);
}

/* ACLs of an archive become part of the mode, stay, or do not belong to what has them. */
static void acls_of_archives(void **state)
{
#define ENTRY(tag, rights) tag, 0, rights, 0, 0xff, 0xff, 0xff, 0xff
    static const uint8_t as_mode[] = {2, 0, 0, 0, ENTRY(1, 7), ENTRY(4, 5), ENTRY(32, 1)};
    static const uint8_t more[] = {2,           0, 0, 0, ENTRY(1, 7), ENTRY(4, 5), ENTRY(16, 4),
                                   ENTRY(32, 1)};
#undef ENTRY
    static const struct {
        char type;
        bool is_default, has_more;
        bool is_refused;
        uint32_t mode;
    } cases[] = {
        {'0', false, false, false, 0100751}, {'0', false, true, false, 0100741},
        {'5', true, false, false, 0040000},  {'0', true, false, true, 0},
        {'2', false, false, true, 0},
    };
    static struct roll r;
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct world w;
        struct umvfs_stat st;
        struct umvfs_import_error error = {0};
        const char *name =
            cases[i].is_default ? "system.posix_acl_default" : "system.posix_acl_access";
        bool is_kept = cases[i].has_more || cases[i].is_default;
        char key[64], text[256];
        snprintf(key, sizeof(key), "SCHILY.xattr.%s", name);
        size_t len =
            record(text, key, strlen(key), (const char *)(cases[i].has_more ? more : as_mode),
                   cases[i].has_more ? sizeof(more) : sizeof(as_mode));
        r.len = 0;
        put_tar(&r, 'x', "x", text, len);
        put_tar(&r, cases[i].type, "f", "", 0);
        end_tar(&r);
        world_begin(&w, NULL);
        umvfs_import_memory(&w.task, NULL, "/", NULL, r.bytes, r.len, &error);
        assert_int_equal(error.reason,
                         cases[i].is_refused ? UMVFS_ARCHIVE_BAD_PAX : UMVFS_ARCHIVE_OK);
        if (!cases[i].is_refused) {
            assert_int_equal(umvfs_stat(&w.task, NULL, "/f", 0, &st), 0);
            assert_int_equal(st.mode, cases[i].mode);
            assert_int_equal(umvfs_getxattr(&w.task, NULL, "/f", name, text, sizeof(text), 0) > 0,
                             is_kept);
        }
        world_end(&w);
    }
}

/* Two names of one inode say two modes: the last one's counts, as in Linux. */
static void the_last_name_says_the_mode(void **state)
{
    static struct roll r;
    struct world w;
    struct umvfs_stat st;
    static const char format[] = "070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X";
    r.len = 0;
    for (unsigned i = 0; i < 2; i++) {
        char header[111];
        snprintf(header, sizeof(header), format, 7u, i ? 0104755u : 0100600u, i + 1, i + 3, 2u,
                 100 + i, 0u, 0u, 0u, 0u, 0u, 2u, 0u);
        put(&r, header, 110, 1);
        put(&r, i ? "b" : "a", 2, 4);
    }
    end_cpio(&r);
    world_begin(&w, NULL);
    assert_int_equal(umvfs_import_memory(&w.task, NULL, "/", NULL, r.bytes, r.len, NULL), 0);
    assert_int_equal(umvfs_stat(&w.task, NULL, "/a", 0, &st), 0);
    assert_int_equal(st.nlink, 2);
    assert_int_equal(st.mode, 0104755);
    assert_int_equal(st.uid, 2);
    assert_int_equal(st.gid, 4);
    assert_int_equal(st.mtime.sec, 101);
    world_end(&w);
}

int limit_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(limits_change_but_not_below_what_is_held),
        cmocka_unit_test(lists_of_attributes_have_a_limit),
        cmocka_unit_test(attributes_of_archives_are_checked),
        cmocka_unit_test(directories_run_out_of_cookies),
        cmocka_unit_test(directories_have_a_largest_count),
        cmocka_unit_test(grafts_need_room),
        cmocka_unit_test(names_of_cpio),
        cmocka_unit_test(components_of_cpio),
        cmocka_unit_test(links_of_cpio),
        cmocka_unit_test(links_of_cpio_that_end_with_a_nul),
        cmocka_unit_test(entries_have_a_limit),
        cmocka_unit_test(names_of_tar),
        cmocka_unit_test(records_of_tar),
        cmocka_unit_test(lengths_of_records),
        cmocka_unit_test(few_bytes_are_named),
        cmocka_unit_test(losses_are_told),
        cmocka_unit_test(acls_of_archives),
        cmocka_unit_test(the_last_name_says_the_mode),
    };
    return cmocka_run_group_tests_name("limit", tests, NULL, NULL);
}
