#include "diff.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <limits.h>
#include <stdio.h>

/* Both sides and what they said last. */
struct pair {
    struct session memory, host;
    struct tokens tokens;
    struct op_result result;
    struct bytes memory_text, host_text;
    uint64_t executed, succeeded;
};

/* A list of lines. */
struct lines {
    char **line;
    size_t count;
};

enum { PROBE_SLOT = OP_SLOTS - 2 }; /* not used by generated lines */

/* Opening a FIFO or device is the kernel's business, so these lines are left out. Asked of the
 * host as the superuser, who sees everything that anybody could open; by an open of its own, since
 * RESOLVE_IN_ROOT gives a path another meaning. */
static bool opens_special(struct pair *pair, const struct op *op)
{
    if ((op->code != OP_OPEN && op->code != OP_OPENAT2) || (op->flags & 010000000 /* O_PATH */))
        return false;
    struct op look = *op;
    look.caller = (struct op_caller){0};
    look.slot = PROBE_SLOT;
    look.flags = 010000000;
    look.mode = 0;
    session_run(&pair->host, &look, &pair->result);
    if (pair->result.code < 0)
        return false;
    session_run(&pair->host, &(struct op){.code = OP_FSTAT, .slot = PROBE_SLOT}, &pair->result);
    uint32_t mode = pair->result.stat.mode;
    session_run(&pair->host, &(struct op){.code = OP_CLOSE, .slot = PROBE_SLOT}, &pair->result);
    return S_ISFIFO(mode) || S_ISCHR(mode) || S_ISBLK(mode);
}

static bool is_empty_slot(struct pair *pair, int slot)
{
    struct op fstat = {.code = OP_FSTAT, .slot = slot};
    if (slot == OP_SLOT_CWD)
        return false;
    session_run(&pair->host, &fstat, &pair->result);
    return pair->result.code < 0;
}

/* Empty slots are a matter of the descriptor table. */
static bool uses_empty_slot(struct pair *pair, const struct op *op)
{
    bool is_open = op->code == OP_OPEN || op->code == OP_OPENAT2;
    bool takes_slot = op_table[op->code].arguments[0] == 's' && !is_open;
    return is_empty_slot(pair, op->path.slot) || is_empty_slot(pair, op->path2.slot) ||
           (takes_slot && is_empty_slot(pair, op->slot));
}

/* Whether a listing that had come to its end shows what is made afterwards is each file system's
 * choice, so all listings begin at the beginning. */
static void rewind_both(struct pair *pair, int slot)
{
    struct op seek = {.code = OP_LSEEK, .slot = slot, .flags = SEEK_SET};
    session_run(&pair->host, &seek, &pair->result);
    session_run(&pair->memory, &seek, &pair->result);
}

/* What file systems may each do in their own way: a position within a directory that no listing
 * gave, and the times of a file that is truncated to the size it has. */
static bool is_open_question(struct pair *pair, const struct op *op)
{
    struct op stat = {.code = OP_STAT, .path = op->path};
    if (op->code == OP_LSEEK)
        stat = (struct op){.code = OP_FSTAT, .slot = op->slot};
    else if (op->code != OP_TRUNCATE)
        return false;
    session_run(&pair->host, &stat, &pair->result);
    if (pair->result.code < 0)
        return false;
    if (op->code == OP_TRUNCATE)
        return pair->result.stat.size == (uint64_t)op->length;
    return S_ISDIR(pair->result.stat.mode) && (op->offset != 0 || op->flags != SEEK_SET);
}

enum outcome { SAME, DIFFERENT, LEFT_OUT };

/* Runs a line on both, which leaves in the pair what they said. */
static enum outcome run_line(struct pair *pair, const char *line)
{
    struct op op;
    size_t next;
    bytes_clear(&pair->memory_text);
    bytes_clear(&pair->host_text);
    const char *wrong = tokens_split(&pair->tokens, line);
    if (!wrong)
        wrong = op_decode(&op, &pair->tokens, 0, &next);
    if (wrong) {
        fprintf(stderr, "vfs-sh: generated a malformed line: %s: %s\n", wrong, line);
        abort();
    }
    if (uses_empty_slot(pair, &op) || opens_special(pair, &op) || is_open_question(pair, &op))
        return LEFT_OUT;
    if (op.code == OP_FLINK)
        op.caller = (struct op_caller){0}; /* Linux asks for a privilege, or for the opener */
    if (op.code == OP_LIST)
        rewind_both(pair, op.slot);
    session_run(&pair->host, &op, &pair->result);
    op_spell_result(&pair->host_text, &op, &pair->result);
    session_run(&pair->memory, &op, &pair->result);
    op_spell_result(&pair->memory_text, &op, &pair->result);
    pair->executed++;
    pair->succeeded += pair->result.code >= 0;
    return strcmp(bytes_string(&pair->memory_text), bytes_string(&pair->host_text)) ? DIFFERENT
                                                                                    : SAME;
}

static bool compare_trees(struct pair *pair)
{
    bytes_clear(&pair->memory_text);
    bytes_clear(&pair->host_text);
    tree_describe(&pair->memory, &pair->memory_text);
    tree_describe(&pair->host, &pair->host_text);
    return strcmp(bytes_string(&pair->memory_text), bytes_string(&pair->host_text)) == 0;
}

static int clear_both(struct pair *pair)
{
    int error = session_clear(&pair->memory);
    return error ? error : session_clear(&pair->host);
}

/* Replays lines on empty trees; true if there is a difference, then *last is the line behind which
 * it shows, or lines->count for one that only the trees show. */
static bool replay(struct pair *pair, const struct lines *lines, size_t *last)
{
    if (clear_both(pair))
        return false;
    for (size_t i = 0; i < lines->count; i++)
        if (run_line(pair, lines->line[i]) == DIFFERENT) {
            *last = i;
            return true;
        }
    *last = lines->count;
    return !compare_trees(pair);
}

/* Takes out `length` lines from `start` if the difference stays without them. */
static bool try_without(struct pair *pair, struct lines *lines, size_t start, size_t length)
{
    struct lines fewer = {malloc((lines->count + 1) * sizeof *fewer.line), 0};
    size_t last;
    if (!fewer.line)
        return false;
    for (size_t i = 0; i < lines->count; i++)
        if (i < start || i >= start + length)
            fewer.line[fewer.count++] = lines->line[i];
    if (!replay(pair, &fewer, &last)) {
        free(fewer.line);
        return false;
    }
    if (last < fewer.count)
        fewer.count = last + 1;
    free(lines->line);
    *lines = fewer;
    return true;
}

/* Leaves a script from which no single line can be taken. The strings stay the caller's. */
static void minimise(struct pair *pair, struct lines *lines)
{
    for (size_t step = lines->count / 2; step >= 1;) {
        bool fewer = false;
        for (size_t start = lines->count; start > 0;) {
            start = start > step ? start - step : 0;
            fewer |= try_without(pair, lines, start, step);
            if (start > lines->count)
                start = lines->count;
        }
        if (step > 1)
            step /= 2;
        else if (!fewer)
            break;
    }
}

/* Prints the first lines in which two texts differ. */
static void print_difference(FILE *out, const char *memory, const char *host)
{
    while (*memory && *host) {
        size_t m = strcspn(memory, "\n"), h = strcspn(host, "\n");
        if (m != h || memcmp(memory, host, m) != 0)
            break;
        memory += m + (memory[m] == '\n');
        host += h + (host[h] == '\n');
    }
    fprintf(out, "# libvfs: %.*s\n# host:   %.*s\n", (int)strcspn(memory, "\n"), memory,
            (int)strcspn(host, "\n"), host);
}

static void report(struct pair *pair, const struct lines *failed,
                   const struct diff_options *options, uint64_t round, FILE *out)
{
    struct lines lines = {malloc((failed->count + 1) * sizeof *lines.line), failed->count};
    size_t last;
    if (!lines.line)
        return;
    memcpy(lines.line, failed->line, failed->count * sizeof *lines.line);
    if (replay(pair, &lines, &last))
        minimise(pair, &lines);
    fprintf(out, "# a difference, seed %" PRIu64 ", round %" PRIu64 "; smallest script:\n",
            options->seed, round);
    replay(pair, &lines, &last);
    for (size_t i = 0; i < lines.count; i++)
        fprintf(out, "%s\n", lines.line[i]);
    fprintf(out, "# %s\n", last < lines.count ? "the last line prints" : "then the trees have");
    print_difference(out, bytes_string(&pair->memory_text), bytes_string(&pair->host_text));
    free(lines.line);
}

/* One round from empty trees. Returns 0, 1 for a difference, or a negative errno. */
static int run_round(struct pair *pair, const struct diff_options *options, uint64_t round,
                     unsigned count, FILE *out)
{
    struct generator generator;
    struct lines lines = {calloc(count + 1, sizeof *lines.line), 0};
    struct bytes text = {0};
    int error = lines.line ? clear_both(pair) : -ENOMEM;
    bool same = true;
    generator_start(&generator, options->seed, round);
    while (!error && same && lines.count < count) {
        bytes_clear(&text);
        generate_line(&generator, &text);
        enum outcome outcome = run_line(pair, bytes_string(&text));
        if (outcome == LEFT_OUT)
            continue;
        lines.line[lines.count++] = strdup(bytes_string(&text));
        same = outcome == SAME;
        if (same && (lines.count % options->interval == 0 || lines.count == count))
            same = compare_trees(pair);
    }
    if (!error && !same)
        report(pair, &lines, options, round, out);
    for (size_t i = 0; i < lines.count; i++)
        free(lines.line[i]);
    free(lines.line);
    generator_end(&generator);
    bytes_free(&text);
    return error ? error : !same;
}

int diff_run(struct backend *memory, struct backend *host, const struct diff_options *options,
             FILE *out)
{
    struct pair pair = {.memory = {.backend = memory}, .host = {.backend = host}};
    uint64_t left = options->operations;
    int result = 0;
    for (uint64_t round = 0; left && !result; round++) {
        unsigned count = left < options->round ? (unsigned)left : options->round;
        result = run_round(&pair, options, round, count, out);
        left -= count;
    }
    if (result == 0)
        result = clear_both(&pair);
    if (result == 0)
        fprintf(out, "%" PRIu64 " operations, %" PRIu64 " of them successful: no difference\n",
                pair.executed, pair.succeeded);
    tokens_free(&pair.tokens);
    bytes_free(&pair.result.data);
    bytes_free(&pair.memory_text);
    bytes_free(&pair.host_text);
    return result;
}

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
