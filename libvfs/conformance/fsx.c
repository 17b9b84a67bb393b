/*
 * vfs-fsx [-m] [-s SEED] [-n OPERATIONS] [-l LENGTH] FILE: random operations on one file, compared
 * with an image in memory.
 *
 * Writes, reads, truncates, reserves, punches holes, looks for data and holes, closes and opens
 * again; with -m it also reads and writes through shared mappings. After a difference it prints
 * where, and the operations that led there. Exit status: 0, 1 for a difference, 2 for an error.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sh/diff.h"

enum { LOG_SIZE = 200, LENGTH_DEFAULT = 300000, TRANSFER_MAX = 70000, PAGE = 4096 };

struct entry {
    uint64_t number;
    const char *name;
    size_t offset, length, size;
};

struct fsx {
    const char *path;
    int fd;
    bool mapped;
    size_t limit;         /* bytes that the file may have */
    size_t size;          /* bytes that it must have */
    unsigned char *image; /* its contents, zeros behind size */
    unsigned char *buffer;
    struct random random;
    uint64_t number; /* of the operation */
    struct entry log[LOG_SIZE];
};

static void print_log(const struct fsx *fsx)
{
    uint64_t first = fsx->number > LOG_SIZE ? fsx->number - LOG_SIZE : 0;
    for (uint64_t i = first; i < fsx->number; i++) {
        const struct entry *entry = &fsx->log[i % LOG_SIZE];
        printf("# %" PRIu64 " %-8s offset %zu length %zu, size before %zu\n", entry->number,
               entry->name, entry->offset, entry->length, entry->size);
    }
}

static void fail(const struct fsx *fsx, const char *what, size_t at, unsigned found, unsigned want)
{
    print_log(fsx);
    printf("%s at byte %zu: found %u, expected %u\n", what, at, found, want);
    exit(1);
}

static void fail_call(const struct fsx *fsx, const char *call)
{
    int error = errno;
    print_log(fsx);
    printf("%s: %s\n", call, strerror(error));
    exit(error == ENOSPC || error == ENOSYS ? 2 : 1);
}

static void compare(const struct fsx *fsx, const char *what, const unsigned char *found,
                    size_t offset, size_t length)
{
    const unsigned char *want = fsx->image + offset;
    for (size_t i = 0; i < length; i++)
        if (found[i] != want[i])
            fail(fsx, what, offset + i, found[i], want[i]);
}

static void fill(struct fsx *fsx, size_t length)
{
    unsigned char byte = (unsigned char)(1 + random_below(&fsx->random, 255));
    for (size_t i = 0; i < length; i++)
        fsx->buffer[i] = (unsigned char)(byte + i * 7 / 5);
}

/* The file ends at `size` from now on; what lies behind reads as zeros if it grows again. */
static void set_size(struct fsx *fsx, size_t size)
{
    if (size < fsx->size)
        memset(fsx->image + size, 0, fsx->size - size);
    fsx->size = size;
}

static void do_write(struct fsx *fsx, size_t offset, size_t length)
{
    fill(fsx, length);
    ssize_t put = pwrite(fsx->fd, fsx->buffer, length, (off_t)offset);
    if (put != (ssize_t)length)
        fail_call(fsx, "pwrite");
    memcpy(fsx->image + offset, fsx->buffer, length);
    if (offset + length > fsx->size)
        fsx->size = offset + length;
}

static void do_read(struct fsx *fsx, size_t offset, size_t length)
{
    size_t want = 0;
    if (offset < fsx->size)
        want = length < fsx->size - offset ? length : fsx->size - offset;
    ssize_t got = pread(fsx->fd, fsx->buffer, length, (off_t)offset);
    if (got < 0)
        fail_call(fsx, "pread");
    if ((size_t)got != want)
        fail(fsx, "bytes read", offset, (unsigned)got, (unsigned)want);
    compare(fsx, "read", fsx->buffer, offset, want);
}

static void do_truncate(struct fsx *fsx, size_t offset, size_t length)
{
    (void)length;
    bool by_path = random_below(&fsx->random, 4) == 0;
    if (by_path ? truncate(fsx->path, (off_t)offset) : ftruncate(fsx->fd, (off_t)offset))
        fail_call(fsx, "truncate");
    set_size(fsx, offset);
}

static void do_reserve(struct fsx *fsx, size_t offset, size_t length)
{
    int keep = random_below(&fsx->random, 2) ? FALLOC_FL_KEEP_SIZE : 0;
    if (fallocate(fsx->fd, keep, (off_t)offset, (off_t)length))
        fail_call(fsx, "fallocate");
    if (!keep && offset + length > fsx->size)
        fsx->size = offset + length;
}

static void do_punch(struct fsx *fsx, size_t offset, size_t length)
{
    const int mode = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
    if (fallocate(fsx->fd, mode, (off_t)offset, (off_t)length))
        fail_call(fsx, "fallocate(PUNCH_HOLE)");
    memset(fsx->image + offset, 0, length);
}

/* What lseek calls a hole must read as zeros, and it must lead forwards within the file. */
static void do_seek(struct fsx *fsx, size_t offset, size_t length)
{
    (void)length;
    off_t data = lseek(fsx->fd, (off_t)offset, SEEK_DATA);
    if (data < 0 && errno != ENXIO)
        fail_call(fsx, "lseek(SEEK_DATA)");
    size_t hole_end = data < 0 ? fsx->size : (size_t)data;
    if (data >= 0 && (hole_end < offset || hole_end >= fsx->size))
        fail(fsx, "data found", offset, (unsigned)hole_end, (unsigned)fsx->size);
    for (size_t i = offset; i < hole_end; i++)
        if (fsx->image[i])
            fail(fsx, "hole", i, 0, fsx->image[i]);
    off_t hole = lseek(fsx->fd, (off_t)offset, SEEK_HOLE);
    if (offset >= fsx->size ? hole >= 0 : hole < (off_t)offset || hole > (off_t)fsx->size)
        fail(fsx, "hole found", offset, (unsigned)hole, (unsigned)fsx->size);
}

static void do_reopen(struct fsx *fsx, size_t offset, size_t length)
{
    (void)offset;
    (void)length;
    if (close(fsx->fd))
        fail_call(fsx, "close");
    fsx->fd = open(fsx->path, O_RDWR | O_CLOEXEC);
    if (fsx->fd < 0)
        fail_call(fsx, "open");
}

/* Maps the pages around a range that lies in the file; NULL if there is none. */
static unsigned char *map(struct fsx *fsx, size_t *offset, size_t *length, size_t *lead)
{
    if (!fsx->mapped || fsx->size == 0)
        return NULL;
    *offset %= fsx->size;
    if (*length > fsx->size - *offset)
        *length = fsx->size - *offset;
    *lead = *offset % PAGE;
    void *pages = mmap(NULL, *lead + *length, PROT_READ | PROT_WRITE, MAP_SHARED, fsx->fd,
                       (off_t)(*offset - *lead));
    if (pages == MAP_FAILED)
        fail_call(fsx, "mmap");
    return pages;
}

static void do_map_read(struct fsx *fsx, size_t offset, size_t length)
{
    size_t lead;
    unsigned char *pages = map(fsx, &offset, &length, &lead);
    if (!pages)
        return;
    compare(fsx, "mapping", pages + lead, offset, length);
    munmap(pages, lead + length);
}

static void do_map_write(struct fsx *fsx, size_t offset, size_t length)
{
    size_t lead;
    unsigned char *pages = map(fsx, &offset, &length, &lead);
    if (!pages)
        return;
    fill(fsx, length);
    memcpy(pages + lead, fsx->buffer, length);
    memcpy(fsx->image + offset, fsx->buffer, length);
    if (msync(pages, lead + length, MS_SYNC))
        fail_call(fsx, "msync");
    munmap(pages, lead + length);
}

static const struct {
    const char *name;
    void (*run)(struct fsx *fsx, size_t offset, size_t length);
    unsigned weight;
} operations[] = {
    {"write", do_write, 30},    {"read", do_read, 30},         {"truncate", do_truncate, 10},
    {"reserve", do_reserve, 6}, {"punch", do_punch, 10},       {"seek", do_seek, 8},
    {"reopen", do_reopen, 2},   {"map-read", do_map_read, 10}, {"map-write", do_map_write, 10},
};

/* Sizes near pages, and near the size up to which small files may be kept elsewhere, come often. */
static size_t pick(struct fsx *fsx, size_t limit)
{
    static const size_t edges[] = {0, 1, 2047, 2048, 2049, 4095, 4096, 4097, 8192, 65536, 131072};
    size_t value = random_below(&fsx->random, (unsigned)limit);
    if (random_below(&fsx->random, 4) == 0)
        value = edges[random_below(&fsx->random, sizeof edges / sizeof edges[0])];
    if (random_below(&fsx->random, 4) == 0)
        value %= 3 * PAGE;
    return value < limit ? value : limit - 1;
}

static void step(struct fsx *fsx)
{
    unsigned sum = 0, index = 0;
    for (size_t i = 0; i < sizeof operations / sizeof operations[0]; i++)
        sum += operations[i].weight;
    unsigned at = random_below(&fsx->random, sum);
    while (at >= operations[index].weight)
        at -= operations[index++].weight;
    size_t offset = pick(fsx, fsx->limit);
    size_t length = 1 + pick(fsx, TRANSFER_MAX);
    if (length > fsx->limit - offset)
        length = fsx->limit - offset;
    fsx->log[fsx->number % LOG_SIZE] =
        (struct entry){fsx->number, operations[index].name, offset, length, fsx->size};
    fsx->number++;
    operations[index].run(fsx, offset, length);
}

static void check_size(const struct fsx *fsx)
{
    struct stat st;
    if (fstat(fsx->fd, &st))
        fail_call(fsx, "fstat");
    if ((size_t)st.st_size != fsx->size)
        fail(fsx, "size", 0, (unsigned)st.st_size, (unsigned)fsx->size);
}

static void check_all(struct fsx *fsx)
{
    check_size(fsx);
    for (size_t at = 0; at < fsx->size; at += TRANSFER_MAX)
        do_read(fsx, at, TRANSFER_MAX);
}

static int run(struct fsx *fsx, uint64_t count)
{
    fsx->image = calloc(1, fsx->limit + TRANSFER_MAX);
    fsx->buffer = malloc(TRANSFER_MAX + 1);
    fsx->fd = open(fsx->path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (!fsx->image || !fsx->buffer || fsx->fd < 0) {
        fprintf(stderr, "vfs-fsx: %s: %s\n", fsx->path, strerror(errno));
        return 2;
    }
    for (uint64_t i = 0; i < count; i++) {
        step(fsx);
        check_size(fsx);
        if (i % 500 == 499 || i + 1 == count)
            check_all(fsx);
    }
    close(fsx->fd);
    unlink(fsx->path);
    free(fsx->image);
    free(fsx->buffer);
    printf("%" PRIu64 " operations: no difference\n", count);
    return 0;
}

int main(int argc, char **argv)
{
    struct fsx fsx = {.limit = LENGTH_DEFAULT, .random = random_seed(1)};
    uint64_t count = 10000;
    int option;
    while ((option = getopt(argc, argv, "ms:n:l:")) != -1) {
        uint64_t number = optarg ? strtoull(optarg, NULL, 0) : 0;
        if (option == 'm')
            fsx.mapped = true;
        else if (option == 's')
            fsx.random = random_seed(number);
        else if (option == 'n')
            count = number;
        else if (option == 'l' && number >= PAGE && number <= 1u << 30)
            fsx.limit = (size_t)number;
        else
            optind = argc + 1;
    }
    if (optind != argc - 1) {
        fputs("usage: vfs-fsx [-m] [-s SEED] [-n OPERATIONS] [-l LENGTH] FILE\n", stderr);
        return 2;
    }
    fsx.path = argv[optind];
    return run(&fsx, count);
}
