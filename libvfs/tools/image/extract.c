/* From an image to a directory tree of the host. */
#include "image.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PIECE = 65536 };

/* The directories from the top down to where the walk is. */
struct extract {
    struct image *image;
    struct bytes *message;
    const char *directory;
    int *open; /* descriptors, the top first */
    size_t depth;
    bool is_superuser;
};

static int failed(struct extract *extract, const struct visit *visit, int error)
{
    if (extract->message->length == 0)
        bytes_printf(extract->message, "%s/%s: %s", extract->directory, visit->path,
                     strerror(-error));
    return error;
}

static int parent_of(const struct extract *extract)
{
    return extract->open[extract->depth - 1];
}

/* Opens a directory for the objects in it. */
static int enter(struct extract *extract, int parent, const char *name, int flags)
{
    int directory = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | flags);
    if (directory < 0)
        return -errno;
    int *open = realloc(extract->open, (extract->depth + 1) * sizeof *open);
    if (!open) {
        close(directory);
        return -ENOMEM;
    }
    extract->open = open;
    extract->open[extract->depth++] = directory;
    return 0;
}

static struct timespec time_of(struct umvfs_time time)
{
    return (struct timespec){time.sec, time.nsec};
}

/* Owner, then mode (which a change of owner would cut), then times. The name is known to be no
 * link that could be followed, or everything is done on the link itself. */
static int set_attributes(const struct extract *extract, int parent, const char *name,
                          const struct umvfs_stat *st)
{
    const struct timespec times[2] = {time_of(st->atime), time_of(st->mtime)};
    bool has_owner =
        S_ISREG(st->mode); /* a file got it before its capabilities, which chown takes */
    if (extract->is_superuser && !has_owner &&
        fchownat(parent, name, st->uid, st->gid, AT_SYMLINK_NOFOLLOW))
        return -errno;
    if (!UMVFS_S_ISLNK(st->mode) && fchmodat(parent, name, st->mode & UMVFS_S_IALL, 0))
        return -errno;
    return utimensat(parent, name, times, AT_SYMLINK_NOFOLLOW) ? -errno : 0;
}

/* Holes stay holes: a piece of zeros is skipped. */
static int copy_contents(struct umvfs_inode *inode, uint64_t size, int to)
{
    static char piece[PIECE];
    static const char zeros[PIECE];
    for (uint64_t at = 0; at < size;) {
        int64_t got = umvfs_inode_read(inode, at, piece, sizeof piece);
        if (got <= 0)
            return got < 0 ? (int)got : -EIO;
        if (memcmp(piece, zeros, (size_t)got) != 0 &&
            pwrite(to, piece, (size_t)got, (off_t)at) != (ssize_t)got)
            return errno ? -errno : -ENOSPC;
        at += (uint64_t)got;
    }
    return ftruncate(to, (off_t)size) ? -errno : 0;
}

static int make_file(const struct extract *extract, int parent, const struct visit *visit)
{
    int to =
        openat(parent, visit->name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (to < 0)
        return -errno;
    int error = copy_contents(umvfs_path_inode(visit->place), visit->stat.size, to);
    if (!error && extract->is_superuser && fchown(to, visit->stat.uid, visit->stat.gid))
        error = -errno;
    if (!error)
        error = image_give_attributes(extract->image, visit, to);
    if (close(to) && !error)
        error = -errno;
    return error;
}

static int make_symlink(const struct extract *extract, int parent, const struct visit *visit)
{
    char target[PATH_MAX + 1];
    int length = umvfs_readlink(&extract->image->task, visit->place, "", UMVFS_AT_EMPTY_PATH,
                                target, PATH_MAX);
    if (length < 0)
        return length;
    target[length] = '\0';
    return symlinkat(target, parent, visit->name) ? -errno : 0;
}

/* A directory that is there stays, but a link in its place is none. */
static int make_directory(struct extract *extract, int parent, const struct visit *visit)
{
    if (mkdirat(parent, visit->name, 0700) && errno != EEXIST)
        return -errno;
    return enter(extract, parent, visit->name, O_NOFOLLOW);
}

static int make_object(struct extract *extract, int parent, const struct visit *visit)
{
    const struct umvfs_stat *st = &visit->stat;
    int error;
    if (visit->link_to)
        return linkat(extract->open[0], visit->link_to, parent, visit->name, 0) ? -errno : 0;
    if (UMVFS_S_ISDIR(st->mode))
        return make_directory(extract, parent, visit);
    if (UMVFS_S_ISREG(st->mode))
        error = make_file(extract, parent, visit);
    else if (UMVFS_S_ISLNK(st->mode))
        error = make_symlink(extract, parent, visit);
    else
        error = mknodat(parent, visit->name, st->mode, st->rdev) ? -errno : 0;
    if (!error && !UMVFS_S_ISREG(st->mode))
        error = image_give_attributes(extract->image, visit, -1);
    return error ? error : set_attributes(extract, parent, visit->name, st);
}

/* Its attributes come last: what is made in a directory takes over its default ACL. */
static int leave_directory(struct extract *extract, const struct visit *visit)
{
    int error = image_give_attributes(extract->image, visit, parent_of(extract));
    close(extract->open[--extract->depth]);
    return error ? error : set_attributes(extract, parent_of(extract), visit->name, &visit->stat);
}

static int visit_object(void *context, const struct visit *visit, bool leaving)
{
    struct extract *extract = context;
    int error;
    if (strcmp(visit->path, ".") == 0)
        return 0;
    if (leaving)
        error = leave_directory(extract, visit);
    else
        error = make_object(extract, parent_of(extract), visit);
    return error ? failed(extract, visit, error) : 0;
}

int image_extract(struct image *image, const char *directory, struct bytes *message)
{
    struct extract extract = {
        .image = image,
        .message = message,
        .directory = directory,
        .is_superuser = geteuid() == 0,
    };
    if (mkdir(directory, 0755) && errno != EEXIST)
        return failed(&extract, &(struct visit){.path = "."}, -errno);
    int error = enter(&extract, AT_FDCWD, directory, 0);
    if (error)
        failed(&extract, &(struct visit){.path = "."}, error);
    else
        error = image_walk(image, visit_object, &extract);
    while (extract.depth)
        close(extract.open[--extract.depth]);
    free(extract.open);
    return error;
}
