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

#define CALLERS_ID UINT32_MAX

/* The options of a file system in memory, tmpfs(5), and of whom its root directory is. */
struct memory_options {
    struct umvfs_limits limits;
    uint32_t mode, uid, gid;
};

static unsigned digit_of(char c)
{
    char small = (char)(c | 0x20);
    return c >= '0' && c <= '9'           ? (unsigned)(c - '0')
           : small >= 'a' && small <= 'f' ? (unsigned)(small - 'a') + 10
                                          : 99;
}

#define INODES_MAX (UINT64_MAX / 1024) /* Linux counts 1024 bytes for each */

/* Reads digits from *text on, and moves it behind them. *out is their value modulo 2^64, and *fits says whether
 * that is their value. */
static bool parse_digits(const char **text, unsigned base, uint64_t *out, bool *fits)
{
    const char *at = *text;
    *out = 0;
    *fits = true;
    for (; digit_of(*at) < base; at++) {
        bool is_beyond = __builtin_mul_overflow(*out, base, out);
        if (__builtin_add_overflow(*out, digit_of(*at), out) || is_beyond)
            *fits = false;
    }
    bool is_any = at > *text;
    *text = at;
    return is_any;
}

/* A number as C writes it, in decimal, octal or hexadecimal. */
static bool parse_number(const char **text, uint64_t *out, bool *fits)
{
    bool is_hex = (*text)[0] == '0' && ((*text)[1] | 0x20) == 'x';
    bool is_octal = !is_hex && (*text)[0] == '0';
    *text += is_hex ? 2 : 0;
    return parse_digits(text, is_hex ? 16 : is_octal ? 8 : 10, out, fits);
}

/* A number with or without a unit: 16k, 4M. As on Linux all amounts are modulo 2^64: 16e is 0. */
static bool parse_amount(const char **text, uint64_t *out)
{
    static const char units[] = "kmgtpe";
    bool fits;
    if (!parse_number(text, out, &fits))
        return false;
    for (unsigned i = 0; **text && units[i]; i++) {
        if ((**text | 0x20) != units[i])
            continue;
        *out <<= 10 * (i + 1);
        (*text)++;
        break;
    }
    return true;
}

static bool parse_count(const char **text, uint64_t most, uint64_t *out)
{
    return parse_amount(text, out) && *out <= most;
}

/* An amount of bytes or, as 50%, a part of memory: in as many pages as hold them. */
static bool parse_size(const char **text, uint64_t *pages)
{
    uint64_t value;
    if (!parse_amount(text, &value))
        return false;
    if (**text == '%') {
        (*text)++;
        value = frame_total() * PAGE_SIZE * value / 100;
    }
    *pages = page_ceil(value) / PAGE_SIZE;
    return true;
}

static bool parse_id(const char **text, uint32_t *out)
{
    uint64_t value;
    bool fits, is_valid = parse_number(text, &value, &fits) && fits && value < CALLERS_ID;
    *out = (uint32_t)value;
    return is_valid;
}

static bool parse_mode(const char **text, uint32_t *out)
{
    uint64_t value;
    bool fits, is_valid = parse_digits(text, 8, &value, &fits) && fits && value <= UINT32_MAX;
    *out = value & 07777;
    return is_valid;
}

/* If the option has this name, moves it behind the name and the sign. */
static bool is_named(const char **option, const char *name)
{
    size_t length = strlen(name);
    if (strncmp(*option, name, length) != 0 || (*option)[length] != '=')
        return false;
    *option += length + 1;
    return true;
}

static bool parse_option(const char *option, struct memory_options *out)
{
    bool is_valid = false;
    if (strcmp(option, "inode32") == 0 || strcmp(option, "inode64") == 0)
        return true; /* inode numbers have 64 bits */
    if (is_named(&option, "size"))
        is_valid = parse_size(&option, &out->limits.max_pages);
    else if (is_named(&option, "nr_blocks"))
        is_valid = parse_count(&option, INT64_MAX, &out->limits.max_pages);
    else if (is_named(&option, "nr_inodes"))
        is_valid = parse_count(&option, INODES_MAX, &out->limits.max_inodes);
    else if (is_named(&option, "mode"))
        is_valid = parse_mode(&option, &out->mode);
    else if (is_named(&option, "uid"))
        is_valid = parse_id(&option, &out->uid);
    else if (is_named(&option, "gid"))
        is_valid = parse_id(&option, &out->gid);
    return is_valid && !*option;
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

/* Gives the root directory of a new file system its owner, and the nodes of devices. */
static int fill(const struct path_call *call, const struct memory_options *options,
                bool has_devices)
{
    static const struct umvfs_cred kernel = {.caps = UMVFS_CAP_ALL};
    struct umvfs_task task = call->view.task;
    struct umvfs_path place;
    int error = umvfs_lookup(&task, call->at, call->path, 0, 0, &place);
    if (error)
        return error;
    task.cred = &kernel;
    error = umvfs_chown(&task, &place, "", options->uid, options->gid, UMVFS_AT_EMPTY_PATH);
    if (!error && has_devices)
        error = devices_make(&place);
    umvfs_path_put(&place);
    return error;
}

/* With devices it is a devtmpfs. Unlike on Linux each mount of it is one of its own. */
static int mount_memory(const struct path_call *call, const struct memory_options *options,
                        bool has_devices, unsigned flags)
{
    const struct umvfs_task *task = &call->view.task;
    int error = umvfs_mount_memory(task, call->at, call->path, &options->limits, options->mode,
                                   flags & ~UMVFS_MS_RDONLY);
    if (error)
        return error;
    if (has_devices || (options->uid & options->gid) != CALLERS_ID)
        error = fill(call, options, has_devices);
    if (!error && (flags & UMVFS_MS_RDONLY))
        error = umvfs_remount(task, call->at, call->path, flags);
    if (error)
        (void)umvfs_umount(task, call->at, call->path, 0);
    return error;
}

static int mount_new(const struct path_call *call, const char *type, char *text, unsigned flags)
{
    bool has_devices = strcmp(type, "devtmpfs") == 0;
    struct memory_options options = {
        .mode = has_devices ? 0755 : 01777, .uid = CALLERS_ID, .gid = CALLERS_ID};
    root_limits(&options.limits);
    if (strcmp(type, "proc") == 0)
        return proc_mount(&call->view.task, call->at, call->path, flags);
    if (!has_devices && strcmp(type, "tmpfs") != 0 && strcmp(type, "ramfs") != 0)
        return -ENODEV;
    int error = parse_options(text, &options);
    return error ? error : mount_memory(call, &options, has_devices, flags);
}

/* Changes the limits of a file system in memory to those of the options, and stores the old ones. */
static int change_limits(const struct umvfs_path *place, char *text, struct umvfs_limits *old)
{
    struct umvfs_statfs now;
    int error = umvfs_is_mount_root(place) ? umvfs_statfs(place, &now) : -EINVAL;
    if (!error) {
        *old = (struct umvfs_limits){now.pages, now.inodes, now.bytes};
        /* mode, uid and gid are those of the mount */
        struct memory_options options = {.limits = *old};
        error = parse_options(text, &options);
        if (!error)
            error = umvfs_set_limits(place, &options.limits);
    }
    return error;
}

/* Changes the flags of a mount and the limits of its file system, or neither. */
static int remount(const struct path_call *call, char *text, unsigned flags)
{
    const struct umvfs_task *task = &call->view.task;
    const bool has_limits = text[0] && !(flags & UMVFS_MS_BIND);
    struct umvfs_path place = {NULL, NULL};
    struct umvfs_limits old;
    int error = 0;
    if (has_limits)
        error = umvfs_lookup(task, call->at, call->path, 0, 0, &place);
    if (!error && has_limits)
        error = change_limits(&place, text, &old);
    if (!error) {
        error = umvfs_remount(task, call->at, call->path, flags & (MS_KEPT | UMVFS_MS_BIND));
        if (error && has_limits)
            (void)umvfs_set_limits(&place, &old);
    }
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

/* As on Linux, a place that is not found is the error before all others, a capability that is not there before the
 * rest. flags: as for umvfs_lookup(). */
static int check_place(const struct path_call *call, unsigned flags)
{
    struct umvfs_path place;
    int error = umvfs_lookup(&call->view.task, call->at, call->path, flags, 0, &place);
    if (error)
        return error;
    umvfs_path_put(&place);
    return call->view.cred.caps & UMVFS_CAP_SYS_ADMIN ? 0 : -EPERM;
}

/* Binds, changes of propagation and moves. Of several flags Linux obeys the first, in this order. */
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
        error = check_place(&call, 0);
    if (error)
        return error;
    if (flags & MS_NOUSER)
        return -EINVAL;
    if (wanted & MS_REMOUNT)
        return remount(&call, strings.options, wanted);
    if (wanted & (UMVFS_MS_BIND | MS_PROPAGATION | MS_MOVE))
        return change_tree(&call, strings.source, wanted);
    if (user_is_null(type))
        return -EINVAL;
    return mount_new(&call, strings.type, strings.options, wanted & MS_KEPT);
}

long sys_umount2(user_t target, unsigned flags)
{
    struct path_call call;
    if (flags & ~UMOUNT_FLAGS)
        return -EINVAL;
    int error = path_call(&call, AT_FDCWD, target, 0);
    if (!error)
        error = check_place(&call, flags & UMVFS_UMOUNT_NOFOLLOW ? UMVFS_AT_SYMLINK_NOFOLLOW : 0);
    return error ? error : umvfs_umount(&call.view.task, call.at, call.path, flags & ~MNT_FORCE);
}
