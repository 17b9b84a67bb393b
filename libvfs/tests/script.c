#include "tests.h"

#include <limits.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define NOT_MINE INT_MIN /* the command belongs to another group */

static const struct umvfs_cred creds[] = {
    {.uid = 0, .gid = 0, .caps = UMVFS_CAP_ALL},
    {.uid = 1000, .gid = 1000},
    {.uid = 1001, .gid = 1001},
};

void world_adopt(struct world *w, struct umvfs *vfs)
{
    w->vfs = vfs;
    w->cred = creds[0];
    w->kept = (struct umvfs_file){0};
    w->task = (struct umvfs_task){.vfs = vfs, .cred = &w->cred, .umask = 022};
    umvfs_root(vfs, &w->task.root);
    umvfs_root(vfs, &w->task.cwd);
}

void world_begin(struct world *w, const struct umvfs_config *config)
{
    struct umvfs *vfs;
    memset(w, 0, sizeof(*w));
    struct umvfs_config cfg = config ? *config : host_config(&w->host);
    cfg.ctx = &w->host;
    assert_int_equal(umvfs_new(&cfg, &vfs), 0);
    world_adopt(w, vfs);
}

void world_end(struct world *w)
{
    umvfs_close(&w->kept);
    assert_int_equal(umvfs_destroy(w->vfs), -UMVFS_EBUSY);
    umvfs_path_put(&w->task.root);
    umvfs_path_put(&w->task.cwd);
    assert_int_equal(umvfs_destroy(w->vfs), 0);
    assert_true(host_is_empty(&w->host));
    assert_true(w->host.largest <= UMVFS_OBJECT_MAX);
}

static uint32_t octal(const char *word, uint32_t otherwise)
{
    return word ? (uint32_t)strtoul(word, NULL, 8) : otherwise;
}

static uint64_t number(const char *word)
{
    return word ? strtoull(word, NULL, 0) : 0;
}

static uint32_t letters(const char *word, const char *set, const uint32_t *values)
{
    uint32_t flags = 0;
    for (; word && *word; word++) {
        const char *at = strchr(set, *word);
        assert_non_null(at);
        flags |= values[at - set];
    }
    return flags;
}

static uint32_t open_flags(const char *word)
{
    static const uint32_t values[] = {UMVFS_O_RDONLY,    UMVFS_O_WRONLY,   UMVFS_O_CREAT,
                                      UMVFS_O_EXCL,      UMVFS_O_TRUNC,    UMVFS_O_APPEND,
                                      UMVFS_O_DIRECTORY, UMVFS_O_NOFOLLOW, UMVFS_O_PATH,
                                      UMVFS_O_TMPFILE,   UMVFS_O_RDWR,     UMVFS_O_NOATIME};
    return letters(word, "rwcxtadnpTbA", values);
}

static uint32_t resolve_flags(const char *word)
{
    static const uint32_t values[] = {UMVFS_RESOLVE_NO_XDEV,
                                      UMVFS_RESOLVE_NO_SYMLINKS,
                                      UMVFS_RESOLVE_NO_MAGICLINKS,
                                      UMVFS_RESOLVE_BENEATH,
                                      UMVFS_RESOLVE_IN_ROOT,
                                      0,
                                      0x80000000u};
    return letters(word, "xsmbin?", values);
}

static uint32_t mount_flags(const char *word)
{
    static const uint32_t values[] = {UMVFS_MS_RDONLY,  UMVFS_MS_NODEV,       UMVFS_MS_NOEXEC,
                                      UMVFS_MS_NOATIME, UMVFS_MS_NOSYMFOLLOW, 0x80000000u,
                                      UMVFS_MS_BIND};
    return letters(word && strcmp(word, "-") != 0 ? word : "", "rdxas?b", values);
}

static int put_text(struct world *w, const char *path, uint32_t flags, const char *text)
{
    struct umvfs_file file;
    int err = umvfs_open(&w->task, NULL, path, flags | UMVFS_O_WRONLY, 0644, 0, &file);
    if (err)
        return err;
    int64_t done = umvfs_write(&file, text, strlen(text));
    umvfs_close(&file);
    return done < 0 ? (int)done : 0;
}

static int fill_file(struct world *w, const char *path, size_t size, uint64_t at)
{
    struct umvfs_file file;
    int err = umvfs_open(&w->task, NULL, path, UMVFS_O_WRONLY | UMVFS_O_CREAT, 0644, 0, &file);
    if (err)
        return err;
    char *buf = malloc(size + 1);
    assert_non_null(buf);
    memset(buf, 'x', size);
    int64_t done = umvfs_pwrite(&file, buf, size, at);
    free(buf);
    umvfs_close(&file);
    return done < 0 ? (int)done : done == (int64_t)size ? 0 : -UMVFS_EAGAIN;
}

static int open_and_close(struct world *w, char **arg)
{
    struct umvfs_file file;
    int err = umvfs_open(&w->task, NULL, arg[1], open_flags(arg[2]), octal(arg[3], 0644),
                         resolve_flags(arg[3] ? arg[4] : NULL), &file);
    if (!err)
        umvfs_close(&file);
    return err;
}

static int look(struct world *w, char **arg)
{
    struct umvfs_path place;
    bool nofollow = arg[2] && strchr(arg[2], 'n');
    int err = umvfs_lookup(&w->task, NULL, arg[1], nofollow ? UMVFS_AT_SYMLINK_NOFOLLOW : 0,
                           resolve_flags(arg[2]), &place);
    if (!err)
        umvfs_path_put(&place);
    return err;
}

static int change_place(struct world *w, const char *path, struct umvfs_path *which)
{
    struct umvfs_path place;
    int err = umvfs_lookup_dir(&w->task, NULL, path, 0, &place);
    if (err)
        return err;
    umvfs_path_put(which);
    *which = place;
    return 0;
}

static int become(struct world *w, const char *name)
{
    w->cred = creds[name[0] == 'r' ? 0 : name[0] == 'a' ? 1 : 2];
    return 0;
}

static int run_tree(struct world *w, char **arg)
{
    const struct umvfs_task *t = &w->task;
    const char *flag = arg[1] && arg[2] ? arg[3] : NULL;
    if (!strcmp(arg[0], "mkdir"))
        return umvfs_mkdir(t, NULL, arg[1], octal(arg[2], 0755));
    if (!strcmp(arg[0], "mkpath"))
        return umvfs_make_path(t, NULL, arg[1], octal(arg[2], 0755));
    if (!strcmp(arg[0], "rmtree"))
        return umvfs_remove_tree(t, NULL, arg[1], NULL, NULL);
    if (!strcmp(arg[0], "rmdir"))
        return umvfs_rmdir(t, NULL, arg[1]);
    if (!strcmp(arg[0], "unlink"))
        return umvfs_unlink(t, NULL, arg[1]);
    if (!strcmp(arg[0], "mknod"))
        return umvfs_mknod(t, NULL, arg[1], octal(arg[2], 0), number(flag));
    if (!strcmp(arg[0], "symlink"))
        return umvfs_symlink(t, arg[1], NULL, arg[2]);
    if (!strcmp(arg[0], "link"))
        return umvfs_link(t, NULL, arg[1], NULL, arg[2], flag ? UMVFS_AT_SYMLINK_FOLLOW : 0);
    if (!strcmp(arg[0], "rename"))
        return umvfs_rename(t, NULL, arg[1], NULL, arg[2],
                            !flag            ? 0
                            : flag[0] == 'n' ? UMVFS_RENAME_NOREPLACE
                            : flag[0] == 'e' ? UMVFS_RENAME_EXCHANGE
                            : flag[0] == 'w' ? UMVFS_RENAME_WHITEOUT
                                             : 0xffu);
    return NOT_MINE;
}

static int run_attr(struct world *w, char **arg)
{
    const struct umvfs_task *t = &w->task;
    struct umvfs_stat st;
    char buf[256];
    if (!strcmp(arg[0], "stat") || !strcmp(arg[0], "lstat"))
        return umvfs_stat(t, NULL, arg[1], arg[0][0] == 'l' ? UMVFS_AT_SYMLINK_NOFOLLOW : 0, &st);
    if (!strcmp(arg[0], "chmod"))
        return umvfs_chmod(t, NULL, arg[1], octal(arg[2], 0), 0);
    if (!strcmp(arg[0], "chown") || !strcmp(arg[0], "lchown"))
        return umvfs_chown(t, NULL, arg[1], (uint32_t)atoi(arg[2]), (uint32_t)atoi(arg[3]),
                           arg[0][0] == 'l' ? UMVFS_AT_SYMLINK_NOFOLLOW : 0);
    if (!strcmp(arg[0], "access"))
        return umvfs_access(t, NULL, arg[1],
                            (strchr(arg[2], 'r') ? UMVFS_MAY_READ : 0u) |
                                (strchr(arg[2], 'w') ? UMVFS_MAY_WRITE : 0u) |
                                (strchr(arg[2], 'x') ? UMVFS_MAY_EXEC : 0u),
                            0);
    if (!strcmp(arg[0], "truncate"))
        return umvfs_truncate(t, NULL, arg[1], number(arg[2]));
    if (!strcmp(arg[0], "readlink"))
        return umvfs_readlink(t, NULL, arg[1], 0, buf, sizeof(buf));
    if (!strcmp(arg[0], "setx"))
        return umvfs_setxattr(t, NULL, arg[1], arg[2], arg[3], strlen(arg[3]), 0, 0);
    if (!strcmp(arg[0], "getx"))
        return umvfs_getxattr(t, NULL, arg[1], arg[2], buf, sizeof(buf), 0);
    if (!strcmp(arg[0], "rmx"))
        return umvfs_removexattr(t, NULL, arg[1], arg[2], 0);
    return NOT_MINE;
}

static int run_mount(struct world *w, char **arg)
{
    const struct umvfs_task *t = &w->task;
    if (!strcmp(arg[0], "tmpfs"))
        return umvfs_mount_memory(t, NULL, arg[1], NULL, 0755, mount_flags(arg[2]));
    if (!strcmp(arg[0], "bind"))
        return umvfs_bind(t, NULL, arg[1], NULL, arg[2], arg[3] ? UMVFS_MS_REC : 0);
    if (!strcmp(arg[0], "remount"))
        return umvfs_remount(t, NULL, arg[1], mount_flags(arg[2]));
    if (!strcmp(arg[0], "umount"))
        return umvfs_umount(t, NULL, arg[1], arg[2] ? UMVFS_MNT_DETACH : 0);
    return NOT_MINE;
}

static int run_file(struct world *w, char **arg)
{
    if (!strcmp(arg[0], "write"))
        return put_text(w, arg[1], UMVFS_O_CREAT | UMVFS_O_TRUNC, arg[2]);
    if (!strcmp(arg[0], "append"))
        return put_text(w, arg[1], UMVFS_O_APPEND, arg[2]);
    if (!strcmp(arg[0], "fill"))
        return fill_file(w, arg[1], (size_t)number(arg[2]), number(arg[3]));
    if (!strcmp(arg[0], "open"))
        return open_and_close(w, arg);
    if (!strcmp(arg[0], "keep"))
        return umvfs_open(&w->task, NULL, arg[1], open_flags(arg[2]), 0644, 0, &w->kept);
    if (!strcmp(arg[0], "exec"))
        return umvfs_open_exec(&w->task, NULL, arg[1], 0, &w->kept);
    return NOT_MINE;
}

static int run_task(struct world *w, char **arg)
{
    if (!strcmp(arg[0], "lookup"))
        return look(w, arg);
    if (!strcmp(arg[0], "chdir"))
        return change_place(w, arg[1], &w->task.cwd);
    if (!strcmp(arg[0], "chroot"))
        return change_place(w, arg[1], &w->task.root);
    if (!strcmp(arg[0], "as"))
        return become(w, arg[1]);
    if (!strcmp(arg[0], "umask"))
        return (int)(w->task.umask = octal(arg[1], 0)) & 0;
    if (!strcmp(arg[0], "close")) {
        umvfs_close(&w->kept);
        return 0;
    }
    return NOT_MINE;
}

int run(struct world *w, const char *command)
{
    static int (*const groups[])(struct world *, char **) = {run_tree, run_attr, run_mount,
                                                             run_file, run_task};
    char line[8192];
    char *arg[8] = {0};
    size_t n = 0;
    assert_true(strlen(command) < sizeof(line));
    strcpy(line, command);
    for (char *word = strtok(line, " "); word && n < 7; word = strtok(NULL, " "))
        arg[n++] = strcmp(word, "\"\"") ? word : word + 2;
    for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
        int result = groups[i](w, arg);
        if (result != NOT_MINE)
            return result;
    }
    fail_msg("unknown command: %s", command);
    return 0;
}

void run_steps(struct world *w, const struct step *steps)
{
    for (; steps->command; steps++) {
        int result = run(w, steps->command);
        if ((result < 0 ? result : 0) != steps->expected)
            fail_msg("%.200s: %d instead of %d", steps->command, result, steps->expected);
    }
}

void run_world(const struct step *steps)
{
    struct world w;
    world_begin(&w, NULL);
    run_steps(&w, steps);
    world_end(&w);
}

int64_t slurp(struct world *w, const char *path, char *buf, size_t size)
{
    struct umvfs_file file;
    int err = umvfs_open(&w->task, NULL, path, UMVFS_O_RDONLY, 0, 0, &file);
    if (err)
        return err;
    int64_t got = umvfs_read(&file, buf, size - 1);
    buf[got > 0 ? got : 0] = '\0';
    umvfs_close(&file);
    return got;
}
