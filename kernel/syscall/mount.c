/* mount(2) and umount2(2). */
#include <umvfs/attr.h>
#include <umvfs/mount.h>

#include "file/devices.h"
#include "file/proc.h"
#include "file/root.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/usercopy.h"
#include "syscall/calls.h"
#include "syscall/files.h"

#define MS_REMOUNT     32u
#define MS_MOVE        8192u
#define MS_SILENT      32768u
#define MS_PROPAGATION 0x1e0000u             /* unbindable, private, slave, shared */
#define MS_NOUSER      0xffffffff80000000ull /* an int in Linux, so that all bits above belong to it */
#define MS_MAGIC       0xc0ed0000u           /* of old programs, in the upper half */
#define MS_KEPT                                                                                    \
    (UMVFS_MS_RDONLY | UMVFS_MS_NOSUID | UMVFS_MS_NODEV | UMVFS_MS_NOEXEC | UMVFS_MS_NOATIME |     \
     UMVFS_MS_NOSYMFOLLOW)
#define MNT_FORCE    1u /* for servers that do not answer; in memory there are none */
#define UMOUNT_FLAGS (MNT_FORCE | UMVFS_MNT_DETACH | UMVFS_UMOUNT_NOFOLLOW)
#define TYPE_SIZE    32
#define OPTIONS_SIZE 128

/* The options of a file system in memory, tmpfs(5). */
struct memory_options {
    struct umvfs_limits limits;
    uint32_t mode;
};

static bool parse_number(const char *text, unsigned base, uint64_t *out)
{
    uint64_t value = 0;
    if (!*text)
        return false;
    for (; *text >= '0' && *text < (char)('0' + base); text++)
        if (__builtin_mul_overflow(value, base, &value) ||
            __builtin_add_overflow(value, (uint64_t)(*text - '0'), &value))
            return false;
    unsigned shift = *text == 'k' ? 10 : *text == 'm' ? 20 : *text == 'g' ? 30 : 0;
    if (shift)
        text++;
    if (*text || value > UINT64_MAX >> shift)
        return false;
    *out = value << shift;
    return true;
}

/* size=50%: of memory, in bytes, and then as many pages as hold them. */
static bool parse_share(const char *text, uint64_t *pages)
{
    uint64_t percent = 0;
    while (*text >= '0' && *text <= '9' && percent <= 1000000)
        percent = percent * 10 + (uint64_t)(*text++ - '0');
    *pages = page_ceil(frame_total() * PAGE_SIZE * percent / 100) / PAGE_SIZE;
    return text[0] == '%' && !text[1];
}

static bool parse_option(const char *option, struct memory_options *out)
{
    uint64_t value, pages;
    if (strncmp(option, "size=", 5) == 0 && parse_share(option + 5, &pages)) {
        out->limits.max_pages = pages;
        return true;
    }
    if (strncmp(option, "size=", 5) == 0 && parse_number(option + 5, 10, &value)) {
        out->limits.max_pages = page_ceil(value) / PAGE_SIZE;
        return value <= UINT64_MAX - PAGE_MASK;
    }
    if (strncmp(option, "nr_inodes=", 10) == 0)
        return parse_number(option + 10, 10, &out->limits.max_inodes);
    if (strncmp(option, "mode=", 5) == 0 && parse_number(option + 5, 8, &value)) {
        out->mode = (uint32_t)value;
        return value <= 07777;
    }
    return false;
}

/* Options separated by commas. -EINVAL: an option is unknown, or its value is not valid. */
static int parse_options(char *text, struct memory_options *out)
{
    while (*text) {
        char *end = text;
        while (*end && *end != ',')
            end++;
        char *next = *end ? end + 1 : end;
        *end = '\0';
        if (*text && !parse_option(text, out))
            return -EINVAL;
        text = next;
    }
    return 0;
}

/* An optional string of user memory: "" for a null pointer. */
static int short_string(user_t user, char *out, size_t size)
{
    out[0] = '\0';
    long length = user_is_null(user) ? 0 : copy_string_from_user(out, user, size);
    return length == -ENAMETOOLONG ? -EINVAL : length < 0 ? (int)length : 0;
}

/* devtmpfs: a file system in memory with the nodes of all devices. Unlike on Linux each mount is one of its own. */
static int mount_devices(const struct path_call *call, const struct memory_options *options,
                         unsigned flags)
{
    struct umvfs_path place;
    const struct umvfs_task *task = &call->view.task;
    int error = umvfs_mount_memory(task, call->at, call->path, &options->limits, options->mode,
                                   flags & ~UMVFS_MS_RDONLY);
    if (error)
        return error;
    error = umvfs_lookup(task, call->at, call->path, 0, 0, &place);
    if (!error) {
        error = devices_make(&place);
        umvfs_path_put(&place);
    }
    if (!error && (flags & UMVFS_MS_RDONLY))
        error = umvfs_remount(task, call->at, call->path, flags);
    if (error)
        (void)umvfs_umount(task, call->at, call->path, 0);
    return error;
}

static int mount_new(const struct path_call *call, const char *type, char *text, unsigned flags)
{
    bool has_devices = strcmp(type, "devtmpfs") == 0;
    struct memory_options options = {.mode = has_devices ? 0755 : 01777};
    root_limits(&options.limits);
    if (!type[0])
        return -EINVAL;
    if (strcmp(type, "proc") == 0)
        return proc_mount(&call->view.task, call->at, call->path, flags);
    if (!has_devices && strcmp(type, "tmpfs") != 0 && strcmp(type, "ramfs") != 0)
        return -ENODEV;
    int error = parse_options(text, &options);
    if (error)
        return error;
    return has_devices ? mount_devices(call, &options, flags)
                       : umvfs_mount_memory(&call->view.task, call->at, call->path, &options.limits,
                                            options.mode, flags);
}

/* Changes the limits of a file system in memory. */
static int remount(const struct path_call *call, char *text, unsigned flags)
{
    struct umvfs_path place;
    struct umvfs_statfs now;
    int error =
        umvfs_remount(&call->view.task, call->at, call->path, flags & (MS_KEPT | UMVFS_MS_BIND));
    if (error || !text[0] || (flags & UMVFS_MS_BIND))
        return error;
    error = umvfs_lookup(&call->view.task, call->at, call->path, 0, 0, &place);
    if (error)
        return error;
    error = umvfs_statfs(&place, &now);
    struct memory_options options = {.limits = {now.pages, now.inodes, now.bytes}};
    if (!error)
        error = parse_options(text, &options);
    if (!error)
        error = umvfs_set_limits(&place, &options.limits);
    umvfs_path_put(&place);
    return error;
}

/* MS_SHARED and the like: one of them, at the root of a mount. There is one namespace, so that they
 * have no effect. */
static int propagate(const struct path_call *call, unsigned flags)
{
    struct umvfs_path place;
    unsigned type = flags & ~(UMVFS_MS_REC | MS_SILENT);
    if (type & (type - 1))
        return -EINVAL;
    int error = umvfs_lookup(&call->view.task, call->at, call->path, 0, 0, &place);
    if (error)
        return error;
    bool is_root = umvfs_is_mount_root(&place);
    umvfs_path_put(&place);
    return is_root ? 0 : -EINVAL;
}

/* The strings of mount, each of which may be missing: then it is empty. */
struct strings {
    char type[TYPE_SIZE], options[OPTIONS_SIZE];
    const char *source;
};

/* Copies them, which Linux does before all else. -EFAULT; -EINVAL: one is too long. */
static int read_strings(user_t type, user_t source, user_t options, struct strings *out)
{
    int error = short_string(type, out->type, sizeof(out->type));
    out->source = "";
    if (!error && !user_is_null(source))
        error = path_from_user(PATH_SECOND, source, &out->source);
    if (!error)
        error = short_string(options, out->options, sizeof(out->options));
    return error == -ENAMETOOLONG ? -EINVAL : error;
}

/* As on Linux, a place that is not found is the error before a capability that is not there. */
static int check_right(const struct path_call *call)
{
    struct umvfs_path place;
    if (call->view.cred.caps & UMVFS_CAP_SYS_ADMIN)
        return 0;
    int error = umvfs_lookup(&call->view.task, call->at, call->path, 0, 0, &place);
    if (error)
        return error;
    umvfs_path_put(&place);
    return -EPERM;
}

/* What mounts nothing new: Linux takes the first of these flags. */
static int change_tree(const struct path_call *call, const char *source, unsigned flags)
{
    const struct umvfs_task *task = &call->view.task;
    if (!(flags & UMVFS_MS_BIND) && (flags & MS_PROPAGATION))
        return propagate(call, flags);
    if (!source[0])
        return -EINVAL;
    return flags & UMVFS_MS_BIND
               ? umvfs_bind(task, NULL, source, call->at, call->path, flags & UMVFS_MS_REC)
               : umvfs_move_mount(task, NULL, source, call->at, call->path);
}

/* data: the options, a string. */
long sys_mount(user_t source, user_t target, user_t type, uint64_t flags, user_t data)
{
    struct path_call call;
    struct strings strings;
    unsigned wanted = (unsigned)flags;
    if ((wanted & 0xffff0000u) == MS_MAGIC)
        flags = wanted &= 0xffffu;
    int error = read_strings(type, source, data, &strings);
    if (!error)
        error = path_call(&call, AT_FDCWD, target, 0);
    if (!error)
        error = check_right(&call);
    if (error)
        return error;
    if (flags & MS_NOUSER)
        return -EINVAL;
    if (wanted & MS_REMOUNT)
        return remount(&call, strings.options, wanted);
    if (wanted & (UMVFS_MS_BIND | MS_PROPAGATION | MS_MOVE))
        return change_tree(&call, strings.source, wanted);
    return mount_new(&call, strings.type, strings.options, wanted & MS_KEPT);
}

long sys_umount2(user_t target, unsigned flags)
{
    struct path_call call;
    if (flags & ~UMOUNT_FLAGS)
        return -EINVAL;
    int error = path_call(&call, AT_FDCWD, target, 0);
    if (!error)
        error = check_right(&call);
    return error ? error : umvfs_umount(&call.view.task, call.at, call.path, flags & ~MNT_FORCE);
}
