/*
 * A file system that operations run on: the host's or libvfs's, and what is common to both: a
 * session, which remembers the times that `mark` saw.
 *
 * On the host operations are system calls, in one directory that is made the root. The caller of an
 * operation is impersonated with the file-system ids (setfsuid), which decide over every permission
 * that a file system asks for. That and chroot need the superuser.
 *
 * On an instance of libvfs, in process, whole paths go through its own resolver. What a kernel's
 * descriptor layer decides before a file system is asked is decided there the way Linux does it:
 * empty slots and O_PATH files (EBADF), negative offsets and lengths, and times out of range
 * (EINVAL).
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

/* Makes `directory` the root of this process for good and returns a backend on it in *backend.
 * Returns 0 or a negative errno: -EPERM without the superuser's rights. One a process. */
int host_create(struct backend **backend, const char *directory);

struct embed_options;
struct umvfs;

/* Makes an instance of libvfs and a backend on it. Returns 0 or a negative errno. */
int memory_create(struct backend **backend, const struct embed_options *options);

/* The instance behind a backend that memory_create made; replaced by each clear. */
struct umvfs *memory_instance(struct backend *backend);

#endif
