/* The image itself, and a walk over its tree. */
#include "image.h"

#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "ops/backend.h"

int image_open(struct image *image)
{
    *image = (struct image){0};
    int error = embed_new(&image->embed, &(struct embed_options){0});
    if (error)
        return error;
    image->task = (struct umvfs_task){.vfs = image->embed.vfs, .cred = &embed_superuser};
    umvfs_root(image->embed.vfs, &image->task.root);
    image->task.cwd = image->task.root;
    return 0;
}

int image_close(struct image *image)
{
    umvfs_path_put(&image->task.root);
    return embed_destroy(&image->embed);
}

/* An inode with several names and the first of them. */
struct first_name {
    uint64_t inode;
    char *path;
};

struct walk {
    image_visit *visit;
    void *context;
    void *first_names; /* tsearch tree of struct first_name */
    struct bytes path;
};

static int compare_inodes(const void *a, const void *b)
{
    uint64_t left = ((const struct first_name *)a)->inode;
    uint64_t right = ((const struct first_name *)b)->inode;
    return (left > right) - (left < right);
}

static void free_first_name(void *node)
{
    free(((struct first_name *)node)->path);
    free(node);
}

/* The path that an inode was visited under before, or NULL, and then this one is remembered. */
static const char *known_as(struct walk *walk, uint64_t inode)
{
    struct first_name *entry = malloc(sizeof *entry);
    if (!entry)
        abort();
    *entry = (struct first_name){inode, NULL};
    struct first_name **found = tsearch(entry, &walk->first_names, compare_inodes);
    if (!found)
        abort();
    if (*found != entry) {
        free(entry);
        return (*found)->path;
    }
    entry->path = strdup(bytes_string(&walk->path));
    return NULL;
}

/* Tells the image's visitor of an object that the walk visits; a directory's name stays in the path
 * until it is left. */
static int visit_object(void *context, const struct umvfs_visit *at)
{
    struct walk *walk = context;
    size_t length = walk->path.length;
    bool is_directory = UMVFS_S_ISDIR(at->stat.mode);
    if (at->error)
        return at->error;
    if (!at->is_leaving)
        bytes_printf(&walk->path, "%s%s", length ? "/" : "", at->name);
    struct visit visit = {.name = at->dir ? at->name : ".", .place = at->place, .stat = at->stat};
    if (!is_directory && at->stat.nlink > 1)
        visit.link_to = known_as(walk, at->stat.ino);
    visit.path = walk->path.length ? bytes_string(&walk->path) : ".";
    int error = walk->visit(walk->context, &visit, at->is_leaving);
    if (!is_directory || at->is_leaving) {
        bool inside = walk->path.length > at->len;
        walk->path.length -= at->len + (inside ? 1 : 0);
    }
    return error;
}

int image_walk(struct image *image, image_visit *visit, void *context)
{
    struct walk walk = {.visit = visit, .context = context};
    int error = umvfs_walk_tree(&image->task, &image->task.root, "", UMVFS_AT_EMPTY_PATH,
                                visit_object, &walk);
    tdestroy(walk.first_names, free_first_name);
    bytes_free(&walk.path);
    return error;
}
