/* The listing of an image. */
#include "image.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <time.h>

#include "ops/token.h"

static void add_mode(struct bytes *line, uint32_t mode)
{
    static const char types[16] = {
        [1] = 'p', [2] = 'c', [4] = 'd', [6] = 'b', [8] = '-', [10] = 'l', [12] = 's'};
    char text[11] = "?rwxrwxrwx";
    text[0] = types[(mode & UMVFS_S_IFMT) >> 12];
    for (unsigned i = 0; i < 9; i++)
        if (!(mode & (0400u >> i)))
            text[i + 1] = '-';
    if (mode & UMVFS_S_ISUID)
        text[3] = mode & 0100 ? 's' : 'S';
    if (mode & UMVFS_S_ISGID)
        text[6] = mode & 0010 ? 's' : 'S';
    if (mode & UMVFS_S_ISVTX)
        text[9] = mode & 0001 ? 't' : 'T';
    bytes_text(line, text);
}

/* In UTC, so that the listing does not depend on where it is made. */
static void add_time(struct bytes *line, struct umvfs_time time)
{
    char text[64] = "?";
    struct tm parts;
    time_t seconds = time.sec;
    if (gmtime_r(&seconds, &parts))
        strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &parts);
    bytes_printf(line, " %s ", text);
}

static int add_target(struct bytes *line, struct image *image, const struct visit *visit)
{
    char target[PATH_MAX];
    if (!UMVFS_S_ISLNK(visit->stat.mode))
        return 0;
    int length =
        umvfs_readlink(&image->task, visit->place, "", UMVFS_AT_EMPTY_PATH, target, sizeof target);
    if (length < 0)
        return length;
    bytes_text(line, " -> ");
    token_spell(line, target, (size_t)length);
    return 0;
}

static int print_object(void *context, const struct visit *visit, bool leaving)
{
    const struct umvfs_stat *st = &visit->stat;
    struct bytes line = {0};
    if (leaving)
        return 0;
    add_mode(&line, st->mode);
    bytes_printf(&line, " %u/%u ", st->uid, st->gid);
    if (UMVFS_S_ISCHR(st->mode) || UMVFS_S_ISBLK(st->mode))
        bytes_printf(&line, "%u,%u", major(st->rdev), minor(st->rdev));
    else
        bytes_printf(&line, "%" PRIu64, UMVFS_S_ISDIR(st->mode) ? 0 : st->size);
    add_time(&line, st->mtime);
    token_spell(&line, visit->path, strlen(visit->path));
    int error = add_target(&line, context, visit);
    if (visit->link_to) {
        bytes_text(&line, " link to ");
        token_spell(&line, visit->link_to, strlen(visit->link_to));
    }
    puts(bytes_string(&line));
    bytes_free(&line);
    return error;
}

int image_list(struct image *image)
{
    return image_walk(image, print_object, image);
}
