/* O_TMPFILE. The kernel sends it as FUSE_TMPFILE (a FUSE_CREATE without a name), which libfuse 3.14
 * answers with ENOSYS; so it is taken off the wire here. The structures are those of
 * <linux/fuse.h>, declared by what this request needs, since that header and libfuse's clash. */
#include "fuse.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <unistd.h>

#include <linux/fuse.h>

struct answer {
    struct fuse_out_header header;
    struct fuse_entry_out entry;
    struct fuse_open_out open;
};

static void fill_entry(struct fuse_entry_out *out, const struct fuse_entry_param *entry)
{
    const struct stat *st = &entry->attr;
    *out = (struct fuse_entry_out){
        .nodeid = entry->ino,
        .attr =
            {
                .ino = st->st_ino,
                .size = (uint64_t)st->st_size,
                .blocks = (uint64_t)st->st_blocks,
                .atime = (uint64_t)st->st_atim.tv_sec,
                .mtime = (uint64_t)st->st_mtim.tv_sec,
                .ctime = (uint64_t)st->st_ctim.tv_sec,
                .atimensec = (uint32_t)st->st_atim.tv_nsec,
                .mtimensec = (uint32_t)st->st_mtim.tv_nsec,
                .ctimensec = (uint32_t)st->st_ctim.tv_nsec,
                .mode = st->st_mode,
                .nlink = (uint32_t)st->st_nlink,
                .uid = st->st_uid,
                .gid = st->st_gid,
                .blksize = UMVFS_PAGE_SIZE,
            },
    };
}

/* Makes the file. On success *answer is complete but for its header. */
static int make_tmpfile(struct server *server, const struct fuse_in_header *in,
                        const struct fuse_create_in *create, struct answer *answer)
{
    struct call call;
    struct fuse_entry_param entry;
    struct umvfs_file *file = malloc(sizeof *file);
    if (!file)
        return -ENOMEM;
    call_begin_raw(&call, server, in->uid, in->gid, in->pid, create->umask);
    int error = umvfs_open(&call.task, &node_of(server, in->nodeid)->place, ".",
                           (create->flags & ~UMVFS_O_CREAT) | UMVFS_O_TMPFILE,
                           create->mode & UMVFS_S_IALL, 0, file);
    if (!error) {
        struct umvfs_path place = umvfs_path_get(&file->path);
        error = node_enter(server, &place, &entry);
        if (error)
            umvfs_close(file);
    }
    if (error) {
        free(file);
        return error;
    }
    fill_entry(&answer->entry, &entry);
    answer->open.fh = (uint64_t)file;
    answer->open.open_flags = server->cached ? 0 : FOPEN_DIRECT_IO;
    server->files++;
    return 0;
}

bool tmpfile_process(struct fuse_session *session, struct server *server,
                     const struct fuse_buf *buffer)
{
    const struct fuse_in_header *in = buffer->mem;
    const struct fuse_create_in *create = (const struct fuse_create_in *)(in + 1);
    if ((buffer->flags & FUSE_BUF_IS_FD) || buffer->size < sizeof *in + sizeof *create ||
        in->opcode != FUSE_TMPFILE)
        return false;
    struct answer answer = {0};
    int error = make_tmpfile(server, in, create, &answer);
    size_t length = error ? sizeof answer.header : sizeof answer;
    answer.header =
        (struct fuse_out_header){.len = (uint32_t)length, .error = error, .unique = in->unique};
    if (write(fuse_session_fd(session), &answer, length) < 0 && !error) {
        /* The caller was interrupted and knows nothing of the file. */
        umvfs_close((struct umvfs_file *)answer.open.fh);
        free((struct umvfs_file *)answer.open.fh);
        server->files--;
        node_forget(server, answer.entry.nodeid, 1);
    }
    return true;
}
