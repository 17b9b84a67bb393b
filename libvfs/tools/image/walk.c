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
    struct image *image;
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

static int take_name(void *context, const char *name, size_t length, uint64_t inode, unsigned type,
                     uint64_t next)
{
    (void)inode;
    (void)type;
    (void)next;
    if (name[0] == '.' && (length == 1 || (length == 2 && name[1] == '.')))
        return 0;
    bytes_append(context, name, length);
    bytes_push(context, '\0');
    return 0;
}

static int list_names(struct walk *walk, const struct umvfs_path *directory, struct bytes *names)
{
    struct umvfs_file file;
    int error = umvfs_open(&walk->image->task, directory, ".", UMVFS_O_RDONLY | UMVFS_O_DIRECTORY,
                           0, 0, &file);
    if (error)
        return error;
    error = umvfs_readdir(&file, take_name, names);
    umvfs_close(&file);
    if (!error)
        names_sort(names);
    return error;
}

static int walk_object(struct walk *walk, const struct umvfs_path *place, const char *name);

static int walk_directory(struct walk *walk, const struct umvfs_path *directory)
{
    struct bytes names = {0};
    size_t length = walk->path.length;
    int error = list_names(walk, directory, &names);
    for (size_t at = 0; !error && at < names.length; at += strlen(names.data + at) + 1) {
        struct umvfs_path place;
        bytes_printf(&walk->path, "%s%s", length ? "/" : "", names.data + at);
        error = umvfs_lookup(&walk->image->task, directory, names.data + at,
                             UMVFS_AT_SYMLINK_NOFOLLOW, 0, &place);
        if (!error) {
            error = walk_object(walk, &place, names.data + at);
            umvfs_path_put(&place);
        }
        walk->path.length = length;
        walk->path.data[length] = '\0';
    }
    bytes_free(&names);
    return error;
}

/* Recurses as deep as the tree is; UMVFS_DIR_DEPTH_MAX bounds it for archives, and the host's stack
 * has room for that. */
static int walk_object(struct walk *walk, const struct umvfs_path *place, const char *name)
{
    struct visit visit = {.name = name, .place = place};
    int error = umvfs_inode_stat(umvfs_path_inode(place), &visit.stat);
    if (error)
        return error;
    bool is_directory = UMVFS_S_ISDIR(visit.stat.mode);
    if (!is_directory && visit.stat.nlink > 1)
        visit.link_to = known_as(walk, visit.stat.ino);
    visit.path = walk->path.length ? bytes_string(&walk->path) : ".";
    error = walk->visit(walk->context, &visit, false);
    if (error || !is_directory)
        return error;
    error = walk_directory(walk, place);
    visit.path = walk->path.length ? bytes_string(&walk->path) : ".";
    return error ? error : walk->visit(walk->context, &visit, true);
}

int image_walk(struct image *image, image_visit *visit, void *context)
{
    struct walk walk = {.image = image, .visit = visit, .context = context};
    int error = walk_object(&walk, &image->task.root, ".");
    tdestroy(walk.first_names, free_first_name);
    bytes_free(&walk.path);
    return error;
}
