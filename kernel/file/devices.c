#include "file/devices.h"

#include <umvfs/attr.h>
#include <umvfs/tree.h>
#include <umvfs/vfs.h>

#include "dev/random.h"
#include "file/files.h"
#include "file/pipe.h"
#include "file/root.h"
#include "file/tty.h"
#include "file/unnamed.h"
#include "lib/errno.h"
#include "mm/slab.h"
#include "task/process.h"

#define SERIAL_NUMBER UMVFS_MKDEV(4, 64)
#define TTY_NUMBER    UMVFS_MKDEV(5, 0) /* the opener's controlling terminal */
#define ZERO_CHUNK    (1u << 20)        /* bytes between two scheduling points */
#define RANDOM_CHUNK  (1u << 14)

static int64_t null_read(struct file *file, struct user_iter *to)
{
    (void)file, (void)to;
    return 0;
}

static int64_t null_write(struct file *file, struct user_iter *from)
{
    (void)file;
    return (int64_t)from->left;
}

static int64_t zero_read(struct file *file, struct user_iter *to)
{
    int64_t total = 0;
    (void)file;
    while (to->left > 0) {
        size_t wanted = to->left < ZERO_CHUNK ? to->left : ZERO_CHUNK;
        size_t n = user_iter_zero(to, wanted);
        total += (int64_t)n;
        if (n < wanted)
            return total ? total : -EFAULT;
        if (to->left > 0 && sched_point() != 0)
            break;
    }
    return total;
}

static int64_t full_write(struct file *file, struct user_iter *from)
{
    (void)file, (void)from;
    return -ENOSPC;
}

static int64_t random_read(struct file *file, struct user_iter *to)
{
    int64_t total = 0;
    (void)file;
    while (to->left > 0) {
        uint8_t bytes[128];
        size_t wanted = to->left < sizeof(bytes) ? to->left : sizeof(bytes);
        random_bytes(bytes, wanted);
        size_t n = user_iter_put(to, bytes, wanted);
        total += (int64_t)n;
        if (n < wanted)
            return total ? total : -EFAULT;
        if (total % RANDOM_CHUNK == 0 && sched_point() != 0)
            break;
    }
    return total;
}

static const struct file_ops null_ops = {
    .read = null_read,
    .write = null_write,
    .has_offsets = true,
};
static const struct file_ops zero_ops = {
    .read = zero_read,
    .write = null_write,
    .has_offsets = true,
    .maps_zeros = true,
};
static const struct file_ops full_ops = {
    .read = zero_read,
    .write = full_write,
    .has_offsets = true,
};
static const struct file_ops random_ops = {
    .read = random_read,
    .write = null_write,
    .has_offsets = true,
};

static const struct {
    uint64_t number;
    const struct file_ops *ops;
    const char *name;
    uint32_t mode;
} devices[] = {
    {UMVFS_MKDEV(1, 3), &null_ops, "null", 0666},
    {UMVFS_MKDEV(1, 5), &zero_ops, "zero", 0666},
    {UMVFS_MKDEV(1, 7), &full_ops, "full", 0666},
    {UMVFS_MKDEV(1, 8), &random_ops, "random", 0666},
    {UMVFS_MKDEV(1, 9), &random_ops, "urandom", 0666},
    {SERIAL_NUMBER, &tty_ops, "ttyS0", 0600},
    {TTY_NUMBER, &tty_ops, "tty", 0666},
    {CONSOLE_NUMBER, &tty_ops, "console", 0600},
};

int devices_make(const struct umvfs_path *directory)
{
    static const struct umvfs_cred kernel = {.caps = UMVFS_CAP_ALL};
    struct umvfs_task task = {
        .vfs = root_vfs, .cred = &kernel, .root = *directory, .cwd = *directory};
    int error = 0;
    for (size_t i = 0; !error && i < sizeof(devices) / sizeof(devices[0]); i++)
        error = umvfs_mknod(&task, NULL, devices[i].name, UMVFS_S_IFCHR | devices[i].mode,
                            devices[i].number);
    return error;
}

int device_open(struct file *file)
{
    uint32_t mode = umvfs_inode_mode(file->vfs.inode);
    if (UMVFS_S_ISCHR(mode)) {
        uint64_t number = umvfs_inode_rdev(file->vfs.inode);
        if (number == TTY_NUMBER && !tty_controls(current_process))
            return -ENXIO;
        for (size_t i = 0; i < sizeof(devices) / sizeof(devices[0]); i++) {
            if (devices[i].number == number) {
                file->ops = devices[i].ops;
                if (number == SERIAL_NUMBER)
                    tty_session_opened(file);
                return 0;
            }
        }
        return -ENXIO;
    }
    if (UMVFS_S_ISFIFO(mode))
        return fifo_open(file);
    return UMVFS_S_ISBLK(mode) ? -ENXIO : 0;
}

static bool is_console(const struct umvfs_task *task, const char *path)
{
    struct umvfs_stat stat;
    return umvfs_stat(task, NULL, path, 0, &stat) == 0 && UMVFS_S_ISCHR(stat.mode) &&
           stat.rdev == CONSOLE_NUMBER;
}

/* The console, without a path. */
static struct file *unnamed_console(void)
{
    uint64_t number;
    struct file *file = file_create();
    if (!file || unnamed_create(UMVFS_S_IFCHR | 0620, CONSOLE_NUMBER, &number) != 0 ||
        unnamed_open(number, UMVFS_O_RDWR, &file->vfs) != 0) {
        if (file)
            file_put(file);
        return NULL;
    }
    file->ops = &tty_ops;
    return file;
}

struct file *console_file(const struct umvfs_task *task)
{
    static const char path[] = "/dev/console";
    struct file *file;
    if (is_console(task, path) && file_open(task, NULL, path, UMVFS_O_RDWR, 0, 0, &file) == 0)
        return file;
    return unnamed_console();
}
