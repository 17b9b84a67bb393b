#include "file/files.h"
#include "file/locks.h"
#include "lib/check.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/slab.h"

struct files *files_create(void)
{
    struct files *files = slab_alloc_zeroed(sizeof(*files));
    if (files) {
        files->refs = REF_ONE;
        files->capacity = FILES_FIRST;
        files->file = files->first;
        files->close_on_exec = files->first_close_on_exec;
    }
    return files;
}

static void free_arrays(struct files *files)
{
    if (files->file == files->first)
        return;
    slab_free(files->file);
    slab_free(files->close_on_exec);
}

/* Makes room for descriptors below `capacity`. */
static int grow(struct files *files, unsigned capacity)
{
    unsigned size = files->capacity;
    if (capacity <= files->capacity)
        return 0;
    while (size < capacity)
        size *= 2;
    struct file **file = slab_alloc_zeroed(size * sizeof(*file));
    uint8_t *close_on_exec = slab_alloc_zeroed(size);
    if (!file || !close_on_exec) {
        slab_free(file);
        slab_free(close_on_exec);
        return -ENOMEM;
    }
    memcpy(file, files->file, files->used * sizeof(*file));
    memcpy(close_on_exec, files->close_on_exec, files->used);
    free_arrays(files);
    files->file = file;
    files->close_on_exec = close_on_exec;
    files->capacity = size;
    return 0;
}

struct files *files_copy(const struct files *from)
{
    struct files *files = files_create();
    if (!files || grow(files, from->used) != 0) {
        slab_free(files);
        return NULL;
    }
    files->used = from->used;
    files->lowest = 0; /* what is reserved is not copied */
    for (unsigned fd = 0; fd < from->used; fd++) {
        struct file *file = from->file[fd];
        if (!file)
            continue;
        file_get(file);
        files->file[fd] = file;
        files->close_on_exec[fd] = from->close_on_exec[fd];
    }
    return files;
}

void files_put(struct files *files)
{
    if (!files || !ref_put(&files->refs))
        return;
    for (unsigned fd = 0; fd < files->used; fd++)
        if (files->file[fd]) {
            locks_descriptor_closed(files, files->file[fd]);
            file_put(files->file[fd]);
        }
    free_arrays(files);
    slab_free(files);
}

void files_exec(struct files *files)
{
    for (unsigned fd = 0; fd < files->used; fd++)
        if (files->file[fd] && files->close_on_exec[fd])
            files_close(files, fd);
}

struct file *files_find(const struct files *files, unsigned fd)
{
    struct file *file = files_peek(files, fd);
    if (file)
        file_get(file);
    return file;
}

bool files_is_reserved(const struct files *files, unsigned fd)
{
    return fd < files->used && files->close_on_exec[fd] == DESCRIPTOR_RESERVED;
}

static void set(struct files *files, unsigned fd, struct file *file, uint8_t close_on_exec)
{
    files->file[fd] = file;
    files->close_on_exec[fd] = close_on_exec;
    if (fd >= files->used)
        files->used = fd + 1;
    if (fd == files->lowest)
        files->lowest = fd + 1;
}

/* Returns the lowest free descriptor from `from`, with room for it in the table. */
static int find_free(struct files *files, unsigned from, uint64_t limit)
{
    unsigned fd = from > files->lowest ? from : files->lowest;
    while (fd < files->used && (files->file[fd] || files_is_reserved(files, fd)))
        fd++;
    if (from <= files->lowest)
        files->lowest = fd;
    if (fd >= limit || fd >= FILES_MAX)
        return -EMFILE;
    return fd >= files->capacity && grow(files, fd + 1) != 0 ? -ENOMEM : (int)fd;
}

int files_install(struct files *files, struct file *file, unsigned from, uint64_t limit,
                  bool close_on_exec)
{
    int fd = find_free(files, from, limit);
    if (fd >= 0)
        files_fill(files, (unsigned)fd, file, close_on_exec);
    return fd;
}

int files_reserve(struct files *files, uint64_t limit)
{
    int fd = find_free(files, 0, limit);
    if (fd >= 0)
        set(files, (unsigned)fd, NULL, DESCRIPTOR_RESERVED);
    return fd;
}

void files_fill(struct files *files, unsigned fd, struct file *file, bool close_on_exec)
{
    set(files, fd, file, close_on_exec);
}

/* Descriptors are mostly closed last one first. */
static void clear(struct files *files, unsigned fd)
{
    files->file[fd] = NULL;
    files->close_on_exec[fd] = 0;
    if (fd + 1 == files->used)
        files->used = fd;
    if (fd < files->lowest)
        files->lowest = fd;
}

void files_unreserve(struct files *files, unsigned fd)
{
    clear(files, fd);
}

int files_close(struct files *files, unsigned fd)
{
    struct file *file = files_peek(files, fd);
    if (!file)
        return -EBADF;
    clear(files, fd);
    locks_descriptor_closed(files, file);
    file_put(file);
    return 0;
}

int files_replace(struct files *files, unsigned fd, struct file *file, uint64_t limit,
                  bool close_on_exec)
{
    if (fd >= limit || fd >= FILES_MAX)
        return -EBADF;
    if (grow(files, fd + 1) != 0)
        return -ENOMEM;
    if (files_is_reserved(files, fd))
        return -EBUSY;
    struct file *old = files->file[fd];
    set(files, fd, file, close_on_exec);
    if (old) {
        locks_descriptor_closed(files, old);
        file_put(old);
    }
    return 0;
}
