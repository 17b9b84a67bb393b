/* Shared by the files of exec/. */
#ifndef UMBRA_EXEC_INTERNAL_H
#define UMBRA_EXEC_INTERNAL_H

#include <elfparse/elfparse.h>

#include "exec/image.h"

#define EXEC_RANGES_MAX 96
#define EXEC_SCRATCH    ELFPARSE_SCRATCH_SIZE(64, 4096)

/* A parsed ELF file with the storage of its plan, which is too large for a kernel stack. */
struct exec_elf {
    struct elfparse_plan plan;
    struct elfparse_storage storage;
    struct elfparse_range ranges[EXEC_RANGES_MAX];
    uint8_t scratch[EXEC_SCRATCH];
};

/* Parses the open file under the policy and stores the result in *out; the caller frees it with
 * slab_free(). Returns 0, or a negative error after printing the reason, with *out set to NULL. */
int exec_parse(const struct umvfs_file *file, const struct elfparse_policy *policy,
               const char *path, struct exec_elf **out);

/* PROT_* for ELFPARSE_PF_*. */
unsigned exec_prot(uint32_t flags);

/* Maps the plan's ranges, which share the inode's pages. Returns 0 or a negative error, after which
 * the caller must destroy the address space. */
int exec_map_plan(struct aspace *as, const struct elfparse_plan *plan, struct umvfs_inode *inode);

/* Builds the initial stack (psABI, "Process Initialization"). The strings of args become its top
 * pages. Fills in the fields of *loaded about the stack. */
struct exec_auxv {
    uint64_t phdr, phnum, base, entry;
    const char *filename; /* AT_EXECFN */
    uint32_t uid, euid, gid, egid;
    bool secure;
};
int exec_build_stack(struct aspace *as, struct exec_args *args, const struct exec_auxv *auxv,
                     struct loaded_process *loaded);

#define SHEBANG_LINE_SIZE 256 /* Linux's BINPRM_BUF_SIZE */

/* The words of a "#!" line: the interpreter's path and one optional argument. */
struct exec_shebang {
    char line[SHEBANG_LINE_SIZE];
    const char *path, *argument;
};

/* Returns 1 and fills *out for a script, 0 for another file, -ENOEXEC if the line names no
 * interpreter, or an error of the read. A line longer than the buffer is cut, but never within the
 * path. */
int exec_read_shebang(const struct umvfs_file *file, struct exec_shebang *out);

/* Changes the arguments to those of the interpreter: its path, the line's argument, the script's
 * path in place of argv[0], then the others. Returns 0, -E2BIG or -ENOMEM. */
int exec_use_script(struct exec_args *args, const struct exec_shebang *shebang, const char *path);

/* A random page-aligned offset below 2^bits pages; 0 with `noaslr`. */
uint64_t exec_random_pages(const struct exec_args *args, unsigned bits);

#endif
