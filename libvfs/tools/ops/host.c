#include "host.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include "host_internal.h"

static bool is_same_caller(const struct op_caller *a, const struct op_caller *b)
{
    return a->uid == b->uid && a->gid == b->gid && a->group_count == b->group_count &&
           memcmp(a->group, b->group, a->group_count * sizeof a->group[0]) == 0;
}

/* Takes on the ids of `caller`. The superuser's ids come first: only they allow setgroups. Raw
 * system calls, because the C library would tell all threads. */
static void impersonate(struct host *host, const struct op_caller *caller)
{
    if (is_same_caller(&host->caller, caller))
        return;
    syscall(SYS_setgroups, caller->group_count, caller->group);
    setfsgid(caller->gid);
    setfsuid(caller->uid);
    host->caller = *caller;
}

static void host_run(struct backend *backend, const struct op *op, struct op_result *result)
{
    struct host *host = (struct host *)backend;
    host_operation *operation = host_operations[op->code];
    if (!operation) {
        result->code = OP_NOT_RUN;
        return;
    }
    impersonate(host, &op->caller);
    errno = 0;
    result->code = operation(host, op, result);
    if (result->code < 0)
        result->code = errno ? -errno : OP_NOT_RUN;
}

/* The coarse clock is the one that the kernel stamps inodes with, or behind it. */
static struct op_time host_clock(struct backend *backend)
{
    (void)backend;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME_COARSE, &now);
    return (struct op_time){now.tv_sec, now.tv_nsec};
}

/* The root directory as a new file system has it. */
static int reset_root(int root)
{
    char names[65536];
    if (fchown(root, 0, 0) || fchmod(root, 0755))
        return -1;
    ssize_t length = flistxattr(root, names, sizeof names);
    for (ssize_t at = 0; at < length; at += (ssize_t)strlen(names + at) + 1)
        if (strncmp(names + at, "user.", 5) == 0)
            fremovexattr(root, names + at);
    return 0;
}

static int host_clear(struct backend *backend)
{
    struct host *host = (struct host *)backend;
    impersonate(host, &(struct op_caller){0});
    for (size_t i = 0; i < OP_SLOTS; i++) {
        if (host->fd[i] >= 0)
            close(host->fd[i]);
        host->fd[i] = -1;
    }
    umask(022);
    return host_empty(host->root) || reset_root(host->root) ? -errno : 0;
}

static void host_destroy(struct backend *backend)
{
    struct host *host = (struct host *)backend;
    impersonate(host, &(struct op_caller){0});
    for (size_t i = 0; i < OP_SLOTS; i++)
        if (host->fd[i] >= 0)
            close(host->fd[i]);
    close(host->root);
    free(host);
}

static const struct backend_operations operations = {
    .name = "host",
    .run = host_run,
    .clock = host_clock,
    .clear = host_clear,
    .destroy = host_destroy,
};

int host_create(struct backend **backend, const char *directory)
{
    if (chdir(directory) || chroot(".") || chdir("/"))
        return -errno;
    int root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct host *host = root < 0 ? NULL : calloc(1, sizeof *host);
    if (!host)
        return root < 0 ? -errno : -ENOMEM;
    host->backend.operations = &operations;
    host->root = root;
    for (size_t i = 0; i < OP_SLOTS; i++)
        host->fd[i] = -1;
    syscall(SYS_setgroups, (size_t)0, NULL);
    umask(022);
    *backend = &host->backend;
    return 0;
}
