#include "backend.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static struct bytes *names_data; /* what compare_names looks into: qsort passes no context */

static int compare_names(const void *a, const void *b)
{
    const size_t *left = a, *right = b;
    return strcmp(names_data->data + *left, names_data->data + *right);
}

void names_sort(struct bytes *names)
{
    size_t count = 0;
    for (size_t i = 0; i < names->length; i++)
        count += names->data[i] == '\0';
    size_t *start = calloc(count + 1, sizeof *start);
    if (!start)
        abort();
    for (size_t i = 0, at = 0; i < count; i++) {
        start[i] = at;
        at += strlen(names->data + at) + 1;
    }
    names_data = names;
    qsort(start, count, sizeof *start, compare_names);
    struct bytes sorted = {0};
    for (size_t i = 0; i < count; i++)
        bytes_append(&sorted, names->data + start[i], strlen(names->data + start[i]) + 1);
    free(start);
    bytes_free(names);
    *names = sorted;
}

static void run(struct session *session, const struct op *op, struct op_result *result)
{
    session->backend->operations->run(session->backend, op, result);
}

/* Carries out lstat on `path` as the superuser. */
static void look_at(struct session *session, struct op_path path, struct op_result *result)
{
    struct op lstat = {.code = OP_LSTAT, .path = path};
    run(session, &lstat, result);
}

static bool is_later(struct op_time a, struct op_time b)
{
    return a.seconds > b.seconds || (a.seconds == b.seconds && a.nanoseconds > b.nanoseconds);
}

static bool is_equal(struct op_time a, struct op_time b)
{
    return a.seconds == b.seconds && a.nanoseconds == b.nanoseconds;
}

/* Returns once the clock that stamps files has gone past all times of `stat` that lie in the past
 * anyway, so that any later stamp differs. The host's clock advances at least every 10 ms. */
static void wait_for_tick(struct session *session, const struct op_stat *stat)
{
    struct backend *backend = session->backend;
    struct op_time start = backend->operations->clock(backend), now;
    do
        now = backend->operations->clock(backend);
    while (!is_later(now, stat->time[2]) && now.seconds - start.seconds < 2);
}

static void run_mark(struct session *session, const struct op *op, struct op_result *result)
{
    look_at(session, op->path, result);
    if (result->code < 0)
        return;
    size_t i = 0;
    while (i < session->mark_count && strcmp(session->mark[i].path, op->path.text) != 0)
        i++;
    if (i == SESSION_MARKS_MAX) {
        result->code = OP_NOT_RUN;
        return;
    }
    if (i == session->mark_count) {
        session->mark[i].path = strdup(op->path.text);
        session->mark_count++;
    }
    session->mark[i].stat = result->stat;
    wait_for_tick(session, &result->stat);
}

static void run_since(struct session *session, const struct op *op, struct op_result *result)
{
    look_at(session, op->path, result);
    for (size_t i = 0; i < session->mark_count && result->code >= 0; i++) {
        if (strcmp(session->mark[i].path, op->path.text) != 0)
            continue;
        for (size_t t = 0; t < 3; t++)
            if (!is_equal(session->mark[i].stat.time[t], result->stat.time[t]))
                bytes_push(&result->data, "amc"[t]);
        if (result->data.length == 0)
            bytes_text(&result->data, "none");
        return;
    }
    if (result->code >= 0)
        result->code = OP_NOT_RUN;
}

static void run_same(struct session *session, const struct op *op, struct op_result *result)
{
    look_at(session, op->path, result);
    if (result->code < 0)
        return;
    uint64_t inode = result->stat.inode;
    look_at(session, op->path2, result);
    if (result->code >= 0)
        result->code = result->stat.inode == inode;
}

/* An object of any type: mode 0755 for directories and 0644 for others unless given, device number
 * 1:3, and "target" in a symbolic link. */
static void run_make(struct session *session, const struct op *op, struct op_result *result)
{
    struct op make = *op;
    bool is_directory = S_ISDIR(op->mode);
    make.code = is_directory ? OP_MKDIR : OP_MKNOD;
    make.major = 1;
    make.minor = 3;
    if (!(op->mode & 07777))
        make.mode |= is_directory ? 0755 : 0644;
    if (is_directory)
        make.mode &= 07777;
    if (S_ISLNK(op->mode)) {
        make.code = OP_SYMLINK;
        make.path2 = op->path;
        make.data = "target";
        make.data_length = strlen(make.data);
    }
    run(session, &make, result);
}

/* Removes an object of any type. */
static void run_remove(struct session *session, const struct op *op, struct op_result *result)
{
    look_at(session, op->path, result);
    if (result->code < 0)
        return;
    struct op remove = *op;
    remove.code = S_ISDIR(result->stat.mode) ? OP_RMDIR : OP_UNLINK;
    run(session, &remove, result);
}

void session_run(struct session *session, const struct op *op, struct op_result *result)
{
    bytes_clear(&result->data);
    result->code = OP_NOT_RUN;
    result->now = session->backend->operations->clock(session->backend).seconds;
    switch (op->code) {
    case OP_MAKE:
        run_make(session, op, result);
        break;
    case OP_REMOVE:
        run_remove(session, op, result);
        break;
    case OP_MARK:
        run_mark(session, op, result);
        break;
    case OP_SINCE:
        run_since(session, op, result);
        break;
    case OP_SAME:
        run_same(session, op, result);
        break;
    default:
        run(session, op, result);
    }
}

void session_forget(struct session *session)
{
    while (session->mark_count)
        free(session->mark[--session->mark_count].path);
}

int session_clear(struct session *session)
{
    session_forget(session);
    return session->backend->operations->clear(session->backend);
}
