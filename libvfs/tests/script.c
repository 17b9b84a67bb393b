#include "script.h"

#include <limits.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define NOT_MINE INT_MIN /* the command belongs to another group */

static const struct vfs_cred creds[] = {
    {.uid = 0, .gid = 0, .caps = VFS_CAP_ALL},
    {.uid = 1000, .gid = 1000},
    {.uid = 1001, .gid = 1001},
};

void world_adopt(struct world *w, struct vfs *vfs)
{
    w->vfs = vfs;
    w->cred = creds[0];
    w->kept = (struct vfs_file){0};
    w->task = (struct vfs_task){.vfs = vfs, .cred = &w->cred, .umask = 022};
    vfs_root(vfs, &w->task.root);
    vfs_root(vfs, &w->task.cwd);
}

void world_begin(struct world *w, const struct vfs_config *config)
{
    struct vfs *vfs;
    memset(w, 0, sizeof(*w));
    struct vfs_config cfg = config ? *config : host_config(&w->host);
    cfg.ctx = &w->host;
    assert_int_equal(vfs_new(&cfg, &vfs), 0);
    world_adopt(w, vfs);
}

void world_end(struct world *w)
{
    vfs_close(&w->kept);
    assert_int_equal(vfs_destroy(w->vfs), -VFS_EBUSY);
    vfs_path_put(&w->task.root);
    vfs_path_put(&w->task.cwd);
    assert_int_equal(vfs_destroy(w->vfs), 0);
    assert_int_equal(w->host.objects, 0);
    assert_int_equal(w->host.object_bytes, 0);
    assert_int_equal(w->host.pages, 0);
    assert_true(w->host.largest <= VFS_OBJECT_MAX);
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
    static const uint32_t values[] = {VFS_O_RDONLY, VFS_O_WRONLY,  VFS_O_CREAT,     VFS_O_EXCL,
                                      VFS_O_TRUNC,  VFS_O_APPEND,  VFS_O_DIRECTORY, VFS_O_NOFOLLOW,
                                      VFS_O_PATH,   VFS_O_TMPFILE, VFS_O_RDWR,      VFS_O_NOATIME};
    return letters(word, "rwcxtadnpTbA", values);
}

static uint32_t resolve_flags(const char *word)
{
    static const uint32_t values[] = {
        VFS_RESOLVE_NO_XDEV, VFS_RESOLVE_NO_SYMLINKS, VFS_RESOLVE_NO_MAGICLINKS,
        VFS_RESOLVE_BENEATH, VFS_RESOLVE_IN_ROOT,     0,
        0x80000000u};
    return letters(word, "xsmbin?", values);
}

static uint32_t mount_flags(const char *word)
{
    static const uint32_t values[] = {VFS_MS_RDONLY,  VFS_MS_NODEV,       VFS_MS_NOEXEC,
                                      VFS_MS_NOATIME, VFS_MS_NOSYMFOLLOW, 0x80000000u};
    return letters(word && strcmp(word, "-") != 0 ? word : "", "rdxas?", values);
}

static int put_text(struct world *w, const char *path, uint32_t flags, const char *text)
{
    struct vfs_file file;
    int err = vfs_open(&w->task, NULL, path, flags | VFS_O_WRONLY, 0644, 0, &file);
    if (err)
        return err;
    int64_t done = vfs_write(&file, text, strlen(text));
    vfs_close(&file);
    return done < 0 ? (int)done : 0;
}

static int fill_file(struct world *w, const char *path, size_t size, uint64_t at)
{
    struct vfs_file file;
    int err = vfs_open(&w->task, NULL, path, VFS_O_WRONLY | VFS_O_CREAT, 0644, 0, &file);
    if (err)
        return err;
    char *buf = malloc(size + 1);
    assert_non_null(buf);
    memset(buf, 'x', size);
    int64_t done = vfs_pwrite(&file, buf, size, at);
    free(buf);
    vfs_close(&file);
    return done < 0 ? (int)done : done == (int64_t)size ? 0 : -VFS_EAGAIN;
}

static int open_and_close(struct world *w, char **arg)
{
    struct vfs_file file;
    int err = vfs_open(&w->task, NULL, arg[1], open_flags(arg[2]), octal(arg[3], 0644),
                       resolve_flags(arg[3] ? arg[4] : NULL), &file);
    if (!err)
        vfs_close(&file);
    return err;
}

static int look(struct world *w, char **arg)
{
    struct vfs_path place;
    bool nofollow = arg[2] && strchr(arg[2], 'n');
    int err = vfs_lookup(&w->task, NULL, arg[1], nofollow ? VFS_AT_SYMLINK_NOFOLLOW : 0,
                         resolve_flags(arg[2]), &place);
    if (!err)
        vfs_path_put(&place);
    return err;
}

static int change_place(struct world *w, const char *path, struct vfs_path *which)
{
    struct vfs_path place;
    int err = vfs_lookup_dir(&w->task, NULL, path, 0, &place);
    if (err)
        return err;
    vfs_path_put(which);
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
    const struct vfs_task *t = &w->task;
    const char *flag = arg[1] && arg[2] ? arg[3] : NULL;
    if (!strcmp(arg[0], "mkdir"))
        return vfs_mkdir(t, NULL, arg[1], octal(arg[2], 0755));
    if (!strcmp(arg[0], "rmdir"))
        return vfs_rmdir(t, NULL, arg[1]);
    if (!strcmp(arg[0], "unlink"))
        return vfs_unlink(t, NULL, arg[1]);
    if (!strcmp(arg[0], "mknod"))
        return vfs_mknod(t, NULL, arg[1], octal(arg[2], 0), number(flag));
    if (!strcmp(arg[0], "symlink"))
        return vfs_symlink(t, arg[1], NULL, arg[2]);
    if (!strcmp(arg[0], "link"))
        return vfs_link(t, NULL, arg[1], NULL, arg[2], flag ? VFS_AT_SYMLINK_FOLLOW : 0);
    if (!strcmp(arg[0], "rename"))
        return vfs_rename(t, NULL, arg[1], NULL, arg[2],
                          !flag            ? 0
                          : flag[0] == 'n' ? VFS_RENAME_NOREPLACE
                          : flag[0] == 'e' ? VFS_RENAME_EXCHANGE
                                           : 0xffu);
    return NOT_MINE;
}

static int run_attr(struct world *w, char **arg)
{
    const struct vfs_task *t = &w->task;
    struct vfs_stat st;
    char buf[256];
    if (!strcmp(arg[0], "stat") || !strcmp(arg[0], "lstat"))
        return vfs_stat(t, NULL, arg[1], arg[0][0] == 'l' ? VFS_AT_SYMLINK_NOFOLLOW : 0, &st);
    if (!strcmp(arg[0], "chmod"))
        return vfs_chmod(t, NULL, arg[1], octal(arg[2], 0), 0);
    if (!strcmp(arg[0], "chown") || !strcmp(arg[0], "lchown"))
        return vfs_chown(t, NULL, arg[1], (uint32_t)atoi(arg[2]), (uint32_t)atoi(arg[3]),
                         arg[0][0] == 'l' ? VFS_AT_SYMLINK_NOFOLLOW : 0);
    if (!strcmp(arg[0], "access"))
        return vfs_access(t, NULL, arg[1],
                          (strchr(arg[2], 'r') ? VFS_MAY_READ : 0u) |
                              (strchr(arg[2], 'w') ? VFS_MAY_WRITE : 0u) |
                              (strchr(arg[2], 'x') ? VFS_MAY_EXEC : 0u),
                          0);
    if (!strcmp(arg[0], "truncate"))
        return vfs_truncate(t, NULL, arg[1], number(arg[2]));
    if (!strcmp(arg[0], "readlink"))
        return vfs_readlink(t, NULL, arg[1], 0, buf, sizeof(buf));
    if (!strcmp(arg[0], "setx"))
        return vfs_setxattr(t, NULL, arg[1], arg[2], arg[3], strlen(arg[3]), 0, 0);
    if (!strcmp(arg[0], "getx"))
        return vfs_getxattr(t, NULL, arg[1], arg[2], buf, sizeof(buf), 0);
    if (!strcmp(arg[0], "rmx"))
        return vfs_removexattr(t, NULL, arg[1], arg[2], 0);
    return NOT_MINE;
}

static int run_mount(struct world *w, char **arg)
{
    const struct vfs_task *t = &w->task;
    if (!strcmp(arg[0], "tmpfs"))
        return vfs_mount_memory(t, NULL, arg[1], NULL, 0755, mount_flags(arg[2]));
    if (!strcmp(arg[0], "bind"))
        return vfs_bind(t, NULL, arg[1], NULL, arg[2], arg[3] ? VFS_MS_REC : 0);
    if (!strcmp(arg[0], "remount"))
        return vfs_remount(t, NULL, arg[1], mount_flags(arg[2]));
    if (!strcmp(arg[0], "umount"))
        return vfs_umount(t, NULL, arg[1], arg[2] ? VFS_MNT_DETACH : 0);
    return NOT_MINE;
}

static int run_file(struct world *w, char **arg)
{
    if (!strcmp(arg[0], "write"))
        return put_text(w, arg[1], VFS_O_CREAT | VFS_O_TRUNC, arg[2]);
    if (!strcmp(arg[0], "append"))
        return put_text(w, arg[1], VFS_O_APPEND, arg[2]);
    if (!strcmp(arg[0], "fill"))
        return fill_file(w, arg[1], (size_t)number(arg[2]), number(arg[3]));
    if (!strcmp(arg[0], "open"))
        return open_and_close(w, arg);
    if (!strcmp(arg[0], "keep"))
        return vfs_open(&w->task, NULL, arg[1], open_flags(arg[2]), 0644, 0, &w->kept);
    if (!strcmp(arg[0], "exec"))
        return vfs_open_exec(&w->task, NULL, arg[1], 0, &w->kept);
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
        vfs_close(&w->kept);
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
    struct vfs_file file;
    int err = vfs_open(&w->task, NULL, path, VFS_O_RDONLY, 0, 0, &file);
    if (err)
        return err;
    int64_t got = vfs_read(&file, buf, size - 1);
    buf[got > 0 ? got : 0] = '\0';
    vfs_close(&file);
    return got;
}
