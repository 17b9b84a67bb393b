#include <umvfs/attr.h>
#include <umvfs/page.h>
#include <umvfs/path.h>

#include "dev/print.h"
#include "dev/random.h"
#include "exec/internal.h"
#include "lib/check.h"
#include "lib/cmdline.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "lib/variable.h"
#include "mm/slab.h"

/* The base of programs without a fixed address: at two thirds of the user half, as on Linux, which
 * leaves room for the heap above it and for the mappings below the stack. */
#define PIE_BASE         0x555555554000ull
#define PIE_RANDOM_BITS  28
#define MMAP_RANDOM_BITS 28
#define BRK_RANDOM_BITS  13
#define STACK_SPACE      (16ull << 30) /* below STACK_TOP, where mmap(2) does not place areas */
#define REPORTED_MAX     16            /* refused files whose report is remembered */

uint64_t exec_random_pages(const struct exec_args *args, unsigned bits)
{
    if (cmdline_options.noaslr || args->is_fixed)
        return 0;
    return (random_u64() & ((1ull << bits) - 1)) << PAGE_SHIFT;
}

/* The state of one load, which is freed if the load fails. */
struct load {
    const struct umvfs_task *task;
    const char *path; /* the caller's path, for AT_EXECFN, even if it is a script */
    struct exec_args *args;
    struct image *image;
    struct aspace *as;
    struct exec_elf *program, *interpreter;
};

static int open_for_exec(const struct umvfs_task *task, const struct umvfs_path *at,
                         const char *path, unsigned flags, struct umvfs_file *out)
{
    int error = umvfs_open_exec(task, at, path, flags, out);
    if (error)
        out->inode = NULL;
    else
        umvfs_file_event(out, UMVFS_IN_OPEN);
    return error;
}

static void exec_close(struct umvfs_file *file)
{
    if (!file->inode)
        return;
    umvfs_file_event(file, UMVFS_IN_CLOSE_NOWRITE);
    umvfs_close(file);
    file->inode = NULL;
}

void image_get(struct image *image)
{
    ref_get(&image->refs);
}

void image_put(struct image *image)
{
    if (!image || !ref_put(&image->refs))
        return;
    exec_close(&image->interpreter);
    exec_close(&image->program);
    slab_free(image);
}

/* Prints the reason for refusing a file, once for each file and rule, so that a program that tries
 * again does not fill the console. */
static void report(const struct umvfs_inode *inode, const char *path,
                   const struct elfparse_error *error)
{
    static struct {
        uint64_t inode;
        int code;
    } reported[REPORTED_MAX];
    static unsigned next;
    char sentence[ELFPARSE_ERROR_MAX];
    for (unsigned i = 0; i < REPORTED_MAX; i++)
        if (reported[i].inode == umvfs_inode_number(inode) && reported[i].code == error->code)
            return;
    reported[next % REPORTED_MAX].inode = umvfs_inode_number(inode);
    reported[next++ % REPORTED_MAX].code = error->code;
    elfparse_error_format(error, sentence, sizeof(sentence));
    print("exec: %s: %s", path, sentence);
}

int exec_parse(const struct umvfs_file *file, const struct elfparse_policy *policy,
               const char *path, struct exec_elf **out)
{
    struct elfparse_reader reader = {umvfs_read_exact, file->inode, umvfs_inode_size(file->inode)};
    UNINITIALIZED struct elfparse_error error; /* elfparse_plan_make(), or it is not read */
    struct exec_elf *elf = slab_alloc(sizeof(*elf));
    if (!elf)
        return -ENOMEM;
    elf->storage =
        (struct elfparse_storage){elf->scratch, sizeof(elf->scratch), elf->ranges, EXEC_RANGES_MAX};
    umvfs_file_event(file, UMVFS_IN_ACCESS);
    int code = elfparse_plan_make(&reader, policy, &elf->storage, &elf->plan, &error);
    if (code) {
        slab_free(elf);
        if (code == ELFPARSE_EREAD)
            return -EIO;
        report(file->inode, path, &error);
        return code == ELFPARSE_EMEMORY ? -ENOMEM : -ENOEXEC;
    }
    *out = elf;
    return 0;
}

/* Stores the path for messages, or the end of a path that is too long. */
static void keep_path(struct image *image, const char *path)
{
    size_t length = strlen(path);
    size_t skip = length < sizeof(image->path) ? 0 : length - sizeof(image->path) + 1;
    memcpy(image->path, path + skip, length - skip + 1);
}

static void keep_name(struct image *image, const char *path)
{
    const char *name = path;
    for (const char *p = path; *p; p++)
        if (*p == '/')
            name = p + 1;
    size_t length = strlen(name);
    if (length >= sizeof(image->comm))
        length = sizeof(image->comm) - 1;
    memset(image->comm, 0, sizeof(image->comm));
    memcpy(image->comm, name, length);
}

/* A program that was started by a link of /proc, as a shell starts itself again, or by its descriptor, is named by its
 * own path. */
static void resolve_path(struct image *image, const struct umvfs_path *root, bool by_descriptor)
{
    static const char deleted[] = " (deleted)";
    static char name[UMVFS_PATH_MAX]; /* no sleep before it is used */
    if ((!by_descriptor && strncmp(image->path, "/proc/", 6) != 0) ||
        umvfs_path_name(&image->program.path, root, name, sizeof(name)) <= 0)
        return;
    keep_path(image, name);
    size_t length = strlen(name), end = sizeof(deleted) - 1;
    if (length > end && strcmp(name + length - end, deleted) == 0)
        name[length - end] = '\0';
    if (by_descriptor)
        keep_name(image, name);
}

/* Places an ET_DYN plan at a base. An ET_EXEC plan keeps its addresses. */
static int place(struct exec_elf *elf, virt_t base)
{
    struct elfparse_plan *plan = &elf->plan;
    if (plan->type == ELFPARSE_ET_EXEC)
        return 0;
    uint64_t bias = (base.value - plan->start) & ~(plan->align - 1);
    return elfparse_plan_apply_bias(plan, &elf->storage, NULL, bias, NULL) ? -ENOMEM : 0;
}

static int map_program(struct load *load)
{
    struct elfparse_plan *plan = &load->program->plan;
    int error =
        place(load->program, virt(PIE_BASE + exec_random_pages(load->args, PIE_RANDOM_BITS)));
    if (!error)
        error = exec_map_plan(load->as, plan, load->image->program.inode);
    if (!error)
        aspace_set_file_path(load->image->program.inode, &load->image->program.path);
    load->as->brk_start = load->as->brk =
        virt(plan->end + exec_random_pages(load->args, BRK_RANDOM_BITS));
    return error;
}

/* Notes whether the file may be executed but not read. */
static void check_readable(const struct load *load, const struct umvfs_file *file)
{
    if (umvfs_access(load->task, &file->path, "", UMVFS_MAY_READ, UMVFS_AT_EMPTY_PATH) != 0)
        load->image->is_unreadable = true;
}

static int open_interpreter(struct load *load)
{
    const char *path = load->program->plan.interp.path;
    int error = open_for_exec(load->task, NULL, path, 0, &load->image->interpreter);
    if (error) {
        print("exec: %s: interpreter %s: error %d", load->image->path, path, -error);
        return error;
    }
    check_readable(load, &load->image->interpreter);
    error = exec_parse(&load->image->interpreter, &elfparse_policy_kernel_interp, path,
                       &load->interpreter);
    return error == -ENOEXEC ? -ELIBBAD : error;
}

/* The break begins at a random place above the program, unless an interpreter with an address of its
 * own is in the way: then directly after the program. */
static void make_way_for_break(struct load *load)
{
    const struct elfparse_plan *program = &load->program->plan;
    const struct elfparse_plan *interpreter = &load->interpreter->plan;
    if (interpreter->start <= load->as->brk_start.value && program->end < interpreter->end)
        load->as->brk_start = load->as->brk = virt(program->end);
}

static int map_interpreter(struct load *load)
{
    struct elfparse_plan *plan = &load->interpreter->plan;
    virt_t base = virt(0);
    if (plan->type == ELFPARSE_ET_DYN) {
        base = aspace_find_place(load->as, virt(0), plan->end - plan->start + plan->align);
        if (!base.value)
            return -ENOMEM;
    }
    int error = place(load->interpreter, virt_ceil(virt_add(base, plan->align - PAGE_SIZE)));
    if (!error)
        error = exec_map_plan(load->as, plan, load->image->interpreter.inode);
    if (!error)
        aspace_set_file_path(load->image->interpreter.inode, &load->image->interpreter.path);
    load->image->loaded.interpreter_base = virt(plan->bias);
    make_way_for_break(load);
    return error;
}

static void record_segments(struct loaded_process *loaded, const struct elfparse_plan *plan)
{
    for (uint32_t i = 0; i < plan->range_count; i++) {
        const struct elfparse_range *r = &plan->ranges[i];
        virt_t start = virt(r->vaddr), end = virt_add(start, r->size);
        if (loaded->nr_segments < IMAGE_SEGMENTS_MAX)
            loaded->segments[loaded->nr_segments++] =
                (struct loaded_segment){start, end, exec_prot(r->prot), r->offset, r->file_bytes};
        if (r->prot & ELFPARSE_PF_X) {
            loaded->text_start = loaded->text_start.value ? loaded->text_start : start;
            loaded->text_end = end;
        }
        if (r->prot & ELFPARSE_PF_W) {
            loaded->data_start = loaded->data_start.value ? loaded->data_start : start;
            loaded->data_end = end;
        }
    }
}

static void record(struct load *load)
{
    struct loaded_process *loaded = &load->image->loaded;
    const struct elfparse_plan *plan = &load->program->plan;
    loaded->pml4_addr = frame_phys(load->as->pt.root).value;
    loaded->entry_point = virt(plan->entry);
    loaded->start_point = virt(load->interpreter ? load->interpreter->plan.entry : plan->entry);
    loaded->load_bias = virt(plan->bias);
    loaded->heap_start = loaded->heap_end = load->as->brk_start;
    record_segments(loaded, plan);
}

static int build_stack(struct load *load)
{
    const struct elfparse_plan *plan = &load->program->plan;
    struct exec_auxv auxv = {
        .phdr = plan->phdr_vaddr,
        .phnum = plan->phnum,
        .base = load->interpreter ? load->interpreter->plan.bias : 0,
        .entry = plan->entry,
        .filename = load->path,
        .uid = load->args->uid,
        .euid = load->args->euid,
        .gid = load->args->gid,
        .egid = load->args->egid,
        .secure = load->args->secure,
    };
    return exec_build_stack(load->as, load->args, &auxv, &load->image->loaded);
}

static int load_elf(struct load *load)
{
    int error = exec_parse(&load->image->program, &elfparse_policy_kernel, load->image->path,
                           &load->program);
    if (!error && load->program->plan.interp.size > 0) {
        error = exec_args_point(load->args);
        if (!error)
            error = open_interpreter(load);
    }
    if (!error)
        error = exec_args_point(load->args);
    if (!error)
        error = aspace_create(&load->as);
    if (error)
        return error;
    load->as->mmap_top =
        virt(STACK_TOP - STACK_SPACE - exec_random_pages(load->args, MMAP_RANDOM_BITS));
    error = map_program(load);
    if (!error && load->interpreter)
        error = map_interpreter(load);
    if (!error)
        error = build_stack(load);
    if (error == -EEXIST) {
        print("exec: %s: the addresses of program, interpreter and stack overlap",
              load->image->path);
        error = -ENOEXEC;
    }
    if (!error)
        record(load);
    if (!error && cmdline_options.eager)
        error = aspace_populate(load->as, virt(USER_MIN), USER_END - USER_MIN);
    return error;
}

/* Opens the program. For a script, continues with its interpreter. */
static int open_program(struct load *load, const struct umvfs_path *at, const char *path,
                        unsigned at_flags)
{
    struct exec_shebang *shebang = slab_alloc(sizeof(*shebang));
    int error = shebang ? 0 : -ENOMEM;
    const char *shown = load->path;
    UNINITIALIZED char script[IMAGE_PATH_SIZE]; /* copied whole before a second script is read */
    keep_path(load->image, shown);
    keep_name(load->image, shown);
    for (unsigned depth = 0; !error; depth++) {
        struct umvfs_file *file = &load->image->program;
        const char *name = depth == 0 ? path : shebang->path;
        error = open_for_exec(load->task, depth == 0 ? at : NULL, name, depth == 0 ? at_flags : 0,
                              file);
        if (error)
            break;
        if (depth > 0) {
            keep_path(load->image, name);
            memcpy(script, load->image->path, sizeof(script));
        }
        error = exec_read_shebang(file, shebang);
        if (error <= 0)
            break;
        exec_close(file);
        /* the image keeps the end of a long path only; a script's interpreter needs all of it */
        error = depth == SHEBANG_MAX ? -ELOOP
                : load->args->is_out_of_reach
                    ? -ENOENT
                    : exec_use_script(load->args, shebang, depth == 0 ? shown : script);
        if (!error)
            error = exec_args_point(load->args);
    }
    slab_free(shebang);
    if (!error && (umvfs_inode_mode(load->image->program.inode) & (UMVFS_S_ISUID | UMVFS_S_ISGID)))
        load->args->is_fixed = false; /* its caller must not know where things are */
    if (!error) {
        check_readable(load, &load->image->program);
        resolve_path(load->image, &load->task->root, !path[0]);
    }
    return error;
}

int exec_load(const struct umvfs_task *task, const struct umvfs_path *at, const char *path,
              unsigned at_flags, struct exec_args *args, struct new_image *out)
{
    struct load load = {.task = task, .path = args->shown ? args->shown : path, .args = args};
    load.image = slab_alloc_zeroed(sizeof(*load.image));
    if (!load.image)
        return -ENOMEM;
    load.image->refs = REF_ONE;
    int error = open_program(&load, at, path, at_flags);
    if (!error)
        error = load_elf(&load);
    slab_free(load.program);
    slab_free(load.interpreter);
    if (error) {
        if (load.as)
            aspace_put(load.as);
        image_put(load.image);
        return error;
    }
    *out = (struct new_image){load.image, load.as};
    return 0;
}

void new_image_free(struct new_image *new_image)
{
    aspace_put(new_image->as);
    image_put(new_image->image);
}

void image_print_frames(const char *when, const struct aspace *as)
{
    struct aspace_usage usage;
    aspace_usage(as, &usage);
    print("%s: frames: %zu tables, %zu private, %zu of files, %zu zero", when, usage.tables,
          usage.anon, usage.file, usage.zero);
}

void image_print(const struct image *image, const struct aspace *as)
{
    const struct loaded_process *l = &image->loaded;
    print("loaded: %s: pml4 %#lx entry %#lx start %#lx stack %#lx-%#lx pointer %#lx", image->path,
          l->pml4_addr, l->entry_point.value, l->start_point.value, l->stack_bottom.value,
          l->stack_top.value, l->stack_pointer.value);
    print("loaded: text %#lx-%#lx data %#lx-%#lx heap %#lx-%#lx bias %#lx interpreter %#lx",
          l->text_start.value, l->text_end.value, l->data_start.value, l->data_end.value,
          l->heap_start.value, as->brk.value, l->load_bias.value, l->interpreter_base.value);
    for (unsigned i = 0; i < l->nr_segments; i++)
        print("loaded: segment %#lx-%#lx r%c%c file %#lx+%#lx", l->segments[i].start.value,
              l->segments[i].end.value, l->segments[i].prot & PROT_WRITE ? 'w' : '-',
              l->segments[i].prot & PROT_EXEC ? 'x' : '-', l->segments[i].file_offset,
              l->segments[i].file_bytes);
    image_print_frames("loaded", as);
}

/* Maps a load plan: every range becomes an area. Only pages that mix the file's bytes with zeros
 * are made here; page faults make all others. */

unsigned exec_prot(uint32_t flags)
{
    return (flags & ELFPARSE_PF_R ? PROT_READ : 0) | (flags & ELFPARSE_PF_W ? PROT_WRITE : 0) |
           (flags & ELFPARSE_PF_X ? PROT_EXEC : 0);
}

/* Makes a page of file bytes and then zeros, even if the file has more bytes (rule L12). */
static int make_split_page(struct aspace *as, const struct elfparse_range *range,
                           struct umvfs_inode *inode)
{
    struct frame *frame = frame_alloc(FRAME_ANON);
    if (!frame)
        return -ENOMEM;
    uint8_t *page = frame_ptr(frame);
    int error = umvfs_read_exact(inode, range->offset, page, range->file_bytes);
    if (!error) {
        memset(page + range->file_bytes, 0, PAGE_SIZE - range->file_bytes);
        error = aspace_install_page(as, virt(range->vaddr), frame);
    }
    if (error)
        frame_put(frame);
    return error;
}

static int map_range(struct aspace *as, const struct elfparse_range *range,
                     struct umvfs_inode *inode)
{
    bool zero = range->kind == ELFPARSE_RANGE_ZERO;
    struct aspace_mapping mapping = {
        .start = virt(range->vaddr),
        .size = range->size,
        .prot = exec_prot(range->prot),
        .inode = zero ? NULL : inode,
        .page_index = zero ? 0 : range->offset >> PAGE_SHIFT,
    };
    int error = aspace_map(as, &mapping, false);
    return !error && range->kind == ELFPARSE_RANGE_SPLIT ? make_split_page(as, range, inode)
                                                         : error;
}

int exec_map_plan(struct aspace *as, const struct elfparse_plan *plan, struct umvfs_inode *inode)
{
    for (uint32_t i = 0; i < plan->range_count; i++) {
        int error = map_range(as, &plan->ranges[i], inode);
        if (error)
            return error;
    }
    return 0;
}
