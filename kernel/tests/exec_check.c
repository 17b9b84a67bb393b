#include "tests/elf_image.h"

#include <elfparse/elfparse.h>
#include <string.h>

#include "host/fail.h"
#include "host/files.h"
#include "host/walk.h"
#include "lib/errno.h"

#define EAGER_MAX (1u << 20) /* bytes of a program whose pages are all checked */

struct check {
    const uint8_t *file;
    const struct new_image *made;
    struct elfparse_plan plan;
    struct elfparse_storage storage;
    struct elfparse_range ranges[64 * ELFPARSE_RANGES_PER_LOAD];
    uint8_t scratch[ELFPARSE_SCRATCH_SIZE(128, 4096)];
    uint64_t found; /* pages of the plan's ranges */
};

static const struct elfparse_range *range_of(const struct check *check, virt_t page)
{
    for (uint32_t i = 0; i < check->plan.range_count; i++) {
        const struct elfparse_range *r = &check->plan.ranges[i];
        if (page.value >= r->vaddr && page.value - r->vaddr < r->size)
            return r;
    }
    return NULL;
}

static void check_bits(virt_t page, const struct walk_leaf *leaf, bool write, bool exec)
{
    if (!leaf->present || !leaf->user || leaf->level != 1)
        host_fail("%#lx: entry %#lx is not a present user page of 4 KiB", page.value, leaf->entry);
    if (leaf->executable != exec)
        host_fail("%#lx: executable %d", page.value, leaf->executable);
    if (leaf->writable && !write)
        host_fail("%#lx: writable", page.value);
}

/* The bytes of the range are those of the file up to file_bytes, and zero after that. */
static void check_bytes(const struct check *check, virt_t page, const struct elfparse_range *r,
                        const uint8_t *bytes)
{
    uint64_t at = page.value - r->vaddr;
    for (uint64_t i = 0; i < PAGE_SIZE; i++) {
        uint8_t wanted = at + i < r->file_bytes ? check->file[r->offset + at + i] : 0;
        if (bytes[i] != wanted)
            host_fail("%#lx: byte %#x, the file says %#x", page.value + i, bytes[i], wanted);
    }
}

static void check_leaf(void *ctx, virt_t page, const struct walk_leaf *leaf)
{
    struct check *check = ctx;
    const struct loaded_process *loaded = &check->made->image->loaded;
    const struct elfparse_range *r = range_of(check, page);
    if (r && !r->prot)
        host_fail("%#lx: a page of a segment without rights", page.value);
    if (r) {
        check_bits(page, leaf, r->prot & ELFPARSE_PF_W, r->prot & ELFPARSE_PF_X);
        check_bytes(check, page, r, phys_ptr(phys(leaf->frame)));
        check->found++;
    } else if (page.value >= loaded->stack_top.value - STACK_PAGES * PAGE_SIZE &&
               page.value < loaded->stack_top.value) {
        check_bits(page, leaf, true, false);
    } else if (page.value >= loaded->stack_bottom.value && page.value < loaded->stack_top.value) {
        if (page.value + PAGE_SIZE < virt_floor(loaded->stack_pointer).value)
            host_fail("%#lx: a page of the stack that nothing needs", page.value);
    } else if (!check->made->image->interpreter.inode ||
               page.value < loaded->interpreter_base.value) {
        host_fail("%#lx: a page that the file does not ask for", page.value);
    }
}

/* Touches one page of each range, or all of a small program. Returns the pages that must be
 * present: those of ranges with rights. */
static uint64_t bring_in(struct check *check, bool all)
{
    uint64_t pages = 0;
    for (uint32_t i = 0; i < check->plan.range_count; i++) {
        const struct elfparse_range *r = &check->plan.ranges[i];
        uint64_t size = all ? r->size : PAGE_SIZE;
        if (!r->prot)
            continue;
        int error = aspace_populate(check->made->as, virt(r->vaddr), size);
        if (error == -ENOMEM && !all)
            return 0;
        if (error)
            host_fail("range %u of the plan: %d", i, error);
        pages += size >> PAGE_SHIFT;
    }
    return pages;
}

static void check_stack(const struct new_image *made)
{
    const struct loaded_process *loaded = &made->image->loaded;
    uint64_t argc;
    if (loaded->stack_pointer.value % 16 ||
        loaded->stack_pointer.value < loaded->stack_bottom.value ||
        loaded->stack_pointer.value >= loaded->stack_top.value)
        host_fail("stack pointer %#lx", loaded->stack_pointer.value);
    if (virt_distance(loaded->stack_bottom, loaded->stack_top) < STACK_PAGES * PAGE_SIZE)
        host_fail("the stack has %#lx bytes",
                  virt_distance(loaded->stack_bottom, loaded->stack_top));
    if (virt_distance(loaded->stack_bottom, loaded->stack_top) > STACK_PAGES * PAGE_SIZE &&
        virt_distance(loaded->stack_bottom, loaded->stack_pointer) >= 2 * PAGE_SIZE)
        host_fail("the stack's area begins at %#lx, lower than it has to",
                  loaded->stack_bottom.value);
    if (aspace_read(made->as, loaded->stack_pointer, &argc, sizeof(argc)) != 0 || argc == 0)
        host_fail("argc is %#lx", argc);
    if (aspace_fault(made->as, loaded->stack_pointer, ACCESS_EXEC) != -EACCES)
        host_fail("the stack can be executed");
}

void exec_check(const uint8_t *file, size_t size, const struct new_image *made)
{
    static struct check check;
    const struct elfparse_reader reader = elfparse_reader_memory(file, size);
    check.file = file;
    check.made = made;
    check.found = 0;
    check.storage = (struct elfparse_storage){check.scratch, sizeof(check.scratch), check.ranges,
                                              sizeof(check.ranges) / sizeof(check.ranges[0])};
    if (elfparse_plan_make(&reader, &elfparse_policy_kernel, &check.storage, &check.plan, NULL) ||
        elfparse_plan_apply_bias(&check.plan, &check.storage, NULL,
                                 made->image->loaded.load_bias.value, NULL))
        host_fail("the program was loaded, but its plan is refused");
    bool all = check.plan.memory <= EAGER_MAX;
    uint64_t wanted = bring_in(&check, all);
    const struct walk_visitor visitor = {check_leaf, NULL, &check};
    walk_user(frame_phys(made->as->pt.root), &visitor);
    if (check.found < wanted || (all && check.found != wanted))
        host_fail("%lu pages are there, the plan has %lu", check.found, wanted);
    check_stack(made);
    vma_check(&made->as->areas);
}

int exec_try(const char *path, const char *const *arguments, size_t count, struct new_image *out)
{
    struct exec_args *args = exec_args_create();
    int error = args ? exec_args_add(args, path) : -ENOMEM;
    for (size_t i = 0; i < count && !error; i++)
        error = exec_args_add(args, arguments[i]);
    if (!error)
        error = exec_args_add(args, "HOME=/");
    if (!error) {
        args->argc = count + 1;
        args->envc = 1;
        error = exec_load(files_task(), NULL, path, 0, args, out);
    }
    exec_args_free(args);
    return error;
}

void exec_drop(struct new_image *made)
{
    aspace_put(made->as);
    image_put(made->image);
}
