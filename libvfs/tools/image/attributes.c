/* Extended attributes, between the host and an image, and what becomes of those that find no place. */
#include "image.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>

enum { LIST_MAX = 65536, VALUE_MAX = 65536 }; /* Linux's limits */

void image_lost(struct image *image, const char *path, const char *attribute)
{
    fprintf(stderr, "vfs-image: %s: attribute %s is lost\n", path, attribute);
    image->losses++;
}

/* The names of an object's attributes in an image: bytes in list, or a negative errno. */
static int list_of(struct image *image, const struct visit *visit, char *list)
{
    return umvfs_listxattr(&image->task, visit->place, "", list, LIST_MAX, UMVFS_AT_EMPTY_PATH);
}

int image_give_attributes(struct image *image, const struct visit *visit, int to)
{
    static char list[LIST_MAX], value[VALUE_MAX];
    int length = list_of(image, visit, list);
    for (int at = 0; at < length; at += (int)strlen(list + at) + 1) {
        int size = umvfs_getxattr(&image->task, visit->place, "", list + at, value, sizeof value,
                                  UMVFS_AT_EMPTY_PATH);
        if (size < 0)
            return size;
        if (to < 0 || fsetxattr(to, list + at, value, (size_t)size, 0))
            image_lost(image, visit->path, list + at);
    }
    return length < 0 ? length : 0;
}

int image_take_attributes(struct image *image, int from, const struct umvfs_path *to,
                          const char *path)
{
    static char list[LIST_MAX], value[VALUE_MAX];
    ssize_t length = flistxattr(from, list, sizeof list);
    if (length < 0)
        return errno == EOPNOTSUPP ? 0 : -errno;
    for (ssize_t at = 0; at < length; at += (ssize_t)strlen(list + at) + 1) {
        ssize_t size = fgetxattr(from, list + at, value, sizeof value);
        if (size < 0 || umvfs_setxattr(&image->task, to, "", list + at, value, (size_t)size, 0,
                                       UMVFS_AT_EMPTY_PATH))
            image_lost(image, path, list + at);
    }
    return 0;
}

static int lose(void *context, const struct visit *visit, bool leaving)
{
    static char list[LIST_MAX];
    int length = leaving || visit->link_to ? 0 : list_of(context, visit, list);
    for (int at = 0; at < length; at += (int)strlen(list + at) + 1)
        image_lost(context, visit->path, list + at);
    return length < 0 ? length : 0;
}

int image_lose_attributes(struct image *image)
{
    return image_walk(image, lose, image);
}
