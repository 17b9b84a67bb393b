/* The tree of /proc. libvfs's pointer to a node is a number that encodes the kind of the node, the
 * process and, for a descriptor, its number. No node is stored. */
#include "file/proc.h"

#include <umvfs/mount.h>

#include "dev/timer.h"
#include "file/proc_files.h"
#include "lib/errno.h"
#include "dev/print.h"
#include "lib/string.h"
#include "exec/image.h"
#include "file/files.h"
#include "task/process.h"
#include "task/rights.h"

enum kind {
    KIND_ROOT = 1,
    KIND_SELF,
    KIND_SYSTEM_FILE, /* index in system_files */
    KIND_SYS,         /* /proc/sys */
    KIND_SYS_KERNEL,
    KIND_KERNEL_FILE, /* index in kernel_files */
    KIND_PROCESS,
    KIND_PROCESS_FILE, /* index in process_files */
    KIND_EXE,
    KIND_CWD,
    KIND_PROCESS_ROOT,
    KIND_FD_DIRECTORY,
    KIND_FD,
};

struct node {
    enum kind kind;
    int pid;
    unsigned index; /* of a file, or a descriptor */
};

struct named_file {
    const char *name;
    proc_file_fn write;
    bool is_private; /* not for every user: rights_to_inspect() */
    uint32_t mode;   /* 0: 0444 */
};

static const struct named_file system_files[] = {
    {.name = "meminfo", .write = proc_meminfo},
    {.name = "uptime", .write = proc_uptime},
    {.name = "mounts", .write = proc_mounts},
    {.name = "version", .write = proc_version},
    {.name = "umbra-frames", .write = proc_frames},
    {.name = "umbra-users", .write = proc_users},
    {.name = "umbra-bound", .write = proc_bound},
    {.name = "stat", .write = proc_system_stat},
    {.name = "loadavg", .write = proc_loadavg},
    {.name = "cpuinfo", .write = proc_cpuinfo},
    {.name = "filesystems", .write = proc_filesystems},
};
/* Of /proc/sys/kernel. */
static const struct named_file kernel_files[] = {
    {.name = "pid_max", .write = proc_pid_max},
    {.name = "hostname", .write = proc_hostname},
    {.name = "osrelease", .write = proc_osrelease},
};
static const struct named_file process_files[] = {
    {.name = "maps", .write = proc_maps, .is_private = true},
    {.name = "environ", .write = proc_environ, .is_private = true, .mode = 0400},
    {.name = "stat", .write = proc_stat},
    {.name = "status", .write = proc_status},
    {.name = "cmdline", .write = proc_cmdline},
    {.name = "comm", .write = proc_comm},
    {.name = "mounts", .write = proc_mounts},
};
static const struct {
    const char *name;
    enum kind kind;
} process_entries[] = {
    {"exe", KIND_EXE}, {"cwd", KIND_CWD}, {"root", KIND_PROCESS_ROOT}, {"fd", KIND_FD_DIRECTORY}};

#define NR_SYSTEM_FILES  (sizeof(system_files) / sizeof(system_files[0]))
#define NR_KERNEL_FILES  (sizeof(kernel_files) / sizeof(kernel_files[0]))
#define NR_PROCESS_FILES (sizeof(process_files) / sizeof(process_files[0]))
#define NR_ENTRIES       (sizeof(process_entries) / sizeof(process_entries[0]))
#define FIRST_COOKIE     3 /* 1 and 2 are "." and ".." */

static void *pack(enum kind kind, int pid, unsigned index)
{
    return (void *)((uint64_t)kind | (uint64_t)pid << 8 | (uint64_t)index << 32);
}

static struct node unpack(const void *pointer)
{
    uint64_t v = (uint64_t)pointer;
    return (struct node){(enum kind)(v & 0xff), (int)(v >> 8 & 0xffffff), (unsigned)(v >> 32)};
}

static uint32_t mode_of(struct node node)
{
    switch (node.kind) {
    case KIND_ROOT:
    case KIND_PROCESS:
    case KIND_SYS:
    case KIND_SYS_KERNEL:
        return UMVFS_S_IFDIR | 0555;
    case KIND_FD_DIRECTORY:
        return UMVFS_S_IFDIR | 0500;
    case KIND_SYSTEM_FILE:
    case KIND_KERNEL_FILE:
        return UMVFS_S_IFREG | 0444;
    case KIND_PROCESS_FILE:
        return UMVFS_S_IFREG |
               (process_files[node.index].mode ? process_files[node.index].mode : 0444);
    default:
        return UMVFS_S_IFLNK | 0777;
    }
}

/* The process's user; user 0 for an undumpable process and for a zombie. */
static void owner_of(struct node node, const struct process *process, uint32_t *uid, uint32_t *gid)
{
    *uid = *gid = 0;
    if (!process || ((process->undumpable || !process->aspace) && node.kind != KIND_PROCESS))
        return;
    *uid = process->cred.user.effective;
    *gid = process->cred.group.effective;
}

static int get_attributes(void *fs, void *pointer, struct umvfs_stat *out)
{
    LENDING();
    struct node node = unpack(pointer);
    const struct process *process = process_peek(node.pid);
    int64_t ns = timer_realtime_ns();
    struct umvfs_time now = {ns / 1000000000, (uint32_t)(ns % 1000000000)};
    (void)fs;
    *out = (struct umvfs_stat){.ino = (uint64_t)pointer,
                               .mode = mode_of(node),
                               .nlink = 1,
                               .atime = now,
                               .mtime = now,
                               .ctime = now};
    owner_of(node, process, &out->uid, &out->gid);
    return 0;
}

/* Checks mode and owner. A process may always read its own descriptors. */
static int permission(void *fs, void *pointer, const struct umvfs_cred *cred, uint32_t mask)
{
    LENDING();
    struct node node = unpack(pointer);
    uint32_t uid, gid, mode = mode_of(node);
    (void)fs;
    if (node.kind == KIND_FD_DIRECTORY && node.pid == current_process->pid)
        return 0;
    owner_of(node, process_peek(node.pid), &uid, &gid);
    bool in_group = gid == cred->gid;
    for (uint32_t i = 0; i < cred->group_count && !in_group; i++)
        in_group = cred->groups[i] == gid;
    mode >>= uid == cred->uid ? 6 : in_group ? 3 : 0;
    if (!(mask & ~mode & 7))
        return 0;
    bool is_directory = UMVFS_S_ISDIR(mode_of(node));
    bool overrides = (cred->caps & UMVFS_CAP_DAC_OVERRIDE) != 0;
    return overrides && (is_directory || !(mask & UMVFS_MAY_EXEC)) ? 0 : -EACCES;
}

/* A decimal number without leading zeros, or -1. */
static int number_of(const char *name, size_t length)
{
    int value = 0;
    if (length == 0 || length > 7 || (name[0] == '0' && length > 1))
        return -1;
    for (size_t i = 0; i < length; i++) {
        if (name[i] < '0' || name[i] > '9')
            return -1;
        value = value * 10 + (name[i] - '0');
    }
    return value;
}

static bool same(const char *name, size_t length, const char *wanted)
{
    return strlen(wanted) == length && strncmp(name, wanted, length) == 0;
}

/* first: the node of the first file. */
static bool lookup_file(const struct named_file *files, unsigned count, void *first,
                        const char *name, size_t length, void **out)
{
    struct node node = unpack(first);
    for (unsigned i = 0; i < count; i++) {
        if (same(name, length, files[i].name)) {
            *out = pack(node.kind, node.pid, i);
            return true;
        }
    }
    return false;
}

static int lookup_root(const char *name, size_t length, void **out)
{
    int pid = number_of(name, length);
    if (lookup_file(system_files, NR_SYSTEM_FILES, pack(KIND_SYSTEM_FILE, 0, 0), name, length, out))
        return 0;
    if (same(name, length, "sys"))
        *out = pack(KIND_SYS, 0, 0);
    else if (same(name, length, "self"))
        *out = pack(KIND_SELF, 0, 0);
    else if (pid > 0 && process_peek(pid))
        *out = pack(KIND_PROCESS, pid, 0);
    else
        return -ENOENT;
    return 0;
}

static int lookup_process(int pid, const char *name, size_t length, void **out)
{
    if (!process_peek(pid))
        return -ENOENT;
    if (lookup_file(process_files, NR_PROCESS_FILES, pack(KIND_PROCESS_FILE, pid, 0), name, length,
                    out))
        return 0;
    for (unsigned i = 0; i < NR_ENTRIES; i++) {
        if (same(name, length, process_entries[i].name)) {
            *out = pack(process_entries[i].kind, pid, 0);
            return 0;
        }
    }
    return -ENOENT;
}

/* Takes no reference. */
static struct file *descriptor(int pid, unsigned fd)
{
    const struct process *process = process_peek(pid);
    return process && process->files ? files_peek(process->files, fd) : NULL;
}

static int lookup(void *fs, void *dir, const char *name, size_t length, void **out)
{
    struct node node = unpack(dir);
    int fd = number_of(name, length);
    (void)fs;
    switch (node.kind) {
    case KIND_ROOT:
        return lookup_root(name, length, out);
    case KIND_SYS:
        *out = pack(KIND_SYS_KERNEL, 0, 0);
        return same(name, length, "kernel") ? 0 : -ENOENT;
    case KIND_SYS_KERNEL:
        return lookup_file(kernel_files, NR_KERNEL_FILES, pack(KIND_KERNEL_FILE, 0, 0), name,
                           length, out)
                   ? 0
                   : -ENOENT;
    case KIND_PROCESS:
        return lookup_process(node.pid, name, length, out);
    case KIND_FD_DIRECTORY:
        if (fd < 0 || !descriptor(node.pid, (unsigned)fd))
            return -ENOENT;
        *out = pack(KIND_FD, node.pid, (unsigned)fd);
        return 0;
    default:
        return -ENOTDIR;
    }
}

/* Emits one entry at its cookie, unless the reader is past it. Returns false to stop. */
static bool emit_entry(uint64_t *cookie, uint64_t position, umvfs_emit emit, void *ctx,
                       const char *name, void *node)
{
    if (*cookie > position)
        return true;
    if (emit(ctx, name, strlen(name), (uint64_t)node, UMVFS_DT_OF(mode_of(unpack(node))),
             position + 1) != 0)
        return false;
    *cookie = position + 1;
    return true;
}

static int read_root(uint64_t *cookie, umvfs_emit emit, void *ctx)
{
    char name[16];
    uint64_t position = FIRST_COOKIE;
    for (unsigned i = 0; i < NR_SYSTEM_FILES; i++, position++)
        if (!emit_entry(cookie, position, emit, ctx, system_files[i].name,
                        pack(KIND_SYSTEM_FILE, 0, i)))
            return 0;
    if (!emit_entry(cookie, position++, emit, ctx, "sys", pack(KIND_SYS, 0, 0)) ||
        !emit_entry(cookie, position, emit, ctx, "self", pack(KIND_SELF, 0, 0)))
        return 0;
    /* The position of a process is its pid, so that it stays the same when others start and end. */
    for (int pid = 1; pid < PID_MAX; pid++) {
        uint64_t place = position + (uint64_t)pid;
        if (*cookie > place || !process_peek(pid))
            continue;
        format(name, sizeof(name), "%d", pid);
        if (!emit_entry(cookie, place, emit, ctx, name, pack(KIND_PROCESS, pid, 0)))
            return 0;
    }
    return 0;
}

static int read_kernel(uint64_t *cookie, umvfs_emit emit, void *ctx)
{
    uint64_t position = FIRST_COOKIE;
    for (unsigned i = 0; i < NR_KERNEL_FILES; i++, position++)
        if (!emit_entry(cookie, position, emit, ctx, kernel_files[i].name,
                        pack(KIND_KERNEL_FILE, 0, i)))
            return 0;
    return 0;
}

static int read_process(int pid, uint64_t *cookie, umvfs_emit emit, void *ctx)
{
    uint64_t position = FIRST_COOKIE;
    for (unsigned i = 0; i < NR_PROCESS_FILES; i++, position++)
        if (!emit_entry(cookie, position, emit, ctx, process_files[i].name,
                        pack(KIND_PROCESS_FILE, pid, i)))
            return 0;
    for (unsigned i = 0; i < NR_ENTRIES; i++, position++)
        if (!emit_entry(cookie, position, emit, ctx, process_entries[i].name,
                        pack(process_entries[i].kind, pid, 0)))
            return 0;
    return 0;
}

static int read_descriptors(int pid, uint64_t *cookie, umvfs_emit emit, void *ctx)
{
    char name[16];
    for (unsigned fd = 0; fd < FILES_MAX; fd++) {
        if (!descriptor(pid, fd))
            continue;
        format(name, sizeof(name), "%u", fd);
        if (!emit_entry(cookie, FIRST_COOKIE + fd, emit, ctx, name,
                        pack(KIND_FD, pid, (unsigned)fd)))
            return 0;
    }
    return 0;
}

static int read_directory(void *fs, void *dir, uint64_t *cookie, umvfs_emit emit, void *ctx)
{
    struct node node = unpack(dir);
    (void)fs;
    switch (node.kind) {
    case KIND_ROOT:
        return read_root(cookie, emit, ctx);
    case KIND_SYS:
        emit_entry(cookie, FIRST_COOKIE, emit, ctx, "kernel", pack(KIND_SYS_KERNEL, 0, 0));
        return 0;
    case KIND_SYS_KERNEL:
        return read_kernel(cookie, emit, ctx);
    case KIND_PROCESS:
        return read_process(node.pid, cookie, emit, ctx);
    case KIND_FD_DIRECTORY:
        return read_descriptors(node.pid, cookie, emit, ctx);
    default:
        return -ENOTDIR;
    }
}

/* NULL: it is not open. */
static const struct umvfs_path *place_in(const struct process *process, struct node node)
{
    switch (node.kind) {
    case KIND_EXE:
        return &process->image->program.path;
    case KIND_CWD:
        return &process->fs->cwd;
    case KIND_PROCESS_ROOT:
        return &process->fs->root;
    default: {
        const struct file *file = descriptor(node.pid, node.index);
        return file && file->vfs.inode ? &file->vfs.path : NULL;
    }
    }
}

/* The target of a magic link, without a reference. -EACCES; -ENOENT: it has no path. */
static int place_of(struct node node, const struct umvfs_path **out)
{
    const struct process *process = process_peek(node.pid);
    if (process && !rights_to_inspect(process))
        return -EACCES;
    *out = process && process->fs && process->image ? place_in(process, node) : NULL;
    return *out ? 0 : -ENOENT;
}

static int follow(void *fs, void *pointer, const struct umvfs_task *task, struct umvfs_path *out)
{
    LENDING();
    struct node node = unpack(pointer);
    (void)fs, (void)task;
    if (node.kind == KIND_SELF)
        return -ENOSYS;
    const struct umvfs_path *place;
    int error = place_of(node, &place);
    if (!error)
        *out = umvfs_path_get(place);
    return error;
}

static int read_link(void *fs, void *pointer, char *buf, size_t size)
{
    LENDING();
    static char name[UMVFS_PATH_MAX];
    struct node node = unpack(pointer);
    const struct umvfs_path *place;
    int length;
    (void)fs;
    if (node.kind == KIND_SELF)
        length = (int)format(name, sizeof(name), "%d", current_process->pid);
    else if ((length = place_of(node, &place)) == 0)
        length = proc_place_name(place, name, sizeof(name));
    if (length < 0)
        return length;
    size_t n = (size_t)length < size ? (size_t)length : size;
    memcpy(buf, name, n);
    return (int)n;
}

static int check_open(struct node node, const struct process *process)
{
    if (!process_files[node.index].is_private)
        return 0;
    if (!process->aspace) /* a zombie has no memory */
        return -ESRCH;
    return rights_to_inspect(process) ? 0 : -EACCES;
}

/* An open file holds a reference on its process, whose pid may be reused meanwhile. */
static int open_node(void *fs, void *pointer, struct umvfs_file *file)
{
    struct node node = unpack(pointer);
    (void)fs;
    if (node.kind != KIND_PROCESS_FILE)
        return 0;
    LENDING();
    struct process *process = process_peek(node.pid);
    if (!process)
        return -ENOENT;
    int error = check_open(node, process);
    if (error)
        return error;
    process_get(process);
    file->private_data = process;
    return 0;
}

static void release_node(void *fs, void *pointer, struct umvfs_file *file)
{
    (void)fs, (void)pointer;
    if (file->private_data)
        process_put(file->private_data);
}

/* Checks the rights again at each read, since the credentials of the process may have changed. */
static int check_read(struct node node, const struct process *process)
{
    if (process->state == PROCESS_REAPED)
        return -ESRCH;
    return process_files[node.index].is_private && !rights_to_inspect(process) ? -EACCES : 0;
}

#define READ_MAX PAGE_SIZE /* the most that one read gives */

static int64_t read_file(void *fs, void *pointer, struct umvfs_file *file, uint64_t offset,
                         void *buf, size_t size, const struct umvfs_copy *copy)
{
    static char buffer[READ_MAX]; /* no sleep between filling and copying it */
    struct node node = unpack(pointer);
    struct process *process = file->private_data;
    int error = process ? check_read(node, process) : 0;
    (void)fs;
    if (error)
        return error;
    if (size > READ_MAX)
        size = READ_MAX;
    struct text text = {.skip = offset, .buf = buffer, .size = size};
    if (process)
        process_files[node.index].write(&text, process);
    else if (node.kind == KIND_KERNEL_FILE)
        kernel_files[node.index].write(&text, NULL);
    else
        system_files[node.index].write(&text, NULL);
    if (text.unfinished && text.used == 0) { /* the call is made again, from ring 3 on */
        current_thread->work |= WORK_SIGNAL;
        return -ERESTARTSYS;
    }
    size_t copied = copy->copy(copy->ctx, buf, text.buf, text.used);
    return copied > 0 || text.used == 0 ? (int64_t)copied : -EFAULT;
}

static const struct umvfs_fs_ops proc_ops = {
    .getattr = get_attributes,
    .lookup = lookup,
    .readdir = read_directory,
    .readlink = read_link,
    .follow = follow,
    .permission = permission,
    .open = open_node,
    .release = release_node,
    .read = read_file,
};

int proc_mount(const struct umvfs_task *task, const struct umvfs_path *at, const char *path,
               unsigned flags)
{
    return umvfs_mount(task, at, path, &proc_ops, NULL, pack(KIND_ROOT, 0, 0), flags);
}
