/* The strings of a new program: argv, then envp, then the strings that the loader adds. They are
 * copied once, into pages that become the top of the new stack. */
#ifndef UMBRA_EXEC_ARGS_H
#define UMBRA_EXEC_ARGS_H

#include <stddef.h>
#include <stdint.h>

#include "mm/frame.h"

#define ARG_STRING_MAX (32 * PAGE_SIZE) /* bytes of one string with its NUL: Linux MAX_ARG_STRLEN */
#define ARG_TOTAL_MAX  (512 * PAGE_SIZE) /* of all strings and pointers: a quarter of 8 MiB */
#define ARG_TOTAL_MIN  (32 * PAGE_SIZE)  /* allowed with any stack */

struct exec_args {
    struct frame *pages[512 + 2];
    size_t used;                   /* bytes that are filled */
    size_t strings_max;            /* of them */
    size_t total_max;              /* of them and the pointers to the strings */
    size_t argc, envc;             /* strings so far */
    uint64_t stack_limit;          /* of the new program (RLIMIT_STACK); UINT64_MAX at first */
    uint32_t uid, euid, gid, egid; /* for the auxiliary vector; 0 at first */
    bool secure;                   /* likewise */
    bool is_fixed;                 /* no random places, but for a set-user-id program */
    const char *shown; /* the path that the program and its messages see; NULL: the path to open */
    bool is_out_of_reach; /* the new program cannot open that path, so that a script cannot run */
    int (*point)(
        void); /* sched_point(), called while nothing is lent; NULL: the work is not interrupted */
};

static inline int exec_args_point(const struct exec_args *args)
{
    return args->point ? args->point() : 0;
}

/* Returns NULL if memory is short. */
struct exec_args *exec_args_create(void);
void exec_args_free(struct exec_args *args);

/* Sets the limit of the new stack, and with it that of the arguments: strings and pointers may have a
 * quarter of it or ARG_TOTAL_MIN, and the strings must fit in it. */
void exec_args_limit_stack(struct exec_args *args, uint64_t limit);

/* Before strings are added that are not arguments. */
void exec_args_do_not_limit(struct exec_args *args);

/* Counts the path of the program, which the loader adds. Returns 0, or -E2BIG if strings, pointers
 * and path are too many bytes. */
int exec_args_count_path(struct exec_args *args, const char *path);

/* Adds one string from kernel memory. Returns 0, -E2BIG or -ENOMEM. */
int exec_args_add(struct exec_args *args, const char *string);

/* Adds the strings of a NULL-terminated array of pointers in user memory (address 0: an empty
 * array) and stores their number in *count. Returns 0, -EFAULT, -E2BIG, -ENOMEM or -EINTR. */
int exec_args_add_user(struct exec_args *args, uint64_t array, size_t *count);

/* Appends bytes, and stores their place in *offset. Returns 0, -E2BIG or -ENOMEM. */
int exec_args_append(struct exec_args *args, const void *data, size_t size, size_t *offset);

/* Replaces argv[0] by `count` strings, for "#!". Returns 0, -E2BIG or -ENOMEM. */
int exec_args_replace_first(struct exec_args *args, const char *const *strings, size_t count);

/* The offset behind the string that begins at `offset`, with its NUL. */
size_t exec_args_next(const struct exec_args *args, size_t offset);

#endif
