/*
 * A file system that operations run on: the host's (host.h) or libvfs's (memory.h), and what is
 * common to both: a session, which remembers the times that `mark` saw.
 */
#ifndef OPS_BACKEND_H
#define OPS_BACKEND_H

#include "op.h"

struct backend;

/* What a backend does. `run` carries out everything but OP_MAKE, OP_MARK, OP_REMOVE, OP_SAME and
 * OP_SINCE, which the session makes of the others, and always
 * sets result->code; result->data comes empty. */
struct backend_operations {
    const char *name;
    void (*run)(struct backend *backend, const struct op *op, struct op_result *result);
    /* The clock that stamps files. */
    struct op_time (*clock)(struct backend *backend);
    /* Closes all slots and empties the tree, so that the next script finds it as at first.
     * Returns 0 or a negative errno. */
    int (*clear)(struct backend *backend);
    void (*destroy)(struct backend *backend);
};

struct backend {
    const struct backend_operations *operations;
};

enum { SESSION_MARKS_MAX = 8 };

/* A backend and the marks of the running script. All zero but `backend` is a new session. */
struct session {
    struct backend *backend;
    size_t mark_count;
    struct {
        char *path;
        struct op_stat stat;
    } mark[SESSION_MARKS_MAX];
};

/* Carries out one operation. The result's data is cleared first and stays owned by the caller. */
void session_run(struct session *session, const struct op *op, struct op_result *result);

/* Frees what the session holds itself: the marks. */
void session_forget(struct session *session);

/* Forgets the marks and clears the backend. Returns 0 or a negative errno. */
int session_clear(struct session *session);

/* Sorts a list of NUL-terminated names as bytes; op_result.data holds them so. */
void names_sort(struct bytes *names);

#endif
