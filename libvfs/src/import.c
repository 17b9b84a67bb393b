#include "import.h"

#include "create.h"
#include "dcache.h"
#include "inode.h"
#include "memory.h"
#include "mount_table.h"
#include "perm.h"
#include "walk.h"

int umvfs_import_collect(struct umvfs_import *imp, char *dst, size_t want, import_then then)
{
    imp->demand = DEMAND_COLLECT;
    imp->dst = dst;
    imp->want = want;
    imp->have = 0;
    imp->then = then;
    return 0;
}

int umvfs_import_data(struct umvfs_import *imp, uint64_t size, import_then then)
{
    imp->demand = DEMAND_DATA;
    imp->left = size;
    imp->then = then;
    return 0;
}

int umvfs_import_skip(struct umvfs_import *imp, uint64_t size, import_then then)
{
    imp->demand = DEMAND_SKIP;
    imp->left = size;
    imp->then = then;
    return 0;
}

int umvfs_import_zeros(struct umvfs_import *imp, import_then then)
{
    imp->demand = DEMAND_ZEROS;
    imp->left = 1;
    imp->then = then;
    return 0;
}

int umvfs_import_fail_with(struct umvfs_import *imp, enum umvfs_archive_reason reason, int error)
{
    imp->reason = reason;
    imp->error = error;
    return error;
}

int umvfs_import_fail(struct umvfs_import *imp, enum umvfs_archive_reason reason)
{
    return umvfs_import_fail_with(imp, reason,
                                  reason == UMVFS_ARCHIVE_CONFLICT ? -UMVFS_EEXIST : -UMVFS_EINVAL);
}

#ifdef UMVFS_WITHOUT_INITRAMFS
#define read_initramfs umvfs_import_left_out
static inline void end_initramfs(struct umvfs_import *imp, bool set)
{
}
#else
#define read_initramfs umvfs_import_initramfs
#define end_initramfs  umvfs_initramfs_end
#endif

static bool is_met(const struct umvfs_import *imp)
{
    return imp->demand == DEMAND_COLLECT ? imp->have == imp->want : imp->left == 0;
}

/* How many zero bytes come first. */
static size_t leading_zeros(const char *data, size_t len)
{
    uint64_t word = 0;
    size_t at = 0;
    for (; len - at >= sizeof(word); at += sizeof(word)) {
        __builtin_memcpy(&word, data + at, sizeof(word));
        if (word)
            break;
    }
    while (at < len && data[at] == '\0')
        at++;
    return at;
}

/* Feeds the demand; returns how many bytes it took, or an error. */
static int64_t feed(struct umvfs_import *imp, const char *data, size_t len)
{
    uint64_t room = imp->demand == DEMAND_COLLECT ? imp->want - imp->have : imp->left;
    size_t part = len < room ? len : (size_t)room;
    int err = 0;
    switch (imp->demand) {
    case DEMAND_COLLECT:
        memcpy(imp->dst + imp->have, data, part);
        imp->have += part;
        return (int64_t)part;
    case DEMAND_DATA:
        err = umvfs_import_write(imp, data, part);
        imp->left -= part;
        return err ? err : (int64_t)part;
    case DEMAND_SKIP:
        imp->left -= part;
        return (int64_t)part;
    default:
        part = leading_zeros(data, len);
        imp->left = part == len;
        return (int64_t)part;
    }
}

/* "odc", or one number of 16 bits in either order of bytes. */
static bool is_old_cpio(const char *start)
{
    return memcmp(start, "070707", 6) == 0 || memcmp(start, "\xc7\x71", 2) == 0 ||
           memcmp(start, "\x71\xc7", 2) == 0;
}

const char *umvfs_archive_compression(const void *data, size_t len)
{
    static const struct {
        const char *name;
        char bytes[4];
        size_t len;
    } kinds[] = {{"gzip", "\x1f\x8b", 2},
                 {"gzip", "\x1f\x9e", 2},
                 {"bzip2", "BZh", 3},
                 {"lzma", "\x5d\0", 2},
                 {"xz", "\xfd\x37", 2},
                 {"lzo", "\x89LZ", 3},
                 {"lz4", "\x02\x21\x4c\x18", 4},
                 {"lz4", "\x04\x22\x4d\x18", 4},
                 {"zstd", "\x28\xb5\x2f\xfd", 4}};
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (len >= kinds[i].len && memcmp(data, kinds[i].bytes, kinds[i].len) == 0)
            return kinds[i].name;
    }
    return NULL;
}

int umvfs_import_fail_unless_compressed(struct umvfs_import *imp, size_t len,
                                        enum umvfs_archive_reason reason)
{
    imp->compression = umvfs_archive_compression(imp->buf, len);
    return umvfs_import_fail(imp, imp->compression ? UMVFS_ARCHIVE_COMPRESSED : reason);
}

static int detect(struct umvfs_import *imp)
{
    static const char magic[] = "07070";
    if (is_old_cpio(imp->buf))
        return umvfs_import_fail(imp, UMVFS_ARCHIVE_OLD_CPIO);
    return memcmp(imp->buf, magic, sizeof(magic) - 1u) == 0 ? umvfs_import_cpio(imp)
                                                            : umvfs_import_tar(imp);
}

/* Why bytes that ended too early are not enough. Until they can be told from both formats they are no
 * archive: cpio begins with its magic, and a header of tar has its own behind the names. */
static enum umvfs_archive_reason why_short(const struct umvfs_import *imp)
{
    static const char magic[] = "070701";
    size_t len = imp->offset < 6 ? (size_t)imp->offset : 6;
    bool begun = imp->options.format != UMVFS_ARCHIVE_AUTO || imp->offset >= IMPORT_TAR_KNOWN;
    if (begun || memcmp(imp->buf, magic, len < 5 ? len : 5) == 0)
        return UMVFS_ARCHIVE_TRUNCATED;
    return UMVFS_ARCHIVE_UNKNOWN_FORMAT;
}

static void fill(const struct umvfs_import *imp, enum umvfs_archive_reason reason, int err,
                 struct umvfs_import_error *out)
{
    size_t len = imp->entry.name_len;
    size_t cut = len > UMVFS_NAME_MAX ? len - UMVFS_NAME_MAX : 0;
    *out = (struct umvfs_import_error){.reason = reason,
                                       .error = err,
                                       .offset = imp->entry_offset,
                                       .entry = imp->entry_number,
                                       .compression = imp->compression};
    memcpy(out->name, imp->entry.name + cut, len - cut);
}

static void fill_error(const struct umvfs_import *imp, struct umvfs_import_error *error)
{
    if (error)
        fill(imp, imp->reason, imp->error, error);
}

int umvfs_import_warn(struct umvfs_import *imp, enum umvfs_archive_reason reason, int err)
{
    struct umvfs_import_error what;
    if (!imp->options.warn)
        return 0;
    fill(imp, reason, err, &what);
    imp->options.warn(imp->options.warn_ctx, &what);
    return 0;
}

int umvfs_import_push(struct umvfs_import *imp, const void *data, size_t len,
                      struct umvfs_import_error *error)
{
    const char *bytes = data;
    while (!imp->error && len > 0) {
        int64_t took = feed(imp, bytes, len);
        if (took < 0) {
            imp->error = (int)took;
            imp->reason = UMVFS_ARCHIVE_NO_SPACE;
            break;
        }
        bytes += took;
        len -= (size_t)took;
        imp->offset += (uint64_t)took;
        while (!imp->error && is_met(imp))
            imp->error = imp->then(imp);
    }
    if (imp->error)
        fill_error(imp, error);
    return imp->error;
}

/* A directory of no parent's, to hang things into. */
static int make_detached(struct umvfs_import *imp, struct umvfs_dentry **out)
{
    struct umvfs_inode *inode;
    struct umvfs_dentry *dentry;
    int err = umvfs_inode_new(imp->sb, UMVFS_S_IFDIR | 0755u, &inode);
    if (err)
        return err;
    err = umvfs_dentry_new(imp->sb, NULL, 0, &dentry);
    if (err) {
        umvfs_inode_drop(inode);
        return err;
    }
    inode->nlink = 2;
    dentry->inode = inode;
    dentry->parent = dentry;
    *out = dentry;
    return 0;
}

static void drop_detached(struct umvfs_dentry *top)
{
    size_t all = SIZE_MAX;
    if (!top)
        return;
    (void)umvfs_dir_empty(top, &all);
    umvfs_dentry_drop(top);
}

static void free_buffer(struct umvfs_import *imp, char *buf)
{
    if (buf)
        umvfs_obj_free(imp->sb, buf, UMVFS_OBJECT_MAX);
}

void umvfs_import_forget_xattrs(struct umvfs_import *imp)
{
    struct umvfs_inode staged = {.sb = imp->sb, .xattrs = imp->entry.xattrs};
    umvfs_xattr_free(&staged);
    imp->entry.xattrs = NULL;
}

static void end(struct umvfs_import *imp)
{
    struct umvfs *vfs = imp->task.vfs;
    umvfs_import_file_done(imp);
    umvfs_sparse_forget(imp);
    end_initramfs(imp, false);
    umvfs_import_forget_xattrs(imp);
    drop_detached(imp->links);
    drop_detached(imp->top);
    free_buffer(imp, imp->buf);
    free_buffer(imp, imp->entry.name);
    free_buffer(imp, imp->entry.link);
    umvfs_path_put(&imp->target);
    vfs->cfg.free(vfs->cfg.ctx, imp, sizeof(*imp));
}

static int prepare(struct umvfs_import *imp)
{
    char **const buffers[] = {&imp->buf, &imp->entry.name, &imp->entry.link};
    for (size_t i = 0; i < sizeof(buffers) / sizeof(buffers[0]); i++) {
        void *mem;
        int err = umvfs_obj_alloc(imp->sb, UMVFS_OBJECT_MAX, &mem);
        if (err)
            return err;
        *buffers[i] = mem;
    }
    int err = make_detached(imp, &imp->top);
    return err ? err : make_detached(imp, &imp->links);
}

static int start(struct umvfs_import *imp)
{
    if (imp->options.policy == UMVFS_IMPORT_LINUX && imp->options.format != UMVFS_ARCHIVE_TAR)
        return read_initramfs(imp);
    switch (imp->options.format) {
    case UMVFS_ARCHIVE_AUTO:
        return umvfs_import_collect(imp, imp->buf, 6, detect);
    case UMVFS_ARCHIVE_CPIO:
    case UMVFS_ARCHIVE_CPIO_CRC:
        return umvfs_import_cpio(imp);
    case UMVFS_ARCHIVE_TAR:
        return umvfs_import_tar(imp);
    default:
        return -UMVFS_EINVAL;
    }
}

static int check_target(const struct umvfs_walk *w)
{
    const struct umvfs_inode *dir = w->dentry->inode;
    if (!umvfs_is_dir(dir))
        return -UMVFS_ENOTDIR;
    if (umvfs_is_foreign(dir))
        return -UMVFS_EOPNOTSUPP;
    int err = umvfs_mount_writable(w->mnt);
    return err ? err : umvfs_may_create(dir, w->task->cred);
}

int umvfs_import_begin(const struct umvfs_task *task, const struct umvfs_path *at, const char *path,
                       const struct umvfs_import_options *options, struct umvfs_import **out)
{
    struct umvfs *vfs = task->vfs;
    struct umvfs_walk w;
    int err = umvfs_walk(&w, task, at, path, UMVFS_AT_EMPTY_PATH, 0);
    if (err)
        return err;
    err = check_target(&w);
    struct umvfs_import *imp = err ? NULL : vfs->cfg.alloc(vfs->cfg.ctx, sizeof(*imp));
    if (!err && !imp)
        err = -UMVFS_ENOMEM;
    if (err) {
        umvfs_walk_end(&w);
        return err;
    }
    memset(imp, 0, sizeof(*imp));
    imp->task = *task;
    imp->sb = w.mnt->sb;
    if (options)
        imp->options = *options;
    umvfs_walk_take(&w, &imp->target);
    umvfs_walk_end(&w);
    err = prepare(imp);
    if (!err)
        err = start(imp);
    if (err) {
        end(imp);
        return err;
    }
    *out = imp;
    return 0;
}

static void graft(struct umvfs_import *imp)
{
    umvfs_import_forget_links(imp);
    int err = umvfs_mount_writable(imp->target.mnt);
    if (!err)
        err = umvfs_may_create(imp->target.dentry->inode, imp->task.cred);
    if (err)
        umvfs_import_fail_with(imp, UMVFS_ARCHIVE_CONFLICT, err);
    else
        umvfs_import_graft(imp);
}

int umvfs_import_finish(struct umvfs_import *imp, struct umvfs_import_error *error)
{
    if (!imp->error && imp->unmarked && imp->have == 0)
        umvfs_import_warn(imp, UMVFS_ARCHIVE_NO_END, -UMVFS_EINVAL);
    else if (!imp->error && !imp->may_end)
        umvfs_import_fail(imp, why_short(imp));
    if (imp->linux_tree)
        end_initramfs(imp, true);
    else if (!imp->error)
        graft(imp);
    int result = imp->error;
    if (result)
        fill_error(imp, error);
    end(imp);
    return result;
}

void umvfs_import_abort(struct umvfs_import *imp)
{
    end(imp);
}

int umvfs_import_memory(const struct umvfs_task *task, const struct umvfs_path *at,
                        const char *path, const struct umvfs_import_options *options,
                        const void *data, size_t len, struct umvfs_import_error *error)
{
    struct umvfs_import *imp;
    int err = umvfs_import_begin(task, at, path, options, &imp);
    if (err) {
        if (error)
            *error = (struct umvfs_import_error){.reason = UMVFS_ARCHIVE_NO_SPACE, .error = err};
        return err;
    }
    umvfs_import_push(imp, data, len, error);
    return umvfs_import_finish(imp, error);
}

const char *umvfs_archive_reason_text(enum umvfs_archive_reason reason)
{
    static const char *const texts[] = {
        [UMVFS_ARCHIVE_OK] = "no error",
        [UMVFS_ARCHIVE_UNKNOWN_FORMAT] = "neither cpio (newc) nor tar",
        [UMVFS_ARCHIVE_BAD_MAGIC] = "no header where one must be",
        [UMVFS_ARCHIVE_BAD_NUMBER] = "a number with a wrong digit or out of range",
        [UMVFS_ARCHIVE_BAD_CHECKSUM] = "the checksum is wrong",
        [UMVFS_ARCHIVE_BAD_NAME] =
            "a name that is empty, unterminated, too long, or has a NUL inside",
        [UMVFS_ARCHIVE_ABSOLUTE_NAME] = "an absolute name",
        [UMVFS_ARCHIVE_PARENT_NAME] = "a name with \"..\" in it",
        [UMVFS_ARCHIVE_THROUGH_SYMLINK] = "a directory of the name is a symbolic link",
        [UMVFS_ARCHIVE_NOT_DIRECTORY] = "a directory of the name is something else",
        [UMVFS_ARCHIVE_BAD_TYPE] = "a type that has no meaning here",
        [UMVFS_ARCHIVE_BAD_LINK] = "a link to nothing, or one that is empty or too long",
        [UMVFS_ARCHIVE_BAD_PAX] = "a pax record that does not parse",
        [UMVFS_ARCHIVE_BAD_PADDING] = "bytes other than NUL between archives",
        [UMVFS_ARCHIVE_TRUNCATED] = "the archive ends too early",
        [UMVFS_ARCHIVE_TOO_LARGE] = "more entries or a larger file than allowed",
        [UMVFS_ARCHIVE_CONFLICT] = "the name exists in the target",
        [UMVFS_ARCHIVE_NO_SPACE] = "no space or no memory left",
        [UMVFS_ARCHIVE_OLD_CPIO] = "cpio of an old kind (odc or binary): newc is needed",
        [UMVFS_ARCHIVE_COMPRESSED] = "compressed: it must be unpacked first",
        [UMVFS_ARCHIVE_NO_PARENT] = "the directory of the name is missing",
        [UMVFS_ARCHIVE_UNWANTED_DATA] = "contents on an entry that has none",
        [UMVFS_ARCHIVE_REFUSED] = "the file system refuses it",
        [UMVFS_ARCHIVE_BAD_SPARSE] = "the map of a sparse file is damaged",
        [UMVFS_ARCHIVE_NOT_KEPT] = "what it says has no place in a tree",
        [UMVFS_ARCHIVE_NO_END] = "the end mark is missing",
    };
    return (size_t)reason < sizeof(texts) / sizeof(texts[0]) ? texts[reason] : "unknown";
}
