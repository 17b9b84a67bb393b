/* What the files of the host backend share. */
#ifndef OPS_HOST_INTERNAL_H
#define OPS_HOST_INTERNAL_H

#include "backend.h"

struct host {
    struct backend backend;
    int root; /* open on the root directory */
    int fd[OP_SLOTS];
    struct op_caller caller; /* whom the process impersonates now */
};

/* One operation: returns what the system call does, with errno set for -1. */
typedef int64_t host_operation(struct host *host, const struct op *op, struct op_result *result);

/* The system calls by operation; NULL where there is none. Defined over three files. */
extern host_operation *const host_operations[OP_COUNT];

host_operation host_open, host_openat2, host_close, host_read, host_pread, host_write, host_pwrite,
    host_lseek, host_ftruncate, host_fallocate, host_fstat, host_fchmod, host_fchown, host_futimens,
    host_flink, host_list;
host_operation host_setxattr, host_getxattr, host_listxattr, host_removexattr;

/* The descriptor that a path starts from: AT_FDCWD, a slot's, or -1 for an empty slot. */
int host_base(const struct host *host, struct op_path path);

/* Appends the names of the open directory `fd` from its position on, without . and .., each with
 * its NUL. Returns 0, or -1 with errno. */
int host_names(int fd, struct bytes *names);

/* Empties the directory `fd` and everything below. Returns 0, or -1 with errno. */
int host_empty(int fd);

#endif
