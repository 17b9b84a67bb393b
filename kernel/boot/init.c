#include "boot/init.h"

#include <umvfs/attr.h>
#include <umvfs/path.h>
#include <umvfs/tree.h>

#include "arch/features.h"
#include "lib/cmdline.h"
#include "exec/image.h"
#include "dev/fw_cfg.h"
#include "file/devices.h"
#include "file/files.h"
#include "dev/power.h"
#include "file/proc.h"
#include "file/root.h"
#include "file/unnamed.h"
#include "lib/check.h"
#include "lib/errno.h"
#include "dev/print.h"
#include "lib/string.h"
#include "mm/kernel_map.h"
#include "proc/proc.h"
#include "task/process.h"
#include "task/rights.h"

#define EMBEDDED_PATH      "/.embedded-init"
#define DEVICE_ARCHIVE     "opt/umbra/initrd" /* a file of the fw_cfg device */
#define MEMLOCK_DEFAULT    (8ull << 20)       /* bytes that a process locks */
#define SIGPENDING_DEFAULT 4096               /* queued signals of a user */
#define PROCESSES_SHARE                                                                            \
    16 /* kernel stacks of a user's processes may take this part of memory, as on Linux */

static void set_limits(struct process *process)
{
    for (unsigned i = 0; i < RLIMITS; i++)
        process->limits[i] = (struct rlimit){RLIM_INFINITY, RLIM_INFINITY};
    process->limits[RLIMIT_STACK].soft = STACK_LIMIT;
    process->limits[RLIMIT_CORE].soft = 0;
    process->limits[RLIMIT_NICE] = process->limits[RLIMIT_RTPRIO] = (struct rlimit){0, 0};
    process->limits[RLIMIT_MEMLOCK] = (struct rlimit){MEMLOCK_DEFAULT, MEMLOCK_DEFAULT};
    process->limits[RLIMIT_NOFILE] = (struct rlimit){FILES_MAX, FILES_MAX};
    process->limits[RLIMIT_SIGPENDING] = (struct rlimit){SIGPENDING_DEFAULT, SIGPENDING_DEFAULT};
    uint64_t processes = frame_total() / PROCESSES_SHARE / KSTACK_PAGES;
    process->limits[RLIMIT_NPROC] = (struct rlimit){processes, processes};
    uint64_t seconds = cmdline_number("rlimit_cpu", RLIM_INFINITY);
    process->limits[RLIMIT_CPU] = (struct rlimit){seconds, seconds};
}

static int open_console(struct process *process)
{
    struct vfs_view view;
    vfs_view_of(process, false, &view);
    struct files *files = process->files;
    struct file *console = console_file(&view.task);
    if (!console)
        return -ENOMEM;
    for (int fd = 0; fd < 3; fd++) {
        if (fd > 0)
            file_get(console);
        if (files_install(files, console, 0, FILES_MAX, false) != fd)
            return -ENOMEM;
    }
    return 0;
}

/* Returns NULL without freeing anything if memory is short: the machine then stops. */
static struct thread *create_init(void)
{
    struct umvfs_path root;
    struct process *process = process_create();
    struct thread *thread = process ? thread_create(process, process->pid) : NULL;
    if (!thread)
        return NULL;
    umvfs_root(root_vfs, &root);
    process->files = files_create();
    process->fs = fs_context_create(&root);
    process->sighand = sighand_create();
    umvfs_path_put(&root);
    if (!process->files || !process->fs || !process->sighand || open_console(process) != 0)
        return NULL;
    process_set_group(process, process->pid, process->pid);
    process->has_terminal = true;
    set_limits(process);
    process->state = PROCESS_LIVE;
    processes_started = 1;
    return thread;
}

/* Writes the embedded program into the root file system. */
static int make_embedded(const struct umvfs_task *task)
{
    struct umvfs_file file;
    size_t size = (size_t)(embedded_init_end - embedded_init_start);
    if (size == 0)
        return -ENOENT;
    int error =
        umvfs_open(task, NULL, EMBEDDED_PATH, UMVFS_O_WRONLY | UMVFS_O_CREAT, 0755, 0, &file);
    if (error)
        return error;
    int64_t n = umvfs_write(&file, embedded_init_start, size);
    umvfs_close(&file);
    return n == (int64_t)size ? 0 : -ENOMEM;
}

/* Adds Linux's default variables, except those that the command line sets, and then the latter. */
static int add_environment(struct exec_args *args)
{
    static const char *const defaults[] = {"HOME=/", "TERM=vt100", "PATH=/bin:/sbin:/usr/bin"};
    unsigned at = 0;
    int error = 0;
    for (size_t i = 0; i < sizeof(defaults) / sizeof(defaults[0]) && !error; i++) {
        const char *name_end = defaults[i], *word;
        while (*name_end++ != '=')
            ;
        size_t length = (size_t)(name_end - defaults[i]);
        for (at = 0; (word = cmdline_environment(&at)) && strncmp(word, defaults[i], length) != 0;)
            ;
        if (word)
            continue;
        error = exec_args_add(args, defaults[i]);
        args->envc++;
    }
    at = 0;
    for (const char *word; !error && (word = cmdline_environment(&at)); args->envc++)
        error = exec_args_add(args, word);
    return error;
}

/* Adds the strings of a file, each of which ends with a NUL. */
static int add_file(struct umvfs_file *file, struct exec_args *args)
{
    char part[256];
    size_t place, length = 0; /* of the string that is not complete */
    for (;;) {
        int64_t n = umvfs_read(file, part, sizeof(part));
        if (n <= 0)
            return n < 0 ? (int)n : length > 0 ? -EINVAL : 0;
        for (int64_t i = 0; i < n; i++) {
            length = part[i] ? length + 1 : 0;
            args->argc += !part[i];
            if (length >= ARG_STRING_MAX)
                return -E2BIG;
        }
        int error = exec_args_append(args, part, (size_t)n, &place);
        if (error)
            return error;
    }
}

/* The same by its path; the file is then removed. */
static int add_listed(const struct umvfs_task *task, const char *path, struct exec_args *args)
{
    struct umvfs_file file;
    int error = umvfs_open(task, NULL, path, UMVFS_O_RDONLY, 0, 0, &file);
    if (error)
        return error;
    error = add_file(&file, args);
    umvfs_close(&file);
    return error ? error : umvfs_unlink(task, NULL, path);
}

/* Adds the arguments of the command line, then those of the file that init_args names. */
static int add_arguments(const struct umvfs_task *task, struct exec_args *args)
{
    unsigned count;
    const char *const *words = cmdline_init_args(&count);
    const char *list = cmdline_value("init_args");
    for (unsigned i = 0; i < count; i++, args->argc++) {
        int error = exec_args_add(args, words[i]);
        if (error)
            return error;
    }
    int error = list ? add_listed(task, list, args) : 0;
    if (error)
        print("init: its arguments in %s cannot be used", list);
    return error;
}

static int load_with_args(const struct umvfs_task *task, const char *path, struct new_image *out)
{
    struct exec_args *args = exec_args_create();
    int error = args ? exec_args_add(args, path) : -ENOMEM;
    if (!error) {
        args->argc = 1;
        error = add_arguments(task, args);
    }
    if (!error)
        error = add_environment(args);
    if (!error)
        error = exec_load(task, NULL, path, 0, args, out);
    exec_args_free(args);
    return error;
}

static const char *error_text(int error)
{
    switch (-error) {
    case ENOENT:
        return "no such file";
    case EACCES:
        return "not an executable file";
    case ENOEXEC:
        return "not a program this kernel runs";
    case ENOMEM:
        return "not enough memory";
    case E2BIG:
        return "too many arguments, or one that is too long";
    case ELIBBAD:
        return "its interpreter is not one this kernel runs";
    default:
        return "cannot be run";
    }
}

static int try_init(const struct umvfs_task *task, const char *path, struct new_image *out)
{
    int error = load_with_args(task, path, out);
    if (error)
        print("init: %s: %s (error %d)", path, error_text(error), -error);
    else
        print("init: %s", path);
    return error;
}

/* Uses the first of the usual paths that exists, even if it cannot be run. */
static int find_init(const struct umvfs_task *task, struct new_image *out)
{
    static const char *const places[] = {"/init", "/sbin/init"};
    const char *named = cmdline_value("init");
    struct umvfs_stat stat;
    if (named)
        return try_init(task, named, out);
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
        if (umvfs_stat(task, NULL, places[i], 0, &stat) == 0)
            return try_init(task, places[i], out);
    print("init: neither /init nor /sbin/init exists");
    int error = make_embedded(task);
    if (error == -ENOENT) {
        print("init: this kernel was built without an embedded program");
        return error;
    }
    print("init: falling back to the program embedded in the kernel");
    return error ? error : try_init(task, EMBEDDED_PATH, out);
}

/* Runs on the first thread's own kernel stack. The init part of the image is not needed now. */
static void before_init(void)
{
    kernel_map_free_init();
    kernel_map_seal();
    kernel_map_check();
    features_check();
    for (const boot_step *step = boot_steps_start; step < boot_steps_end; step++)
        (*step)();
}

/* Mounts /proc. On Linux the init program of an initramfs has to do that. */
static void mount_proc(const struct umvfs_task *task)
{
    (void)umvfs_mkdir(task, NULL, "/proc", 0555);
    int error = proc_mount(task, NULL, "/proc", 0);
    if (error)
        print("init: /proc cannot be mounted: error %d", -error);
}

static void import_archives(const struct boot_info *info)
{
    uint64_t size = info->initrd.end - info->initrd.start;
    struct fw_cfg_file file = {0};
    (void)fw_cfg_open(DEVICE_ARCHIVE, &file);
    if (size == 0 && file.size == 0) {
        print("initrd: the boot loader passed none (too large for %zu MiB of memory?)",
              frame_total() >> 8);
        return;
    }
    const char *name = size > 0 ? info->initrd_name : DEVICE_ARCHIVE;
    if (root_import(info, name, file.size) == 0)
        print("initrd: %s, %lu KiB unpacked", name, (size + file.size) >> 10);
    else
        print("initrd: %s was not read to its end", name);
}

void run_init(const struct boot_info *info)
{
    struct new_image image;
    struct exec_credentials cred;
    struct vfs_view view;
    import_archives(info);
    root_set_limits();
    struct thread *thread = create_init();
    if (!thread) {
        print("init: not enough memory for a process: %zu KiB of %zu KiB are free",
              frame_count(FRAME_FREE) * 4, frame_total() * 4);
        power_off(VERDICT_NO_INIT, 0);
    }
    vfs_view_of(thread->process, false, &view);
    mount_proc(&view.task);
    /* The path may lead through /proc, whose links are those of the current process. */
    current_thread = thread;
    current_process = thread->process;
    if (find_init(&view.task, &image) != 0)
        power_off(VERDICT_NO_INIT, 0);
    credentials_for_exec(&cred);
    if (exec_commit(&image, &cred) != 0)
        panic("init shares nothing, yet its first program cannot be made");
    thread_prepare(thread, before_init);
    sched_start(thread);
}
