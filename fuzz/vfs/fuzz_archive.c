#include "fuzz_archive.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <umvfs/attr.h>
#include <umvfs/file.h>
#include <umvfs/page.h>
#include <umvfs/tree.h>

#include "check.h"

#define PAGES_MAX   256
#define WRITTEN_MAX (PAGES_MAX * UMVFS_PAGE_SIZE)

void target_begin(struct target *t)
{
    static const struct umvfs_cred root = {.caps = UMVFS_CAP_ALL};
    *t = (struct target){0};
    struct umvfs_config config = host_config(&t->host);
    config.root_limits = (struct umvfs_limits){.max_pages = PAGES_MAX, .max_inodes = 512};
    CHECK(umvfs_new(&config, &t->task.vfs) == 0);
    t->task.cred = &root;
    umvfs_root(t->task.vfs, &t->task.root);
    umvfs_root(t->task.vfs, &t->task.cwd);
    CHECK(umvfs_mkdir(&t->task, NULL, "/t", 0755) == 0);
}

void target_end(struct target *t)
{
    umvfs_path_put(&t->task.root);
    umvfs_path_put(&t->task.cwd);
    CHECK(umvfs_destroy(t->task.vfs) == 0);
    CHECK(t->host.objects == 0 && t->host.object_bytes == 0 && t->host.pages == 0);
}

/* The two bytes of a directory ("a/") in a name ask for four objects, and no byte asks for more: twice that. */
#define CALLS_BEGIN    64u
#define CALLS_PER_BYTE 4u

void target_check_cost(const struct target *t, uint64_t calls_before, size_t size)
{
    CHECK(t->host.calls - calls_before <= CALLS_BEGIN + CALLS_PER_BYTE * (uint64_t)size);
}

int target_import(struct target *t, const struct umvfs_import_options *options, const uint8_t *data,
                  size_t size, size_t piece, struct umvfs_import_error *error)
{
    struct umvfs_import *import;
    struct host before = t->host;
    CHECK(umvfs_import_begin(&t->task, NULL, "/t", options, &import) == 0);
    int err = 0;
    for (size_t at = 0; at < size && !err; at += piece)
        err = umvfs_import_push(import, data + at, size - at < piece ? size - at : piece, error);
    int result = umvfs_import_finish(import, error);
    CHECK(!err || result == err);
    if (result) {
        CHECK(error->reason > UMVFS_ARCHIVE_OK && error->error == result && error->offset <= size);
        CHECK(t->host.objects == before.objects && t->host.object_bytes == before.object_bytes &&
              t->host.pages == before.pages);
    }
    target_check_cost(t, before.calls, size);
    check_invariants(t->task.vfs, 0);
    return result;
}

struct hash {
    struct target *target;
    const struct umvfs_path *dir;
    bool seconds;
    uint64_t value;
    uint64_t names;
};

static void mix(struct hash *h, const void *data, size_t len)
{
    const unsigned char *bytes = data;
    for (size_t i = 0; i < len; i++)
        h->value = (h->value ^ bytes[i]) * 0x100000001b3u;
}

static void mix_tree(struct hash *h, const struct umvfs_path *at);

static int mix_entry(void *ctx, const char *name, size_t len, uint64_t ino, unsigned type,
                     uint64_t next)
{
    struct hash *h = ctx;
    struct umvfs_path child;
    char text[256];
    if ((len == 1 && name[0] == '.') || (len == 2 && memcmp(name, "..", 2) == 0))
        return 0;
    memcpy(text, name, len);
    text[len] = '\0';
    struct hash own = {.target = h->target, .seconds = h->seconds, .value = 0xcbf29ce484222325u};
    mix(&own, name, len);
    CHECK(umvfs_lookup(&h->target->task, h->dir, text, UMVFS_AT_SYMLINK_NOFOLLOW, 0, &child) == 0);
    mix_tree(&own, &child);
    umvfs_path_put(&child);
    h->value += own.value; /* in any order */
    h->names += own.names + 1;
    return 0;
}

static void mix_contents(struct hash *h, const struct umvfs_path *at, const struct umvfs_stat *st)
{
    static char buf[8192];
    struct umvfs_file dir;
    const struct umvfs_task *task = &h->target->task;
    if (UMVFS_S_ISLNK(st->mode)) {
        int len = umvfs_readlink(task, at, "", UMVFS_AT_EMPTY_PATH, buf, sizeof(buf));
        CHECK(len > 0 || (len == 0 && h->target->may_have_empty_links));
        CHECK((uint64_t)len == st->size);
        mix(h, buf, (size_t)len);
    } else if (UMVFS_S_ISREG(st->mode)) {
        /* Files are written from their start, and there are pages for so much. */
        uint64_t offset = 0, end = st->size < WRITTEN_MAX ? st->size : WRITTEN_MAX;
        for (int64_t got; offset < end && (got = umvfs_inode_read(umvfs_path_inode(at), offset, buf,
                                                                  sizeof(buf))) > 0;
             offset += (uint64_t)got)
            mix(h, buf, (size_t)got);
        CHECK(offset >= end);
    } else if (UMVFS_S_ISDIR(st->mode)) {
        const struct umvfs_path *outer = h->dir;
        h->dir = at;
        CHECK(umvfs_open(task, at, ".", UMVFS_O_DIRECTORY, 0, 0, &dir) == 0);
        CHECK(umvfs_readdir(&dir, mix_entry, h) == 0);
        umvfs_close(&dir);
        h->dir = outer;
    }
}

static void mix_tree(struct hash *h, const struct umvfs_path *at)
{
    struct umvfs_stat st;
    char list[4096];
    char value[UMVFS_XATTR_VALUE_MAX];
    const struct umvfs_task *task = &h->target->task;
    CHECK(umvfs_inode_stat(umvfs_path_inode(at), &st) == 0);
    uint64_t facts[] = {st.mode,
                        st.nlink,
                        st.uid,
                        st.gid,
                        st.rdev,
                        UMVFS_S_ISREG(st.mode) ? st.size : 0,
                        (uint64_t)st.mtime.sec,
                        h->seconds ? 0 : st.mtime.nsec};
    mix(h, facts, sizeof(facts));
    mix_contents(h, at, &st);
    if (h->seconds)
        return;
    int len = umvfs_listxattr(task, at, "", list, sizeof(list), UMVFS_AT_EMPTY_PATH);
    uint64_t sum = 0;
    for (int i = 0; i < len; i += (int)strlen(list + i) + 1) {
        struct hash own = {.value = 1};
        int got = umvfs_getxattr(task, at, "", list + i, value, sizeof(value), UMVFS_AT_EMPTY_PATH);
        CHECK(got >= 0);
        mix(&own, list + i, strlen(list + i));
        mix(&own, value, (size_t)got);
        sum += own.value;
    }
    mix(h, &sum, sizeof(sum));
}

static struct hash mix_target(struct target *t, bool seconds)
{
    struct umvfs_path top;
    struct hash h = {.target = t, .seconds = seconds};
    CHECK(umvfs_lookup(&t->task, NULL, "/t", 0, 0, &top) == 0);
    mix_tree(&h, &top);
    umvfs_path_put(&top);
    return h;
}

uint64_t target_fingerprint(struct target *t, bool seconds)
{
    return mix_target(t, seconds).value;
}

uint64_t target_names(struct target *t)
{
    return mix_target(t, true).names;
}
