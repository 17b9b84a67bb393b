/*
 * vfs-image: archives packed, listed, extracted, checked and converted. What its files share.
 *
 * Every command goes through a file system of libvfs: an archive is imported into it whole before
 * anything is printed or written, so a damaged one has no effect.
 */
#ifndef UMVFS_IMAGE_H
#define UMVFS_IMAGE_H

#include <umvfs/attr.h>
#include <umvfs/file.h>
#include <umvfs/page.h>
#include <umvfs/tree.h>

#include "ops/text.h"
#include "ops/embed.h"

/* An instance and a task of the superuser at its root. */
struct image {
    struct embed embed;
    struct umvfs_task task;
    uint64_t losses; /* attributes that found no place, and entries that were skipped */
    bool stopped;    /* the archive ended its import, and what was made is there */
};

/* Makes an empty image, whose files take at most `size` bytes (and a page), and its names and inodes as much.
 * Returns 0 or a negative errno. */
int image_open(struct image *image, uint64_t size);

/* Frees the image. Returns 0, or a negative errno if something of it is left. */
int image_close(struct image *image);

/* An object of a walk. Valid during the visit. */
struct visit {
    const char *path; /* from the root, without a slash in front; "." is the root */
    const char *name; /* its last component */
    const struct umvfs_path *place;
    struct umvfs_stat stat;
    const char *link_to; /* the path under which the same inode was visited before, or NULL */
};

/* Called for each object before its contents, and for directories once more after them with
 * `leaving` set. Anything but 0 ends the walk with that value. */
typedef int image_visit(void *context, const struct visit *visit, bool leaving);

/* Visits all objects, in each directory in the order in which they were made. Returns 0, what a visit
 * returned, or a negative errno. */
int image_walk(struct image *image, image_visit *visit, void *context);

/* Copies the host's directory tree below `directory` into the empty image: types, contents, owners,
 * modes, times and hard links; not the file systems mounted below it. Returns 0 or a negative
 * errno with a message. */
int image_pack(struct image *image, const char *directory, struct bytes *message);

/* Makes the image's tree in the host's `directory`, which is made if it is missing. Directories
 * that exist stay, and what else exists is refused; no symbolic link is ever followed. Owners are
 * set by the superuser only. Returns 0 or a negative errno with a message. */
int image_extract(struct image *image, const char *directory, struct bytes *message);

/* Says that an attribute of an object is lost, and counts it. */
void image_lost(struct image *image, const char *path, const char *attribute);

/* Copies the extended attributes of an object in the image to the host's descriptor (-1: none, and all
 * are lost), or of a
 * descriptor to a place in the image. Those that are refused are lost. Return 0 or a negative
 * errno. */
int image_give_attributes(struct image *image, const struct visit *visit, int to);
int image_take_attributes(struct image *image, int from, const struct umvfs_path *to,
                          const char *path);

/* All attributes of the image are lost: it goes to a format without them. Returns 0 or a negative
 * errno. */
int image_lose_attributes(struct image *image);

/* Prints a line for each object: mode, owner, size or device, time, name. Returns 0 or a negative
 * errno. */
int image_list(struct image *image);

#endif
