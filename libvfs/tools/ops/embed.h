/*
 * What libvfs needs from its embedder, on the host: the C library's allocator, with a count of what
 * is out, and the real-time clock. All host commands get their instance here.
 */
#ifndef OPS_EMBED_H
#define OPS_EMBED_H

#include <stdio.h>

#include <umvfs/vfs.h>
#include <umvfs/archive.h>

#include "text.h"

/* What an instance takes from the host. Must stay in place while the instance exists. All zero is
 * a good start. */
struct embed {
    struct umvfs *vfs;
    uint64_t objects; /* object allocations that are out */
    uint64_t bytes;   /* their bytes */
    uint64_t pages;   /* pages that are out */
};

/* What may be chosen. All zero: no quota, no protected_* rule, a root of mode 0755. */
struct embed_options {
    struct umvfs_limits limits;
    uint32_t root_mode;
    uint8_t protected_symlinks, protected_hardlinks, protected_fifos, protected_regular;
};

/* Half of the machine's memory in bytes: what an instance may hold if nothing else is said, as a
 * tmpfs. A small compressed archive may unpack to more memory than there is. */
uint64_t embed_default_size(void);

/* Sets the quotas that are not set: `size` bytes of file contents in pages, and as much memory for
 * names, inodes and small files. `size` is not 0. */
void embed_limit(struct umvfs_limits *limits, uint64_t size);

/* Makes an instance with a random hash key. Returns 0 or a negative errno. */
int embed_new(struct embed *embed, const struct embed_options *options);

/* Destroys the instance. Returns 0; -EBUSY if something is still held, and then it stays; or
 * -EUCLEAN if the instance is gone but has not given back all memory. */
int embed_destroy(struct embed *embed);

/* Nanoseconds since the Epoch, from the clock that stamps the instance's inodes. */
int64_t embed_now(void);

/* Takes the host's own protected_* rules over into *options, where /proc says them. */
void embed_protection_of_host(struct embed_options *options);

/* A copy callback that is memcpy, for umvfs_read_to and umvfs_write_from. */
extern const struct umvfs_copy embed_copy;

/* The superuser: uid 0 with all privileges. */
extern const struct umvfs_cred embed_superuser;

/*
 * Archives of the host, read into an instance of libvfs and written from it.
 */

/* What archive_load returns if an archive that is read by UMVFS_IMPORT_LINUX ends the import. */
enum { ARCHIVE_STOPPED = 1 };

/* Reads the archive `path` ("-" is standard input), unpacked as by archive_unpack, into the root of
 * `vfs`. Returns 0, or a negative errno with what, where and why appended to *message; the tree is
 * then as it was. Offsets of entries are those in the unpacked bytes. ARCHIVE_STOPPED: the same for an error of the archive under UMVFS_IMPORT_LINUX, but what was made stays. */
int archive_load(struct umvfs *vfs, const char *path, const struct umvfs_import_options *options,
                 struct bytes *message);

/* Takes the next bytes of an archive. Anything but 0 ends the reading. */
typedef int archive_put(void *context, const void *data, size_t length);

/* Hands on the contents of an archive's file in pieces, each compressed part unpacked (gzip, bzip2,
 * xz, lzma, zstd, lz4 as `lz4 -l` writes it, lzop), as Linux does with an initramfs: a part begins at the
 * start of the file, or after an entry of cpio and NULs, and ends with an entry. Each begins at a
 * multiple of four bytes of what is handed on. A file without compressed parts is handed on as it
 * is. Needs 128 KiB and what the decoder takes, at most 256 MiB. Returns 0, what `put` returned, or a
 * negative errno with a message: -EINVAL for a part that is damaged, cut, or of a compression whose
 * library was not there at the build. If `put` refuses contents of a compressed part, the message
 * says which part that is. */
int archive_unpack(FILE *file, const char *path, archive_put *put, void *context,
                   struct bytes *message);

/* Writes the tree of `vfs` to the file `path` ("-" is standard output). Returns 0, or a negative
 * errno with a message; the file is then removed. */
int archive_save(struct umvfs *vfs, const char *path, enum umvfs_archive_format format,
                 struct bytes *message);

/* Appends entry, name, offset and reason of what was met in the archive `path`. */
void archive_describe(struct bytes *message, const char *path,
                      const struct umvfs_import_error *what);

/* The format called `name` (cpio, cpio-crc, tar), or UMVFS_ARCHIVE_AUTO for any other name. */
enum umvfs_archive_format archive_format_by_name(const char *name);

#endif
