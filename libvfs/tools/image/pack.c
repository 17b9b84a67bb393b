/* From a directory tree of the host to an image. */
#include "image.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PIECE = 65536 };

/* A file of the host with several names, and where it is in the image. */
struct copied {
    dev_t device;
    ino_t inode;
    struct umvfs_path place;
};

struct pack {
    struct image *image;
    struct bytes *message;
    struct bytes path; /* of the object at hand, for messages */
    dev_t device;      /* of the tree's root: what is mounted below it stays out */
    void *copied;      /* tsearch tree of struct copied */
};

static int failed(struct pack *pack, int error)
{
    if (pack->message->length == 0)
        bytes_printf(pack->message, "%s: %s", bytes_string(&pack->path), strerror(-error));
    return error;
}

static int compare_copied(const void *a, const void *b)
{
    const struct copied *left = a, *right = b;
    if (left->device != right->device)
        return left->device < right->device ? -1 : 1;
    return (left->inode > right->inode) - (left->inode < right->inode);
}

static void free_copied(void *node)
{
    umvfs_path_put(&((struct copied *)node)->place);
    free(node);
}

static struct umvfs_time time_of(struct timespec time)
{
    return (struct umvfs_time){time.tv_sec, (uint32_t)time.tv_nsec};
}

/* Owner, mode and times, in an order in which none undoes another. */
static int set_attributes(struct pack *pack, const struct umvfs_path *place, const struct stat *st)
{
    const struct umvfs_task *task = &pack->image->task;
    const struct umvfs_time times[2] = {time_of(st->st_atim), time_of(st->st_mtim)};
    int error = umvfs_chown(task, place, "", st->st_uid, st->st_gid, UMVFS_AT_EMPTY_PATH);
    if (!error && !S_ISLNK(st->st_mode))
        error = umvfs_chmod(task, place, "", st->st_mode & UMVFS_S_IALL, UMVFS_AT_EMPTY_PATH);
    if (!error)
        error = umvfs_utimens(task, place, "", times, UMVFS_AT_EMPTY_PATH);
    return error;
}

static int copy_contents(int from, struct umvfs_file *to)
{
    static char piece[PIECE];
    ssize_t got;
    while ((got = read(from, piece, sizeof piece)) > 0) {
        int64_t put = umvfs_write(to, piece, (size_t)got);
        if (put != got)
            return put < 0 ? (int)put : -ENOSPC;
    }
    return got < 0 ? -errno : 0;
}

static int copy_file(struct pack *pack, int parent, const struct umvfs_path *to, const char *name)
{
    struct umvfs_file file;
    int from = openat(parent, name, O_RDONLY | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC);
    if (from < 0)
        return -errno;
    int error = umvfs_open(&pack->image->task, to, name,
                           UMVFS_O_WRONLY | UMVFS_O_CREAT | UMVFS_O_EXCL, 0600, 0, &file);
    if (!error) {
        error = copy_contents(from, &file);
        umvfs_close(&file);
    }
    close(from);
    return error;
}

/* Those of links and nodes, which only the superuser can give them, are not looked at. */
static int copy_attributes(struct pack *pack, int parent, const struct umvfs_path *place,
                           const char *name, const struct stat *st)
{
    if (!S_ISREG(st->st_mode) && !S_ISDIR(st->st_mode))
        return 0;
    int from = openat(parent, name, O_RDONLY | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC);
    if (from < 0)
        return -errno;
    int error = image_take_attributes(pack->image, from, place, bytes_string(&pack->path));
    close(from);
    return error;
}

static int copy_link(struct pack *pack, int parent, const struct umvfs_path *to, const char *name)
{
    char target[PATH_MAX];
    ssize_t length = readlinkat(parent, name, target, sizeof target - 1);
    if (length < 0)
        return -errno;
    target[length] = '\0';
    return umvfs_symlink(&pack->image->task, target, to, name);
}

static int make_object(struct pack *pack, int parent, const struct umvfs_path *to, const char *name,
                       const struct stat *st)
{
    switch (st->st_mode & S_IFMT) {
    case S_IFDIR:
        return umvfs_mkdir(&pack->image->task, to, name, 0700);
    case S_IFREG:
        return copy_file(pack, parent, to, name);
    case S_IFLNK:
        return copy_link(pack, parent, to, name);
    default:
        return umvfs_mknod(&pack->image->task, to, name, st->st_mode, st->st_rdev);
    }
}

/* If the file was copied under another name, links to that and sets *done; else remembers it after
 * it was made, by a call with a place. */
static int link_copied(struct pack *pack, const struct umvfs_path *to, const char *name,
                       const struct stat *st, bool *done)
{
    struct copied key = {.device = st->st_dev, .inode = st->st_ino};
    struct copied **found = tfind(&key, &pack->copied, compare_copied);
    *done = found != NULL;
    if (!found)
        return 0;
    return umvfs_link(&pack->image->task, &(*found)->place, "", to, name, UMVFS_AT_EMPTY_PATH);
}

static void remember_copied(struct pack *pack, const struct umvfs_path *place,
                            const struct stat *st)
{
    struct copied *copied = malloc(sizeof *copied);
    if (!copied)
        abort();
    *copied = (struct copied){st->st_dev, st->st_ino, umvfs_path_get(place)};
    if (!tsearch(copied, &pack->copied, compare_copied))
        abort();
}

static int pack_directory(struct pack *pack, int directory, const struct umvfs_path *to);

static int pack_children(struct pack *pack, int parent, const struct umvfs_path *place,
                         const char *name)
{
    int directory = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return directory < 0 ? -errno : pack_directory(pack, directory, place);
}

static int pack_object(struct pack *pack, int parent, const struct umvfs_path *to, const char *name)
{
    struct stat st;
    struct umvfs_path place;
    bool done = false;
    if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW))
        return -errno;
    bool has_names = !S_ISDIR(st.st_mode) && st.st_nlink > 1;
    int error = has_names ? link_copied(pack, to, name, &st, &done) : 0;
    if (error || done)
        return error;
    error = make_object(pack, parent, to, name, &st);
    if (!error)
        error = umvfs_lookup(&pack->image->task, to, name, UMVFS_AT_SYMLINK_NOFOLLOW, 0, &place);
    if (error)
        return error;
    if (has_names)
        remember_copied(pack, &place, &st);
    if (S_ISDIR(st.st_mode) && st.st_dev == pack->device)
        error = pack_children(pack, parent, &place, name);
    if (!error)
        error = set_attributes(pack, &place, &st);
    if (!error) /* a change of the owner would take a file's capabilities */
        error = copy_attributes(pack, parent, &place, name, &st);
    umvfs_path_put(&place);
    return error;
}

static int is_entry(const struct dirent *entry)
{
    return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

/* In the order of the names, so that a tree makes the same archive on every file system. Takes over the descriptor. */
static int pack_directory(struct pack *pack, int directory, const struct umvfs_path *to)
{
    struct dirent **entries;
    size_t length = pack->path.length;
    int count = scandirat(directory, ".", &entries, is_entry, by_bytes);
    int error = count < 0 ? -errno : 0;
    for (int i = 0; i < count; i++) {
        if (!error) {
            bytes_printf(&pack->path, "/%s", entries[i]->d_name);
            error = pack_object(pack, directory, to, entries[i]->d_name);
            if (error)
                failed(pack, error);
            pack->path.length = length;
            pack->path.data[length] = '\0';
        }
        free(entries[i]);
    }
    if (count >= 0)
        free(entries);
    close(directory);
    return error;
}

int image_pack(struct image *image, const char *directory, struct bytes *message)
{
    struct pack pack = {.image = image, .message = message};
    struct stat st;
    bytes_text(&pack.path, directory);
    int root = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int error = root < 0 || fstat(root, &st) ? -errno : 0;
    if (!error) {
        pack.device = st.st_dev;
        error = pack_directory(&pack, root, &image->task.root);
    } else if (root >= 0) {
        close(root);
    }
    if (!error)
        error = set_attributes(&pack, &image->task.root, &st);
    if (error)
        failed(&pack, error);
    tdestroy(pack.copied, free_copied);
    bytes_free(&pack.path);
    return error;
}
