/* Imports archives into one tree and prints it, a line an object, or exports it again: what the
 * differential tests compare with bsdtar and GNU cpio, and with Linux's initramfs. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host.h"

#include <umvfs/archive.h>
#include <umvfs/attr.h>
#include <umvfs/file.h>
#include <umvfs/tree.h>

#define LINUX_NOW 1800000000 /* the clock's time, printed as a word */

static struct umvfs_task task;
static struct umvfs_import_options options;

static int import_file(const char *name, size_t piece)
{
    struct umvfs_import *import;
    struct umvfs_import_error error;
    FILE *in = fopen(name, "rb");
    char *buf = malloc(piece);
    if (!in || !buf)
        return 2;
    int err = umvfs_import_begin(&task, NULL, "/", &options, &import);
    for (size_t got; !err && (got = fread(buf, 1, piece, in)) > 0;)
        err = umvfs_import_push(import, buf, got, &error);
    err = umvfs_import_finish(import, &error);
    if (err && options.policy == UMVFS_IMPORT_LINUX)
        printf("stopped %s\n", umvfs_archive_reason_text(error.reason));
    else if (err)
        fprintf(stderr, "%s: entry %" PRIu64 " \"%s\" at %" PRIu64 ": %s (%d)\n", name, error.entry,
                error.name, error.offset, umvfs_archive_reason_text(error.reason), err);
    free(buf);
    fclose(in);
    return err != 0 && options.policy != UMVFS_IMPORT_LINUX;
}

static void say_loss(void *ctx, uint64_t entry, uint64_t offset, const char *key, size_t len)
{
    fprintf(stderr, "lost: %.*s\n", (int)len, key);
}

static void say_warning(void *ctx, const struct umvfs_import_error *what)
{
    fprintf(stderr, "warning: \"%s\": %s\n", what->name, umvfs_archive_reason_text(what->reason));
}

/* As it is, or for Linux as bytes that a console passes on. */
static void print_text(const char *text)
{
    for (; *text; text++) {
        if (options.policy != UMVFS_IMPORT_LINUX || (*text > ' ' && *text < 0x7f && *text != '\\'))
            putchar(*text);
        else
            printf("\\x%02x", (unsigned char)*text);
    }
}

static void print_time(int64_t time)
{
    if (options.policy == UMVFS_IMPORT_LINUX && time == LINUX_NOW)
        printf(" now");
    else
        printf(" %" PRId64, time);
}

static uint32_t sum_of(const char *path)
{
    struct umvfs_file file;
    unsigned char buf[4096];
    uint32_t sum = 0;
    if (umvfs_open(&task, NULL, path, UMVFS_O_RDONLY, 0, 0, &file))
        abort();
    for (int64_t got; (got = umvfs_read(&file, buf, sizeof(buf))) > 0;) {
        for (int64_t i = 0; i < got; i++)
            sum = sum * 31 + buf[i];
    }
    umvfs_close(&file);
    return sum;
}

static void print_tree(const char *path);

static int print_child(void *ctx, const char *name, size_t len, uint64_t ino, unsigned type,
                       uint64_t next)
{
    char path[UMVFS_PATH_MAX + 300];
    if ((len == 1 && name[0] == '.') || (len == 2 && !memcmp(name, "..", 2)))
        return 0;
    snprintf(path, sizeof(path), "%s/%.*s", (const char *)ctx, (int)len, name);
    print_tree(path);
    return 0;
}

static void print_tree(const char *path)
{
    struct umvfs_stat st;
    struct umvfs_file dir;
    char target[UMVFS_PATH_MAX] = "";
    const char *name = *path ? path : "/";
    if (umvfs_stat(&task, NULL, name, UMVFS_AT_SYMLINK_NOFOLLOW, &st))
        abort();
    bool file = UMVFS_S_ISREG(st.mode);
    bool is_dir = UMVFS_S_ISDIR(st.mode);
    if (UMVFS_S_ISLNK(st.mode))
        target[umvfs_readlink(&task, NULL, name, 0, target, sizeof(target) - 1)] = '\0';
    printf("%o %u %u %u %" PRIu64 ",%u,%u", st.mode, st.uid, st.gid, is_dir ? 0 : st.nlink,
           file ? st.size : 0, UMVFS_MAJOR(st.rdev), UMVFS_MINOR(st.rdev));
    print_time(st.mtime.sec);
    printf(" %u ", file ? sum_of(name) : 0);
    print_text(name);
    printf("%s", *target ? " -> " : "");
    print_text(target);
    printf("\n");
    if (is_dir && umvfs_open(&task, NULL, name, UMVFS_O_DIRECTORY, 0, 0, &dir) == 0) {
        umvfs_readdir(&dir, print_child, (void *)(uintptr_t)path);
        umvfs_close(&dir);
    }
}

static int write_out(void *ctx, const void *data, size_t len)
{
    return fwrite(data, 1, len, ctx) == len ? 0 : -UMVFS_EIO;
}

/* archive_tool list|lenient|all|linux|cpio|crc|tar PIECE FILE...
 * all: lenient, with the archives behind the first */
int main(int argc, char **argv)
{
    static const struct umvfs_cred root = {.caps = UMVFS_CAP_ALL};
    struct host host = {0};
    struct umvfs_config config = host_config(&host);
    int status = 0;
    host.clock = LINUX_NOW * INT64_C(1000000000);
    if (argc > 1 && !strcmp(argv[1], "linux")) {
        options.policy = UMVFS_IMPORT_LINUX;
        config.protected_symlinks = 1; /* Debian's Linux begins so, others do not */
        config.protected_hardlinks = 1;
    }
    if (argc > 1 && (!strcmp(argv[1], "lenient") || !strcmp(argv[1], "all")))
        options.policy = UMVFS_IMPORT_LENIENT;
    options.concatenated = argc > 1 && !strcmp(argv[1], "all");
    options.lost = say_loss;
    options.warn = say_warning;
    if (argc < 4 || umvfs_new(&config, &task.vfs))
        return 2;
    task.cred = &root;
    umvfs_root(task.vfs, &task.root);
    umvfs_root(task.vfs, &task.cwd);
    for (int i = 3; i < argc && !status; i++)
        status = import_file(argv[i], (size_t)atoi(argv[2]));
    if (!status && (!strcmp(argv[1], "list") || options.policy != UMVFS_IMPORT_STRICT))
        print_tree("");
    else if (!status)
        status = umvfs_export(&task, NULL, "/",
                              !strcmp(argv[1], "tar")   ? UMVFS_ARCHIVE_TAR
                              : !strcmp(argv[1], "crc") ? UMVFS_ARCHIVE_CPIO_CRC
                                                        : UMVFS_ARCHIVE_CPIO,
                              write_out, stdout) != 0;
    umvfs_path_put(&task.root);
    umvfs_path_put(&task.cwd);
    return umvfs_destroy(task.vfs) || host.objects || host.pages ? 3 : status;
}
