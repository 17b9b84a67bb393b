#include "host/machine.h"

#include <elfparse/base.h>
#include <string.h>
#include <umvfs/attr.h>
#include <umvfs/file.h>
#include <umvfs/tree.h>
#include <umvfs/vfs.h>

#include "arch/tlb.h"
#include "boot/init.h"
#include "dev/fw_cfg.h"
#include "dev/print.h"
#include "dev/random.h"
#include "dev/timer.h"
#include "exec/image.h"
#include "file/files.h"
#include "file/root.h"
#include "file/tty.h"
#include "file/unnamed.h"
#include "host/check.h"
#include "host/cpu.h"
#include "host/fibre.h"
#include "lib/cmdline.h"
#include "lib/errno.h"
#include "proc/before_user.h"
#include "proc/debug_stop.h"
#include "proc/proc.h"
#include "syscall/calls.h"
#include "task/process.h"
#include "trap/trap.h"
#include "tests/elf_image.h"

#define FRAMES_DEFAULT 4096
#define PROGRAMS_MAX   24
#define YIELDS_MAX     100000 /* turns until a killed process must have ended */

static struct machine_options options;
static user_fn *programs[PROGRAMS_MAX];
static unsigned nr_programs;
static struct machine_end end;
static bool failed;

/* The counts before the first object of the kernel. */
static struct ram_counts counts_before;
static size_t objects_before;

static const struct umvfs_cred kernel_cred = {.caps = UMVFS_CAP_ALL};

static void must(const char *what, const char *path, int64_t error)
{
    if (error < 0)
        host_fail("%s %s: %lld", what, path, (long long)error);
}

static void write_file(const struct umvfs_task *task, const char *path, const void *data,
                       size_t size, uint32_t mode)
{
    struct umvfs_file file;
    must("create", path,
         umvfs_open(task, NULL, path, UMVFS_O_WRONLY | UMVFS_O_CREAT, mode, 0, &file));
    if (size > 0)
        must("write", path, umvfs_write(&file, data, size));
    umvfs_close(&file);
}

static uint64_t add_program(user_fn *program)
{
    if (nr_programs == PROGRAMS_MAX)
        host_fail("too many programs");
    programs[nr_programs] = program;
    return USER_ENTRY + 16 * nr_programs++;
}

user_fn *user_program_at(uint64_t entry)
{
    uint64_t number = (entry - USER_ENTRY) / 16;
    return entry >= USER_ENTRY && number < nr_programs ? programs[number] : NULL;
}

static void write_program(const struct umvfs_task *task, const char *path, user_fn *program,
                          uint32_t mode)
{
    static uint8_t file[ELF_SIZE_MAX];
    const struct elf_image image = {
        .type = ELFPARSE_ET_EXEC,
        .machine = 62,
        .phentsize = ELFPARSE_PHDR_SIZE,
        .entry = add_program(program),
        .phoff = ELFPARSE_EHDR_SIZE,
        .size = 0x1800,
        .segment = {{ELFPARSE_PT_LOAD, ELFPARSE_PF_R | ELFPARSE_PF_X, 0, USER_TEXT, 0x1000, 0x1000,
                     0x1000},
                    {ELFPARSE_PT_LOAD, ELFPARSE_PF_R | ELFPARSE_PF_W, 0x1000, USER_DATA, 0x800,
                     USER_DATA_SIZE, 0x1000}},
    };
    write_file(task, path, file, elf_write(&image, file), mode);
}

static void make_devices(const struct umvfs_task *task)
{
    static const struct {
        const char *path;
        unsigned major, minor;
    } devices[] = {{"/dev/null", 1, 3},   {"/dev/zero", 1, 5},  {"/dev/full", 1, 7},
                   {"/dev/random", 1, 8}, {"/dev/tty", 5, 0},   {"/dev/console", 5, 1},
                   {"/dev/ttyS0", 4, 64}, {"/dev/none", 99, 99}};
    must("mkdir", "/dev", umvfs_mkdir(task, NULL, "/dev", 0755));
    must("mkdir", "/tmp", umvfs_mkdir(task, NULL, "/tmp", 0777));
    for (size_t i = 0; i < sizeof(devices) / sizeof(devices[0]); i++)
        must("mknod", devices[i].path,
             umvfs_mknod(task, NULL, devices[i].path, UMVFS_S_IFCHR | 0666,
                         UMVFS_MKDEV(devices[i].major, devices[i].minor)));
}

static void make_files(user_fn *init)
{
    struct umvfs_task task = {.vfs = root_vfs, .cred = &kernel_cred};
    umvfs_root(root_vfs, &task.root);
    task.cwd = task.root;
    make_devices(&task);
    if (init)
        write_program(&task, "/init", init, 0755);
    for (size_t i = 0; i < options.nr_files; i++) {
        const struct machine_file *f = &options.files[i];
        if (f->program)
            write_program(&task, f->path, f->program, f->mode ? f->mode : 0755);
        else
            write_file(&task, f->path, f->data, f->size, f->mode ? f->mode : 0755);
    }
    umvfs_path_put(&task.root);
}

/* Puts the archive into its own frames, as a boot loader does, with zeros up to the page's end. */
static void place_archive(struct boot_info *info)
{
    unsigned order = 0;
    if (!options.archive)
        return;
    while (options.archive_size > PAGE_SIZE << order)
        order++;
    struct frame *frame = frame_alloc_block(FRAME_BOOT, order);
    if (!frame)
        host_fail("no room for the archive");
    memset(frame_ptr(frame), 0, PAGE_SIZE << order);
    memcpy(frame_ptr(frame), options.archive, options.archive_size);
    for (unsigned i = 0; i < 1u << order; i++) { /* single frames, which are freed one by one */
        frame[i].order = 0;
        frame[i].refs = 1;
        if (i * PAGE_SIZE >= options.archive_size)
            frame_put(&frame[i]);
    }
    info->initrd.start = frame_phys(frame).value;
    info->initrd.end = info->initrd.start + page_ceil(options.archive_size);
    info->initrd_name = "archive";
}

static size_t device_read;

bool fw_cfg_open(const char *name, struct fw_cfg_file *out)
{
    (void)name;
    device_read = 0;
    if (!options.device_archive)
        return false;
    *out = (struct fw_cfg_file){(uint32_t)options.device_size, 1};
    return true;
}

int fw_cfg_read(phys_t to, uint32_t size)
{
    if (size > options.device_size - device_read)
        return -EIO;
    memcpy(phys_ptr(to), (const uint8_t *)options.device_archive + device_read, size);
    device_read += size;
    return 0;
}

static user_fn *init_program;

/* kernel_main() of boot/main.c without the steps for a real processor. */
static void boot(void)
{
    static struct boot_info info;
    info = (struct boot_info){.cmdline = options.cmdline ? options.cmdline : ""};
    const char *error = cmdline_init(info.cmdline);
    if (error)
        host_fail("command line: %s", error);
    debug_stop_init();
    syscall_init();
    trap_watch_faults();
    timer_init();
    random_seed(1);
    random_init();
    processes_init();
    sched_init();
    alarms_init();
    oom_init();
    tty_init();
    root_init();
    unnamed_init();
    make_files(init_program);
    place_archive(&info);
    run_init(&info);
}

static void leave_after_failure(void)
{
    host_fail_leave = NULL;
    failed = true;
    fibre_leave();
}

/* Ends all processes but the current one, which is process 1, and waits for them. */
static void end_others(void)
{
    const struct wait_request wanted = {.options = WEXITED | WNOHANG | WALL};
    struct ended_child ended;
    current_thread->signals.blocked = UINT64_MAX;
    LIST_FOR_EACH (process, &process_list, struct process, all)
        if (process != current_process)
            (void)signal_send(process, SIGKILL, NULL);
    if (options.check_calls)
        machine_check(); /* nobody sleeps on */
    for (unsigned i = 0; process_list.next != process_list.prev; i++) {
        while (process_wait(&wanted, &ended) > 0)
            ;
        if (process_list.next == process_list.prev)
            break;
        if (i == YIELDS_MAX)
            host_fail("pid %d was killed and does not end",
                      CONTAINER_OF(process_list.prev, struct process, all)->pid);
        sched_yield();
    }
}

/* Frees the resources of process 1, as process_exit() does for others. */
static void release_init(void)
{
    struct process *process = current_process;
    struct files *files = process->files;
    process->files = NULL;
    files_put(files);
    fs_context_put(process->fs);
    process->fs = NULL;
    if (process->image) { /* its program was found */
        tlb_switch(frame_phys(kernel_pagetable.root));
        aspace_put(process->aspace);
        process->aspace = NULL;
        image_put(process->image);
        process->image = NULL;
    }
    pending_signals_clear(&current_thread->signals.pending, UINT64_MAX);
    pending_signals_clear(&process->pending, UINT64_MAX);
    sighand_put(process->sighand);
    process->sighand = NULL;
    process->state = PROCESS_ZOMBIE;
}

static _Noreturn void machine_off(struct machine_end how)
{
    end = how;
    if (current_process && current_process->pid == 1) {
        machine_call_ends(UINT32_MAX);
        alloc_fail_at(0, false);
        end_others();
        release_init();
    }
    fibre_leave();
}

void power_off(enum verdict verdict, unsigned value)
{
    machine_off((struct machine_end){verdict, value, false});
}

void power_reset(void)
{
    machine_off((struct machine_end){VERDICT_EXIT, 0, true});
}

/* Frees the rest, and compares the counts with those at the start. On the test's stack. */
static void check_leaks(void)
{
    struct process *process = current_process;
    struct thread *thread = current_thread;
    char text[128];
    current_thread = NULL;
    current_process = NULL;
    thread_put(thread);
    process_unlist(process);
    unnamed_stop();
    int error = umvfs_destroy(root_vfs);
    if (error)
        host_fail("somebody holds something of the root file system: %d", error);
    LIST_FOR_EACH (user, &user_list, struct user, all) {
        if (user->memory.pages || user->memory.bytes || user->queued_signals)
            host_fail("user %u is charged with %zu pages, %zu bytes, %u signals", user->uid,
                      user->memory.pages, user->memory.bytes, user->queued_signals);
        user_left(user);
    }
    if (fibres_in_use())
        host_fail("%u kernel stacks are left", fibres_in_use());
    if (alloc_objects() != objects_before)
        host_fail("%zu objects before, %zu after", objects_before, alloc_objects());
    struct ram_counts counts = ram_counts();
    if (*ram_difference(&counts_before, &counts, text, sizeof(text)))
        host_fail("%s", text);
    frame_check();
}

struct machine_end machine_run(user_fn *init, const struct machine_options *given)
{
    options = given ? *given : (struct machine_options){0};
    init_program = init;
    nr_programs = 0;
    failed = false;
    current_thread = NULL;
    current_process = NULL;
    frame_floor = 0;
    fibres_start();
    user_start();
    console_forget();
    ram_start(options.layout, options.frames ? options.frames : FRAMES_DEFAULT);
    counts_before = ram_counts();
    objects_before = alloc_objects();
    alloc_quarantine(true);
    machine_checks_start(&options);
    host_fail_leave = leave_after_failure;
    fibre_enter(boot);
    host_fail_leave = NULL;
    machine_checks_stop();
    if (failed)
        host_fail_end();
    if (current_process && current_process->pid == 1 && current_process->state == PROCESS_ZOMBIE)
        check_leaks();
    return end;
}
