/* Names: directories, links, moves, and the entries of a directory. */
#include "kinds.h"
#include "world.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define MAX_ENTRIES 200
#define DEVICE      {&kind_device, 0}

static const struct name unlink_flags[] = {
    {"0", 0},
    {"AT_REMOVEDIR", AT_REMOVEDIR},
    {"0x4000", 0x4000},
    {NULL, 0},
};
static const struct name link_flags[] = {
    {"0", 0}, {"0", 0}, {"AT_SYMLINK_FOLLOW", AT_SYMLINK_FOLLOW}, {"0x1", 1}, {NULL, 0},
};
static const struct name rename_flags[] = {
    {"0", 0}, {"RENAME_NOREPLACE", 1}, {"RENAME_EXCHANGE", 2}, {"3", 3}, {"0x80", 0x80}, {NULL, 0},
};
static const struct name node_modes[] = {
    {"S_IFIFO|0666", S_IFIFO | 0666},
    {"S_IFIFO|0666", S_IFIFO | 0666},
    {"S_IFREG|0640", S_IFREG | 0640},
    {"S_IFCHR|0666", S_IFCHR | 0666},
    {"S_IFSOCK|0700", S_IFSOCK | 0700},
    {"S_IFDIR|0755", S_IFDIR | 0755},
    {"0600", 0600},
    {"0170000", 0170000},
    {NULL, 0},
};

struct raw_entry {
    uint64_t inode;
    int64_t offset;
    unsigned short size;
    unsigned char type;
    char name[];
};

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a + 1, *(const char *const *)b + 1);
}

/*
 * Collects names, each after a character for its type. Returns the count or a negative errno value.
 */
static long collect(long fd, size_t size, char **names, char *store)
{
    long count = 0, got;

    while ((got = RAW(SYS_getdents64, fd, out_buffer, size)) > 0) {
        for (long at = 0; at < got && count < MAX_ENTRIES;) {
            const struct raw_entry *entry = (const struct raw_entry *)(out_buffer + at);
            names[count++] = store;
            *store++ = (char)('0' + entry->type);
            strcpy(store, entry->name);
            store += strlen(store) + 1;
            at += entry->size;
        }
    }
    return got < 0 ? got : count;
}

/* Prints all entries of a directory, sorted, read through a buffer of random size. */
static void op_list(struct call *call)
{
    static char store[MAX_ENTRIES * 264];
    static const unsigned sizes[] = {8192, 300, 32, 24, 4096, 1};
    char *names[MAX_ENTRIES];
    const char *path = pick_path(&call->random, 0);
    unsigned size = sizes[random_below(&call->random, 6)];
    long fd = RAW(SYS_open, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    long count = fd < 0 ? fd : collect(fd, size, names, store);

    say("list(");
    say_path(path);
    say(", %u)", size);
    say_result(count);
    if (fd >= 0) {
        RAW(SYS_close, fd);
    }
    if (count > 0) {
        qsort(names, (size_t)count, sizeof names[0], compare_names);
        say(" {");
        for (long i = 0; i < count; i++) {
            say("%s", i == 0 ? "" : " ");
            say(strlen(names[i]) > 40 ? "%.9s.." : "%s", names[i]);
        }
        say("}");
    }
}

static void op_getdents(struct call *call)
{
    int fd = pick_fd(&call->random);
    long got = RAW(SYS_getdents64, widen(&call->random, (uint64_t)fd), out_buffer, 8192);

    say("getdents64(%d)", fd);
    say_result(got > 0 ? 1 : got);
}

static void op_getcwd(struct call *call)
{
    size_t size = random_once_in(&call->random, 4) ? random_below(&call->random, 6) : 4096;
    long got = RAW(SYS_getcwd, out_buffer, size);

    say("getcwd(%zu)", size);
    say_result(got);
    if (got > 0) {
        say(" ");
        say_path((const char *)out_buffer);
    }
}

const struct op ops_tree[] = {
    {"mkdir", 18, SYS_mkdir, {NEW_PATH, MODE}, 0, 0, 0},
    {"mkdirat", 6, SYS_mkdirat, {DIRECTORY, NEW_PATH, MODE}, 0, 0, 0},
    {"rmdir", 6, SYS_rmdir, {PATH}, 0, 0, 0},
    {"unlink", 14, SYS_unlink, {PATH}, 0, 0, 0},
    {"unlinkat", 8, SYS_unlinkat, {DIRECTORY, PATH, ONE(unlink_flags)}, 0, 0, 0},
    {"link", 16, SYS_link, {PATH, NEW_PATH}, 0, 0, 0},
    {"linkat", 10, SYS_linkat, {DIRECTORY, PATH, DIRECTORY, NEW_PATH, ONE(link_flags)}, 0, 0, 0},
    {"symlink", 12, SYS_symlink, {PATH, NEW_PATH}, 0, 0, 0},
    {"symlinkat", 5, SYS_symlinkat, {PATH, DIRECTORY, NEW_PATH}, 0, 0, 0},
    {"rename", 22, SYS_rename, {PATH, NEW_PATH}, 0, 0, 0},
    {"renameat2",
     14,
     SYS_renameat2,
     {DIRECTORY, PATH, DIRECTORY, NEW_PATH, ONE(rename_flags)},
     0,
     0,
     0},
    {"readlink", 10, SYS_readlink, {PATH, OUT, LENGTH}, 0, 0, 0},
    {"readlinkat", 5, SYS_readlinkat, {DIRECTORY, PATH, OUT, LENGTH}, 0, 0, 0},
    {"mknod", 8, SYS_mknod, {NEW_PATH, ONE(node_modes), DEVICE}, 0, 0, 0},
    {"mknodat", 3, SYS_mknodat, {DIRECTORY, NEW_PATH, ONE(node_modes), DEVICE}, 0, 0, 0},
    {"chdir", 4, SYS_chdir, {PATH}, 0, 0, 0},
    {"fchdir", 3, SYS_fchdir, {FD}, 0, 0, 0},
    {"list", 16, 0, {{0, 0}}, op_list, 0, 0},
    {"getdents64", 5, 0, {{0, 0}}, op_getdents, 0, 0},
    {"getcwd", 6, 0, {{0, 0}}, op_getcwd, 0, 0},
    {0, 0, 0, {{0, 0}}, 0, 0, 0},
};
