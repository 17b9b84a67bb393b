/* The initial stack (psABI, "Process Initialization"), from STACK_TOP down:
 *
 *      strings: argv, envp, AT_EXECFN, AT_PLATFORM, AT_RANDOM's bytes   (the pages of exec_args)
 *      0 .. 15 bytes so that the entry stack pointer is a multiple of 16
 *      auxiliary vector, AT_NULL last
 *      envp pointers, NULL
 *      argv pointers, NULL
 *      argc                                               <- RSP at the entry point */
#include "exec/internal.h"

#include "arch/cpu.h"
#include "lib/cmdline.h"
#include "dev/random.h"
#include "dev/timer.h"
#include "lib/errno.h"
#include "lib/planted.h"
#include "lib/string.h"

/* <elf.h>'s names and values; see getauxval(3) */
enum {
    AT_NULL = 0,
    AT_PHDR = 3,
    AT_PHENT = 4,
    AT_PHNUM = 5,
    AT_PAGESZ = 6,
    AT_BASE = 7,
    AT_FLAGS = 8,
    AT_ENTRY = 9,
    AT_UID = 11,
    AT_EUID = 12,
    AT_GID = 13,
    AT_EGID = 14,
    AT_PLATFORM = 15,
    AT_HWCAP = 16,
    AT_CLKTCK = 17,
    AT_SECURE = 23,
    AT_RANDOM = 25,
    AT_HWCAP2 = 26,
    AT_EXECFN = 31,
};

#define AUXV_PAIRS   20
#define RANDOM_BYTES 16

#define POINT_STRINGS 16384 /* between two points, at most */

/* A buffer of words that are written to the new stack. */
struct writer {
    struct aspace *as;
    virt_t at;
    uint64_t words[32];
    unsigned count;
    int error;
};

static void writer_flush(struct writer *w)
{
    uint64_t size = w->count * sizeof(w->words[0]);
    if (!w->error)
        w->error = aspace_write(w->as, w->at, w->words, size);
    w->at.value += size;
    w->count = 0;
}

static void put(struct writer *w, uint64_t word)
{
    w->words[w->count++] = word;
    if (w->count == sizeof(w->words) / sizeof(w->words[0]))
        writer_flush(w);
}

/* Writes pointers to `count` strings from *offset of the block, then NULL. Moves *offset past
 * them. */
static void put_pointers(struct writer *w, const struct exec_args *args, size_t count, virt_t block,
                         size_t *offset)
{
    for (; count > 0 && !w->error; count--) {
        put(w, block.value + *offset);
        *offset = exec_args_next(args, *offset);
        if (count % POINT_STRINGS == 0 && !w->error)
            w->error = exec_args_point(args);
    }
    put(w, 0);
}

/* Offsets in the string block of the data that the auxiliary vector points to. */
struct extras {
    size_t execfn, platform, random;
};

static int append_extras(struct exec_args *args, const struct exec_auxv *auxv,
                         struct extras *extras)
{
    uint8_t random[RANDOM_BYTES];
    exec_args_do_not_limit(args);
    random_bytes(random, sizeof(random));
    int error = exec_args_append(args, auxv->filename, strlen(auxv->filename) + 1, &extras->execfn);
    if (!error)
        error = exec_args_append(args, "x86_64", 7, &extras->platform);
    if (!error)
        error = exec_args_append(args, random, sizeof(random), &extras->random);
    return error;
}

static void put_auxv(struct writer *w, const struct exec_auxv *auxv, virt_t block,
                     const struct extras *extras)
{
    const uint64_t pairs[AUXV_PAIRS][2] = {
        {AT_HWCAP, cpu_cpuid(1, 0).edx},
        {AT_PAGESZ, PAGE_SIZE},
        {AT_CLKTCK, TIMER_HZ},
        {AT_PHDR, auxv->phdr},
        {AT_PHENT, ELFPARSE_PHDR_SIZE},
        {AT_PHNUM, auxv->phnum},
        {AT_BASE, auxv->base},
        {AT_FLAGS, 0},
        {AT_ENTRY, auxv->entry},
        {AT_UID, auxv->uid},
        {AT_EUID, auxv->euid},
        {AT_GID, auxv->gid},
        {AT_EGID, auxv->egid},
        {AT_SECURE, auxv->secure},
        {AT_RANDOM, block.value + extras->random},
        {AT_HWCAP2, 0},
        {AT_EXECFN, block.value + extras->execfn},
        {AT_PLATFORM, block.value + extras->platform},
        {AT_NULL, 0},
        {AT_NULL, 0},
    };
    for (unsigned i = 0; i < AUXV_PAIRS; i++) {
        put(w, pairs[i][0]);
        put(w, pairs[i][1]);
    }
}

/* The area at the start: within the limit, unless more is filled. */
static uint64_t area_size(uint64_t filled, uint64_t limit)
{
    uint64_t usual = STACK_PAGES * PAGE_SIZE, least = filled + PAGE_SIZE;
    uint64_t size = least > usual ? least : usual;
    if (size > page_floor(limit))
        size = page_floor(limit);
    return size < filled ? filled : size;
}

static int map_area(struct aspace *as, virt_t top, uint64_t limit, struct loaded_process *loaded)
{
    uint64_t filled = virt_distance(virt_floor(loaded->stack_pointer), top);
    uint64_t fixed = cmdline_options.stack_pages;
    struct aspace_mapping stack = {
        .size = fixed ? fixed * PAGE_SIZE : area_size(filled, limit),
        .prot = PROT_READ | PROT_WRITE,
        .flags = fixed ? 0 : VMA_GROWSDOWN,
    };
    if (fixed && stack.size < filled)
        return -E2BIG;
    if (planted(PLANT_PAGE_EXTRA))
        stack.size += PAGE_SIZE;
    stack.start = virt_sub(top, stack.size);
    loaded->stack_bottom = stack.start;
    loaded->stack_top = top;
    return aspace_map(as, &stack, false);
}

/* Moves the pages of args to the address space. */
static int install_strings(struct aspace *as, struct exec_args *args, virt_t block)
{
    for (uint64_t i = 0; i * PAGE_SIZE < args->used; i++) {
        int error = aspace_install_page(as, virt_add(block, i * PAGE_SIZE), args->pages[i]);
        if (error)
            return error;
        args->pages[i] = NULL;
    }
    return 0;
}

static int write_vectors(struct aspace *as, const struct exec_args *args, virt_t block,
                         const struct exec_auxv *auxv, const struct extras *extras,
                         struct loaded_process *loaded)
{
    struct writer w = {.as = as, .at = loaded->stack_pointer};
    size_t offset = 0;
    put(&w, args->argc);
    put_pointers(&w, args, args->argc, block, &offset);
    loaded->argv_start = block;
    loaded->argv_end = virt_add(block, offset);
    put_pointers(&w, args, args->envc, block, &offset);
    loaded->envp_end = virt_add(block, offset);
    loaded->auxv_start = virt_add(w.at, w.count * sizeof(uint64_t));
    put_auxv(&w, auxv, block, extras);
    writer_flush(&w);
    loaded->auxv_end = virt_sub(w.at, sizeof(uint64_t[2])); /* without the pair that fills up */
    return w.error;
}

/* A random offset of the vectors within a page, a multiple of 16. With the pages: 30 bits, as on
 * Linux. */
static uint64_t random_shift(const struct exec_args *args)
{
    bool fixed = cmdline_options.noaslr || cmdline_options.stack_pages || args->is_fixed;
    return fixed ? 0 : random_u64() & PAGE_MASK & ~15ull;
}

int exec_build_stack(struct aspace *as, struct exec_args *args, const struct exec_auxv *auxv,
                     struct loaded_process *loaded)
{
    struct extras extras;
    int error = append_extras(args, auxv, &extras);
    if (error)
        return error;
    uint64_t words = 1 + args->argc + 1 + args->envc + 1 + 2ul * AUXV_PAIRS;
    virt_t top = virt(STACK_TOP - exec_random_pages(args, 22));
    virt_t block = virt_sub(top, page_ceil(args->used));
    loaded->stack_pointer =
        virt((block.value - words * sizeof(uint64_t) - random_shift(args)) & ~15ull);
    error = map_area(as, top, args->stack_limit, loaded);
    if (!error)
        error = write_vectors(as, args, block, auxv, &extras, loaded);
    if (!error)
        error = install_strings(as, args, block);
    return error;
}
