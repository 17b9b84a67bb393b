/*
 * vfs-conformance [-u] DIRECTORY SCRIPT...: POSIX and Linux conformance of the file system at
 * DIRECTORY.
 *
 * With -u the kernel leaves permissions to the file system (FUSE without default_permissions), and
 * lines are skipped of which the file system is then not asked.
 *
 * DIRECTORY must be empty and is emptied between scripts. The scripts are tables of operations with
 * the result of each; what a line cannot say is tested by special_tests(). Reports TAP on standard
 * output. Exit status: 0 if everything passed, 1 if not, 2 if the test could not run.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <time.h>
#include <unistd.h>

#include "ops/script.h"
#include "ops/backend.h"

static int load_all(struct script *scripts, char **paths, int count)
{
    for (int i = 0; i < count; i++) {
        int error = script_load(&scripts[i], paths[i]);
        if (error) {
            fprintf(stderr, "vfs-conformance: %s: %s\n", paths[i], strerror(-error));
            return error;
        }
    }
    return 0;
}

enum { SCRIPTS_MAX = 64 };

/* Conformance tests that need more than operation lines: directory positions while the directory
 * changes, counts of statfs, mappings, many files at once. */

enum {
    FILES = 600,           /* of a directory that is listed in many pieces */
    LIST_BLOCK = 512,      /* bytes asked of getdents64 at a time: a few entries */
    QUOTA_BLOCKS = 100000, /* quotas above these are not exhausted by a test */
    QUOTA_INODES = 40000,
};

enum { GONE_SEEN = 1, GONE_UNSEEN = 2 }; /* removed after or before the listing came to it */

/* What was seen of a listing: how often each of the numbered names came, and the positions. */
struct listing {
    unsigned char seen[2 * FILES];
    off_t position[2 * FILES + 2]; /* to continue behind entry i */
    char name[2 * FILES + 2][16];
    size_t count;
    bool dot, dotdot, types_fit;
};

static void file_name(char name[16], unsigned number)
{
    snprintf(name, 16, "f%u", number % 100000);
}

static void make_files(struct tap *tap, int directory, unsigned from, unsigned to)
{
    bool all = true;
    for (unsigned i = from; i < to; i++) {
        char name[16];
        file_name(name, i);
        all = all && mknodat(directory, name, S_IFREG | 0644, 0) == 0;
    }
    tap_check(tap, all, "special: make files %u to %u", from, to);
}

static void take_entry(struct listing *listing, int directory, const struct dirent64 *entry)
{
    struct stat st;
    unsigned number = 0;
    if (strcmp(entry->d_name, ".") == 0)
        listing->dot = true;
    else if (strcmp(entry->d_name, "..") == 0)
        listing->dotdot = true;
    else if (sscanf(entry->d_name, "f%u", &number) == 1 && number < 2 * FILES)
        listing->seen[number]++;
    if (fstatat(directory, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
        strcmp(entry->d_name, "..") != 0)
        listing->types_fit =
            listing->types_fit && st.st_ino == entry->d_ino && entry->d_type == IFTODT(st.st_mode);
    if (listing->count < sizeof listing->position / sizeof listing->position[0]) {
        listing->position[listing->count] = entry->d_off;
        snprintf(listing->name[listing->count], 16, "%.15s", entry->d_name);
        listing->count++;
    }
}

/* Reads a few entries. Returns how many, 0 at the end. */
static size_t list_some(struct listing *listing, int directory)
{
    _Alignas(struct dirent64) char block[LIST_BLOCK];
    size_t count = 0;
    ssize_t got = getdents64(directory, block, sizeof block);
    for (ssize_t at = 0; at < got; count++) {
        const struct dirent64 *entry = (const struct dirent64 *)(block + at);
        take_entry(listing, directory, entry);
        at += entry->d_reclen;
    }
    return count;
}

static int open_directory(const char *name)
{
    mkdir(name, 0755);
    return open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void remove_directory(struct tap *tap, const char *name, int directory)
{
    for (unsigned i = 0; i < 2 * FILES; i++) {
        char file[16];
        file_name(file, i);
        unlinkat(directory, file, 0);
    }
    close(directory);
    tap_check(tap, rmdir(name) == 0, "special: %s is empty in the end", name);
}

/* All entries once, with . and .., numbers and types as stat has them; each position leads to the
 * entry behind it. */
static void test_positions(struct tap *tap)
{
    struct listing *listing = calloc(1, sizeof *listing), *again = calloc(1, sizeof *again);
    int directory = open_directory("positions");
    make_files(tap, directory, 0, FILES);
    listing->types_fit = true;
    while (list_some(listing, directory))
        continue;
    tap_check(tap, listing->dot && listing->dotdot, "special: a listing has . and ..");
    tap_check(tap, listing->types_fit, "special: entries have the number and type of stat");
    tap_check(tap, listing->count == FILES + 2, "special: all entries are listed once");
    for (size_t i = 0; i + 1 < listing->count; i += 7) {
        again->count = 0;
        lseek(directory, listing->position[i], SEEK_SET);
        list_some(again, directory);
        tap_check(tap, again->count && strcmp(again->name[0], listing->name[i + 1]) == 0,
                  "special: the position behind entry %zu leads to the next", i);
    }
    remove_directory(tap, "positions", directory);
    free(listing);
    free(again);
}

/* Removes some files, seen or not, and makes others. Sets bits in gone[]. */
static void change_directory(const struct listing *listing, int directory, unsigned round,
                             unsigned char gone[FILES])
{
    for (unsigned i = round % 5; i < FILES; i += 50 + round % 7) {
        char name[16];
        file_name(name, i);
        if (i % 3 == 0 && unlinkat(directory, name, 0) == 0)
            gone[i] = listing->seen[i] ? GONE_SEEN : GONE_UNSEEN;
        file_name(name, FILES + i);
        mknodat(directory, name, S_IFREG | 0644, 0);
    }
}

/* While a directory is listed, entries behind and ahead go and others come. What is there all the
 * time must come exactly once, nothing may come twice, and what went before it was reached must
 * not come. */
static void test_change(struct tap *tap)
{
    struct listing *listing = calloc(1, sizeof *listing);
    unsigned char gone[FILES] = {0};
    bool once = true, twice = false, ghost = false;
    int directory = open_directory("change");
    make_files(tap, directory, 0, FILES);
    for (unsigned round = 0; list_some(listing, directory); round++)
        change_directory(listing, directory, round, gone);
    unsigned removed = 0;
    for (unsigned i = 0; i < 2 * FILES; i++) {
        twice = twice || listing->seen[i] > 1;
        if (i >= FILES)
            continue;
        once = once && (gone[i] || listing->seen[i] == 1);
        ghost = ghost || (gone[i] == GONE_UNSEEN && listing->seen[i]);
        removed += gone[i] != 0;
    }
    tap_check(tap, removed > FILES / 10, "special: a directory changes while it is listed");
    tap_check(tap, once, "special: what stays is listed exactly once while others come and go");
    tap_check(tap, !twice, "special: nothing is listed twice");
    tap_check(tap, !ghost, "special: nothing is listed after it went");
    remove_directory(tap, "change", directory);
    free(listing);
}

/* The way of rm -r: what is listed is removed at once, in one pass. */
static void test_remove_while_listing(struct tap *tap)
{
    struct listing *listing = calloc(1, sizeof *listing);
    int directory = open_directory("passing");
    make_files(tap, directory, 0, FILES);
    size_t removed = 0;
    for (size_t done = 0; list_some(listing, directory); done = listing->count)
        for (size_t i = done; i < listing->count; i++)
            removed += unlinkat(directory, listing->name[i], 0) == 0;
    tap_check(tap, removed == FILES, "special: one pass removes everything");
    remove_directory(tap, "passing", directory);
    free(listing);
}

static struct statfs counts(void)
{
    struct statfs st = {0};
    statfs("/", &st);
    return st;
}

/* What is in use more than before. */
static void count_used(const struct statfs *before, int64_t *inodes, int64_t *blocks)
{
    struct statfs now = counts();
    *inodes = (int64_t)before->f_ffree - (int64_t)now.f_ffree;
    *blocks = (int64_t)before->f_bfree - (int64_t)now.f_bfree;
}

/* A file system in user space is told of the last close behind its caller's back: it gets the time
 * for that, which nothing else needs. */
static void check_counts(struct tap *tap, const struct statfs *before, int64_t inodes,
                         int64_t blocks, const char *what)
{
    int64_t made, used;
    time_t end = time(NULL) + 3;
    do
        count_used(before, &made, &used);
    while ((made != inodes || used != blocks) && time(NULL) < end);
    tap_check(tap, made == inodes, "special: inodes in use after %s", what);
    tap_check(tap, used == blocks, "special: blocks in use after %s", what);
    if (made != inodes || used != blocks)
        fprintf(tap->out,
                "# inodes %" PRId64 " for %" PRId64 ", blocks %" PRId64 " for %" PRId64 "\n", made,
                inodes, used, blocks);
}

/* Waits until what earlier tests removed has really gone: until the root is the only inode, where
 * it counts as one. */
static void settle(void)
{
    struct statfs now = counts();
    for (time_t end = time(NULL) + 3; now.f_files - now.f_ffree > 1 && time(NULL) < end;)
        now = counts();
}

/* Counts follow what is made and removed; an open file counts until it is closed. */
static void test_counts(struct tap *tap)
{
    static char data[16 * 4096];
    memset(data, 'x', sizeof data);
    settle();
    struct statfs before = counts();
    int fd = open("file", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    check_counts(tap, &before, 1, 0, "an empty file");
    tap_check(tap, write(fd, data, sizeof data) == sizeof data, "special: write 16 blocks");
    check_counts(tap, &before, 1, 16, "16 blocks");
    tap_check(tap, link("file", "name") == 0, "special: another name");
    unlink("file"); /* a link may count as an inode: tmpfs does so */
    check_counts(tap, &before, 1, 16, "the first of two names went");
    fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 4096, 8192);
    check_counts(tap, &before, 1, 14, "a hole of 2 blocks");
    tap_check(tap, ftruncate(fd, 4096) == 0, "special: cut to a block");
    check_counts(tap, &before, 1, 1, "a cut to one block");
    tap_check(tap, ftruncate(fd, 1 << 20) == 0, "special: grow by a hole");
    check_counts(tap, &before, 1, 1, "a hole at the end");
    unlink("name");
    check_counts(tap, &before, 1, 1, "the last name went of an open file");
    close(fd);
    check_counts(tap, &before, 0, 0, "it was closed");
    mkdir("directory", 0755);
    check_counts(tap, &before, 1, 0, "a directory");
    rmdir("directory");
    mkfifo("fifo", 0644);
    check_counts(tap, &before, 1, 0, "a FIFO");
    rename("fifo", "fifo2");
    check_counts(tap, &before, 1, 0, "its new name");
    unlink("fifo2");
    check_counts(tap, &before, 0, 0, "all went");
}

/* The quota of blocks can be used up to the last, fails with ENOSPC, and comes back. */
static void test_block_quota(struct tap *tap)
{
    static char data[65536];
    memset(data, 'q', sizeof data);
    struct statfs before = counts();
    uint64_t total = 0;
    ssize_t put;
    int fd = open("full", O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    while ((put = write(fd, data, sizeof data)) > 0)
        total += (uint64_t)put;
    tap_check(tap, put < 0 && errno == ENOSPC, "special: the quota of blocks ends in ENOSPC");
    tap_check(tap, total == (uint64_t)before.f_bfree * 4096, "special: all blocks can be written");
    tap_check(tap, pwrite(fd, data, 100, 50) == 100, "special: what is there can be overwritten");
    tap_check(tap, fallocate(fd, 0, 0, (off_t)total + 4096) < 0 && errno == ENOSPC,
              "special: fallocate past the quota is ENOSPC");
    struct stat st = {0};
    fstat(fd, &st);
    tap_check(tap, (uint64_t)st.st_size == total, "special: the size is what was written");
    tap_check(tap, ftruncate(fd, 0) == 0, "special: everything can be given back");
    check_counts(tap, &before, 1, 0, "giving all blocks back");
    tap_check(tap, write(fd, data, 4096) == 4096, "special: and be taken again");
    close(fd);
    unlink("full");
    check_counts(tap, &before, 0, 0, "the full file went");
}

/* The quota of inodes as well; what cannot be made leaves nothing behind. */
static void test_inode_quota(struct tap *tap)
{
    struct statfs before = counts();
    unsigned made = 0;
    int directory = open_directory("inodes");
    for (char name[16]; file_name(name, made), mkdirat(directory, name, 0755) == 0;)
        made++;
    tap_check(tap, errno == ENOSPC, "special: the quota of inodes ends in ENOSPC");
    tap_check(tap, made == before.f_ffree - 1, "special: all inodes can be used");
    tap_check(tap, open("more", O_RDWR | O_CREAT | O_CLOEXEC, 0644) < 0 && errno == ENOSPC,
              "special: no file can be made");
    tap_check(tap, symlink("t", "more") < 0 && errno == ENOSPC, "special: no link can be made");
    tap_check(tap, access("more", F_OK) < 0 && errno == ENOENT, "special: nothing is left behind");
    tap_check(tap, rename("inodes/f1", "inodes/renamed") == 0, "special: names can be changed");
    tap_check(tap, rename("inodes/renamed", "inodes/f1") == 0, "special: and back");
    while (made--) {
        char name[16];
        file_name(name, made);
        unlinkat(directory, name, AT_REMOVEDIR);
    }
    close(directory);
    tap_check(tap, rmdir("inodes") == 0, "special: and all go");
    check_counts(tap, &before, 0, 0, "all directories went");
}

/* Runs all of them in the root directory, which must be empty and is left empty. */
static void special_tests(struct tap *tap)
{
    struct statfs st = counts();
    test_positions(tap);
    test_change(tap);
    test_remove_while_listing(tap);
    if (st.f_blocks == 0 || st.f_files == 0) {
        tap_skip(tap, "special: counts and quotas", "the file system has no quotas");
        return;
    }
    test_counts(tap);
    if (st.f_bfree <= QUOTA_BLOCKS)
        test_block_quota(tap);
    else
        tap_skip(tap, "special: quota of blocks", "the quota is large");
    if (st.f_ffree <= QUOTA_INODES)
        test_inode_quota(tap);
    else
        tap_skip(tap, "special: quota of inodes", "the quota is large");
}

int main(int argc, char **argv)
{
    static struct script scripts[SCRIPTS_MAX];
    struct tap tap = {.out = stdout};
    if (argc > 1 && strcmp(argv[1], "-u") == 0) {
        tap.unasked = true;
        argv++;
        argc--;
    }
    if (argc < 3 || argc - 2 > SCRIPTS_MAX) {
        fputs("usage: vfs-conformance [-u] DIRECTORY SCRIPT...\n", stderr);
        return 2;
    }
    int count = argc - 2;
    if (load_all(scripts, argv + 2, count)) /* before the directory becomes the root */
        return 2;
    struct session session = {0};
    int error = host_create(&session.backend, argv[1]);
    if (error) {
        fprintf(stderr, "vfs-conformance: %s: %s\n", argv[1], strerror(-error));
        return 2;
    }
    for (int i = 0; i < count && !error; i++)
        error = check_script(&session, &scripts[i], &tap);
    if (!error)
        error = session_clear(&session);
    if (!error)
        special_tests(&tap);
    session_forget(&session);
    for (int i = 0; i < count; i++)
        script_free(&scripts[i]);
    session.backend->operations->destroy(session.backend);
    int status = tap_end(&tap);
    return error ? 2 : status;
}
