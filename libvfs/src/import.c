#include "import.h"

#include "create.h"
#include "dcache.h"
#include "dir.h"
#include "inode.h"
#include "memory.h"
#include "mount_table.h"
#include "perm.h"
#include "walk.h"
#include "xattr.h"

int import_collect(struct vfs_import *imp, char *dst, size_t want, import_then then)
{
    imp->demand = DEMAND_COLLECT;
    imp->dst = dst;
    imp->want = want;
    imp->have = 0;
    imp->then = then;
    return 0;
}

int import_data(struct vfs_import *imp, uint64_t size, import_then then)
{
    imp->demand = DEMAND_DATA;
    imp->left = size;
    imp->then = then;
    return 0;
}

int import_skip(struct vfs_import *imp, uint64_t size, import_then then)
{
    imp->demand = DEMAND_SKIP;
    imp->left = size;
    imp->then = then;
    return 0;
}

int import_zeros(struct vfs_import *imp, import_then then)
{
    imp->demand = DEMAND_ZEROS;
    imp->left = 1;
    imp->then = then;
    return 0;
}

int import_fail_with(struct vfs_import *imp, enum vfs_archive_reason reason, int error)
{
    imp->reason = reason;
    imp->error = error;
    return error;
}

int import_fail(struct vfs_import *imp, enum vfs_archive_reason reason)
{
    return import_fail_with(imp, reason,
                            reason == VFS_ARCHIVE_CONFLICT ? -VFS_EEXIST : -VFS_EINVAL);
}

bool import_parse_digits(const char *text, size_t len, unsigned base, uint64_t *out)
{
    uint64_t value = 0;
    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        unsigned digit = c >= '0' && c <= '9'   ? (unsigned)(c - '0')
                         : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10u
                         : c >= 'A' && c <= 'F' ? (unsigned)(c - 'A') + 10u
                                                : 16u;
        if (digit >= base || __builtin_mul_overflow(value, (uint64_t)base, &value) ||
            __builtin_add_overflow(value, (uint64_t)digit, &value))
            return false;
    }
    *out = value;
    return len > 0;
}

static bool is_met(const struct vfs_import *imp)
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
static int64_t feed(struct vfs_import *imp, const char *data, size_t len)
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
        err = import_write(imp, data, part);
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

static int detect(struct vfs_import *imp)
{
    static const char magic[] = "07070";
    if (is_old_cpio(imp->buf))
        return import_fail(imp, VFS_ARCHIVE_OLD_CPIO);
    return memcmp(imp->buf, magic, sizeof(magic) - 1u) == 0 ? import_cpio(imp) : import_tar(imp);
}

/* Why bytes that ended too early are not enough. Until they can be told from both formats they are no
 * archive: cpio begins with its magic, and a header of tar has its own behind the names. */
static enum vfs_archive_reason why_short(const struct vfs_import *imp)
{
    static const char magic[] = "070701";
    size_t len = imp->offset < 6 ? (size_t)imp->offset : 6;
    bool begun = imp->options.format != VFS_ARCHIVE_AUTO || imp->offset >= IMPORT_TAR_KNOWN;
    if (begun || memcmp(imp->buf, magic, len < 5 ? len : 5) == 0)
        return VFS_ARCHIVE_TRUNCATED;
    return VFS_ARCHIVE_UNKNOWN_FORMAT;
}

static void fill_error(const struct vfs_import *imp, struct vfs_import_error *error)
{
    if (!error)
        return;
    size_t len = imp->entry.name_len;
    size_t cut = len > VFS_NAME_MAX ? len - VFS_NAME_MAX : 0;
    *error = (struct vfs_import_error){.reason = imp->reason,
                                       .error = imp->error,
                                       .offset = imp->entry_offset,
                                       .entry = imp->entry_number};
    memcpy(error->name, imp->entry.name + cut, len - cut);
}

int vfs_import_push(struct vfs_import *imp, const void *data, size_t len,
                    struct vfs_import_error *error)
{
    const char *bytes = data;
    while (!imp->error && len > 0) {
        int64_t took = feed(imp, bytes, len);
        if (took < 0) {
            imp->error = (int)took;
            imp->reason = VFS_ARCHIVE_NO_SPACE;
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
static int make_detached(struct vfs_import *imp, struct vfs_dentry **out)
{
    struct vfs_inode *inode;
    struct vfs_dentry *dentry;
    int err = vfs_inode_new(imp->sb, VFS_S_IFDIR | 0755u, &inode);
    if (err)
        return err;
    err = vfs_dentry_new(imp->sb, NULL, 0, &dentry);
    if (err) {
        vfs_inode_drop(inode);
        return err;
    }
    inode->nlink = 2;
    dentry->inode = inode;
    dentry->parent = dentry;
    *out = dentry;
    return 0;
}

static void drop_detached(struct vfs_dentry *top)
{
    size_t all = SIZE_MAX;
    if (!top)
        return;
    (void)vfs_dir_empty(top, &all);
    vfs_dentry_drop(top);
}

static void free_buffer(struct vfs_import *imp, char *buf)
{
    if (buf)
        vfs_obj_free(imp->sb, buf, VFS_OBJECT_MAX);
}

static void end(struct vfs_import *imp)
{
    struct vfs *vfs = imp->task.vfs;
    struct vfs_inode staged = {.sb = imp->sb, .xattrs = imp->entry.xattrs};
    import_file_done(imp);
    vfs_xattr_free(&staged);
    drop_detached(imp->links);
    drop_detached(imp->top);
    free_buffer(imp, imp->buf);
    free_buffer(imp, imp->entry.name);
    free_buffer(imp, imp->entry.link);
    vfs_path_put(&imp->target);
    vfs->cfg.free(vfs->cfg.ctx, imp, sizeof(*imp));
}

static int prepare(struct vfs_import *imp)
{
    char **const buffers[] = {&imp->buf, &imp->entry.name, &imp->entry.link};
    for (size_t i = 0; i < sizeof(buffers) / sizeof(buffers[0]); i++) {
        void *mem;
        int err = vfs_obj_alloc(imp->sb, VFS_OBJECT_MAX, &mem);
        if (err)
            return err;
        *buffers[i] = mem;
    }
    int err = make_detached(imp, &imp->top);
    return err ? err : make_detached(imp, &imp->links);
}

static int start(struct vfs_import *imp)
{
    switch (imp->options.format) {
    case VFS_ARCHIVE_AUTO:
        return import_collect(imp, imp->buf, 6, detect);
    case VFS_ARCHIVE_CPIO:
    case VFS_ARCHIVE_CPIO_CRC:
        return import_cpio(imp);
    case VFS_ARCHIVE_TAR:
        return import_tar(imp);
    default:
        return -VFS_EINVAL;
    }
}

static int check_target(const struct vfs_walk *w)
{
    const struct vfs_inode *dir = w->dentry->inode;
    if (!vfs_is_dir(dir))
        return -VFS_ENOTDIR;
    if (vfs_is_foreign(dir))
        return -VFS_EOPNOTSUPP;
    int err = vfs_mount_writable(w->mnt);
    return err ? err : vfs_may_create(dir, w->task->cred);
}

int vfs_import_begin(const struct vfs_task *task, const struct vfs_path *at, const char *path,
                     const struct vfs_import_options *options, struct vfs_import **out)
{
    struct vfs *vfs = task->vfs;
    struct vfs_walk w;
    int err = vfs_walk(&w, task, at, path, VFS_AT_EMPTY_PATH, 0);
    if (err)
        return err;
    err = check_target(&w);
    struct vfs_import *imp = err ? NULL : vfs->cfg.alloc(vfs->cfg.ctx, sizeof(*imp));
    if (!err && !imp)
        err = -VFS_ENOMEM;
    if (err) {
        vfs_walk_end(&w);
        return err;
    }
    memset(imp, 0, sizeof(*imp));
    imp->task = *task;
    imp->sb = w.mnt->sb;
    if (options)
        imp->options = *options;
    vfs_walk_take(&w, &imp->target);
    vfs_walk_end(&w);
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

int vfs_import_finish(struct vfs_import *imp, struct vfs_import_error *error)
{
    if (!imp->error && !imp->may_end)
        import_fail(imp, why_short(imp));
    if (!imp->error) {
        import_forget_links(imp);
        int err = vfs_mount_writable(imp->target.mnt);
        if (!err)
            err = vfs_may_create(imp->target.dentry->inode, imp->task.cred);
        if (err)
            import_fail_with(imp, VFS_ARCHIVE_CONFLICT, err);
        else
            import_graft(imp);
    }
    int result = imp->error;
    if (result)
        fill_error(imp, error);
    end(imp);
    return result;
}

void vfs_import_abort(struct vfs_import *imp)
{
    end(imp);
}

int vfs_import_memory(const struct vfs_task *task, const struct vfs_path *at, const char *path,
                      const struct vfs_import_options *options, const void *data, size_t len,
                      struct vfs_import_error *error)
{
    struct vfs_import *imp;
    int err = vfs_import_begin(task, at, path, options, &imp);
    if (err) {
        if (error)
            *error = (struct vfs_import_error){.reason = VFS_ARCHIVE_NO_SPACE, .error = err};
        return err;
    }
    vfs_import_push(imp, data, len, error);
    return vfs_import_finish(imp, error);
}

const char *vfs_archive_reason_text(enum vfs_archive_reason reason)
{
    static const char *const texts[] = {
        [VFS_ARCHIVE_OK] = "no error",
        [VFS_ARCHIVE_UNKNOWN_FORMAT] = "neither cpio (newc) nor tar",
        [VFS_ARCHIVE_BAD_MAGIC] = "no header where one must be",
        [VFS_ARCHIVE_BAD_NUMBER] = "a number with a wrong digit or out of range",
        [VFS_ARCHIVE_BAD_CHECKSUM] = "the checksum is wrong",
        [VFS_ARCHIVE_BAD_NAME] =
            "a name that is empty, unterminated, too long, or has a NUL inside",
        [VFS_ARCHIVE_ABSOLUTE_NAME] = "an absolute name",
        [VFS_ARCHIVE_PARENT_NAME] = "a name with \"..\" in it",
        [VFS_ARCHIVE_THROUGH_SYMLINK] = "a directory of the name is a symbolic link",
        [VFS_ARCHIVE_NOT_DIRECTORY] = "a directory of the name is something else",
        [VFS_ARCHIVE_BAD_TYPE] = "a type that has no meaning here",
        [VFS_ARCHIVE_BAD_LINK] = "a link to nothing, or one that is empty or too long",
        [VFS_ARCHIVE_BAD_PAX] = "a pax record that does not parse",
        [VFS_ARCHIVE_BAD_PADDING] = "bytes other than NUL between archives",
        [VFS_ARCHIVE_TRUNCATED] = "the archive ends too early",
        [VFS_ARCHIVE_TOO_LARGE] = "more entries or a larger file than allowed",
        [VFS_ARCHIVE_CONFLICT] = "the name exists in the target",
        [VFS_ARCHIVE_NO_SPACE] = "no space or no memory left",
        [VFS_ARCHIVE_OLD_CPIO] = "cpio of an old kind (odc or binary): newc is needed",
    };
    return (size_t)reason < sizeof(texts) / sizeof(texts[0]) ? texts[reason] : "unknown";
}
