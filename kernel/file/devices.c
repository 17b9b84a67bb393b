#include "file/devices.h"

#include <vfs/vfs.h>

#include "file/pipe.h"
#include "dev/random.h"
#include "file/tty.h"
#include "lib/errno.h"
#include "mm/usercopy.h"
#include "file/files.h"

static int64_t null_read(struct file *file, virt_t buf, size_t size)
{
    (void)file, (void)buf, (void)size;
    return 0;
}

static int64_t null_write(struct file *file, virt_t buf, size_t size)
{
    (void)file, (void)buf;
    return (int64_t)size;
}

static int64_t zero_read(struct file *file, virt_t buf, size_t size)
{
    (void)file;
    return zero_user(user_ptr(buf), size) == 0 ? (int64_t)size : -EFAULT;
}

static int64_t full_write(struct file *file, virt_t buf, size_t size)
{
    (void)file, (void)buf, (void)size;
    return -ENOSPC;
}

static int64_t random_read(struct file *file, virt_t buf, size_t size)
{
    uint8_t bytes[128];
    (void)file;
    for (size_t done = 0; done < size;) {
        size_t n = size - done < sizeof(bytes) ? size - done : sizeof(bytes);
        random_bytes(bytes, n);
        if (copy_to_user(user_ptr(buf + done), bytes, n) != 0)
            return done > 0 ? (int64_t)done : -EFAULT;
        done += n;
    }
    return (int64_t)size;
}

static const struct file_ops null_ops = {.read = null_read, .write = null_write};
static const struct file_ops zero_ops = {.read = zero_read, .write = null_write};
static const struct file_ops full_ops = {.read = zero_read, .write = full_write};
static const struct file_ops random_ops = {.read = random_read, .write = null_write};

static const struct {
    uint64_t number;
    const struct file_ops *ops;
} devices[] = {
    {DEVICE_NUMBER(1, 3), &null_ops},   {DEVICE_NUMBER(1, 5), &zero_ops},
    {DEVICE_NUMBER(1, 7), &full_ops},   {DEVICE_NUMBER(1, 8), &random_ops},
    {DEVICE_NUMBER(1, 9), &random_ops}, {DEVICE_NUMBER(4, 64), &tty_ops},
    {DEVICE_NUMBER(5, 0), &tty_ops},    {DEVICE_NUMBER(5, 1), &tty_ops},
};

int device_open(struct file *file)
{
    uint32_t mode = vfs_inode_mode(file->vfs.inode);
    if (VFS_S_ISCHR(mode)) {
        uint64_t number = vfs_inode_rdev(file->vfs.inode);
        for (size_t i = 0; i < sizeof(devices) / sizeof(devices[0]); i++) {
            if (devices[i].number == number) {
                file->ops = devices[i].ops;
                return 0;
            }
        }
        return -ENXIO;
    }
    if (VFS_S_ISFIFO(mode))
        return fifo_open(file);
    return VFS_S_ISBLK(mode) ? -ENXIO : 0;
}

struct file *console_file(void)
{
    struct file *file = file_create();
    if (file) {
        file->ops = &tty_ops;
        file->vfs.flags = VFS_O_RDWR;
    }
    return file;
}
