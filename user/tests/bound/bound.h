/* What `bound` is made of: a table of the worst arguments that calls can have, and what prepares them. */
#ifndef UMBRA_TESTS_BOUND_H
#define UMBRA_TESTS_BOUND_H

#include <stddef.h>
#include <stdint.h>

/* What an argument of the table can be beside a number: filled in by `prepare`, and looked up when the call is
 * made. */
enum symbol {
    SYMBOL = 0x5eed0000, /* a number below it is itself */
    AREA,                /* an area of the memory that is used */
    ELSEWHERE,           /* a free place for it */
    SIZE,                /* its size */
    TOP,                 /* the end of the heap */
    BUFFER,              /* memory that is there */
    BUFFER_SIZE,
    FD, /* a descriptor */
    FD2,
    PATH, /* strings */
    PATH2,
    VECTOR, /* an array: struct iovec, struct pollfd, char * */
    VECTOR2,
    COUNT,
    SYMBOLS_END
};

/* One row: a call, or what prepares the next ones. Rows with the same group follow each other, and run in a
 * process of their own. */
struct worst {
    const char *group;
    const char *what;      /* with `call`: the name of the point; else what is prepared */
    void (*prepare)(void); /* NULL: the call is made */
    long call;
    uint64_t argument[6];
    uint64_t times; /* so often; 0 is once */
};

extern const struct worst worst[];
extern const size_t worst_count;

/* The value of a symbol. */
void set(enum symbol symbol, uint64_t value);
uint64_t get(enum symbol symbol);

/* Ends the process with a message: the case cannot be made. */
void need(int good, const char *what);

/* See main.c. */
void prepare_dense(void);
void prepare_sparse(void);
void prepare_heap(void);
void prepare_areas(void);
void prepare_strings(void);
void prepare_large_file(void);
void prepare_mapped_file(void);
void prepare_removed_file(void);
void prepare_sparse_file(void);
void prepare_second_file(void);
void prepare_directory(void);
void prepare_links(void);
void prepare_mount(void);
void prepare_children(void);
void prepare_descriptors(void);
void prepare_vector(void);
void prepare_buffer(void);
void prepare_proc(void);
void exhaust_memory(void);
void prepare_console(void);
void prepare_attributes(void);
void prepare_mutexes(void);
void prepare_proc_maps(void);
void prepare_proc_smaps(void);
void prepare_proc_smaps_dense(void);
void leave_mount(void);
void map_file_again(void);

#endif
