/*
 * Path strings, any bytes, resolved by libvfs and by the naive model in the same fixed tree. The
 * first byte gives the resolve flags and whether a last link is followed.
 *
 * Input: flags, and a path of any bytes in a fixed tree.
 * Proves: the walker ends where a naive resolver ends, with the same error.
 * Does not prove: permissions, mounts.
 * Oracles: the naive resolver.
 * Rate: 110,000/s
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <umvfs/attr.h>
#include <umvfs/tree.h>

#include "check.h"
#include "host.h"
#include "model.h"

static struct host host;
static struct umvfs_task task;
static struct model model;

static void make_dir(const char *path)
{
    CHECK(umvfs_mkdir(&task, NULL, path, 0755) == 0);
    CHECK(model_make(&model, path, UMVFS_S_IFDIR, NULL) == 0);
}

static void make_file(const char *path)
{
    CHECK(umvfs_mknod(&task, NULL, path, UMVFS_S_IFREG | 0644, 0) == 0);
    CHECK(model_make(&model, path, UMVFS_S_IFREG, NULL) == 0);
}

static void make_link(const char *path, const char *target)
{
    CHECK(umvfs_symlink(&task, target, NULL, path) == 0);
    CHECK(model_make(&model, path, UMVFS_S_IFLNK, target) == 0);
}

/* A chain of links, the longest that can be followed, and one more. */
static void make_chain(void)
{
    char from[16];
    char to[16] = "f";
    for (int i = 1; i <= (int)UMVFS_SYMLINK_MAX + 1; i++) {
        snprintf(from, sizeof(from), "%d", i);
        make_link(from, to);
        strcpy(to, from);
    }
}

static void set_up(void)
{
    static const struct umvfs_cred root = {.caps = UMVFS_CAP_ALL};
    struct umvfs_config config = host_config(&host);
    struct umvfs_path cwd;
    CHECK(umvfs_new(&config, &task.vfs) == 0);
    task.cred = &root;
    umvfs_root(task.vfs, &task.root);
    umvfs_root(task.vfs, &task.cwd);
    model_begin(&model);
    make_dir("/w");
    CHECK(umvfs_lookup(&task, NULL, "/w", 0, 0, &cwd) == 0);
    umvfs_path_put(&task.cwd);
    task.cwd = cwd;
    model.cwd = model_lookup(&model, "/w", true, 0);
    make_dir("d");
    make_dir("d/e");
    make_file("f");
    make_file("d/g");
    make_link("l", "d");
    make_link("m", "l/");
    make_link("u", "../w/d");
    make_link("r", "/");
    make_link("s", "/w/u/e/..");
    make_link("x", "none");
    make_link("y", "f/");
    make_link("o", "o");
    make_link("d/t", "../l/e/../t");
    make_chain();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const unsigned resolves[] = {0, UMVFS_RESOLVE_NO_SYMLINKS, UMVFS_RESOLVE_BENEATH,
                                        UMVFS_RESOLVE_IN_ROOT};
    struct umvfs_path place;
    struct umvfs_stat st;
    if (!task.vfs)
        set_up();
    if (size == 0)
        return 0;
    char *path = malloc(size);
    memcpy(path, data + 1, size - 1);
    path[size - 1] = '\0';
    bool follow = data[0] & 4;
    unsigned resolve = resolves[data[0] & 3];
    int got =
        umvfs_lookup(&task, NULL, path, follow ? 0 : UMVFS_AT_SYMLINK_NOFOLLOW, resolve, &place);
    int want = model_lookup(&model, path, follow, resolve);
    if (got == 0) {
        CHECK(umvfs_inode_stat(umvfs_path_inode(&place), &st) == 0);
        got = (int)st.ino - 1; /* both number objects in the order they were made */
        umvfs_path_put(&place);
    }
    if (got != want)
        fprintf(stderr, "%.300s: %d, model says %d\n", path, got, want);
    CHECK(got == want);
    free(path);
    return 0;
}
