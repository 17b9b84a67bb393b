/* The tree of /proc, whose names are in a table (proc_table.c). libvfs's pointer to a node is a number
 * that encodes the kind of the node, the process, and the index in the table or the number of a
 * descriptor. No node is stored. A node keeps to its process: another one that gets the pid later has
 * other nodes. */
#include "file/proc.h"

#include <umvfs/mount.h>

#include "dev/timer.h"
#include "lib/errno.h"
#include "dev/print.h"
#include "lib/string.h"
#include "exec/image.h"
#include "file/files.h"
#include "task/process.h"
#include "task/rights.h"

#define FIRST_COOKIE 3 /* 1 and 2 are "." and ".." */

struct node {
    enum proc_kind kind;
    bool of_thread;   /* it is in /proc/PID/task/TID */
    uint64_t process; /* its key; 0: none */
    unsigned index;   /* in the table, or a descriptor */
};

/* The bits of a node. The key has the rest: 2^47 processes. */
#define KIND_MASK   0x1fu
#define OF_THREAD   0x20u
#define INDEX_SHIFT 6
#define INDEX_MASK  0x7ffu
#define KEY_SHIFT   17
_Static_assert(FILES_MAX <= INDEX_MASK + 1, "a node has room for each descriptor");

static void *pack(enum proc_kind kind, bool of_thread, uint64_t process, unsigned index)
{
    uint64_t first = (uint64_t)kind | (of_thread ? OF_THREAD : 0);
    return (void *)(first | (uint64_t)index << INDEX_SHIFT | process << KEY_SHIFT);
}

static struct node unpack(const void *pointer)
{
    uint64_t v = (uint64_t)pointer;
    return (struct node){(enum proc_kind)(v & KIND_MASK), v & OF_THREAD, v >> KEY_SHIFT,
                         (unsigned)(v >> INDEX_SHIFT & INDEX_MASK)};
}

/* Lends it. NULL: it was reaped, or the node is of the system. */
static struct process *process_of(struct node node)
{
    return process_peek_key(node.process);
}

static const struct proc_entry *entry_of(struct node node)
{
    return &proc_table[node.index];
}

static uint32_t mode_of(struct node node)
{
    switch (node.kind) {
    case PROC_FOLDER:
    case PROC_TASKS:
    case PROC_PROCESS:
    case PROC_INFOS:
        return UMVFS_S_IFDIR | 0555;
    case PROC_DESCRIPTORS:
        return UMVFS_S_IFDIR | 0500;
    case PROC_INFO:
        return UMVFS_S_IFREG | 0444;
    case PROC_FILE:
        return UMVFS_S_IFREG | (entry_of(node)->mode ? entry_of(node)->mode : 0444);
    default:
        return UMVFS_S_IFLNK | 0777;
    }
}

/* The process's user; user 0 for an undumpable process and for a zombie. */
static void owner_of(struct node node, const struct process *process, uint32_t *uid, uint32_t *gid)
{
    *uid = *gid = 0;
    bool is_open = node.kind == PROC_PROCESS || node.kind == PROC_TASKS;
    if (!process || ((process->undumpable || !process->aspace) && !is_open))
        return;
    *uid = process->cred.user.effective;
    *gid = process->cred.group.effective;
}

/* Takes no reference. */
static struct file *descriptor(struct node node, unsigned fd)
{
    const struct process *process = process_of(node);
    return process && process->files ? files_peek(process->files, fd) : NULL;
}

#define DESCRIPTOR_SIZE 64 /* of a link in /proc/PID/fd, as on Linux */

/* The permissions of a link in /proc/PID/fd say what the file was opened for. */
static uint32_t mode_of_descriptor(const struct file *file)
{
    bool is_open = file && !(file->vfs.flags & UMVFS_O_PATH);
    return UMVFS_S_IFLNK | (is_open && file_may_read(file) ? 0500 : 0) |
           (is_open && file_may_write(file) ? 0300 : 0);
}

static int get_attributes(void *fs, void *pointer, struct umvfs_stat *out)
{
    LENDING();
    struct node node = unpack(pointer);
    const struct process *process = process_of(node);
    int64_t ns = timer_realtime_ns();
    struct umvfs_time now = {ns / 1000000000, (uint32_t)(ns % 1000000000)};
    (void)fs;
    if (node.kind == PROC_DESCRIPTORS &&
        !process) /* as Linux since 6.2, which counts descriptors */
        return -ENOENT;
    *out = (struct umvfs_stat){.ino = (uint64_t)pointer,
                               .mode = mode_of(node),
                               .nlink = 1,
                               .atime = now,
                               .mtime = now,
                               .ctime = now};
    if (node.kind == PROC_DESCRIPTOR) {
        out->mode = mode_of_descriptor(descriptor(node, node.index));
        out->size = DESCRIPTOR_SIZE;
    }
    owner_of(node, process, &out->uid, &out->gid);
    return 0;
}

/* A folder of a process that was reaped, for which Linux asks for the process in its check of permissions. */
static bool has_gone(struct node node)
{
    bool is_asked = node.kind == PROC_TASKS || node.kind == PROC_INFOS ||
                    (node.kind == PROC_PROCESS && !node.of_thread);
    return is_asked && !process_of(node);
}

/* Checks mode and owner. A process may always read its own descriptors. */
static int permission(void *fs, void *pointer, const struct umvfs_cred *cred, uint32_t mask)
{
    LENDING();
    struct node node = unpack(pointer);
    uint32_t uid, gid, mode = mode_of(node);
    (void)fs;
    if (node.kind == PROC_DESCRIPTORS && node.process == current_process->key)
        return 0;
    if (has_gone(node))
        return -ESRCH;
    owner_of(node, process_of(node), &uid, &gid);
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

/* The folder of the table that the node is. */
static enum proc_folder folder_of(struct node node)
{
    return node.kind == PROC_PROCESS ? PROC_OF_PROCESS : entry_of(node)->target;
}

/* The node of an entry of the table, in this folder. */
static void *child_of(struct node folder, unsigned index)
{
    return pack(proc_table[index].kind, folder.of_thread, folder.process, index);
}

static bool is_entry_of(struct node folder, unsigned index)
{
    const struct proc_entry *entry = &proc_table[index];
    return entry->folder == folder_of(folder) && !(folder.of_thread && entry->not_of_threads);
}

static int lookup_entry(struct node folder, const char *name, size_t length, void **out)
{
    for (unsigned i = PROC_FIRST_ENTRY; i < proc_entries; i++) {
        if (is_entry_of(folder, i) && same(name, length, proc_table[i].name)) {
            *out = child_of(folder, i);
            return 0;
        }
    }
    return -ENOENT;
}

/* The node of a descriptor in /proc/PID/fd or fdinfo. */
static void *number_in(struct node folder, unsigned fd)
{
    return pack(folder.kind == PROC_INFOS ? PROC_INFO : PROC_DESCRIPTOR, folder.of_thread,
                folder.process, fd);
}

static bool is_root(struct node node)
{
    return node.kind == PROC_FOLDER && node.index == 0;
}

static int lookup_number(struct node node, int number, void **out)
{
    const struct process *process;
    switch (node.kind) {
    case PROC_FOLDER:
        process = is_root(node) ? process_peek(number) : NULL;
        if (!process)
            return -ENOENT;
        *out = pack(PROC_PROCESS, false, process->key, 0);
        return 0;
    case PROC_TASKS: /* a process has one thread */
        if (number != pid_of_key(node.process))
            return -ENOENT;
        *out = pack(PROC_PROCESS, true, node.process, 0);
        return 0;
    default:
        if (number < 0 || !descriptor(node, (unsigned)number))
            return -ENOENT;
        *out = number_in(node, (unsigned)number);
        return 0;
    }
}

/* False for a node of a process that was reaped, or of a descriptor that was closed. */
static bool revalidate(void *fs, void *pointer)
{
    struct node node = unpack(pointer);
    bool is_number = node.kind == PROC_DESCRIPTOR || node.kind == PROC_INFO;
    (void)fs;
    return node.process == 0 ||
           (is_number ? descriptor(node, node.index) != NULL : process_of(node) != NULL);
}

static int lookup(void *fs, void *dir, const char *name, size_t length, void **out)
{
    struct node node = unpack(dir);
    (void)fs;
    switch (node.kind) {
    case PROC_PROCESS:
        return process_of(node) ? lookup_entry(node, name, length, out) : -ENOENT;
    case PROC_FOLDER:
        if (lookup_entry(node, name, length, out) == 0)
            return 0;
        __attribute__((fallthrough));
    case PROC_TASKS:
    case PROC_DESCRIPTORS:
    case PROC_INFOS:
        return lookup_number(node, number_of(name, length), out);
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

static bool emit_number(uint64_t *cookie, uint64_t position, umvfs_emit emit, void *ctx,
                        unsigned number, void *node)
{
    char name[16];
    if (*cookie > position)
        return true;
    format(name, sizeof(name), "%u", number);
    return emit_entry(cookie, position, emit, ctx, name, node);
}

/* Returns false to stop. */
static bool read_entries(struct node folder, uint64_t *cookie, umvfs_emit emit, void *ctx)
{
    for (unsigned i = PROC_FIRST_ENTRY; i < proc_entries; i++)
        if (is_entry_of(folder, i) && !emit_entry(cookie, FIRST_COOKIE + i, emit, ctx,
                                                  proc_table[i].name, child_of(folder, i)))
            return false;
    return true;
}

/* The position of a process is its pid, so that it stays the same when others start and end. */
static void read_processes(uint64_t *cookie, umvfs_emit emit, void *ctx)
{
    for (int pid = 1; pid < PID_MAX; pid++) {
        uint64_t place = FIRST_COOKIE + proc_entries + (uint64_t)pid;
        const struct process *process = *cookie <= place ? process_peek(pid) : NULL;
        if (process && !emit_number(cookie, place, emit, ctx, (unsigned)pid,
                                    pack(PROC_PROCESS, false, process->key, 0)))
            return;
    }
}

static void read_descriptors(struct node node, uint64_t *cookie, umvfs_emit emit, void *ctx)
{
    for (unsigned fd = 0; fd < FILES_MAX; fd++)
        if (descriptor(node, fd) &&
            !emit_number(cookie, FIRST_COOKIE + fd, emit, ctx, fd, number_in(node, fd)))
            return;
}

static int read_directory(void *fs, void *dir, uint64_t *cookie, umvfs_emit emit, void *ctx)
{
    struct node node = unpack(dir);
    (void)fs;
    if (node.process != 0 && !process_of(node))
        return -ENOENT;
    switch (node.kind) {
    case PROC_FOLDER:
        if (read_entries(node, cookie, emit, ctx) && is_root(node))
            read_processes(cookie, emit, ctx);
        return 0;
    case PROC_PROCESS:
        read_entries(node, cookie, emit, ctx);
        return 0;
    case PROC_TASKS:
        emit_number(cookie, FIRST_COOKIE, emit, ctx, (unsigned)pid_of_key(node.process),
                    pack(PROC_PROCESS, true, node.process, 0));
        return 0;
    case PROC_DESCRIPTORS:
    case PROC_INFOS:
        read_descriptors(node, cookie, emit, ctx);
        return 0;
    default:
        return -ENOTDIR;
    }
}

/* NULL: it is not open, or there is no program yet. */
static const struct umvfs_path *place_in(const struct process *process, struct node node)
{
    switch (node.kind) {
    case PROC_EXE:
        return process->image ? &process->image->program.path : NULL;
    case PROC_CWD:
        return &process->fs->cwd;
    case PROC_ROOT:
        return &process->fs->root;
    default: {
        const struct file *file = descriptor(node, node.index);
        return file && file->vfs.inode ? &file->vfs.path : NULL;
    }
    }
}

/* The target of a magic link, without a reference. -EACCES; -ENOENT: it has no path. */
static int link_place(struct node node, const struct umvfs_path **out)
{
    const struct process *process = process_of(node);
    if (process && !rights_to_inspect(process))
        return -EACCES;
    *out = process && process->fs ? place_in(process, node) : NULL;
    return *out ? 0 : -ENOENT;
}

/* A link with a name as its target. */
static bool is_ordinary(struct node node)
{
    return node.kind == PROC_SELF || node.kind == PROC_THREAD_SELF || node.kind == PROC_TO_SELF;
}

static size_t ordinary_target(struct node node, char *name, size_t size)
{
    int pid = current_process->pid;
    if (node.kind == PROC_SELF)
        return format(name, size, "%d", pid);
    if (node.kind == PROC_THREAD_SELF)
        return format(name, size, "%d/task/%d", pid, current_thread->tid);
    return format(name, size, "self/%s", entry_of(node)->name);
}

static int follow(void *fs, void *pointer, const struct umvfs_task *task, struct umvfs_path *out)
{
    LENDING();
    struct node node = unpack(pointer);
    (void)fs, (void)task;
    if (is_ordinary(node))
        return -ENOSYS;
    const struct umvfs_path *place;
    int error = link_place(node, &place);
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
    if (is_ordinary(node))
        length = (int)ordinary_target(node, name, sizeof(name));
    else if ((length = link_place(node, &place)) == 0)
        length = proc_place_name(place, name, sizeof(name));
    if (length < 0)
        return length;
    size_t n = (size_t)length < size ? (size_t)length : size;
    memcpy(buf, name, n);
    return (int)n;
}

/* Whether the node tells what not every user may know. */
static bool is_private(struct node node)
{
    return node.kind == PROC_INFO || entry_of(node)->is_private;
}

/* A zombie has neither memory, so that maps is empty, nor mounts. The process is NULL if it was reaped. */
static int check_open(struct node node, const struct process *process)
{
    if (node.kind == PROC_FILE && entry_of(node)->shows_mounts && !(process && process->fs))
        return -EINVAL;
    if (!is_private(node))
        return 0;
    if (!process)
        return -ESRCH;
    if (!process->aspace)
        return mode_of(node) & 044 ? 0 : -ESRCH;
    return rights_to_inspect(process) ? 0 : -EACCES;
}

/* An open file holds a reference on its process, whose pid may be reused meanwhile. */
static int open_node(void *fs, void *pointer, struct umvfs_file *file)
{
    struct node node = unpack(pointer);
    (void)fs;
    if ((node.kind != PROC_FILE && node.kind != PROC_INFO) || node.process == 0)
        return 0;
    LENDING();
    struct process *process = process_of(node);
    int error = check_open(node, process);
    if (error || !process)
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

/* Whether the file is of a process that was reaped, perhaps before the file was opened. */
static bool has_ended(struct node node, const struct process *process)
{
    return node.process != 0 && (!process || process->state == PROCESS_REAPED);
}

/* Checks the rights again at each read, since the credentials of the process may have changed. */
static int check_read(struct node node, const struct process *process)
{
    if (has_ended(node, process))
        return -ESRCH;
    if (!process)
        return 0;
    return is_private(node) && process->aspace && !rights_to_inspect(process) ? -EACCES : 0;
}

/* The text of a file in /proc/PID/fdinfo, whose descriptor may be closed meanwhile. */
static int write_info(struct text *text, const struct process *process, unsigned fd)
{
    const struct files *files = process->files;
    const struct file *file = files ? files_peek(files, fd) : NULL;
    if (!file || !file->vfs.inode)
        return -ENOENT;
    unsigned flags = file_flags(file) | (files->close_on_exec[fd] ? UMVFS_O_CLOEXEC : 0);
    text_printf(text, "pos:\t%lu\nflags:\t0%o\nmnt_id:\t%u\nino:\t%lu\n", file->vfs.offset, flags,
                proc_mount_id(&file->vfs.path), umvfs_inode_number(file->vfs.inode));
    return 0;
}

#define READ_MAX PAGE_SIZE /* the most that one read gives */

static int64_t read_file(void *fs, void *pointer, struct umvfs_file *file, uint64_t offset,
                         void *buf, size_t size, const struct umvfs_copy *copy)
{
    static char buffer[READ_MAX]; /* no sleep between filling and copying it */
    struct node node = unpack(pointer);
    struct process *process = file->private_data;
    int error = check_read(node, process);
    (void)fs;
    if (error)
        return error;
    if (size > READ_MAX)
        size = READ_MAX;
    struct text text = {.skip = offset, .buf = buffer, .size = size};
    if (node.kind == PROC_INFO)
        error = write_info(&text, process, node.index);
    else if (entry_of(node)->text)
        text_put(&text, entry_of(node)->text, strlen(entry_of(node)->text));
    else
        entry_of(node)->write(&text, process);
    if (error)
        return error;
    if (text.unfinished && text.used == 0) { /* the call is made again, from ring 3 on */
        current_thread->work |= WORK_SIGNAL;
        return -ERESTARTSYS;
    }
    size_t copied = copy->copy(copy->ctx, buf, text.buf, text.used);
    return copied > 0 || text.used == 0 ? (int64_t)copied : -EFAULT;
}

/* A file takes one short text, at offset 0. */
static int64_t write_file(void *fs, void *pointer, struct umvfs_file *file, uint64_t offset,
                          const void *buf, size_t size, const struct umvfs_copy *copy)
{
    char text[32];
    struct node node = unpack(pointer);
    struct process *process = file->private_data;
    (void)fs;
    if (node.kind == PROC_INFO || !entry_of(node)->store || node.process == 0)
        return -EINVAL;
    if (has_ended(node, process))
        return -ESRCH;
    if (offset != 0)
        return -EINVAL;
    size_t n = size < sizeof(text) - 1 ? size : sizeof(text) - 1;
    if (copy->copy(copy->ctx, text, buf, n) != n)
        return -EFAULT;
    text[n] = '\0';
    int error = entry_of(node)->store(process, text);
    return error ? error : (int64_t)size;
}

static const struct umvfs_fs_ops proc_ops = {
    .getattr = get_attributes,
    .lookup = lookup,
    .revalidate = revalidate,
    .readdir = read_directory,
    .readlink = read_link,
    .follow = follow,
    .permission = permission,
    .open = open_node,
    .release = release_node,
    .read = read_file,
    .write = write_file,
};

int proc_mount(const struct umvfs_task *task, const struct umvfs_path *at, const char *path,
               unsigned flags)
{
    return umvfs_mount(task, at, path, &proc_ops, NULL, pack(PROC_FOLDER, false, 0, 0), flags);
}
