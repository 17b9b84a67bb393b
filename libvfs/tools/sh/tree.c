#include "diff.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
    TREE_SLOT = OP_SLOTS - 1,
    PATH_LIMIT = PATH_MAX - 260, /* what lies deeper is described by its parent only */
    HASH_STEP = 65536,
};

struct seen {
    uint64_t inode;
    char *path;
};

struct walk {
    struct session *session;
    struct bytes *out;
    struct op_result result;
    struct seen *seen; /* inodes with several names */
    size_t seen_count;
};

/* Runs one line made of an operation and a path that is not split into words. */
static void run(struct walk *walk, struct op op)
{
    session_run(walk->session, &op, &walk->result);
}

static void add_result(struct walk *walk, const struct op *op)
{
    bytes_push(walk->out, ' ');
    op_spell_result(walk->out, op, &walk->result);
}

/* The contents as a number, and what could be read of them. */
static void add_contents(struct walk *walk, const char *path)
{
    uint64_t hash = 14695981039346656037u, length = 0;
    run(walk, (struct op){.code = OP_OPEN,
                          .path = {OP_SLOT_CWD, path},
                          .slot = TREE_SLOT,
                          .flags = 01000000 /* O_NOATIME */});
    for (;;) {
        run(walk, (struct op){.code = OP_READ, .slot = TREE_SLOT, .length = HASH_STEP});
        if (walk->result.code <= 0 || length > 16 * HASH_STEP)
            break;
        for (size_t i = 0; i < walk->result.data.length; i++)
            hash = (hash ^ (unsigned char)walk->result.data.data[i]) * 1099511628211u;
        length += walk->result.data.length;
    }
    bytes_printf(walk->out, " contents %" PRIu64 " %016" PRIx64, length, hash);
    run(walk, (struct op){.code = OP_CLOSE, .slot = TREE_SLOT});
}

static void add_attributes(struct walk *walk, const char *path)
{
    struct op list = {.code = OP_LLISTXATTR, .path = {OP_SLOT_CWD, path}, .length = -1};
    run(walk, list);
    if (walk->result.code <= 0)
        return;
    add_result(walk, &list);
    struct bytes names = walk->result.data;
    walk->result.data = (struct bytes){0};
    for (size_t at = 0; at < names.length; at += strlen(names.data + at) + 1) {
        struct op get = {.code = OP_LGETXATTR,
                         .path = {OP_SLOT_CWD, path},
                         .name = names.data + at,
                         .length = -1};
        run(walk, get);
        add_result(walk, &get);
    }
    bytes_free(&names);
}

/* Says which name the inode was met under before. */
static void add_identity(struct walk *walk, const struct op_stat *stat, const char *path)
{
    for (size_t i = 0; i < walk->seen_count; i++)
        if (walk->seen[i].inode == stat->inode) {
            bytes_printf(walk->out, " is %s", walk->seen[i].path);
            return;
        }
    struct seen *grown = realloc(walk->seen, (walk->seen_count + 1) * sizeof *grown);
    if (!grown)
        abort();
    walk->seen = grown;
    walk->seen[walk->seen_count++] = (struct seen){stat->inode, strdup(path)};
}

/* Describes one object; returns its type bits, 0 if it cannot be seen. */
static uint32_t add_object(struct walk *walk, const char *path)
{
    struct op stat = {.code = OP_LSTAT,
                      .path = {OP_SLOT_CWD, path},
                      .field_count = 9,
                      .field = {FIELD_TYPE, FIELD_MODE, FIELD_NLINK, FIELD_UID, FIELD_GID,
                                FIELD_SIZE, FIELD_RDEV, FIELD_MTIME, FIELD_ATIME}};
    run(walk, (struct op){.code = OP_LSTAT, .path = {OP_SLOT_CWD, path}});
    uint32_t type = walk->result.code < 0 ? 0 : walk->result.stat.mode & S_IFMT;
    if (!S_ISREG(type))
        stat.field_count--; /* access times of links change as paths are walked, by opinion */
    bytes_text(walk->out, path);
    run(walk, stat);
    add_result(walk, &stat);
    if (type && !S_ISDIR(type) && walk->result.stat.links > 1)
        add_identity(walk, &walk->result.stat, path);
    if (S_ISLNK(type)) {
        struct op readlink = {.code = OP_READLINK, .path = {OP_SLOT_CWD, path}, .length = -1};
        run(walk, readlink);
        add_result(walk, &readlink);
    }
    if (S_ISREG(type))
        add_contents(walk, path);
    if (S_ISREG(type) || S_ISDIR(type))
        add_attributes(walk, path);
    bytes_push(walk->out, '\n');
    return type;
}

/* The recursion is as deep as the tree, which PATH_LIMIT bounds. */
static void add_tree(struct walk *walk, const char *path)
{
    uint32_t type = add_object(walk, path);
    if (!S_ISDIR(type) || strlen(path) > PATH_LIMIT)
        return;
    run(walk, (struct op){.code = OP_LS, .path = {OP_SLOT_CWD, path}});
    struct bytes names = walk->result.data, child = {0};
    walk->result.data = (struct bytes){0};
    for (size_t at = 0; at < names.length; at += strlen(names.data + at) + 1) {
        bytes_clear(&child);
        bytes_printf(&child, "%s%s%s", path, path[1] ? "/" : "", names.data + at);
        add_tree(walk, bytes_string(&child));
    }
    bytes_free(&child);
    bytes_free(&names);
}

void tree_describe(struct session *session, struct bytes *out)
{
    struct walk walk = {.session = session, .out = out};
    add_tree(&walk, "/");
    for (size_t i = 0; i < walk.seen_count; i++)
        free(walk.seen[i].path);
    free(walk.seen);
    bytes_free(&walk.result.data);
}
