/* Programs: from a path to an address space that is ready to run. It is built beside the old
 * program, which only exec_commit() (proc/proc.h) replaces. */
#ifndef UMBRA_EXEC_IMAGE_H
#define UMBRA_EXEC_IMAGE_H

#include <umvfs/file.h>

#include "exec/args.h"
#include "lib/ref.h"
#include "mm/aspace.h"

#define IMAGE_SEGMENTS_MAX 32  /* ranges that an image's record keeps; more are counted only */
#define IMAGE_PATH_SIZE    256 /* of the path kept for messages; longer ones keep their end */
#define IMAGE_COMM_SIZE    16  /* with its NUL, as Linux's TASK_COMM_LEN */
#define SHEBANG_MAX        5   /* scripts that run scripts, as Linux */
#define STACK_PAGES        32  /* of the stack area at the start; it grows below */

/* One range of pages of a loaded program. */
struct loaded_segment {
    virt_t start, end; /* page-aligned */
    uint32_t prot;     /* PROT_* */
    uint64_t file_offset, file_bytes;
};
struct loaded_process {
    uint64_t pml4_addr; /* physical address of the page table's root */
    virt_t entry_point; /* of the program, even if an interpreter runs first */
    virt_t start_point; /* the first instruction: entry_point or the interpreter's */
    virt_t stack_pointer, stack_bottom, stack_top;
    virt_t argv_start, argv_end; /* the strings of the arguments */
    virt_t envp_end;             /* of the environment's, which begin at argv_end */
    virt_t auxv_start, auxv_end;
    virt_t heap_start, heap_end;
    virt_t text_start, text_end;        /* from the first to the last executable segment */
    virt_t data_start, data_end;        /* from the first to the last writable segment */
    virt_t load_bias, interpreter_base; /* 0: none */
    unsigned nr_segments;               /* of the program, without the interpreter */
    struct loaded_segment segments[IMAGE_SEGMENTS_MAX];
};

/* The files of a running program. They cannot be opened for writing meanwhile. Counted. */
struct image {
    struct ref refs;
    struct umvfs_file program, interpreter; /* interpreter.inode NULL: none */
    bool is_unreadable;                     /* whoever executed it may not read one of the two */
    struct loaded_process loaded;
    char path[IMAGE_PATH_SIZE];
    char comm[IMAGE_COMM_SIZE]; /* the name that was executed: a script's, not its interpreter's */
};

/* A program that is ready to run, with its address space. The caller of exec_load() owns it. */
struct new_image {
    struct image *image;
    struct aspace *as;
};

/* Loads the program at `path` with the arguments in args (it adds interpreter and script name for a
 * "#!" file). Returns 0, or a negative error (-ENOENT, -EACCES, -ENOEXEC, -ELIBBAD, -ENOMEM,
 * -E2BIG, -ETXTBSY, -ELOOP, ...) and changes nothing. The reason for refusing an ELF file is
 * printed on the console. */
int exec_load(const struct umvfs_task *task, const struct umvfs_path *at, const char *path,
              unsigned at_flags, struct exec_args *args, struct new_image *out);

/* Frees a program that will not run. */
void new_image_free(struct new_image *new_image);

void image_get(struct image *image);
void image_put(struct image *image);

/* Prints the fields of `loaded`, for `show=exec` on the command line. */
void image_print(const struct image *image, const struct aspace *as);

/* Prints how many frames of each kind the address space holds, for `show=exec` and `show=exit`. */
void image_print_frames(const char *when, const struct aspace *as);

#endif
