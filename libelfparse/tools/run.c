/*
 * elfparse-run PROGRAM [ARGUMENT...]: starts a program for x86-64 Linux as a dynamic linker does,
 * with libraries from the folder of the program. It is for programs that do without the C library,
 * which does not work with a dynamic linker besides its own. Status 127: what failed is printed.
 *
 * From the moment on when the thread pointer is the program's, this program may use nothing of its
 * own C library.
 */
#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <elfparse/elfparse.h>
#include <elfparse/link.h>

#define OBJECTS     64
#define RANGES      64
#define STACK_SIZE  (UINT64_C(1) << 20)
#define ARCH_SET_FS 0x1002

/* What the thread pointer points to: the words that the psABI and the C library have there. */
struct control_block {
    void *self;
    void **dtv; /* of module n: dtv[2 * n] */
    uint64_t room[14];
};

/* The files of the objects, by their numbers. */
struct image {
    char path[4096];
    struct elfparse_plan plan;
    struct elfparse_range ranges[RANGES];
    uint8_t scratch[ELFPARSE_SCRATCH_SIZE(128, 4096)];
};

static struct image images[OBJECTS];
static struct elfparse_object objects[OBJECTS];
static struct elfparse_link link_state;
static struct elfparse_debug debug;
static struct elfparse_calls finalisers;

_Noreturn static void die(const char *what, const char *name)
{
    fprintf(stderr, "elfparse-run: %s: %s\n", name, what);
    exit(127);
}

/* Reserves addresses for the plan's span and applies the bias. */
static void reserve(struct image *image, const struct elfparse_storage *storage)
{
    struct elfparse_plan *plan = &image->plan;
    size_t size = plan->end - plan->start, more = plan->align - ELFPARSE_PAGE_SIZE;
    int fixed = plan->type == ELFPARSE_ET_EXEC;
    uint8_t *at =
        mmap(fixed ? (void *)(uintptr_t)plan->start : NULL, size + (fixed ? 0 : more), PROT_NONE,
             MAP_PRIVATE | MAP_ANONYMOUS | (fixed ? MAP_FIXED_NOREPLACE : 0), -1, 0);
    uint64_t bias;

    if (at == MAP_FAILED)
        die("there is no room for it", image->path);
    bias = ((uintptr_t)at - plan->start + plan->align - 1) & ~(plan->align - 1);
    if (elfparse_plan_apply_bias(plan, storage, &elfparse_policy_linux_compat, fixed ? 0 : bias,
                                 NULL) != 0)
        die("there is no room for it", image->path);
}

/* Fills the ranges. Writable ones stay so until all is relocated. */
static void fill_ranges(const struct image *image, const uint8_t *file)
{
    for (uint32_t i = 0; i < image->plan.range_count; i++) {
        const struct elfparse_range *range = &image->ranges[i];
        void *at = (void *)(uintptr_t)range->vaddr;
        int prot = ((range->prot & ELFPARSE_PF_R) != 0 ? PROT_READ : 0) |
                   ((range->prot & ELFPARSE_PF_W) != 0 ? PROT_WRITE : 0) |
                   ((range->prot & ELFPARSE_PF_X) != 0 ? PROT_EXEC : 0);

        if (mprotect(at, range->size, PROT_READ | PROT_WRITE) != 0)
            die("its pages cannot be written", image->path);
        memcpy(at, file + range->offset, range->file_bytes);
        if (mprotect(at, range->size, prot) != 0)
            die("its pages cannot be protected", image->path);
    }
}

/* Loads the file at image->path. Returns 0, or -1 where there is none. */
static int load_file(struct image *image, struct elfparse_object *object)
{
    struct elfparse_storage storage = {image->scratch, sizeof(image->scratch), image->ranges,
                                       RANGES};
    struct elfparse_reader reader;
    struct elfparse_error error;
    struct stat about;
    char text[ELFPARSE_ERROR_MAX];
    int file = open(image->path, O_RDONLY | O_CLOEXEC);
    uint8_t *data;

    if (file < 0 || fstat(file, &about) != 0)
        return -1;
    data = mmap(NULL, (size_t)about.st_size, PROT_READ, MAP_PRIVATE, file, 0);
    close(file);
    if (data == MAP_FAILED)
        return -1;
    reader = elfparse_reader_memory(data, (size_t)about.st_size);
    if (elfparse_plan_make(&reader, &elfparse_policy_linux_compat, &storage, &image->plan,
                           &error) != 0) {
        elfparse_error_format(&error, text, sizeof(text));
        die(text, image->path);
    }
    reserve(image, &storage);
    fill_ranges(image, data);
    munmap(data, (size_t)about.st_size);
    object->name = image->path;
    object->plan = &image->plan;
    object->memory = (void *)(uintptr_t)image->plan.start;
    return 0;
}

/* The callback that finds a library: in the program's folder. */
static int load_library(void *ctx, const struct elfparse_object *by, const char *needed,
                        struct elfparse_object *object)
{
    struct image *image = &images[link_state.count];
    const char *slash = strrchr(images[0].path, '/');
    int folder = slash != NULL ? (int)(slash - images[0].path) : 1;

    (void)ctx;
    (void)by;
    if (snprintf(image->path, sizeof(image->path), "%.*s/%s", folder,
                 slash != NULL ? images[0].path : ".", needed) >= (int)sizeof(image->path))
        return -1;
    return load_file(image, object);
}

static int call_resolver(void *ctx, uint64_t place, uint64_t resolver, uint64_t *value)
{
    (void)ctx;
    (void)place;
    *value = ((uint64_t (*)(void))(uintptr_t)resolver)();
    return 0;
}

/* What descriptors of thread-local storage call: rax is the descriptor's address. */
void tls_descriptor(void);
__asm__(".text\n.type tls_descriptor, @function\n"
        "tls_descriptor: mov 8(%rax), %rax\n ret\n");

/* Where a debugger has its breakpoint. */
__attribute__((noinline)) static void tell_debugger(void)
{
    __asm__ volatile("");
}

static void link_program(const char *program)
{
    struct elfparse_link_error error;
    char text[ELFPARSE_LINK_ERROR_MAX];

    if (strlen(program) >= sizeof(images[0].path))
        die("the path is too long", program);
    strcpy(images[0].path, program);
    if (load_file(&images[0], &objects[0]) != 0)
        die("cannot be opened", program);
    link_state.machine = ELFPARSE_EM_X86_64;
    link_state.objects = objects;
    link_state.capacity = OBJECTS;
    link_state.count = 1;
    link_state.load = load_library;
    link_state.ifunc = call_resolver;
    link_state.tls_descriptor = (uintptr_t)tls_descriptor;
    if (elfparse_link_load(&link_state, &error) == 0 &&
        elfparse_link_relocate(&link_state, &error) == 0)
        return;
    elfparse_link_error_format(&error, text, sizeof(text));
    die(text, program);
}

static void protect_relro(void)
{
    struct elfparse_area area;

    for (uint32_t i = 0; i < link_state.count; i++) {
        if (elfparse_link_relro(&objects[i], &area) &&
            mprotect((void *)(uintptr_t)area.vaddr, area.size, PROT_READ) != 0)
            die("its pages cannot be protected", objects[i].name);
    }
}

/* The first thread's storage; returns its thread pointer. */
static struct control_block *make_tls(void)
{
    static void *dtv[2 * OBJECTS + 2];
    uint64_t align = link_state.tls_align < 64 ? 64 : link_state.tls_align;
    uint64_t room = (link_state.tls_size + align - 1) & ~(align - 1);
    uint8_t *block =
        aligned_alloc(align, room + ((sizeof(struct control_block) + align - 1) & ~(align - 1)));
    struct control_block *control;

    if (block == NULL)
        die("no memory", "thread-local storage");
    control = (struct control_block *)(void *)(block + room);
    memset(control, 0, sizeof(*control));
    elfparse_link_fill_tls(&link_state, block + room - link_state.tls_size);
    for (uint32_t i = 0; i < link_state.count; i++) {
        if (objects[i].tls_module != 0)
            dtv[2 * objects[i].tls_module] = (uint8_t *)control - objects[i].tls_offset;
    }
    control->self = control;
    control->dtv = dtv;
    return control;
}

/* The stack of the program: argc, argv, no environment, auxv. Returns its lowest address. */
static uint64_t *make_stack(int argc, char **argv)
{
    const Elf64_auxv_t auxv[] = {
        {AT_PHDR, {images[0].plan.phdr_vaddr}}, {AT_PHNUM, {images[0].plan.phnum}},
        {AT_PHENT, {ELFPARSE_PHDR_SIZE}},       {AT_PAGESZ, {ELFPARSE_PAGE_SIZE}},
        {AT_ENTRY, {images[0].plan.entry}},     {AT_NULL, {0}}};
    size_t words = ((size_t)argc + 3 + sizeof(auxv) / 8 + 1) & ~(size_t)1;
    uint8_t *stack =
        mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    uint64_t *at;

    if (stack == MAP_FAILED || words * 8 > STACK_SIZE / 2)
        die("no memory", "the stack");
    at = (uint64_t *)(void *)(stack + STACK_SIZE) - words;
    at[0] = (uint64_t)argc;
    for (int i = 0; i < argc; i++)
        at[1 + i] = (uintptr_t)argv[i];
    memcpy(at + argc + 3, auxv, sizeof(auxv));
    return at;
}

/* What the program calls at its end. */
static void run_finalisers(void)
{
    uint64_t address;

    while (elfparse_link_next_call(&finalisers, &address))
        ((void (*)(void))(uintptr_t)address)();
}

/* Nothing of the C library from here on: the thread pointer is the program's. */
_Noreturn static void enter(struct control_block *control, uint64_t *stack)
{
    struct elfparse_calls initialisers;
    uint64_t address;
    long result;

    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(SYS_arch_prctl), "D"(ARCH_SET_FS), "S"(control)
                     : "rcx", "r11", "memory");
    elfparse_link_calls_open(&link_state, ELFPARSE_CALLS_INIT, &initialisers);
    elfparse_link_calls_open(&link_state, ELFPARSE_CALLS_FINI, &finalisers);
    while (elfparse_link_next_call(&initialisers, &address))
        ((void (*)(int, uint64_t *, uint64_t *))(uintptr_t)address)((int)stack[0], stack + 1,
                                                                    stack + 2 + stack[0]);
    __asm__ volatile("mov %0, %%rsp\n xor %%ebp, %%ebp\n jmp *%1"
                     :
                     : "r"(stack), "r"(images[0].plan.entry), "d"(run_finalisers)
                     : "memory");
    __builtin_unreachable();
}

int main(int argc, char **argv)
{
    struct control_block *control;
    uint64_t *stack;

    if (argc < 2)
        die("no program named", "usage: elfparse-run PROGRAM [ARGUMENT...]");
    link_program(argv[1]);
    debug.breakpoint = (uintptr_t)tell_debugger;
    elfparse_link_publish(&link_state, ELFPARSE_DEBUG_CONSISTENT, &debug);
    tell_debugger();
    protect_relro();
    control = make_tls();
    stack = make_stack(argc - 1, argv + 1);
    enter(control, stack);
}
