#include "embed.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

static void *object_alloc(void *context, size_t size)
{
    struct embed *embed = context;
    void *object = malloc(size);
    if (object) {
        embed->objects++;
        embed->bytes += size;
    }
    return object;
}

static void object_free(void *context, void *object, size_t size)
{
    struct embed *embed = context;
    embed->objects--;
    embed->bytes -= size;
    free(object);
}

static void *page_alloc(void *context)
{
    struct embed *embed = context;
    void *page = aligned_alloc(UMVFS_PAGE_SIZE, UMVFS_PAGE_SIZE);
    if (page)
        embed->pages++;
    return page;
}

static void page_put(void *context, void *page)
{
    struct embed *embed = context;
    embed->pages--;
    free(page);
}

int64_t embed_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int64_t now(void *context)
{
    (void)context;
    return embed_now();
}

static size_t copy(void *context, void *target, const void *source, size_t length)
{
    (void)context;
    memcpy(target, source, length);
    return length;
}

const struct umvfs_copy embed_copy = {.copy = copy};
const struct umvfs_cred embed_superuser = {.caps = UMVFS_CAP_ALL};

int embed_new(struct embed *embed, const struct embed_options *options)
{
    struct umvfs_config config = {
        .ctx = embed,
        .alloc = object_alloc,
        .free = object_free,
        .page_alloc = page_alloc,
        .page_put = page_put,
        .now = now,
        .root_limits = options->limits,
        .root_mode = options->root_mode,
        .protected_symlinks = options->protected_symlinks,
        .protected_hardlinks = options->protected_hardlinks,
        .protected_fifos = options->protected_fifos,
        .protected_regular = options->protected_regular,
    };
    if (getrandom(config.seed, sizeof config.seed, 0) != sizeof config.seed)
        return -EIO;
    *embed = (struct embed){0};
    return umvfs_new(&config, &embed->vfs);
}

int embed_destroy(struct embed *embed)
{
    int error = umvfs_destroy(embed->vfs);
    if (error)
        return error;
    embed->vfs = NULL;
    return embed->objects || embed->bytes || embed->pages ? -EUCLEAN : 0;
}

static uint8_t read_rule(const char *name)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/sys/fs/protected_%s", name);
    FILE *file = fopen(path, "re");
    unsigned value = 0;
    if (file && fscanf(file, "%u", &value) != 1)
        value = 0;
    if (file)
        fclose(file);
    return (uint8_t)value;
}

void embed_protection_of_host(struct embed_options *options)
{
    options->protected_symlinks = read_rule("symlinks");
    options->protected_hardlinks = read_rule("hardlinks");
    options->protected_fifos = read_rule("fifos");
    options->protected_regular = read_rule("regular");
}
